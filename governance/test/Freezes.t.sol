// SPDX-License-Identifier: Apache-2.0
// Owns the tests of freezes: who may, when it is too late, and what the owner's decision does. It refuses nothing itself.
pragma solidity ^0.8.24;

import {IClaims} from "../settlement/IClaims.sol";
import {IDeposits} from "../settlement/IDeposits.sol";
import {IExits} from "../settlement/IExits.sol";
import {IReports} from "../settlement/IReports.sol";
import {Stage} from "../settlement/SettlementTypes.sol";
import {Leaf, Path} from "../settlement/SumTree.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

contract FreezesTest is SettlementFixture {
    uint64 private _first;
    uint64 private _second;
    uint64 private _third;

    /// @dev Three reports on three days: the first is final when the third comes.
    function setUp() public override {
        super.setUp();
        _deposit(REGION, ANNA, 100 * UNIT);
        ledger.creditAll();
        ledger.moveOut(ANNA, 10 * UNIT);
        _first = _report(ledger);
        ledger.moveOut(ANNA, 10 * UNIT);
        _second = _report(ledger);
        ledger.moveOut(ANNA, 10 * UNIT);
        _third = _report(ledger);
    }

    function testRejects_everybodyButTheGuardian() external {
        address[3] memory callers = [STRANGER, OWNER, OPERATOR];
        for (uint256 index = 0; index < 3; ++index) {
            VM.prank(callers[index]);
            VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_NotGuardian.selector, callers[index]));
            settlement.freeze(REGION, _third);
        }
    }

    function testRejects_freezingWhatIsFinal() external {
        VM.prank(GUARDIAN);
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochFinal.selector, _first));
        settlement.freeze(REGION, _first);
        VM.warp(settlement.reportOf(REGION, _third).finalAtS);
        VM.prank(GUARDIAN);
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochFinal.selector, _third));
        settlement.freeze(REGION, _third);
        VM.assertEq(uint256(settlement.regionOf(REGION).stage), uint256(Stage.Open));
    }

    function testRejects_freezingWhatIsNotReported() external {
        VM.prank(GUARDIAN);
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochNotReported.selector, _third + 1));
        settlement.freeze(REGION, _third + 1);
        VM.prank(GUARDIAN);
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochFinal.selector, 0));
        settlement.freeze(REGION, 0);
    }

    function testRejects_freezingTwice() external {
        _freeze(REGION, _second);
        uint64[2] memory epochs = [_second, _third];
        for (uint256 index = 0; index < 2; ++index) {
            VM.prank(GUARDIAN);
            VM.expectRevert(abi.encodeWithSelector(IDeposits.Settlement_RegionNotOpen.selector, REGION));
            settlement.freeze(REGION, epochs[index]);
        }
        VM.prank(OWNER);
        settlement.uphold(REGION);
        VM.prank(GUARDIAN);
        VM.expectRevert(abi.encodeWithSelector(IDeposits.Settlement_RegionNotOpen.selector, REGION));
        settlement.freeze(REGION, _second);
    }

    function testRejects_decisionsWithoutAFreeze() external {
        bytes memory refused = abi.encodeWithSelector(IReports.Settlement_NotFrozen.selector, REGION);
        VM.startPrank(OWNER);
        VM.expectRevert(refused);
        settlement.release(REGION);
        VM.expectRevert(refused);
        settlement.uphold(REGION);
        VM.stopPrank();
        _freeze(REGION, _third);
        VM.startPrank(OWNER);
        settlement.uphold(REGION);
        VM.expectRevert(refused);
        settlement.release(REGION);
        VM.expectRevert(refused);
        settlement.uphold(REGION);
        VM.stopPrank();
    }

    /// @dev Frozen epochs pay nobody however long it takes; earlier ones go on.
    function testRejects_claimsAgainstFrozenEpochs() external {
        _freeze(REGION, _second);
        VM.warp(block.timestamp + 5 * DELAY);
        for (uint64 epoch = _second; epoch <= _third; ++epoch) {
            (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
            VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_EpochNotFinal.selector, epoch));
            settlement.withdraw(REGION, epoch, leaf, path);
        }
        VM.assertEq(_withdraw(ledger, _first, ANNA), 10 * UNIT);
    }

    function testBehavior_freezeIsKept() external {
        VM.expectEmit(address(settlement));
        emit IReports.EpochFrozen(REGION, _third);
        _freeze(REGION, _third);
        VM.assertEq(uint256(settlement.regionOf(REGION).stage), uint256(Stage.Frozen));
        VM.assertEq(settlement.regionOf(REGION).frozenEpoch, _third);
        VM.warp(block.timestamp + 5 * DELAY);
        VM.assertTrue(settlement.isFinal(REGION, _second));
        VM.assertFalse(settlement.isFinal(REGION, _third));
    }

    /// @dev Whoever looks closer finds the fault one epoch earlier.
    function testBehavior_anEarlierEpochIsFrozenAsWell() external {
        _freeze(REGION, _third);
        _freeze(REGION, _second);
        VM.warp(block.timestamp + 5 * DELAY);
        VM.assertFalse(settlement.isFinal(REGION, _second));
        VM.assertTrue(settlement.isFinal(REGION, _first));
    }

    /// @dev Behind the released epoch the delay passed while everything stood still: those reports are posted again.
    function testBehavior_releaseMakesFinalAndDropsTheRest() external {
        _freeze(REGION, _second);
        VM.warp(block.timestamp + 3 * DELAY);
        VM.expectEmit(address(settlement));
        emit IReports.FreezeReleased(REGION, _second, _third);
        VM.prank(OWNER);
        settlement.release(REGION);
        VM.assertTrue(settlement.isFinal(REGION, _second));
        VM.assertFalse(settlement.isFinal(REGION, _third));
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochNotReported.selector, _third));
        settlement.reportOf(REGION, _third);
        VM.assertEq(_withdraw(ledger, _second, ANNA), 20 * UNIT);
        // It is alive as of now, and its old report comes with a delay of its own.
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.assertEq(_report(ledger), _third);
        VM.assertEq(settlement.reportOf(REGION, _third).finalAtS, block.timestamp + DELAY);
        VM.assertFalse(settlement.isFinal(REGION, _third));
        _freeze(REGION, _third);
    }

    /// @dev The owner has looked: what it released is final before its delay is over, and cannot be frozen again.
    function testBehavior_releasedEpochIsFinalAtOnce() external {
        _freeze(REGION, _third);
        VM.prank(OWNER);
        settlement.release(REGION);
        VM.assertGt(settlement.reportOf(REGION, _third).finalAtS, block.timestamp, "was final anyway");
        VM.assertTrue(settlement.isFinal(REGION, _third));
        VM.prank(GUARDIAN);
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochFinal.selector, _third));
        settlement.freeze(REGION, _third);
        VM.assertEq(_withdraw(ledger, _third, ANNA), 30 * UNIT);
    }

    /// @dev A release sets what was overdue back: the operator has the whole time to catch up, and no more.
    function testBehavior_releaseGivesTimeToCatchUp() external {
        _freeze(REGION, _second);
        VM.warp(settlement.regionOf(REGION).aliveAtS + EXIT_AFTER);
        VM.prank(OWNER);
        settlement.release(REGION);
        VM.warp(block.timestamp + EXIT_AFTER);
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.warp(block.timestamp + 1);
        VM.assertTrue(settlement.isExitOpen(REGION));
        // One report is not enough, all of them are.
        uint256 overdue = 0;
        while (settlement.isExitOpen(REGION)) {
            ledger.creditAll();
            _report(ledger);
            ++overdue;
        }
        VM.assertGt(overdue, 1, "caught up with one");
    }

    function testBehavior_upheldOpensTheExitAtOnce() external {
        uint256 index = _deposit(REGION, BEN, 5 * UNIT);
        _freeze(REGION, _second);
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.expectEmit(address(settlement));
        emit IReports.FreezeUpheld(REGION, _second);
        VM.prank(OWNER);
        settlement.uphold(REGION);
        VM.assertTrue(settlement.isExitOpen(REGION));
        // The first report is the last final one: what was asked out after it is held there.
        VM.assertEq(_exit(ledger, _first, ANNA), 100 * UNIT);
        // And it stays open, though nobody has been silent for long.
        VM.assertTrue(settlement.isExitOpen(REGION));
        VM.assertEq(settlement.refundDeposit(REGION, _first, index), 5 * UNIT);
    }

    /// @dev A vote that never comes must not lock anybody in.
    function testBehavior_undecidedFreezeEndsInSilence() external {
        _freeze(REGION, _second);
        VM.warp(settlement.regionOf(REGION).aliveAtS + EXIT_AFTER);
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.warp(block.timestamp + 1);
        VM.assertTrue(settlement.isExitOpen(REGION));
        VM.assertEq(_exit(ledger, _first, ANNA), 100 * UNIT);
        // What the first exit fixed, the owner cannot undo.
        VM.startPrank(OWNER);
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_NotFrozen.selector, REGION));
        settlement.release(REGION);
        VM.stopPrank();
    }

    /// @dev A freeze in one region is nothing to another.
    function testBehavior_otherRegionsGoOn() external {
        _freeze(REGION, _second);
        _settle(otherLedger);
        VM.expectRevert(abi.encodeWithSelector(IExits.Settlement_ExitNotOpen.selector, OTHER_REGION));
        settlement.refundDeposit(OTHER_REGION, FIRST_EPOCH, 1);
    }
}
