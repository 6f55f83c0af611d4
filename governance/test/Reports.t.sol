// SPDX-License-Identifier: Apache-2.0
// Owns the tests of epoch reports: order, time, deposits, balance, caps. It refuses a report that says more than happened.
pragma solidity ^0.8.24;

import {IDeposits} from "../settlement/IDeposits.sol";
import {IReports} from "../settlement/IReports.sol";
import {Posted, Report, Terms} from "../settlement/SettlementTypes.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

contract ReportsTest is SettlementFixture {
    function setUp() public override {
        super.setUp();
        _deposit(REGION, ANNA, 60 * UNIT);
        _deposit(REGION, BEN, 40 * UNIT);
        ledger.creditAll();
    }

    function testRejects_everybodyButTheOperator() external {
        Report memory report = ledger.draft();
        _warpTo(_nextEnd(REGION));
        address[3] memory callers = [STRANGER, OWNER, GUARDIAN];
        for (uint256 index = 0; index < 3; ++index) {
            VM.prank(callers[index]);
            VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_NotOperator.selector, callers[index]));
            settlement.report(REGION, report);
        }
    }

    function testRejects_operatorThatWasReplaced() external {
        Report memory report = ledger.draft();
        VM.prank(OWNER);
        settlement.setOperator(REGION, BEN);
        _expectRefused(REGION, report, abi.encodeWithSelector(IReports.Settlement_NotOperator.selector, OPERATOR));
    }

    function testRejects_twoReportsOfOneEpoch() external {
        Report memory report = ledger.draft();
        _post(REGION, report);
        bytes4 selector = IReports.Settlement_ReportOutOfOrder.selector;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, FIRST_EPOCH, FIRST_EPOCH + 1));
        report.stateHash = "another state";
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, FIRST_EPOCH, FIRST_EPOCH + 1));
    }

    function testRejects_epochsLeftOutOrGoneBack() external {
        Report memory report = ledger.draft();
        bytes4 selector = IReports.Settlement_ReportOutOfOrder.selector;
        report.epoch = FIRST_EPOCH + 1;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, FIRST_EPOCH + 1, FIRST_EPOCH));
        report.epoch = FIRST_EPOCH - 1;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, FIRST_EPOCH - 1, FIRST_EPOCH));
        report.epoch = type(uint64).max;
        VM.prank(OPERATOR);
        VM.expectRevert(abi.encodeWithSelector(selector, type(uint64).max, FIRST_EPOCH));
        settlement.report(REGION, report);
    }

    /// @dev Many epochs at once would let as many caps leave at once.
    function testRejects_epochThatIsNotOver() external {
        Report memory report = ledger.draft();
        uint256 endS = (FIRST_EPOCH + 1) * EPOCH_SECONDS;
        VM.warp(endS - 1);
        VM.prank(OPERATOR);
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochNotOver.selector, FIRST_EPOCH, endS));
        settlement.report(REGION, report);
        VM.warp(endS);
        VM.prank(OPERATOR);
        settlement.report(REGION, report);
        report = ledger.draft();
        VM.prank(OPERATOR);
        VM.expectRevert(
            abi.encodeWithSelector(IReports.Settlement_EpochNotOver.selector, FIRST_EPOCH + 1, endS + EPOCH_SECONDS)
        );
        settlement.report(REGION, report);
    }

    function testRejects_reportOutOfBalance() external {
        Report memory report = ledger.draft();
        bytes4 selector = IReports.Settlement_OutOfBalance.selector;
        report.totals.heldMicros += 1;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 100 * UNIT + 1, 100 * UNIT));
        report.totals.heldMicros -= 2;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 100 * UNIT - 1, 100 * UNIT));
        report.totals.withdrawalsMicros += 2;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 100 * UNIT + 1, 100 * UNIT));
        report.totals.heldMicros = type(uint64).max;
        report.totals.withdrawalsMicros = type(uint64).max;
        bytes memory most = abi.encodeWithSelector(selector, 2 * uint256(type(uint64).max), 100 * UNIT);
        _expectRefused(REGION, report, most);
    }

    function testRejects_depositsThatWereNotMade() external {
        Report memory report = ledger.draft();
        bytes4 selector = IReports.Settlement_DepositsUnknown.selector;
        report.lastDeposit = 3;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 3, report.depositsHash));
        // One past the last: its hash is zero, and so is that of nothing.
        report.depositsHash = 0;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 3, bytes32(0)));
        report.lastDeposit = 2;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 2, bytes32(0)));
    }

    /// @dev A region that credited another account, or another amount, has another chain.
    function testRejects_depositsThatWereMadeOtherwise() external {
        Report memory report = ledger.draft();
        bytes32 first = keccak256(abi.encode(bytes32(0), REGION, 1, ANNA, 60 * UNIT));
        report.depositsHash = keccak256(abi.encode(first, REGION, 2, STRANGER, 40 * UNIT));
        bytes4 selector = IReports.Settlement_DepositsUnknown.selector;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 2, report.depositsHash));
    }

    /// @dev Counting one again would begin with counting fewer.
    function testRejects_fewerDepositsThanBefore() external {
        _report(ledger);
        Report memory report = ledger.draft();
        (, uint256 amountMicros, bytes32 hash) = settlement.depositOf(REGION, 1);
        (report.lastDeposit, report.depositsHash, report.totals.heldMicros) = (1, hash, uint64(60 * UNIT));
        VM.assertEq(amountMicros, 60 * UNIT);
        bytes4 selector = IReports.Settlement_DepositsUnknown.selector;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 1, hash));
    }

    /// @dev A region that comes back before it is silent has seen every deposit in time.
    function testRejects_depositLeftOutForTooLong() external {
        uint256 madeAtS = (FIRST_EPOCH + 1) * EPOCH_SECONDS;
        VM.warp(madeAtS);
        _deposit(REGION, CAROL, 5 * UNIT);
        VM.warp(madeAtS + 1);
        _deposit(REGION, CAROL, 5 * UNIT);
        for (uint256 epoch = 0; epoch < 7; ++epoch) {
            _report(ledger);
        }
        // This one ends seven days after the first of them, and a second before the other.
        Report memory report = ledger.draft();
        VM.assertEq((report.epoch + 1) * EPOCH_SECONDS, madeAtS + EXIT_AFTER);
        _expectRefused(REGION, report, abi.encodeWithSelector(IReports.Settlement_DepositLeftOut.selector, 3));
        ledger.creditThrough(3);
        _report(ledger);
        _expectRefused(REGION, ledger.draft(), abi.encodeWithSelector(IReports.Settlement_DepositLeftOut.selector, 4));
        ledger.creditAll();
        _report(ledger);
    }

    function testRejects_withdrawalsThatFall() external {
        ledger.moveOut(ANNA, 10 * UNIT);
        _report(ledger);
        Report memory report = ledger.draft();
        report.totals.withdrawalsMicros -= 1;
        report.totals.heldMicros += 1;
        bytes4 selector = IReports.Settlement_WithdrawalsFell.selector;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, 10 * UNIT - 1, 10 * UNIT));
    }

    function testRejects_moreThanTheOutflowCap() external {
        ledger.moveOut(ANNA, 25 * UNIT + 1);
        bytes4 selector = IReports.Settlement_AboveOutflowCap.selector;
        _expectRefused(REGION, ledger.draft(), abi.encodeWithSelector(selector, 25 * UNIT + 1, 25 * UNIT));
    }

    /// @dev The share is of what is left, not of all that ever came in.
    function testRejects_moreThanTheCapOfWhatIsLeft() external {
        ledger.moveOut(ANNA, 25 * UNIT);
        _report(ledger);
        (uint256 outflowMicros,) = settlement.allowanceOf(REGION, 2);
        VM.assertEq(outflowMicros, 75 * UNIT / 4);
        ledger.moveOut(BEN, uint64(75 * UNIT / 4 + 1));
        bytes4 selector = IReports.Settlement_AboveOutflowCap.selector;
        _expectRefused(REGION, ledger.draft(), abi.encodeWithSelector(selector, 75 * UNIT / 4 + 1, 75 * UNIT / 4));
    }

    function testRejects_rewardsAboveTheEmission() external {
        ledger.earn(ANNA, EMISSION + 1);
        bytes4 selector = IReports.Settlement_AboveEmission.selector;
        _expectRefused(REGION, ledger.draft(), abi.encodeWithSelector(selector, EMISSION + 1, EMISSION));
    }

    /// @dev What an epoch does not reach is not kept for the next one, and each emits a tenth less.
    function testRejects_rewardsAboveTheEmissionThatFell() external {
        _report(ledger);
        uint128 second = EMISSION * 9 / 10;
        ledger.earn(ANNA, second + 1);
        bytes4 selector = IReports.Settlement_AboveEmission.selector;
        _expectRefused(REGION, ledger.draft(), abi.encodeWithSelector(selector, second + 1, second));
        (, uint256 emission) = settlement.allowanceOf(REGION, 2);
        VM.assertEq(emission, second);
    }

    function testRejects_rewardsThatFall() external {
        ledger.earn(ANNA, 5);
        _report(ledger);
        Report memory report = ledger.draft();
        report.totals.rewards = 4;
        _expectRefused(REGION, report, abi.encodeWithSelector(IReports.Settlement_RewardsFell.selector, 4, 5));
        report.totals.rewards = type(uint128).max;
        uint256 rewarded = type(uint128).max - 5;
        bytes4 selector = IReports.Settlement_AboveEmission.selector;
        _expectRefused(REGION, report, abi.encodeWithSelector(selector, rewarded, EMISSION * 9 / 10));
    }

    function testRejects_regionThatIsNotOpen() external {
        uint64 epoch = _report(ledger);
        Report memory report = ledger.draft();
        bytes memory closed = abi.encodeWithSelector(IDeposits.Settlement_RegionNotOpen.selector, REGION);
        _freeze(REGION, epoch);
        _expectRefused(REGION, report, closed);
        VM.prank(OWNER);
        settlement.uphold(REGION);
        _expectRefused(REGION, report, closed);
        settlement.refundDeposit(REGION, FIRST_EPOCH - 1, 1);
        _expectRefused(REGION, report, closed);
    }

    function testRejects_readingReportsThatAreNot() external {
        _report(ledger);
        uint64[2] memory epochs = [FIRST_EPOCH - 1, FIRST_EPOCH + 1];
        for (uint256 index = 0; index < 2; ++index) {
            VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_EpochNotReported.selector, epochs[index]));
            settlement.reportOf(REGION, epochs[index]);
        }
        VM.expectRevert(abi.encodeWithSelector(IReports.Settlement_DepositsUnknown.selector, 3, bytes32(0)));
        settlement.allowanceOf(REGION, 3);
    }

    function testBehavior_reportIsKept() external {
        ledger.moveOut(ANNA, 25 * UNIT);
        ledger.earn(BEN, EMISSION);
        Report memory report = ledger.draft();
        _warpTo(_nextEnd(REGION));
        VM.expectEmit(address(settlement));
        emit IReports.Reported(REGION, FIRST_EPOCH, report, block.timestamp + DELAY);
        _post(REGION, report);
        Posted memory posted = settlement.reportOf(REGION, FIRST_EPOCH);
        VM.assertEq(posted.sumRoot, report.sumRoot);
        VM.assertEq(posted.totals.withdrawalsMicros, 25 * UNIT);
        VM.assertEq(posted.totals.heldMicros, 75 * UNIT);
        VM.assertEq(posted.totals.rewards, EMISSION);
        VM.assertEq(posted.certificateRoot, report.certificateRoot);
        VM.assertEq(posted.lastDeposit, 2);
        VM.assertEq(posted.digest, keccak256(abi.encode(REGION, report)));
        VM.assertEq(posted.finalAtS, block.timestamp + DELAY);
        VM.assertEq(settlement.regionOf(REGION).reportedEpoch, FIRST_EPOCH);
    }

    function testBehavior_emptyRegionReports() external {
        uint64 epoch = _settle(otherLedger);
        VM.assertEq(settlement.reportOf(OTHER_REGION, epoch).sumRoot, 0);
        VM.assertTrue(settlement.isFinal(OTHER_REGION, epoch));
    }

    /// @dev An operator that was down catches up, epoch by epoch, and each is held to its own terms.
    function testBehavior_catchingUp() external {
        VM.warp((FIRST_EPOCH + 4) * EPOCH_SECONDS);
        for (uint64 epoch = FIRST_EPOCH; epoch < FIRST_EPOCH + 4; ++epoch) {
            VM.assertEq(_report(ledger), epoch);
        }
    }

    function testBehavior_termsChangeWithTheirEpoch() external {
        Terms memory terms = _terms();
        terms.fromEpoch = FIRST_EPOCH + 1;
        (terms.outflowCapBps, terms.emissionPerEpoch, terms.emissionDecayBps) = (5_000, 50, 10_000);
        VM.prank(OWNER);
        settlement.setTerms(REGION, terms);
        ledger.earn(ANNA, EMISSION);
        ledger.moveOut(ANNA, 25 * UNIT);
        _report(ledger);
        // The new terms begin at their own figure, and fall by their own rate.
        (uint256 outflowMicros, uint256 emission) = settlement.allowanceOf(REGION, 2);
        VM.assertEq(emission, 50);
        VM.assertEq(outflowMicros, 75 * UNIT / 2);
        ledger.earn(ANNA, 50);
        ledger.moveOut(BEN, 75 * UNIT / 2);
        _report(ledger);
        (, emission) = settlement.allowanceOf(REGION, 2);
        VM.assertEq(emission, 0);
        VM.assertEq(settlement.reportOf(REGION, FIRST_EPOCH + 1).version, 1);
    }

    /// @dev A shorter delay must not let a report become final before the one that it rests on.
    function testBehavior_finalityKeepsTheOrder() external {
        Terms memory terms = _terms();
        (terms.fromEpoch, terms.finalityDelaySeconds) = (FIRST_EPOCH + 1, 1 hours);
        VM.prank(OWNER);
        settlement.setTerms(REGION, terms);
        VM.warp((FIRST_EPOCH + 2) * EPOCH_SECONDS);
        uint64 first = _report(ledger);
        uint64 second = _report(ledger);
        VM.assertEq(settlement.reportOf(REGION, second).finalAtS, settlement.reportOf(REGION, first).finalAtS);
        VM.warp(block.timestamp + DELAY - 1);
        VM.assertFalse(settlement.isFinal(REGION, first));
        VM.assertFalse(settlement.isFinal(REGION, second));
        VM.warp(block.timestamp + 1);
        VM.assertTrue(settlement.isFinal(REGION, first));
        VM.assertTrue(settlement.isFinal(REGION, second));
    }

    /// @dev Terms that change afterwards do not touch the delay of a report that was posted.
    function testBehavior_delayIsFixedWhenPosted() external {
        uint64 epoch = _report(ledger);
        uint256 finalAtS = settlement.reportOf(REGION, epoch).finalAtS;
        Terms memory terms = _terms();
        (terms.fromEpoch, terms.finalityDelaySeconds) = (FIRST_EPOCH + 2, 1 hours);
        VM.prank(OWNER);
        settlement.setTerms(REGION, terms);
        VM.warp(finalAtS - 1);
        VM.assertFalse(settlement.isFinal(REGION, epoch));
        VM.warp(finalAtS);
        VM.assertTrue(settlement.isFinal(REGION, epoch));
    }

    /// @dev Whatever is asked out, a report passes exactly up to the cap, rounded up.
    function testProperty_theCapIsExact(uint64 heldMicros, uint64 outMicros) external {
        heldMicros = uint64(_within(heldMicros, UNIT, 1_000_000 * UNIT));
        _deposit(OTHER_REGION, ANNA, heldMicros);
        otherLedger.creditAll();
        outMicros = uint64(_within(outMicros, 0, heldMicros));
        otherLedger.moveOut(ANNA, outMicros);
        Report memory report = otherLedger.draft();
        uint256 capMicros = (uint256(heldMicros) * 2_500 + 9_999) / 10_000;
        bytes4 selector = IReports.Settlement_AboveOutflowCap.selector;
        if (outMicros <= capMicros) _post(OTHER_REGION, report);
        else _expectRefused(OTHER_REGION, report, abi.encodeWithSelector(selector, outMicros, capMicros));
    }
}
