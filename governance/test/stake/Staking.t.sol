// SPDX-License-Identifier: Apache-2.0
// Owns the tests of stakes' way in: staking, topping up, and the key that a stake stands for. It refuses a token that keeps a
// part, and a key of somebody else.
pragma solidity ^0.8.24;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRegions} from "../../settlement/IRegions.sol";
import {Limits} from "../../settlement/SettlementTypes.sol";
import {IProviderStake} from "../../stake/IProviderStake.sol";
import {ParametersInForce} from "../../stake/ParametersInForce.sol";
import {ProviderStake} from "../../stake/ProviderStake.sol";
import {Act, Stake} from "../../stake/StakeTypes.sol";
import {TestQuote} from "../../tokens/TestQuote.sol";
import {Parameter} from "../../vote/IRewardParameters.sol";
import {CallingToken, FalseToken, FeeToken, OddDecimals, SilentToken} from "../Tokens.sol";
import {StakeFixture} from "./StakeFixture.sol";

contract StakingTest is StakeFixture {
    function testRejects_contractsThatCannotWork() external {
        OddDecimals odd = new OddDecimals();
        VM.expectRevert(abi.encodeWithSelector(IProviderStake.ProviderStake_TokenDecimals.selector, 18));
        new ProviderStake(odd, settlement, parameters, treasury, treasury, AUDIT, DELAY);
        bytes4 receiver = IProviderStake.ProviderStake_ReceiverNeeded.selector;
        VM.expectRevert(abi.encodeWithSelector(receiver, address(0)));
        new ProviderStake(quote, settlement, parameters, treasury, address(0), AUDIT, DELAY);
        bytes4 time = IProviderStake.ProviderStake_TimeOutOfBounds.selector;
        VM.expectRevert(abi.encodeWithSelector(time, "auditSeconds", 0, 1, 30 days));
        new ProviderStake(quote, settlement, parameters, treasury, treasury, 0, DELAY);
        VM.expectRevert(abi.encodeWithSelector(time, "slashDelaySeconds", 60 days + 1, 1, 60 days));
        new ProviderStake(quote, settlement, parameters, treasury, treasury, AUDIT, 60 days + 1);
        VM.chainId(1);
        VM.expectRevert(abi.encodeWithSelector(time, "auditSeconds", 1 hours - 1, 1 hours, 30 days));
        new ProviderStake(quote, settlement, parameters, treasury, treasury, 1 hours - 1, DELAY);
        VM.expectRevert(abi.encodeWithSelector(time, "slashDelaySeconds", 2 days - 1, 2 days, 60 days));
        new ProviderStake(quote, settlement, parameters, treasury, treasury, AUDIT, 2 days - 1);
        new ProviderStake(quote, settlement, parameters, treasury, treasury, 1 hours, 2 days);
    }

    function testRejects_amountsOutOfBounds() external {
        _fund(DORA, type(uint128).max);
        bytes4 small = IProviderStake.ProviderStake_TooSmall.selector;
        _expectNoStake(0, abi.encodeWithSelector(small, 0, UNIT));
        _expectNoStake(UNIT - 1, abi.encodeWithSelector(small, UNIT - 1, UNIT));
        bytes4 below = IProviderStake.ProviderStake_BelowMinimum.selector;
        _expectNoStake(MINIMUM - 1, abi.encodeWithSelector(below, MINIMUM - 1, MINIMUM));
        bytes4 large = IProviderStake.ProviderStake_TooLarge.selector;
        uint256 most = Limits.MAX_REGION_MICROS;
        _expectNoStake(most + 1, abi.encodeWithSelector(large, most + 1, most));
        _expectNoStake(type(uint256).max, abi.encodeWithSelector(large, type(uint256).max, most));
    }

    function testRejects_regionsThatAreNotOpen() external {
        _fund(DORA, MINIMUM);
        bytes memory unknown = abi.encodeWithSelector(IRegions.Settlement_RegionUnknown.selector, NOWHERE);
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (NOWHERE, DORAS_KEY, MINIMUM)), unknown);
        _stake(EMIL, EMILS_KEY, MINIMUM);
        _wait(PAUSE);
        bytes memory closed = abi.encodeWithSelector(IProviderStake.ProviderStake_RegionNotOpen.selector, REGION);
        _freeze();
        _expectNoStake(MINIMUM, closed);
        _expectRefused(EMIL, abi.encodeCall(stakes.topUp, (REGION, UNIT)), closed);
        VM.prank(treasury);
        settlement.uphold(REGION);
        _expectNoStake(MINIMUM, closed);
    }

    function testRejects_regionWithoutGovernedValues() external {
        bytes32 bare = "polder-two";
        VM.prank(treasury);
        settlement.openRegion(bare, _openingFrom(FIRST_EPOCH));
        _fund(DORA, MINIMUM);
        bytes memory refused = abi.encodeWithSelector(ParametersInForce.ParametersInForce_RegionUnknown.selector, bare);
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (bare, DORAS_KEY, MINIMUM)), refused);
    }

    function testRejects_keysThatAreNoneOrAnotherAccounts() external {
        _fund(DORA, 2 * MINIMUM);
        bytes memory missing = abi.encodeWithSelector(IProviderStake.ProviderStake_KeyMissing.selector);
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (REGION, 0, MINIMUM)), missing);
        _stake(EMIL, EMILS_KEY, MINIMUM);
        bytes memory taken = abi.encodeWithSelector(IProviderStake.ProviderStake_KeyTaken.selector, EMILS_KEY, EMIL);
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (REGION, EMILS_KEY, MINIMUM)), taken);
        // Not when it was rotated out either, nor when the stake is gone: old results are under it.
        _wait(PAUSE);
        _rotate(EMIL, OTHER_KEY);
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (REGION, EMILS_KEY, MINIMUM)), taken);
        _wait(PAUSE);
        VM.warp(_unbond(EMIL));
        _withdraw(EMIL);
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (REGION, EMILS_KEY, MINIMUM)), taken);
    }

    function testRejects_secondStakeOfAnAccount() external {
        _stake(DORA, DORAS_KEY, MINIMUM);
        _fund(DORA, MINIMUM);
        bytes memory refused = abi.encodeWithSelector(IProviderStake.ProviderStake_StakedBefore.selector, REGION, DORA);
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (REGION, OTHER_KEY, MINIMUM)), refused);
    }

    function testRejects_topUpsThatDoNotCount() external {
        bytes memory none = abi.encodeWithSelector(IProviderStake.ProviderStake_NoStake.selector, REGION, DORA);
        _fund(DORA, 10 * MINIMUM);
        _expectRefused(DORA, abi.encodeCall(stakes.topUp, (REGION, UNIT)), none);
        _stake(DORA, DORAS_KEY, MINIMUM);
        bytes memory soon =
            abi.encodeWithSelector(IProviderStake.ProviderStake_TooSoon.selector, block.timestamp + PAUSE);
        _expectRefused(DORA, abi.encodeCall(stakes.topUp, (REGION, UNIT)), soon);
        _wait(PAUSE);
        bytes memory small = abi.encodeWithSelector(IProviderStake.ProviderStake_TooSmall.selector, UNIT - 1, UNIT);
        _expectRefused(DORA, abi.encodeCall(stakes.topUp, (REGION, UNIT - 1)), small);
        uint256 room = Limits.MAX_REGION_MICROS - MINIMUM;
        bytes memory large = abi.encodeWithSelector(IProviderStake.ProviderStake_TooLarge.selector, room + 1, room);
        _expectRefused(DORA, abi.encodeCall(stakes.topUp, (REGION, room + 1)), large);
        uint256 unbondsAtS = _unbond(DORA);
        _wait(PAUSE);
        bytes memory leaving = abi.encodeWithSelector(IProviderStake.ProviderStake_IsUnbonding.selector, unbondsAtS);
        _expectRefused(DORA, abi.encodeCall(stakes.topUp, (REGION, UNIT)), leaving);
    }

    /// @dev What a slash left must be filled up to the minimum at once: a market would not trade with less.
    function testRejects_topUpThatLeavesLessThanTheMinimum() external {
        _stake(DORA, DORAS_KEY, MINIMUM);
        _wait(PAUSE);
        _queue(_wrong(), 4 * UNIT);
        _fund(DORA, 10 * UNIT);
        bytes4 below = IProviderStake.ProviderStake_BelowMinimum.selector;
        bytes memory refused = abi.encodeWithSelector(below, MINIMUM - 1 * UNIT, MINIMUM);
        _expectRefused(DORA, abi.encodeCall(stakes.topUp, (REGION, 3 * UNIT)), refused);
        _topUp(DORA, 4 * UNIT);
        _requireStake(DORA, MINIMUM, 4 * UNIT);
    }

    function testRejects_rotationsThatAreNone() external {
        bytes memory none = abi.encodeWithSelector(IProviderStake.ProviderStake_NoStake.selector, REGION, DORA);
        _expectRefused(DORA, abi.encodeCall(stakes.rotateKey, (REGION, OTHER_KEY)), none);
        _stake(DORA, DORAS_KEY, MINIMUM);
        _stake(EMIL, EMILS_KEY, MINIMUM);
        bytes memory soon =
            abi.encodeWithSelector(IProviderStake.ProviderStake_TooSoon.selector, block.timestamp + PAUSE);
        _expectRefused(DORA, abi.encodeCall(stakes.rotateKey, (REGION, OTHER_KEY)), soon);
        _wait(PAUSE);
        bytes memory missing = abi.encodeWithSelector(IProviderStake.ProviderStake_KeyMissing.selector);
        _expectRefused(DORA, abi.encodeCall(stakes.rotateKey, (REGION, 0)), missing);
        bytes memory same = abi.encodeWithSelector(IProviderStake.ProviderStake_SameKey.selector, DORAS_KEY);
        _expectRefused(DORA, abi.encodeCall(stakes.rotateKey, (REGION, DORAS_KEY)), same);
        bytes memory taken = abi.encodeWithSelector(IProviderStake.ProviderStake_KeyTaken.selector, EMILS_KEY, EMIL);
        _expectRefused(DORA, abi.encodeCall(stakes.rotateKey, (REGION, EMILS_KEY)), taken);
    }

    function testRejects_withoutAllowanceOrMoney() external {
        bytes32 before = _state();
        VM.prank(DORA);
        VM.expectRevert();
        stakes.stake(REGION, DORAS_KEY, MINIMUM);
        _fund(DORA, 0);
        VM.prank(DORA);
        VM.expectRevert();
        stakes.stake(REGION, DORAS_KEY, MINIMUM);
        VM.assertEq(_state(), before);
    }

    function testRejects_tokenThatKeepsAFee() external {
        FeeToken token = new FeeToken();
        token.takeFee(true);
        _use(token);
        _fund(DORA, 2 * MINIMUM);
        bytes4 short = IProviderStake.ProviderStake_TransferFellShort.selector;
        _expectNoStake(2 * MINIMUM, abi.encodeWithSelector(short, 2 * MINIMUM, 2 * MINIMUM - 2 * MINIMUM / 100));
    }

    function testRejects_tokenThatSaysNo() external {
        FalseToken token = new FalseToken();
        _use(token);
        _fund(DORA, MINIMUM);
        _expectNoStake(MINIMUM, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
    }

    /// @dev In the middle of a stake the token stakes for itself, with money and allowance of its own.
    function testRejects_tokenThatCallsBack() external {
        CallingToken token = new CallingToken();
        _use(token);
        _fund(DORA, MINIMUM);
        _fund(address(token), MINIMUM);
        token.callBack(address(stakes), abi.encodeCall(stakes.stake, (REGION, OTHER_KEY, MINIMUM)));
        VM.prank(DORA);
        stakes.stake(REGION, DORAS_KEY, MINIMUM);
        VM.assertTrue(token.wasCalled());
        VM.assertFalse(token.hasSucceeded());
        bytes memory reentered = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        VM.assertEq(keccak256(token.answer()), keccak256(reentered));
        VM.assertEq(stakes.stakeOf(REGION, address(token)).bondedMicros, 0);
        VM.assertEq(token.balanceOf(address(stakes)), MINIMUM);
    }

    function testBehavior_tokenThatAnswersNothing() external {
        SilentToken token = new SilentToken();
        _use(TestQuote(address(token)));
        token.mint(DORA, MINIMUM);
        VM.startPrank(DORA);
        token.approve(address(stakes), MINIMUM);
        stakes.stake(REGION, DORAS_KEY, MINIMUM);
        VM.warp(block.timestamp + PAUSE);
        VM.warp(stakes.beginUnbonding(REGION));
        stakes.withdraw(REGION);
        VM.stopPrank();
        VM.assertEq(token.balanceOf(DORA), MINIMUM);
    }

    function testBehavior_stakesAreNumberedAndKept() external {
        _fund(DORA, MINIMUM);
        VM.prank(DORA);
        VM.expectEmit(address(stakes));
        emit IProviderStake.StakeChanged(REGION, 1, DORA, Act.Staked, DORAS_KEY, MINIMUM, false);
        stakes.stake(REGION, DORAS_KEY, MINIMUM);
        _requireLastEvent(DORA, DORAS_KEY, MINIMUM, false);
        Stake memory held = stakes.stakeOf(REGION, DORA);
        VM.assertEq(held.nodeKey, DORAS_KEY);
        VM.assertEq(held.changedAtS, block.timestamp);
        VM.assertEq(held.unbondsAtS, 0);
        VM.assertEq(stakes.accountOfKey(REGION, DORAS_KEY), DORA);
        VM.assertEq(quote.balanceOf(address(stakes)), MINIMUM);
        VM.assertEq(quote.balanceOf(DORA), 0);
    }

    function testBehavior_topUpsAddUpAndAreRemembered() external {
        uint256 beganAtS = block.timestamp;
        _stake(DORA, DORAS_KEY, MINIMUM);
        _wait(PAUSE);
        _topUp(DORA, 7 * UNIT);
        _requireStake(DORA, MINIMUM + 7 * UNIT, 0);
        _requireLastEvent(DORA, DORAS_KEY, MINIMUM + 7 * UNIT, false);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, beganAtS - 1), 0);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, beganAtS), MINIMUM);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, beganAtS + PAUSE - 1), MINIMUM);
        VM.assertEq(stakes.stakedAtS(REGION, DORA, beganAtS + PAUSE), MINIMUM + 7 * UNIT);
    }

    function testBehavior_keyIsRotatedAndTakenBack() external {
        _stake(DORA, DORAS_KEY, MINIMUM);
        _wait(PAUSE);
        _rotate(DORA, OTHER_KEY);
        _requireLastEvent(DORA, OTHER_KEY, MINIMUM, false);
        VM.assertEq(stakes.accountOfKey(REGION, OTHER_KEY), DORA);
        VM.assertEq(stakes.accountOfKey(REGION, DORAS_KEY), DORA);
        _wait(PAUSE);
        _rotate(DORA, DORAS_KEY);
        VM.assertEq(stakes.stakeOf(REGION, DORA).nodeKey, DORAS_KEY);
    }

    function testBehavior_minimumIsTheOneInForce() external {
        _change(Parameter.ProviderMinimumStake, 60 * UNIT);
        // Voted, and not in force yet.
        _stake(DORA, DORAS_KEY, MINIMUM);
        _untilNewest();
        (uint256 minimumMicros,) = stakes.termsOf(REGION);
        VM.assertEq(minimumMicros, 60 * UNIT);
        // Nobody is put out, but money comes in under the new one only.
        _requireStake(DORA, MINIMUM, 0);
        _fund(EMIL, 60 * UNIT);
        bytes4 below = IProviderStake.ProviderStake_BelowMinimum.selector;
        bytes memory refused = abi.encodeWithSelector(below, 60 * UNIT - 1, 60 * UNIT);
        _expectRefused(EMIL, abi.encodeCall(stakes.stake, (REGION, EMILS_KEY, 60 * UNIT - 1)), refused);
        _fund(DORA, 9 * UNIT);
        refused = abi.encodeWithSelector(below, MINIMUM + 9 * UNIT, 60 * UNIT);
        _expectRefused(DORA, abi.encodeCall(stakes.topUp, (REGION, 9 * UNIT)), refused);
        _topUp(DORA, 10 * UNIT);
        _requireStake(DORA, 60 * UNIT, 0);
    }

    function _use(TestQuote token) private {
        quote = token;
        stakes = _stakesIn(token);
    }

    function _expectNoStake(uint256 amountMicros, bytes memory error_) private {
        _expectRefused(DORA, abi.encodeCall(stakes.stake, (REGION, DORAS_KEY, amountMicros)), error_);
    }
}
