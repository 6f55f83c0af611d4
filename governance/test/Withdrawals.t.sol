// SPDX-License-Identifier: Apache-2.0
// Owns the tests of money's way out of a running region. It refuses to pay anything twice, whoever lies.
pragma solidity ^0.8.24;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IClaims} from "../settlement/IClaims.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {IReports} from "../settlement/IReports.sol";
import {Leaf, Path, Sibling, Sums, SumTree} from "../settlement/SumTree.sol";
import {TestQuote} from "../tokens/TestQuote.sol";
import {SettlementFixture} from "./SettlementFixture.sol";
import {CallingToken, FalseToken} from "./Tokens.sol";

contract WithdrawalsTest is SettlementFixture {
    function setUp() public override {
        super.setUp();
        _deposit(REGION, ANNA, 60 * UNIT);
        _deposit(REGION, BEN, 40 * UNIT);
        _deposit(REGION, CAROL, 20 * UNIT);
        ledger.creditAll();
        _deposit(OTHER_REGION, CAROL, 1_000 * UNIT);
        otherLedger.creditAll();
    }

    function testRejects_reportThatIsNotFinal() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        uint64 epoch = _report(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        bytes4 selector = IClaims.Settlement_EpochNotFinal.selector;
        VM.expectRevert(abi.encodeWithSelector(selector, epoch));
        settlement.withdraw(REGION, epoch, leaf, path);
        VM.expectRevert(abi.encodeWithSelector(selector, epoch + 1));
        settlement.withdraw(REGION, epoch + 1, leaf, path);
        VM.warp(settlement.reportOf(REGION, epoch).finalAtS - 1);
        VM.expectRevert(abi.encodeWithSelector(selector, epoch));
        settlement.withdraw(REGION, epoch, leaf, path);
        VM.warp(block.timestamp + 1);
        VM.assertEq(settlement.withdraw(REGION, epoch, leaf, path), 10 * UNIT);
    }

    function testRejects_secondClaim() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        uint64 epoch = _settle(ledger);
        _withdraw(ledger, epoch, ANNA);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_NothingToClaim.selector, 10 * UNIT, 10 * UNIT));
        settlement.withdraw(REGION, epoch, leaf, path);
        // Nor does an older or a newer report pay the same again.
        uint64 later = _settle(ledger);
        (leaf, path) = ledger.claimOf(later, ANNA);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_NothingToClaim.selector, 10 * UNIT, 10 * UNIT));
        settlement.withdraw(REGION, later, leaf, path);
        VM.assertEq(quote.balanceOf(ANNA), 10 * UNIT);
    }

    function testRejects_olderReportAfterANewerOne() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        uint64 first = _settle(ledger);
        ledger.moveOut(ANNA, 5 * UNIT);
        uint64 second = _settle(ledger);
        VM.assertEq(_withdraw(ledger, second, ANNA), 15 * UNIT);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(first, ANNA);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_NothingToClaim.selector, 10 * UNIT, 15 * UNIT));
        settlement.withdraw(REGION, first, leaf, path);
    }

    function testRejects_accountThatAskedForNothing() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, BEN);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_NothingToClaim.selector, 0, 0));
        settlement.withdraw(REGION, epoch, leaf, path);
    }

    function testRejects_wrongLeafOrPath() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        (, Path memory foreign) = ledger.claimOf(epoch, BEN);
        _expectNotInTree(epoch, leaf, foreign);
        Path memory short = Path(0, new Sibling[](1));
        short.siblings[0] = path.siblings[0];
        _expectNotInTree(epoch, leaf, short);
        leaf.sums.withdrawalsMicros += 1;
        _expectNotInTree(epoch, leaf, path);
        leaf.sums.withdrawalsMicros -= 1;
        leaf.account = STRANGER;
        _expectNotInTree(epoch, leaf, path);
    }

    /// @dev The node above Anna and Ben as a leaf, with both their withdrawals.
    function testRejects_nodeAsLeaf() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        ledger.moveOut(BEN, 10 * UNIT);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        Path memory above = Path(0, new Sibling[](1));
        above.siblings[0] = path.siblings[1];
        leaf.sums.withdrawalsMicros += path.siblings[0].sums.withdrawalsMicros;
        leaf.sums.heldMicros += path.siblings[0].sums.heldMicros;
        _expectNotInTree(epoch, leaf, above);
    }

    /// @dev What one region reports is nothing to another, even of the same account.
    function testRejects_claimOfAnotherRegion() external {
        otherLedger.moveOut(CAROL, 250 * UNIT);
        uint64 epoch = _settle(otherLedger);
        _settle(ledger);
        (Leaf memory leaf, Path memory path) = otherLedger.claimOf(epoch, CAROL);
        _expectNotInTree(epoch, leaf, path);
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_RegionUnknown.selector, bytes32(0)));
        settlement.withdraw(0, epoch, leaf, path);
    }

    function testRejects_epochsBeforeTheFirst() external {
        Leaf memory leaf = Leaf(ANNA, Sums(0, 0, 0));
        Path memory path = Path(0, new Sibling[](0));
        for (uint256 epoch = FIRST_EPOCH - 2; epoch < FIRST_EPOCH; ++epoch) {
            _expectNotInTree(epoch, leaf, path);
        }
        _expectNotInTree(0, leaf, path);
    }

    /// @dev The operator gives a friend what Anna was paid, with the same sum: the cap is kept, and yet all would leave. Only
    /// that all payments together stay within what was asked for stops it.
    function testRejects_withdrawalsGivenToSomebodyElse() external {
        ledger.moveOut(ANNA, 30 * UNIT);
        _withdraw(ledger, _settle(ledger), ANNA);
        Sums memory sums = ledger.leafOf(ANNA).sums;
        ledger.forge(STRANGER, sums);
        ledger.forge(ANNA, Sums(0, 0, 0));
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, STRANGER);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_PaidTwice.selector, 60 * UNIT, 30 * UNIT));
        settlement.withdraw(REGION, epoch, leaf, path);
        VM.assertEq(settlement.holdingsOf(REGION), 90 * UNIT);
        VM.assertEq(quote.balanceOf(STRANGER), 0);
    }

    /// @dev The bound is the newest report's that somebody claimed against. With an older one's, Ben would be refused.
    function testBehavior_olderClaimAfterOthersClaimedNewer() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        ledger.moveOut(BEN, 5 * UNIT);
        uint64 first = _settle(ledger);
        ledger.moveOut(ANNA, 10 * UNIT);
        uint64 second = _settle(ledger);
        VM.assertEq(_withdraw(ledger, second, ANNA), 20 * UNIT);
        VM.assertEq(settlement.regionOf(REGION).finalEpoch, second);
        VM.assertEq(_withdraw(ledger, first, BEN), 5 * UNIT);
    }

    function testRejects_claimDuringAClaim() external {
        CallingToken token = new CallingToken();
        uint64 epoch = _settledWith(token);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        (Leaf memory other, Path memory otherPath) = ledger.claimOf(epoch, BEN);
        token.callBack(address(settlement), abi.encodeCall(IClaims.withdraw, (REGION, epoch, other, otherPath)));
        VM.assertEq(settlement.withdraw(REGION, epoch, leaf, path), 5 * UNIT);
        VM.assertTrue(token.wasCalled());
        VM.assertFalse(token.hasSucceeded());
        bytes memory reentered = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        VM.assertEq(keccak256(token.answer()), keccak256(reentered));
        VM.assertEq(settlement.withdraw(REGION, epoch, other, otherPath), 5 * UNIT);
    }

    function testRejects_payoutThatFails() external {
        FalseToken token = new FalseToken();
        token.setFails(false);
        uint64 epoch = _settledWith(token);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        token.setFails(true);
        VM.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
        settlement.withdraw(REGION, epoch, leaf, path);
        VM.assertEq(settlement.paidOf(REGION, ANNA).micros, 0);
        token.setFails(false);
        VM.assertEq(settlement.withdraw(REGION, epoch, leaf, path), 5 * UNIT);
    }

    function testBehavior_withdrawalIsPaidToTheAccount() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        VM.expectEmit(address(settlement));
        emit IClaims.Withdrawn(REGION, ANNA, epoch, 10 * UNIT);
        VM.prank(STRANGER);
        settlement.withdraw(REGION, epoch, leaf, path);
        VM.assertEq(quote.balanceOf(ANNA), 10 * UNIT);
        VM.assertEq(settlement.paidOf(REGION, ANNA).micros, 10 * UNIT);
        VM.assertEq(settlement.paidOf(OTHER_REGION, ANNA).micros, 0);
        VM.assertEq(settlement.regionOf(REGION).paidMicros, 10 * UNIT);
        VM.assertEq(settlement.holdingsOf(REGION), 110 * UNIT);
    }

    /// @dev Three epochs of which only the last is claimed, after much waiting: nothing expires.
    function testBehavior_claimingLateLosesNothing() external {
        for (uint256 round = 0; round < 3; ++round) {
            ledger.moveOut(ANNA, 5 * UNIT);
            _settle(ledger);
        }
        VM.warp(block.timestamp + 365 days);
        VM.assertEq(_withdraw(ledger, FIRST_EPOCH + 2, ANNA), 15 * UNIT);
    }

    /// @dev What was asked for leaves the ledger: spent there as well, it would be owed twice.
    function testRejects_spendingAfterAskingToWithdraw() external {
        Sums memory sums = ledger.leafOf(ANNA).sums;
        ledger.moveOut(ANNA, 30 * UNIT);
        sums.withdrawalsMicros = 30 * UNIT;
        ledger.forge(ANNA, sums);
        ledger.trade(ANNA, BEN, 60 * UNIT);
        bytes4 selector = IReports.Settlement_OutOfBalance.selector;
        _expectRefused(REGION, ledger.draft(), abi.encodeWithSelector(selector, 150 * UNIT, 120 * UNIT));
    }

    /// @dev A whole region of fees and trades: everybody is paid once, and the rest is here.
    function testProperty_everybodyOnce(uint64[3] calldata parts) external {
        address[3] memory accounts = [ANNA, BEN, CAROL];
        uint256 left = 30 * UNIT;
        for (uint256 index = 0; index < 3; ++index) {
            uint256 part = _within(parts[index], 0, left < 20 * UNIT ? left : 20 * UNIT);
            left -= part;
            ledger.moveOut(accounts[index], SafeCast.toUint64(part));
        }
        uint64 epoch = _settle(ledger);
        for (uint256 index = 0; index < 3; ++index) {
            uint256 asked = ledger.leafOf(accounts[index]).sums.withdrawalsMicros;
            if (asked != 0) VM.assertEq(_withdraw(ledger, epoch, accounts[index]), asked);
        }
        VM.assertEq(settlement.holdingsOf(REGION), ledger.totals().heldMicros);
    }

    /// @dev Anna and Ben may each be paid 5 by a token of the test's choice.
    function _settledWith(TestQuote token) private returns (uint64 epoch) {
        _begin(token);
        _deposit(REGION, ANNA, 20 * UNIT);
        _deposit(REGION, BEN, 20 * UNIT);
        ledger.creditAll();
        ledger.moveOut(ANNA, 5 * UNIT);
        ledger.moveOut(BEN, 5 * UNIT);
        return _settle(ledger);
    }

    function _expectNotInTree(uint256 epoch, Leaf memory leaf, Path memory path) private {
        VM.expectPartialRevert(SumTree.SumTree_LeafNotInTree.selector);
        settlement.withdraw(REGION, epoch, leaf, path);
    }
}
