// SPDX-License-Identifier: Apache-2.0
// Owns the scene of the stakes' tests: a region under a vote, three providers with money, an operator. It refuses to touch the
// contract's storage: all it does, anybody could do.
pragma solidity ^0.8.24;

import {Report} from "../../settlement/SettlementTypes.sol";
import {Slash, SlashStage, Stake, StakeEvent, Wrong} from "../../stake/StakeTypes.sol";
import {ProviderStake} from "../../stake/ProviderStake.sol";
import {TestQuote} from "../../tokens/TestQuote.sol";
import {Change, Parameter} from "../../vote/IRewardParameters.sol";
import {RegionLedger} from "../RegionLedger.sol";
import {VoteFixture} from "../VoteFixture.sol";

abstract contract StakeFixture is VoteFixture {
    bytes32 internal constant NOWHERE = "nowhere";
    uint64 internal constant UNIT = 1_000_000;
    /// @dev What the fixture's region asks for.
    uint64 internal constant MINIMUM = 50 * UNIT;
    uint256 internal constant UNBONDING = 14 days;
    uint256 internal constant SHARE_BPS = 1_000;
    uint256 internal constant AUDIT = 3 days;
    /// @dev A whole vote takes a week here.
    uint256 internal constant DELAY = 10 days;
    uint256 internal constant PAUSE = 10 minutes;
    address internal constant DORA = address(0xd04a);
    address internal constant EMIL = address(0xe311);
    bytes32 internal constant DORAS_KEY = keccak256("dora's node");
    bytes32 internal constant EMILS_KEY = keccak256("emil's node");
    bytes32 internal constant OTHER_KEY = keccak256("another node");
    bytes32 internal constant JOB = keccak256("job");

    ProviderStake internal stakes;
    address internal treasury;
    RegionLedger private _ledger;

    function setUp() public virtual override {
        super.setUp();
        treasury = address(timelock);
        stakes = _stakesIn(quote);
        _ledger = new RegionLedger(settlement, REGION);
    }

    function _stakesIn(TestQuote token) internal returns (ProviderStake) {
        return new ProviderStake(token, settlement, parameters, treasury, treasury, AUDIT, DELAY);
    }

    function _fund(address account, uint256 amountMicros) internal {
        quote.mint(account, amountMicros);
        VM.prank(account);
        quote.approve(address(stakes), type(uint256).max);
    }

    /// @dev With money made for it.
    function _stake(address account, bytes32 nodeKey, uint256 amountMicros) internal {
        _fund(account, amountMicros);
        VM.prank(account);
        stakes.stake(REGION, nodeKey, amountMicros);
    }

    function _topUp(address account, uint256 amountMicros) internal {
        _fund(account, amountMicros);
        VM.prank(account);
        stakes.topUp(REGION, amountMicros);
    }

    function _rotate(address account, bytes32 nodeKey) internal {
        VM.prank(account);
        stakes.rotateKey(REGION, nodeKey);
    }

    function _unbond(address account) internal returns (uint256 unbondsAtS) {
        VM.prank(account);
        return stakes.beginUnbonding(REGION);
    }

    function _withdraw(address account) internal returns (uint256) {
        VM.prank(account);
        return stakes.withdraw(REGION);
    }

    function _wait(uint256 timeSeconds) internal {
        VM.warp(block.timestamp + timeSeconds);
    }

    /// @dev Of dora, now, in the operator's words.
    function _wrong() internal view returns (Wrong memory) {
        return _wrongOf(DORA, DORAS_KEY, JOB);
    }

    function _wrongOf(address account, bytes32 nodeKey, bytes32 job) internal view returns (Wrong memory) {
        return Wrong({
            region: REGION,
            account: account,
            nodeKey: nodeKey,
            jobDigest: job,
            outputHash: keccak256("output"),
            entry: 77,
            atS: uint40(block.timestamp)
        });
    }

    function _queue(Wrong memory wrong, uint256 amountMicros) internal returns (uint256 slash) {
        VM.prank(OPERATOR);
        return stakes.queueSlash(wrong, amountMicros);
    }

    function _cancel(uint256 first, uint256 last) internal returns (uint256) {
        VM.prank(treasury);
        return stakes.cancelSlashes(REGION, first, last);
    }

    function _change(Parameter parameter, uint256 value) internal {
        Change[] memory changes = new Change[](1);
        changes[0] = Change(parameter, value);
        VM.prank(treasury);
        parameters.change(REGION, changes);
    }

    /// @dev The first second in which the newest version holds.
    function _untilNewest() internal {
        uint256 newest = parameters.versionCount(REGION) - 1;
        VM.warp(parameters.versionOf(REGION, newest).fromEpoch * EPOCH_SECONDS);
    }

    /// @dev To where stakes need not wait: the vote has found the operator to lie.
    function _uphold() internal {
        _freeze();
        VM.prank(treasury);
        settlement.uphold(REGION);
    }

    /// @dev The next epoch is reported, at its end or now, and doubted.
    function _freeze() internal {
        Report memory report = _ledger.draft();
        uint256 endS = (report.epoch + 1) * EPOCH_SECONDS;
        if (block.timestamp < endS) VM.warp(endS);
        VM.prank(OPERATOR);
        settlement.report(REGION, report);
        _ledger.remember(report.epoch);
        VM.prank(GUARDIAN);
        settlement.freeze(REGION, report.epoch);
    }

    function _release() internal {
        VM.prank(treasury);
        settlement.release(REGION);
    }

    /// @dev Everything that a refused call must leave as it is.
    function _state() internal view returns (bytes32) {
        (uint256 events, uint256 slashes) = stakes.countsOf(REGION);
        bytes memory money = abi.encode(
            quote.balanceOf(address(stakes)),
            quote.balanceOf(DORA),
            quote.balanceOf(EMIL),
            quote.balanceOf(treasury),
            quote.balanceOf(OPERATOR)
        );
        bytes memory books = abi.encode(stakes.stakeOf(REGION, DORA), stakes.stakeOf(REGION, EMIL), events, slashes);
        bytes memory keys = abi.encode(
            stakes.accountOfKey(REGION, DORAS_KEY),
            stakes.accountOfKey(REGION, EMILS_KEY),
            stakes.accountOfKey(REGION, OTHER_KEY)
        );
        bytes memory last = abi.encode(
            stakes.slashOf(REGION, slashes),
            stakes.isJobSlashed(REGION, DORA, JOB),
            stakes.stakedAtS(REGION, DORA, block.timestamp),
            stakes.stakedAtS(REGION, EMIL, block.timestamp)
        );
        return keccak256(abi.encode(money, books, keys, last));
    }

    /// @dev The call must be refused with this error, and change nothing.
    function _expectRefused(address caller, bytes memory call, bytes memory error_) internal {
        bytes32 before = _state();
        VM.prank(caller);
        VM.expectRevert(error_);
        // What it answers is the runner's to compare.
        (bool isDone,) = address(stakes).call(call);
        VM.assertTrue(isDone);
        VM.assertEq(_state(), before, "a refused call changed something");
    }

    function _requireLastEvent(address account, bytes32 nodeKey, uint256 bondedMicros, bool isUnbonding) internal view {
        (uint256 events,) = stakes.countsOf(REGION);
        StakeEvent memory last = stakes.stakeEventOf(REGION, events);
        VM.assertEq(last.account, account);
        VM.assertEq(last.nodeKey, nodeKey);
        VM.assertEq(last.bondedMicros, bondedMicros);
        VM.assertTrue(last.isUnbonding == isUnbonding, "unbonding");
    }

    function _requireStake(address account, uint256 bondedMicros, uint256 queuedMicros) internal view {
        Stake memory held = stakes.stakeOf(REGION, account);
        VM.assertEq(held.bondedMicros, bondedMicros, "bonded");
        VM.assertEq(held.queuedMicros, queuedMicros, "queued");
    }

    function _requireStage(uint256 slash, SlashStage stage) internal view {
        Slash memory kept = stakes.slashOf(REGION, slash);
        VM.assertEq(uint256(kept.stage), uint256(stage), "stage of the slash");
    }
}
