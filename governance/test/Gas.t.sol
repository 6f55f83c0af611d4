// SPDX-License-Identifier: Apache-2.0
// Owns the gas of everything that a region and its accounts send, as whole transactions, for ten accounts and ten thousand. It
// refuses a report that costs more for more accounts; the figures are kept in governance/snapshots and compared in every run.
pragma solidity ^0.8.24;

import {Report} from "../settlement/SettlementTypes.sol";
import {Leaf, Path, Sums} from "../settlement/SumTree.sol";
import {TestQuote} from "../tokens/TestQuote.sol";
import {SettlementFixture} from "./SettlementFixture.sol";
import {Built, SumTreeBuilder} from "./SumTreeBuilder.sol";

/// forge-config: default.isolate = true
contract GasTest is SettlementFixture {
    string private constant GROUP = "Settlement";

    function testBehavior_gasOfDeposits() external {
        quote.mint(ANNA, 10 * UNIT);
        VM.startPrank(ANNA);
        quote.approve(address(settlement), 10 * UNIT);
        settlement.deposit(REGION, ANNA, UNIT);
        VM.snapshotGasLastCall(GROUP, "deposit, a region's first");
        settlement.deposit(REGION, ANNA, UNIT);
        VM.snapshotGasLastCall(GROUP, "deposit");
        bool isFirstMoved = quote.transfer(BEN, UNIT);
        VM.snapshotGasLastCall(GROUP, "token transfer alone, to an account that had none");
        bool isSecondMoved = quote.transfer(BEN, UNIT);
        VM.snapshotGasLastCall(GROUP, "token transfer alone");
        VM.stopPrank();
        VM.assertTrue(isFirstMoved && isSecondMoved);
    }

    function testBehavior_reportCostsTheSameForAnyNumberOfAccounts() external {
        uint256 few = _postFor(10, "report, 10 accounts");
        _begin(new TestQuote());
        uint256 many = _postFor(10_000, "report, 10,000 accounts");
        VM.assertLe(many * 100, few * 101, "more accounts cost more");
        VM.assertLe(few * 100, many * 101, "fewer accounts cost more");
    }

    function testBehavior_gasOfClaimsOfTen() external {
        _claimAllWays(10, "10 accounts");
    }

    function testBehavior_gasOfClaimsOfTenThousand() external {
        _claimAllWays(10_000, "10,000 accounts");
    }

    function _claimAllWays(uint256 accounts, string memory size) private {
        Built memory built = _postedTree(accounts);
        uint64 epoch = FIRST_EPOCH;
        VM.warp(settlement.reportOf(REGION, epoch).finalAtS);
        uint256 last = accounts - 1;
        (Leaf memory leaf, Path memory path) = (_leafOf(last), SumTreeBuilder.path(built, last));
        settlement.withdraw(REGION, epoch, leaf, path);
        VM.snapshotGasLastCall(GROUP, string.concat("withdraw, ", size));
        settlement.claimRewards(REGION, epoch, leaf, path);
        VM.snapshotGasLastCall(GROUP, string.concat("claimRewards, ", size));
        VM.warp(block.timestamp + EXIT_AFTER);
        settlement.exit(REGION, epoch, leaf, path);
        (leaf, path) = (_leafOf(last - 1), SumTreeBuilder.path(built, last - 1));
        settlement.exit(REGION, epoch, leaf, path);
        VM.snapshotGasLastCall(GROUP, string.concat("exit, ", size));
    }

    function _postFor(uint256 accounts, string memory name) private returns (uint256) {
        _postedTree(accounts);
        return VM.snapshotGasLastCall(GROUP, name);
    }

    /// @dev Every account has asked for one of its four units, the most that may leave.
    function _postedTree(uint256 accounts) private returns (Built memory built) {
        Leaf[] memory leaves = new Leaf[](accounts);
        for (uint256 index = 0; index < accounts; ++index) {
            leaves[index] = _leafOf(index);
        }
        built = SumTreeBuilder.build(leaves);
        _deposit(REGION, ANNA, 4 * UNIT * accounts);
        (,, bytes32 depositsHash) = settlement.depositOf(REGION, 1);
        Report memory report = Report({
            epoch: FIRST_EPOCH,
            stateHash: keccak256("state"),
            journalRoot: keccak256("journal"),
            lastDeposit: 1,
            depositsHash: depositsHash,
            certificateRoot: keccak256("certificates"),
            sumRoot: SumTreeBuilder.root(built),
            totals: SumTreeBuilder.totals(built)
        });
        _post(REGION, report);
    }

    function _leafOf(uint256 index) private pure returns (Leaf memory) {
        address account = SumTreeBuilder.vectorLeaf(index).account;
        return Leaf(account, Sums({withdrawalsMicros: UNIT, heldMicros: 3 * UNIT, rewards: 0.01 ether}));
    }
}
