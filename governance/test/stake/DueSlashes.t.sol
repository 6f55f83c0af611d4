// SPDX-License-Identifier: Apache-2.0
// Owns the tests of what becomes of a queued slash: cancelled by a vote, dropped with its region, or executed when it is due. It
// refuses every receiver but the treasury.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IProviderStake} from "../../stake/IProviderStake.sol";
import {Act, SlashStage} from "../../stake/StakeTypes.sol";
import {AllowedCall} from "../../vote/ICallList.sol";
import {CallingToken} from "../Tokens.sol";
import {StakeFixture} from "./StakeFixture.sol";

contract DueSlashesTest is StakeFixture {
    uint256 private constant STAKE = 100 * uint256(UNIT);
    uint256 private constant SHARE = STAKE * SHARE_BPS / 10_000;

    function setUp() public override {
        super.setUp();
        _stake(DORA, DORAS_KEY, STAKE);
        _wait(1 hours);
        _queue(_wrong(), SHARE);
    }

    function testRejects_ownerThatLeaves() external {
        bytes memory notOwner = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OPERATOR);
        _expectRefused(OPERATOR, abi.encodeCall(stakes.renounceOwnership, ()), notOwner);
        bytes memory needed = abi.encodeWithSelector(IProviderStake.ProviderStake_OwnerNeeded.selector);
        _expectRefused(treasury, abi.encodeCall(stakes.renounceOwnership, ()), needed);
    }

    function testRejects_cancelsByAnybodyButTheOwner() external {
        address[4] memory callers = [OPERATOR, DORA, STRANGER, GUARDIAN];
        for (uint256 index = 0; index < 4; ++index) {
            bytes4 selector = IProviderStake.ProviderStake_MayNotCancel.selector;
            bytes memory refused = abi.encodeWithSelector(selector, callers[index]);
            _expectRefused(callers[index], abi.encodeCall(stakes.cancelSlashes, (REGION, 1, 1)), refused);
        }
    }

    function testRejects_cancelsOfNothing() external {
        bytes4 selector = IProviderStake.ProviderStake_NotQueued.selector;
        _expectNotCancelled(2, 2, abi.encodeWithSelector(selector, REGION, 2));
        _expectNotCancelled(1, 0, abi.encodeWithSelector(selector, REGION, 1));
        _expectNotCancelled(2, type(uint256).max, abi.encodeWithSelector(selector, REGION, 2));
        _cancel(1, 1);
        _expectNotCancelled(1, 1, abi.encodeWithSelector(selector, REGION, 1));
    }

    function testRejects_cancelOfWhatWasExecuted() external {
        _wait(DELAY);
        stakes.executeSlash(REGION, 1);
        bytes memory refused = abi.encodeWithSelector(IProviderStake.ProviderStake_NotQueued.selector, REGION, 1);
        _expectNotCancelled(1, 1, refused);
    }

    function testRejects_executionBeforeItsTime() external {
        uint256 dueAtS = block.timestamp + DELAY;
        VM.warp(dueAtS - 1);
        bytes memory early = abi.encodeWithSelector(IProviderStake.ProviderStake_NotDue.selector, dueAtS);
        _expectNotExecuted(1, early);
        VM.warp(dueAtS);
        stakes.executeSlash(REGION, 1);
    }

    function testRejects_executionOfNothingOrTwice() external {
        bytes4 selector = IProviderStake.ProviderStake_NotQueued.selector;
        _expectNotExecuted(0, abi.encodeWithSelector(selector, REGION, 0));
        _expectNotExecuted(2, abi.encodeWithSelector(selector, REGION, 2));
        _wait(DELAY);
        stakes.executeSlash(REGION, 1);
        _expectNotExecuted(1, abi.encodeWithSelector(selector, REGION, 1));
    }

    function testRejects_executionOfWhatWasCancelled() external {
        _cancel(1, 1);
        _wait(DELAY);
        _expectNotExecuted(1, abi.encodeWithSelector(IProviderStake.ProviderStake_NotQueued.selector, REGION, 1));
    }

    function testRejects_executionWhileItsRegionIsFrozenOrOver() external {
        _freeze();
        _wait(DELAY);
        bytes memory closed = abi.encodeWithSelector(IProviderStake.ProviderStake_RegionNotOpen.selector, REGION);
        _expectNotExecuted(1, closed);
        VM.prank(treasury);
        settlement.uphold(REGION);
        _expectNotExecuted(1, closed);
    }

    function testRejects_tokenThatCallsBackWhenSlashed() external {
        CallingToken token = new CallingToken();
        quote = token;
        stakes = _stakesIn(token);
        _stake(DORA, DORAS_KEY, STAKE);
        _queue(_wrongOf(DORA, DORAS_KEY, keccak256("a")), UNIT);
        _queue(_wrongOf(DORA, DORAS_KEY, keccak256("b")), UNIT);
        _wait(DELAY);
        token.callBack(address(stakes), abi.encodeCall(stakes.executeSlash, (REGION, 2)));
        stakes.executeSlash(REGION, 1);
        VM.assertTrue(token.wasCalled());
        bytes memory reentered = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        VM.assertEq(keccak256(token.answer()), keccak256(reentered));
        VM.assertEq(token.balanceOf(treasury), UNIT);
        _requireStage(2, SlashStage.Queued);
    }

    function testBehavior_anybodyExecutesAndTheTreasuryIsPaid() external {
        _wait(DELAY);
        uint256 before = quote.balanceOf(treasury);
        VM.expectEmit(address(stakes));
        emit IProviderStake.SlashExecuted(REGION, 1, DORA, SHARE, STRANGER);
        VM.prank(STRANGER);
        stakes.executeSlash(REGION, 1);
        VM.assertEq(quote.balanceOf(treasury) - before, SHARE);
        VM.assertEq(quote.balanceOf(OPERATOR), 0);
        VM.assertEq(quote.balanceOf(STRANGER), 0);
        VM.assertEq(quote.balanceOf(address(stakes)), STAKE - SHARE);
        _requireStage(1, SlashStage.Executed);
        _requireStake(DORA, STAKE - SHARE, 0);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, block.timestamp - 1), STAKE);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, block.timestamp), STAKE - SHARE);
    }

    function testBehavior_ownerCancels() external {
        VM.expectEmit(address(stakes));
        emit IProviderStake.SlashCancelled(REGION, 1, DORA, SHARE, treasury);
        VM.expectEmit(address(stakes));
        emit IProviderStake.StakeChanged(REGION, 3, DORA, Act.SlashCancelled, DORAS_KEY, STAKE, false);
        VM.assertEq(_cancel(1, 1), 1);
        _requireStage(1, SlashStage.Cancelled);
        _requireStake(DORA, STAKE, 0);
        _requireLastEvent(DORA, DORAS_KEY, STAKE, false);
    }

    /// @dev Late, but before anybody executed it.
    function testBehavior_ownerCancelsWhatIsDue() external {
        _wait(10 * DELAY);
        _cancel(1, 1);
        _requireStake(DORA, STAKE, 0);
    }

    /// @dev Executing one of many must not undo a vote on all of them.
    function testBehavior_cancelPassesOverWhatIsNotQueued() external {
        _stake(EMIL, EMILS_KEY, STAKE);
        _wait(1);
        _queue(_wrongOf(EMIL, EMILS_KEY, JOB), SHARE);
        _wait(DELAY);
        stakes.executeSlash(REGION, 1);
        VM.assertEq(_cancel(1, type(uint256).max), 1);
        _requireStage(1, SlashStage.Executed);
        _requireStake(EMIL, STAKE, 0);
    }

    function testBehavior_regionThatIsOverDropsItsSlashes() external {
        _uphold();
        VM.prank(STRANGER);
        VM.assertEq(stakes.cancelSlashes(REGION, 1, 1), 1);
        VM.assertEq(_withdraw(DORA), STAKE);
    }

    function testBehavior_executionGoesOnAfterARelease() external {
        _freeze();
        _wait(DELAY);
        _release();
        stakes.executeSlash(REGION, 1);
        _requireStake(DORA, STAKE - SHARE, 0);
    }

    /// @dev Queued, seen, proposed, voted and executed: all of it fits into the delay.
    function testBehavior_wholeVoteCancelsInTime() external {
        VM.prank(treasury);
        callList.allow(_only(AllowedCall(address(stakes), stakes.cancelSlashes.selector)));
        // A day until somebody has looked at it.
        _wait(1 days);
        bytes memory call = abi.encodeCall(stakes.cancelSlashes, (REGION, 1, 1));
        _pass(_draft(address(stakes), call));
        VM.assertLe(block.timestamp, stakes.slashOf(REGION, 1).dueAtS);
        _requireStake(DORA, STAKE, 0);
    }

    /// @dev One share in each delay, of what is left: whatever a liar queues, as soon as it can.
    function testBehavior_lyingOperatorIsSlow() external {
        uint256 left = STAKE - SHARE;
        for (uint256 round = 1; round <= 3; ++round) {
            _wait(DELAY);
            stakes.executeSlash(REGION, round);
            _requireStake(DORA, left, 0);
            uint256 mostMicros = stakes.mostSlashMicros(REGION, DORA, block.timestamp);
            VM.assertEq(mostMicros, left / 10);
            _queue(_wrongOf(DORA, DORAS_KEY, bytes32(round)), mostMicros);
            left -= mostMicros;
        }
    }

    function _only(AllowedCall memory call) private pure returns (AllowedCall[] memory calls) {
        calls = new AllowedCall[](1);
        calls[0] = call;
    }

    function _expectNotCancelled(uint256 first, uint256 last, bytes memory error_) private {
        _expectRefused(treasury, abi.encodeCall(stakes.cancelSlashes, (REGION, first, last)), error_);
    }

    function _expectNotExecuted(uint256 slash, bytes memory error_) private {
        _expectRefused(STRANGER, abi.encodeCall(stakes.executeSlash, (REGION, slash)), error_);
    }
}
