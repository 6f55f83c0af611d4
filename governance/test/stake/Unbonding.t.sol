// SPDX-License-Identifier: Apache-2.0
// Owns the tests of stakes' way out: unbonding, staying after all, withdrawing. It refuses every way to be gone before a wrong
// was looked at.
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IProviderStake} from "../../stake/IProviderStake.sol";
import {Act, Stake} from "../../stake/StakeTypes.sol";
import {Parameter} from "../../vote/IRewardParameters.sol";
import {CallingToken} from "../Tokens.sol";
import {StakeFixture} from "./StakeFixture.sol";

contract UnbondingTest is StakeFixture {
    function setUp() public override {
        super.setUp();
        _stake(DORA, DORAS_KEY, 2 * MINIMUM);
    }

    function testRejects_accountsWithoutAStake() external {
        bytes memory none = abi.encodeWithSelector(IProviderStake.ProviderStake_NoStake.selector, REGION, EMIL);
        _expectRefused(EMIL, abi.encodeCall(stakes.beginUnbonding, (REGION)), none);
        _expectRefused(EMIL, abi.encodeCall(stakes.cancelUnbonding, (REGION)), none);
        _expectRefused(EMIL, abi.encodeCall(stakes.withdraw, (REGION)), none);
    }

    function testRejects_actsInARow() external {
        uint256 untilS = block.timestamp + PAUSE;
        bytes memory soon = abi.encodeWithSelector(IProviderStake.ProviderStake_TooSoon.selector, untilS);
        VM.warp(untilS - 1);
        _expectRefused(DORA, abi.encodeCall(stakes.beginUnbonding, (REGION)), soon);
        VM.warp(untilS);
        _unbond(DORA);
        soon = abi.encodeWithSelector(IProviderStake.ProviderStake_TooSoon.selector, untilS + PAUSE);
        _expectRefused(DORA, abi.encodeCall(stakes.cancelUnbonding, (REGION)), soon);
        VM.prank(DORA);
        VM.expectRevert(soon);
        stakes.rotateKey(REGION, OTHER_KEY);
    }

    function testRejects_unbondingTwice() external {
        _wait(PAUSE);
        uint256 unbondsAtS = _unbond(DORA);
        _wait(PAUSE);
        bytes memory twice = abi.encodeWithSelector(IProviderStake.ProviderStake_IsUnbonding.selector, unbondsAtS);
        _expectRefused(DORA, abi.encodeCall(stakes.beginUnbonding, (REGION)), twice);
    }

    function testRejects_stayingWithoutLeaving() external {
        _wait(PAUSE);
        bytes memory refused = abi.encodeWithSelector(IProviderStake.ProviderStake_NotUnbonding.selector);
        _expectRefused(DORA, abi.encodeCall(stakes.cancelUnbonding, (REGION)), refused);
    }

    function testRejects_withdrawalsBeforeTheirTime() external {
        _wait(PAUSE);
        bytes memory bonded = abi.encodeWithSelector(IProviderStake.ProviderStake_NotUnbonding.selector);
        _expectRefused(DORA, abi.encodeCall(stakes.withdraw, (REGION)), bonded);
        uint256 unbondsAtS = _unbond(DORA);
        VM.assertEq(unbondsAtS, block.timestamp + UNBONDING);
        VM.warp(unbondsAtS - 1);
        bytes memory early = abi.encodeWithSelector(IProviderStake.ProviderStake_StillBonded.selector, unbondsAtS);
        _expectRefused(DORA, abi.encodeCall(stakes.withdraw, (REGION)), early);
        VM.warp(unbondsAtS);
        _withdraw(DORA);
    }

    /// @dev Waiting, staying and leaving at once would be no waiting at all.
    function testRejects_withdrawalAfterStayingOn() external {
        _wait(PAUSE);
        VM.warp(_unbond(DORA));
        VM.prank(DORA);
        stakes.cancelUnbonding(REGION);
        bytes memory bonded = abi.encodeWithSelector(IProviderStake.ProviderStake_NotUnbonding.selector);
        _expectRefused(DORA, abi.encodeCall(stakes.withdraw, (REGION)), bonded);
        _wait(PAUSE);
        VM.assertEq(_unbond(DORA), block.timestamp + UNBONDING);
    }

    function testRejects_secondWithdrawal() external {
        _wait(PAUSE);
        uint256 unbondsAtS = _unbond(DORA);
        _queue(_wrong(), 5 * UNIT);
        VM.warp(unbondsAtS);
        _withdraw(DORA);
        bytes memory nothing = abi.encodeWithSelector(IProviderStake.ProviderStake_NothingToWithdraw.selector, 5 * UNIT);
        _expectRefused(DORA, abi.encodeCall(stakes.withdraw, (REGION)), nothing);
        stakes.executeSlash(REGION, 1);
        bytes memory none = abi.encodeWithSelector(IProviderStake.ProviderStake_NoStake.selector, REGION, DORA);
        _expectRefused(DORA, abi.encodeCall(stakes.withdraw, (REGION)), none);
    }

    /// @dev In the middle of the payment the token asks again; and even the account itself could not.
    function testRejects_tokenThatCallsBackWhenPaid() external {
        CallingToken token = new CallingToken();
        quote = token;
        stakes = _stakesIn(token);
        _stake(DORA, DORAS_KEY, MINIMUM);
        _stake(EMIL, EMILS_KEY, MINIMUM);
        _wait(PAUSE);
        VM.warp(_unbond(DORA));
        token.callBack(address(stakes), abi.encodeCall(stakes.withdraw, (REGION)));
        _withdraw(DORA);
        VM.assertTrue(token.wasCalled());
        VM.assertFalse(token.hasSucceeded());
        bytes memory reentered = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        VM.assertEq(keccak256(token.answer()), keccak256(reentered));
        VM.assertEq(token.balanceOf(DORA), MINIMUM);
        VM.assertEq(token.balanceOf(address(stakes)), MINIMUM);
    }

    function testBehavior_wholeStakeLeaves() external {
        _wait(PAUSE);
        VM.expectEmit(address(stakes));
        emit IProviderStake.StakeChanged(REGION, 2, DORA, Act.UnbondingBegun, DORAS_KEY, 2 * MINIMUM, true);
        uint256 unbondsAtS = _unbond(DORA);
        _requireLastEvent(DORA, DORAS_KEY, 2 * MINIMUM, true);
        VM.warp(unbondsAtS);
        VM.expectEmit(address(stakes));
        emit IProviderStake.StakeChanged(REGION, 3, DORA, Act.Withdrawn, DORAS_KEY, 0, true);
        VM.assertEq(_withdraw(DORA), 2 * MINIMUM);
        _requireLastEvent(DORA, DORAS_KEY, 0, true);
        VM.assertEq(quote.balanceOf(DORA), 2 * MINIMUM);
        VM.assertEq(quote.balanceOf(address(stakes)), 0);
        VM.assertEq(stakes.stakeOf(REGION, DORA).nodeKey, 0);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, unbondsAtS - 1), 2 * MINIMUM);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, unbondsAtS), 0);
    }

    function testBehavior_stakesAnewAfterLeaving() external {
        _wait(PAUSE);
        VM.warp(_unbond(DORA));
        _withdraw(DORA);
        _stake(DORA, DORAS_KEY, MINIMUM);
        _requireStake(DORA, MINIMUM, 0);
        VM.assertEq(stakes.stakeOf(REGION, DORA).unbondsAtS, 0);
    }

    function testBehavior_staysAfterAll() external {
        _wait(PAUSE);
        _unbond(DORA);
        _wait(PAUSE);
        VM.expectEmit(address(stakes));
        emit IProviderStake.StakeChanged(REGION, 3, DORA, Act.UnbondingCancelled, DORAS_KEY, 2 * MINIMUM, false);
        VM.prank(DORA);
        stakes.cancelUnbonding(REGION);
        _requireLastEvent(DORA, DORAS_KEY, 2 * MINIMUM, false);
    }

    /// @dev What is held back for a slash stays; what a vote gives back afterwards leaves as well.
    function testBehavior_leavesInTwoPartsWhenASlashIsCancelled() external {
        _wait(PAUSE);
        VM.warp(_unbond(DORA) - 1);
        _queue(_wrong(), 5 * UNIT);
        _wait(1);
        VM.assertEq(_withdraw(DORA), 2 * MINIMUM - 5 * UNIT);
        _requireStake(DORA, 0, 5 * UNIT);
        _cancel(1, 1);
        _requireLastEvent(DORA, DORAS_KEY, 5 * UNIT, true);
        VM.assertEq(_withdraw(DORA), 5 * UNIT);
        VM.assertEq(quote.balanceOf(DORA), 2 * MINIMUM);
    }

    /// @dev A vote that lengthens the time reaches stakes that stay, and none that is leaving.
    function testBehavior_timeIsTheOneInForceWhenItBegins() external {
        _stake(EMIL, EMILS_KEY, MINIMUM);
        _wait(PAUSE);
        uint256 dorasS = _unbond(DORA);
        _change(Parameter.UnbondingSeconds, 21 days);
        // Voted, not in force: it can be seen, and left before.
        (, uint256 unbondingSeconds) = stakes.termsOf(REGION);
        VM.assertEq(unbondingSeconds, UNBONDING);
        _untilNewest();
        VM.assertEq(_unbond(EMIL), block.timestamp + 21 days);
        VM.assertEq(stakes.stakeOf(REGION, DORA).unbondsAtS, dorasS);
        VM.warp(dorasS);
        _withdraw(DORA);
    }

    /// @dev Whatever was voted, nobody is gone before the last wrong can have been queued and decided.
    function testBehavior_timeIsNoShorterThanAuditAndDelay() external {
        _change(Parameter.UnbondingSeconds, 7 days);
        _untilNewest();
        (, uint256 unbondingSeconds) = stakes.termsOf(REGION);
        VM.assertEq(unbondingSeconds, AUDIT + DELAY);
        VM.assertEq(_unbond(DORA), block.timestamp + AUDIT + DELAY);
    }

    function testBehavior_regionThatIsOverLetsStakesGoAtOnce() external {
        _uphold();
        VM.assertEq(_withdraw(DORA), 2 * MINIMUM);
        VM.assertEq(quote.balanceOf(DORA), 2 * MINIMUM);
    }

    function testBehavior_frozenRegionLetsStakesGoInTime() external {
        _wait(PAUSE);
        uint256 unbondsAtS = _unbond(DORA);
        _freeze();
        bytes memory early = abi.encodeWithSelector(IProviderStake.ProviderStake_StillBonded.selector, unbondsAtS);
        _expectRefused(DORA, abi.encodeCall(stakes.withdraw, (REGION)), early);
        VM.warp(unbondsAtS);
        _withdraw(DORA);
    }

    /// @dev However acts follow each other, a provider of a wrong second is reachable for the audit's time after it.
    function testProperty_neverGoneBeforeTheAuditIsOver(uint256 seed) external {
        uint256 lastWorkS = block.timestamp;
        for (uint256 step = 0; step < 12; ++step) {
            _wait(_within(seed >> (20 * step), 0, 5 days));
            Stake memory held = stakes.stakeOf(REGION, DORA);
            if (held.nodeKey == 0) break;
            // A market gives work to stakes that are bonded.
            if (held.unbondsAtS == 0) lastWorkS = block.timestamp;
            VM.startPrank(DORA);
            (bool isDone,) = address(stakes).call(abi.encodeCall(stakes.withdraw, (REGION)));
            bytes memory other = held.unbondsAtS == 0
                ? abi.encodeCall(stakes.beginUnbonding, (REGION))
                : abi.encodeCall(stakes.cancelUnbonding, (REGION));
            if (isDone) VM.assertTrue(block.timestamp >= lastWorkS + AUDIT + DELAY, "gone too early");
            else if ((seed >> (20 * step)) % 3 == 0) (isDone,) = address(stakes).call(other);
            VM.stopPrank();
        }
    }
}
