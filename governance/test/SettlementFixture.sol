// SPDX-License-Identifier: Apache-2.0
// Owns the scene of Settlement's tests: two regions in one contract, play money, an honest operator. It refuses to touch the
// contract's storage: all it does, anybody could do.
pragma solidity ^0.8.24;

import {Settlement} from "../settlement/Settlement.sol";
import {Opening, Report, Terms} from "../settlement/SettlementTypes.sol";
import {Leaf, Path} from "../settlement/SumTree.sol";
import {TestQuote} from "../tokens/TestQuote.sol";
import {Grant} from "../vote/IPolderToken.sol";
import {PolderToken} from "../vote/PolderToken.sol";
import {Cheats} from "./Cheats.sol";
import {RegionLedger} from "./RegionLedger.sol";

abstract contract SettlementFixture is Cheats {
    bytes32 internal constant REGION = "polder-one";
    bytes32 internal constant OTHER_REGION = "polder-two";
    address internal constant OWNER = address(0x0a);
    address internal constant GUARDIAN = address(0x0b);
    address internal constant OPERATOR = address(0x0c);
    address internal constant STRANGER = address(0x0d);
    address internal constant ANNA = address(0xa11a);
    address internal constant BEN = address(0xbe11);
    address internal constant CAROL = address(0xca01);

    uint16 internal constant EPOCH_SLOTS = 96;
    uint256 internal constant EPOCH_SECONDS = 1 days;
    uint64 internal constant FIRST_EPOCH = 20_000;
    uint64 internal constant UNIT = 1_000_000;
    uint32 internal constant DELAY = 2 days;
    uint32 internal constant EXIT_AFTER = 7 days;
    uint128 internal constant EMISSION = 1_000 ether;

    Settlement internal settlement;
    TestQuote internal quote;
    PolderToken internal rewards;
    RegionLedger internal ledger;
    RegionLedger internal otherLedger;

    function setUp() public virtual {
        _begin(new TestQuote());
        rewards = _token();
        VM.prank(OWNER);
        settlement.setRewardToken(rewards);
    }

    /// @dev Two new regions, with a quote asset of the test's choice.
    function _begin(TestQuote token) internal {
        VM.warp(FIRST_EPOCH * EPOCH_SECONDS);
        quote = token;
        settlement = new Settlement(token, OWNER, GUARDIAN);
        VM.startPrank(OWNER);
        settlement.openRegion(REGION, _opening());
        settlement.openRegion(OTHER_REGION, _opening());
        VM.stopPrank();
        ledger = new RegionLedger(settlement, REGION);
        otherLedger = new RegionLedger(settlement, OTHER_REGION);
    }

    /// @dev Nobody holds it in the beginning, and a day's ceiling is above what both regions may reward in one.
    function _token() internal returns (PolderToken) {
        uint256 mostPerDay = 2 * EMISSION;
        return new PolderToken(address(settlement), OWNER, 0, new Grant[](0), type(uint128).max, mostPerDay);
    }

    function _terms() internal pure returns (Terms memory) {
        return Terms({
            fromEpoch: FIRST_EPOCH,
            outflowCapBps: 2_500,
            finalityDelaySeconds: DELAY,
            exitAfterSeconds: EXIT_AFTER,
            leastDepositMicros: UNIT,
            emissionDecayBps: 1_000,
            emissionPerEpoch: EMISSION
        });
    }

    function _opening() internal pure returns (Opening memory) {
        return Opening({operator: OPERATOR, windowSlots: 4, epochSlots: EPOCH_SLOTS, terms: _terms()});
    }

    /// @dev Gives an account play money and deposits it in its name.
    function _deposit(bytes32 region, address account, uint256 amountMicros) internal returns (uint256 index) {
        quote.mint(account, amountMicros);
        VM.startPrank(account);
        quote.approve(address(settlement), amountMicros);
        index = settlement.deposit(region, account, amountMicros);
        VM.stopPrank();
    }

    function _warpTo(uint256 timestampS) internal {
        if (timestampS > block.timestamp) VM.warp(timestampS);
    }

    /// @dev The end of the epoch that is to be reported next.
    function _nextEnd(bytes32 region) internal view returns (uint256) {
        return (settlement.regionOf(region).reportedEpoch + 2) * EPOCH_SECONDS;
    }

    function _post(bytes32 region, Report memory report) internal {
        _warpTo((report.epoch + 1) * EPOCH_SECONDS);
        VM.prank(OPERATOR);
        settlement.report(region, report);
    }

    /// @dev Posts what the ledger says, at the end of its epoch or later.
    function _report(RegionLedger told) internal returns (uint64 epoch) {
        Report memory report = told.draft();
        _post(told.region(), report);
        told.remember(report.epoch);
        return report.epoch;
    }

    /// @dev The same, and waits until it is final.
    function _settle(RegionLedger told) internal returns (uint64 epoch) {
        epoch = _report(told);
        _warpTo(settlement.reportOf(told.region(), epoch).finalAtS);
    }

    function _withdraw(RegionLedger told, uint256 epoch, address account) internal returns (uint256) {
        (Leaf memory leaf, Path memory path) = told.claimOf(epoch, account);
        return settlement.withdraw(told.region(), epoch, leaf, path);
    }

    function _claimRewards(RegionLedger told, uint256 epoch, address account) internal returns (uint256) {
        (Leaf memory leaf, Path memory path) = told.claimOf(epoch, account);
        return settlement.claimRewards(told.region(), epoch, leaf, path);
    }

    function _exit(RegionLedger told, uint256 epoch, address account) internal returns (uint256) {
        (Leaf memory leaf, Path memory path) = told.claimOf(epoch, account);
        return settlement.exit(told.region(), epoch, leaf, path);
    }

    function _freeze(bytes32 region, uint256 epoch) internal {
        VM.prank(GUARDIAN);
        settlement.freeze(region, epoch);
    }

    /// @dev The report must be refused with this error, whatever it says.
    function _expectRefused(bytes32 region, Report memory report, bytes memory error_) internal {
        _warpTo((report.epoch + 1) * EPOCH_SECONDS);
        VM.prank(OPERATOR);
        VM.expectRevert(error_);
        settlement.report(region, report);
    }
}
