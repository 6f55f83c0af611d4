// SPDX-License-Identifier: Apache-2.0
// Owns the tests of exits: when, by which report, how much, and that nothing is left behind. It refuses nothing itself.
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IClaims} from "../settlement/IClaims.sol";
import {IDeposits} from "../settlement/IDeposits.sol";
import {IExits} from "../settlement/IExits.sol";
import {Stage, Terms} from "../settlement/SettlementTypes.sol";
import {Leaf, Path, Sums, SumTree} from "../settlement/SumTree.sol";
import {SettlementFixture} from "./SettlementFixture.sol";
import {CallingToken} from "./Tokens.sol";

contract ExitsTest is SettlementFixture {
    uint64 private _last;

    /// @dev Anna asked for 30 of 60 and was paid 10 of it; Ben holds 40; Carol's 20 were never counted.
    function setUp() public override {
        super.setUp();
        _deposit(REGION, ANNA, 60 * UNIT);
        _deposit(REGION, BEN, 40 * UNIT);
        ledger.creditAll();
        ledger.moveOut(ANNA, 10 * UNIT);
        _withdraw(ledger, _settle(ledger), ANNA);
        ledger.moveOut(ANNA, 15 * UNIT);
        _report(ledger);
        ledger.moveOut(ANNA, 5 * UNIT);
        _last = _settle(ledger);
        _deposit(REGION, CAROL, 20 * UNIT);
    }

    function testRejects_exitWhileReportsArrive() external {
        _expectExitRefused(_last, ANNA, abi.encodeWithSelector(IExits.Settlement_ExitNotOpen.selector, REGION));
        VM.expectRevert(abi.encodeWithSelector(IExits.Settlement_ExitNotOpen.selector, REGION));
        settlement.refundDeposit(REGION, _last, 3);
        // Silent to the last second, and then a report: it is open no more.
        VM.warp(settlement.regionOf(REGION).aliveAtS + EXIT_AFTER);
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.warp(block.timestamp + 1);
        VM.assertTrue(settlement.isExitOpen(REGION));
        ledger.creditAll();
        _report(ledger);
        VM.assertFalse(settlement.isExitOpen(REGION));
        _expectExitRefused(_last, ANNA, abi.encodeWithSelector(IExits.Settlement_ExitNotOpen.selector, REGION));
    }

    /// @dev An operator that reports one old epoch every six days is never silent, and locks everybody in.
    function testBehavior_reportsThatLagOpenTheExit() external {
        ledger.creditAll();
        uint64 epoch = _report(ledger);
        uint256 dueAtS = _nextEnd(REGION);
        VM.warp(dueAtS + 6 days);
        VM.assertFalse(settlement.isExitOpen(REGION));
        // It comes just in time, and is six days behind; so is the next one, twice.
        epoch = _report(ledger);
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.warp(_nextEnd(REGION) + EXIT_AFTER);
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.warp(block.timestamp + 1);
        VM.assertTrue(settlement.isExitOpen(REGION));
        VM.assertLe(block.timestamp, settlement.regionOf(REGION).aliveAtS + EXIT_AFTER);
        // Whoever catches up closes it again.
        _report(ledger);
        VM.assertFalse(settlement.isExitOpen(REGION));
        VM.warp(_nextEnd(REGION) + EXIT_AFTER + 1);
        VM.assertEq(_exit(ledger, epoch, BEN), 40 * UNIT);
    }

    /// @dev A vote cannot make a silence longer that is running already.
    function testBehavior_aRunningSilenceIsNotMadeLonger() external {
        Terms memory terms = _terms();
        (terms.fromEpoch, terms.exitAfterSeconds) = (_last + 5, 90 days);
        VM.prank(OWNER);
        settlement.setTerms(REGION, terms);
        _fallSilent();
        VM.assertTrue(settlement.isExitOpen(REGION));
    }

    function testRejects_everyReportButTheLastFinal() external {
        _fallSilent();
        uint64[3] memory epochs = [_last - 1, _last - 2, _last + 1];
        for (uint256 index = 0; index < 3; ++index) {
            VM.expectRevert(abi.encodeWithSelector(IExits.Settlement_NotLastFinal.selector, epochs[index]));
            settlement.refundDeposit(REGION, epochs[index], 3);
        }
        _expectExitRefused(_last - 1, ANNA, abi.encodeWithSelector(IExits.Settlement_NotLastFinal.selector, _last - 1));
    }

    /// @dev The first exit fixes the report for all, even where a later one would become final by itself.
    function testRejects_otherReportsOnceItIsFixed() external {
        ledger.creditAll();
        uint64 pending = _report(ledger);
        ledger.trade(BEN, ANNA, 40 * UNIT);
        uint64 frozen = _report(ledger);
        _freeze(REGION, frozen);
        VM.prank(OWNER);
        settlement.uphold(REGION);
        VM.assertEq(_exit(ledger, _last, ANNA), 50 * UNIT);
        VM.warp(block.timestamp + 10 * DELAY);
        VM.assertFalse(settlement.isFinal(REGION, pending));
        bytes memory other = abi.encodeWithSelector(IExits.Settlement_OtherExitEpoch.selector, _last);
        _expectExitRefused(pending, BEN, other);
        _expectExitRefused(_last - 1, BEN, other);
        VM.assertEq(_exit(ledger, _last, BEN), 40 * UNIT);
        VM.assertEq(settlement.refundDeposit(REGION, _last, 3), 20 * UNIT);
        VM.assertEq(settlement.holdingsOf(REGION), 0);
    }

    function testRejects_leavingTwice() external {
        _fallSilent();
        _exit(ledger, _last, ANNA);
        bytes4 selector = IClaims.Settlement_NothingToClaim.selector;
        _expectExitRefused(_last, ANNA, abi.encodeWithSelector(selector, 60 * UNIT, 60 * UNIT));
    }

    function testRejects_ordinaryWithdrawalsInAnExit() external {
        _fallSilent();
        _exit(ledger, _last, BEN);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(_last, ANNA);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_LeaveByExit.selector, _last));
        settlement.withdraw(REGION, _last, leaf, path);
        VM.assertEq(_exit(ledger, _last, ANNA), 50 * UNIT);
    }

    function testRejects_wrongLeaf() external {
        _fallSilent();
        (Leaf memory leaf, Path memory path) = ledger.claimOf(_last, ANNA);
        leaf.sums.heldMicros += 1;
        VM.expectPartialRevert(SumTree.SumTree_LeafNotInTree.selector);
        settlement.exit(REGION, _last, leaf, path);
        // A refused claim fixes nothing.
        VM.assertEq(uint256(settlement.regionOf(REGION).stage), uint256(Stage.Open));
    }

    function testRejects_refundsOfWhatIsInALeaf() external {
        _fallSilent();
        bytes4 selector = IExits.Settlement_DepositCounted.selector;
        for (uint256 index = 0; index < 3; ++index) {
            VM.expectRevert(abi.encodeWithSelector(selector, index));
            settlement.refundDeposit(REGION, _last, index);
        }
        VM.expectRevert(abi.encodeWithSelector(IExits.Settlement_DepositUnknown.selector, 4));
        settlement.refundDeposit(REGION, _last, 4);
    }

    function testRejects_secondRefund() external {
        _fallSilent();
        settlement.refundDeposit(REGION, _last, 3);
        VM.expectRevert(abi.encodeWithSelector(IExits.Settlement_DepositRefundedBefore.selector, 3));
        settlement.refundDeposit(REGION, _last, 3);
        VM.assertEq(quote.balanceOf(CAROL), 20 * UNIT);
    }

    /// @dev An operator's lie became final: Anna was paid, and then her money is said to be a stranger's. The exit pays no more
    /// than was counted, and neither Carol's uncounted deposit nor the other region pays for it.
    function testRejects_exitsBeyondWhatWasCounted() external {
        _deposit(OTHER_REGION, CAROL, 500 * UNIT);
        Sums memory sums = ledger.leafOf(ANNA).sums;
        ledger.forge(STRANGER, sums);
        ledger.forge(ANNA, Sums(0, 0, 0));
        uint64 lie = _settle(ledger);
        VM.warp(block.timestamp + EXIT_AFTER);
        VM.assertEq(_exit(ledger, lie, BEN), 40 * UNIT);
        bytes4 selector = IClaims.Settlement_PaidTwice.selector;
        _expectExitRefused(lie, STRANGER, abi.encodeWithSelector(selector, 110 * UNIT, 100 * UNIT));
        VM.assertEq(settlement.refundDeposit(REGION, lie, 3), 20 * UNIT);
        VM.assertEq(settlement.holdingsOf(OTHER_REGION), 500 * UNIT);
        VM.assertEq(quote.balanceOf(address(settlement)), 550 * UNIT);
    }

    function testRejects_exitWithinARefund() external {
        CallingToken token = new CallingToken();
        _begin(token);
        _deposit(REGION, ANNA, 5 * UNIT);
        _deposit(REGION, ANNA, 5 * UNIT);
        VM.warp(block.timestamp + EXIT_AFTER + 1);
        bytes memory again = abi.encodeCall(IExits.refundDeposit, (REGION, FIRST_EPOCH - 1, 2));
        token.callBack(address(settlement), again);
        settlement.refundDeposit(REGION, FIRST_EPOCH - 1, 1);
        VM.assertTrue(token.wasCalled());
        VM.assertFalse(token.hasSucceeded());
        bytes memory reentered = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        VM.assertEq(keccak256(token.answer()), keccak256(reentered));
    }

    function testBehavior_everybodyTakesAllAfterSilence() external {
        _fallSilent();
        (Leaf memory leaf, Path memory path) = ledger.claimOf(_last, ANNA);
        VM.expectEmit(address(settlement));
        emit IExits.ExitBegan(REGION, _last);
        VM.expectEmit(address(settlement));
        emit IExits.Exited(REGION, ANNA, 50 * UNIT);
        VM.prank(STRANGER);
        settlement.exit(REGION, _last, leaf, path);
        VM.assertEq(quote.balanceOf(ANNA), 60 * UNIT);
        VM.assertEq(_exit(ledger, _last, BEN), 40 * UNIT);
        VM.expectEmit(address(settlement));
        emit IExits.DepositRefunded(REGION, 3, CAROL, 20 * UNIT);
        settlement.refundDeposit(REGION, _last, 3);
        VM.assertEq(settlement.holdingsOf(REGION), 0);
        VM.assertEq(quote.balanceOf(address(settlement)), 0);
        VM.assertEq(uint256(settlement.regionOf(REGION).stage), uint256(Stage.Exiting));
    }

    /// @dev No cap: everything at once, though a report could not let out more than a quarter.
    function testBehavior_exitHasNoCap() external {
        _fallSilent();
        VM.assertEq(_exit(ledger, _last, BEN), 40 * UNIT);
    }

    /// @dev A region that never reported: every deposit goes back.
    function testBehavior_regionWithoutAnyReport() external {
        _deposit(OTHER_REGION, BEN, 7 * UNIT);
        _deposit(OTHER_REGION, CAROL, 8 * UNIT);
        VM.warp(block.timestamp + EXIT_AFTER + 1);
        VM.expectRevert(abi.encodeWithSelector(IExits.Settlement_NotLastFinal.selector, FIRST_EPOCH));
        settlement.refundDeposit(OTHER_REGION, FIRST_EPOCH, 1);
        VM.assertEq(settlement.refundDeposit(OTHER_REGION, FIRST_EPOCH - 1, 1), 7 * UNIT);
        VM.assertEq(settlement.refundDeposit(OTHER_REGION, FIRST_EPOCH - 1, 2), 8 * UNIT);
        VM.assertEq(settlement.holdingsOf(OTHER_REGION), 0);
    }

    /// @dev Two deposits of one account, paid back in any order, next to its leaf.
    function testBehavior_refundsAreNotTakenOffTheLeaf() external {
        _deposit(REGION, ANNA, 3 * UNIT);
        _deposit(REGION, ANNA, 4 * UNIT);
        _fallSilent();
        VM.assertEq(settlement.refundDeposit(REGION, _last, 5), 4 * UNIT);
        VM.assertEq(_exit(ledger, _last, ANNA), 50 * UNIT);
        VM.assertEq(settlement.refundDeposit(REGION, _last, 4), 3 * UNIT);
        VM.assertEq(settlement.refundDeposit(REGION, _last, 3), 20 * UNIT);
        VM.assertEq(quote.balanceOf(ANNA), 67 * UNIT);
    }

    /// @dev Sums at the bounds of a region, and an exit of all of it.
    function testBehavior_exitOfTheLargestRegion() external {
        uint64 most = 4_000_000_000_000_000;
        _deposit(OTHER_REGION, ANNA, most);
        otherLedger.creditAll();
        otherLedger.moveOut(ANNA, most / 4);
        uint64 epoch = _settle(otherLedger);
        VM.warp(block.timestamp + EXIT_AFTER + 1);
        VM.assertEq(_exit(otherLedger, epoch, ANNA), most);
        VM.expectRevert(abi.encodeWithSelector(IDeposits.Settlement_RegionNotOpen.selector, OTHER_REGION));
        settlement.deposit(OTHER_REGION, ANNA, UNIT);
    }

    function _fallSilent() private {
        VM.warp(settlement.regionOf(REGION).aliveAtS + EXIT_AFTER + 1);
    }

    function _expectExitRefused(uint64 epoch, address account, bytes memory refused) private {
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, account);
        uint256 before = quote.balanceOf(account);
        VM.expectRevert(refused);
        settlement.exit(REGION, epoch, leaf, path);
        VM.assertEq(quote.balanceOf(account), before);
    }
}
