// SPDX-License-Identifier: Apache-2.0
// Owns an honest region's ledger for tests: who holds what, what was asked out, what was earned, and the leaves of every
// epoch reported. It refuses nothing; tests bend what it says.
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Settlement} from "../settlement/Settlement.sol";
import {DepositRecord, Report} from "../settlement/SettlementTypes.sol";
import {Leaf, Path, Sums} from "../settlement/SumTree.sol";
import {Built, SumTreeBuilder} from "./SumTreeBuilder.sol";

/// @notice A region's ledger beside its contract. Its mirror credits deposits one by one, in their order.
contract RegionLedger {
    Settlement public immutable settlement;
    bytes32 public immutable region;
    uint48 public credited;

    Leaf[] private _leaves;
    /// Places of accounts, from 1; 0 for nobody.
    mapping(address account => uint256 number) public numberOf;
    mapping(uint256 epoch => Leaf[]) private _reported;

    constructor(Settlement settlement_, bytes32 region_) {
        settlement = settlement_;
        region = region_;
    }

    /// @notice Credits all deposits up to an index, as a mirror does.
    function creditThrough(uint256 index) public {
        for (uint256 next = credited + 1; next <= index; ++next) {
            (DepositRecord memory record, uint256 amountMicros,) = settlement.depositOf(region, next);
            _leaf(record.account).sums.heldMicros += SafeCast.toUint64(amountMicros);
        }
        credited = SafeCast.toUint48(index);
    }

    function creditAll() external {
        creditThrough(settlement.regionOf(region).depositCount);
    }

    /// @notice Moves money out of the ledger, to be paid against a report.
    function moveOut(address account, uint64 amountMicros) external {
        Leaf storage leaf = _leaf(account);
        leaf.sums.heldMicros -= amountMicros;
        leaf.sums.withdrawalsMicros += amountMicros;
    }

    /// @notice A trade: money changes hands within the ledger.
    function trade(address from, address to, uint64 amountMicros) external {
        _leaf(from).sums.heldMicros -= amountMicros;
        _leaf(to).sums.heldMicros += amountMicros;
    }

    function earn(address account, uint128 rewards) external {
        _leaf(account).sums.rewards += rewards;
    }

    /// @notice Writes an account's leaf as an operator that lies would.
    function forge(address account, Sums calldata sums) external {
        _leaf(account).sums = sums;
    }

    /// @notice The report of the next epoch, with the leaves as they are now.
    function draft() public view returns (Report memory) {
        Built memory built = SumTreeBuilder.build(_leaves);
        uint64 epoch = settlement.regionOf(region).reportedEpoch + 1;
        (,, bytes32 depositsHash) = settlement.depositOf(region, credited);
        return Report({
            epoch: epoch,
            stateHash: keccak256(abi.encode("state", epoch)),
            journalRoot: keccak256(abi.encode("journal", epoch)),
            lastDeposit: credited,
            depositsHash: depositsHash,
            certificateRoot: bytes32(uint256(epoch)),
            sumRoot: SumTreeBuilder.root(built),
            totals: SumTreeBuilder.totals(built)
        });
    }

    /// @notice Remembers the leaves of an epoch, as every account does its own.
    function remember(uint256 epoch) external {
        delete _reported[epoch];
        for (uint256 index = 0; index < _leaves.length; ++index) {
            _reported[epoch].push(_leaves[index]);
        }
    }

    /// @notice An account's leaf and path in a reported epoch.
    function claimOf(uint256 epoch, address account) external view returns (Leaf memory leaf, Path memory path) {
        Leaf[] memory leaves = _reported[epoch];
        uint256 position = numberOf[account] - 1;
        return (leaves[position], SumTreeBuilder.path(SumTreeBuilder.build(leaves), position));
    }

    function leafOf(address account) external view returns (Leaf memory leaf) {
        uint256 number = numberOf[account];
        leaf.account = account;
        if (number != 0) leaf = _leaves[number - 1];
    }

    function leavesOf(uint256 epoch) external view returns (Leaf[] memory) {
        return _reported[epoch];
    }

    function totals() external view returns (Sums memory) {
        return SumTreeBuilder.totals(SumTreeBuilder.build(_leaves));
    }

    function _leaf(address account) private returns (Leaf storage) {
        if (numberOf[account] == 0) {
            _leaves.push();
            numberOf[account] = _leaves.length;
            _leaves[_leaves.length - 1].account = account;
        }
        return _leaves[numberOf[account] - 1];
    }
}
