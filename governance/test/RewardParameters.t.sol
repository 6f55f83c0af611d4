// SPDX-License-Identifier: Apache-2.0
// Owns the tests of governed values one by one: bounds, steps, cool-downs, versions. It refuses what a vote may have wanted.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {Limits} from "../settlement/SettlementTypes.sol";
import {Bounds, Change, IRewardParameters, Parameter, Version} from "../vote/IRewardParameters.sol";
import {ParameterBounds} from "../vote/ParameterBounds.sol";
import {RewardParameters} from "../vote/RewardParameters.sol";
import {VoteFixture} from "./VoteFixture.sol";

contract RewardParametersTest is VoteFixture {
    function testRejects_strangers() external {
        bytes memory refused = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER);
        VM.startPrank(STRANGER);
        VM.expectRevert(refused);
        parameters.change(REGION, _changes(Parameter.TakeRateBps, 120));
        VM.expectRevert(refused);
        parameters.open("polder-two", _values());
        VM.expectRevert(refused);
        parameters.renounceOwnership();
        VM.stopPrank();
        VM.prank(address(timelock));
        VM.expectRevert(IRewardParameters.RewardParameters_OwnerNeeded.selector);
        parameters.renounceOwnership();
        _requireUnchanged();
    }

    function testRejects_valuesOutOfBounds() external {
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            Parameter parameter = Parameter(index);
            Bounds memory bounds = parameters.boundsOf(parameter);
            _refuseBound(parameter, bounds.most + 1, bounds);
            _refuseBound(parameter, type(uint256).max, bounds);
            if (bounds.least > 0) _refuseBound(parameter, bounds.least - 1, bounds);
        }
        _requireUnchanged();
    }

    function testRejects_tooLargeAStep() external {
        uint256[19] memory values = _values();
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            Parameter parameter = Parameter(index);
            Bounds memory bounds = parameters.boundsOf(parameter);
            uint256 most = _mostStep(bounds, values[index]);
            if (values[index] + most < bounds.most) {
                _refuseStep(parameter, values[index], values[index] + most + 1, most);
            }
            if (values[index] > bounds.least + most) {
                _refuseStep(parameter, values[index], values[index] - most - 1, most);
            }
        }
        _requireUnchanged();
    }

    /// @dev A share of nothing is nothing: without its floor a value that once was 0 would stay 0, and a floor is all it gets.
    function testRejects_jumpFromZero() external {
        uint256[3] memory atZero = [
            uint256(Parameter.RewardWeightCompute),
            uint256(Parameter.RewardWeightBandwidth),
            uint256(Parameter.TakeRateBps)
        ];
        // The take rate is brought to zero first.
        _changeAsOwner(_changes(Parameter.TakeRateBps, 50));
        VM.warp(block.timestamp + 7 days);
        _changeAsOwner(_changes(Parameter.TakeRateBps, 0));
        VM.warp(block.timestamp + 7 days);
        for (uint256 index = 0; index < atZero.length; ++index) {
            Parameter parameter = Parameter(atZero[index]);
            uint256 floor = parameters.boundsOf(parameter).stepFloor;
            VM.assertEq(_valueOf(parameter), 0);
            _refuseStep(parameter, 0, floor + 1, floor);
            _changeAsOwner(_changes(parameter, floor));
            VM.assertEq(_valueOf(parameter), floor);
        }
    }

    /// @dev No value is ever held for want of a step, wherever in its bounds it stands.
    function testProperty_everyValueCanMoveBothWays(uint256 seed) external view {
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            Bounds memory bounds = parameters.boundsOf(Parameter(index));
            VM.assertLe(bounds.most, type(uint128).max, "two values share a word");
            VM.assertLe(bounds.stepBps, Limits.BPS / 2, "half of a value at the most");
            uint256 value = _within(uint256(keccak256(abi.encode(seed, index))), bounds.least, bounds.most);
            VM.assertGt(_mostStep(bounds, value), 0, "a step");
            VM.assertGt(bounds.coolDownSeconds, 1 days, "a cool-down");
            VM.assertLe(bounds.stepFloor, bounds.most - bounds.least, "a floor within the bounds");
        }
    }

    function testRejects_changeWithinTheCoolDown() external {
        uint256 beganS = block.timestamp;
        _changeAsOwner(_changes(Parameter.TakeRateBps, 120));
        uint256 untilS = beganS + 7 days;
        VM.assertEq(parameters.changeableAtS(REGION, Parameter.TakeRateBps), untilS);
        VM.warp(untilS - 1);
        bytes memory refused = abi.encodeWithSelector(
            IRewardParameters.RewardParameters_CoolingDown.selector, Parameter.TakeRateBps, untilS
        );
        _refuse(_changes(Parameter.TakeRateBps, 130), refused);
        VM.assertEq(_valueOf(Parameter.TakeRateBps), 120);
        // Another value does not wait.
        _changeAsOwner(_changes(Parameter.ClearingPriceK, 5_500));
        VM.warp(untilS);
        _changeAsOwner(_changes(Parameter.TakeRateBps, 130));
        VM.assertEq(parameters.versionCount(REGION), 4);
    }

    /// @dev A value that stood twice would take two steps at once.
    function testRejects_valueTwiceOrOutOfOrder() external {
        Change[] memory changes = new Change[](2);
        changes[0] = Change(Parameter.TakeRateBps, 120);
        changes[1] = Change(Parameter.TakeRateBps, 140);
        bytes memory refused =
            abi.encodeWithSelector(IRewardParameters.RewardParameters_NotAscending.selector, Parameter.TakeRateBps);
        _refuse(changes, refused);
        changes[0] = Change(Parameter.ClearingPriceK, 5_100);
        _refuse(changes, refused);
        _requireUnchanged();
    }

    function testRejects_changeOfNothing() external {
        _refuse(
            new Change[](0), abi.encodeWithSelector(IRewardParameters.RewardParameters_NothingToChange.selector, REGION)
        );
        _refuse(
            _changes(Parameter.TakeRateBps, 100),
            abi.encodeWithSelector(IRewardParameters.RewardParameters_SameValue.selector, Parameter.TakeRateBps, 100)
        );
        _requireUnchanged();
    }

    /// @dev Evidence of one window is taken at a time.
    function testRejects_proofDelayBeyondTheWindow() external {
        _refuse(
            _changes(Parameter.ProofDelaySeconds, 3_601),
            abi.encodeWithSelector(IRewardParameters.RewardParameters_BeyondWindow.selector, 3_601, 3_600)
        );
        _requireUnchanged();
    }

    function testRejects_unknownRegionAndVersion() external {
        bytes32 unknown = "nowhere";
        VM.prank(address(timelock));
        VM.expectRevert(abi.encodeWithSelector(IRewardParameters.RewardParameters_RegionUnknown.selector, unknown));
        parameters.change(unknown, _changes(Parameter.TakeRateBps, 120));
        VM.assertEq(parameters.versionCount(unknown), 0);
        VM.expectRevert(abi.encodeWithSelector(IRewardParameters.RewardParameters_VersionUnknown.selector, REGION, 1));
        parameters.versionOf(REGION, 1);
        VM.prank(address(timelock));
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_RegionUnknown.selector, unknown));
        parameters.open(unknown, _values());
    }

    function testRejects_openingTwiceOrOutOfBounds() external {
        VM.prank(address(timelock));
        VM.expectRevert(abi.encodeWithSelector(IRewardParameters.RewardParameters_RegionExists.selector, REGION));
        parameters.open(REGION, _values());
        RewardParameters fresh = new RewardParameters(settlement, address(this));
        uint256[19] memory values = _values();
        values[uint256(Parameter.TakeRateBps)] = 2_001;
        VM.expectRevert(
            abi.encodeWithSelector(
                IRewardParameters.RewardParameters_OutOfBounds.selector, Parameter.TakeRateBps, 2_001, 0, 2_000
            )
        );
        fresh.open(REGION, values);
        values = _values();
        values[uint256(Parameter.ProofDelaySeconds)] = 3_601;
        VM.expectRevert(abi.encodeWithSelector(IRewardParameters.RewardParameters_BeyondWindow.selector, 3_601, 3_600));
        fresh.open(REGION, values);
        VM.assertEq(fresh.versionCount(REGION), 0);
    }

    /// @dev A vote that passed by a mile is still refused; nothing of it holds.
    function testRejects_proposalOutOfBoundsWhenExecuted() external {
        uint256 proposal = _due(_draft(address(parameters), _changeCall(Parameter.TakeRateBps, 5_000)));
        VM.expectRevert(
            abi.encodeWithSelector(
                IRewardParameters.RewardParameters_OutOfBounds.selector, Parameter.TakeRateBps, 5_000, 0, 2_000
            )
        );
        governor.execute(proposal);
        _requireState(proposal, IGovernor.ProposalState.Queued);
        _requireUnchanged();
    }

    function testBehavior_versionHasAllValues() external {
        Change[] memory changes = new Change[](2);
        changes[0] = Change(Parameter.RewardPerFee, 60 ether);
        changes[1] = Change(Parameter.ClearingPriceK, 4_500);
        uint64 fromEpoch = SafeCast.toUint64((block.timestamp + 1 hours) / EPOCH_SECONDS + 1);
        uint256[19] memory expected = _values();
        expected[uint256(Parameter.RewardPerFee)] = 60 ether;
        expected[uint256(Parameter.ClearingPriceK)] = 4_500;
        VM.expectEmit(address(parameters));
        emit IRewardParameters.VersionAdded(REGION, 1, fromEpoch, expected);
        _changeAsOwner(changes);
        Version memory version = parameters.versionOf(REGION, 1);
        VM.assertEq(version.fromEpoch, fromEpoch);
        _requireValues(version.values, expected);
        // The one before it stands.
        version = parameters.versionOf(REGION, 0);
        VM.assertEq(version.fromEpoch, FIRST_EPOCH);
        _requireValues(version.values, _values());
    }

    /// @dev What a form would be told is what execution would be.
    function testBehavior_checkSaysWhatChangeWould() external {
        parameters.check(REGION, _changes(Parameter.TakeRateBps, 150));
        _refuseStep(Parameter.TakeRateBps, 100, 151, 50);
        _requireUnchanged();
    }

    function _changes(Parameter parameter, uint256 value) private pure returns (Change[] memory changes) {
        changes = new Change[](1);
        changes[0] = Change(parameter, value);
    }

    function _mostStep(Bounds memory bounds, uint256 value) private pure returns (uint256) {
        uint256 share = value * bounds.stepBps / Limits.BPS;
        return share > bounds.stepFloor ? share : bounds.stepFloor;
    }

    function _changeAsOwner(Change[] memory changes) private {
        VM.prank(address(timelock));
        parameters.change(REGION, changes);
    }

    function _refuse(Change[] memory changes, bytes memory error_) private {
        VM.prank(address(timelock));
        VM.expectRevert(error_);
        parameters.change(REGION, changes);
        VM.expectRevert(error_);
        parameters.check(REGION, changes);
    }

    function _refuseBound(Parameter parameter, uint256 value, Bounds memory bounds) private {
        bytes4 selector = IRewardParameters.RewardParameters_OutOfBounds.selector;
        _refuse(
            _changes(parameter, value), abi.encodeWithSelector(selector, parameter, value, bounds.least, bounds.most)
        );
    }

    function _refuseStep(Parameter parameter, uint256 current, uint256 value, uint256 most) private {
        bytes4 selector = IRewardParameters.RewardParameters_StepTooLarge.selector;
        _refuse(_changes(parameter, value), abi.encodeWithSelector(selector, parameter, current, value, most));
    }

    function _requireUnchanged() private view {
        VM.assertEq(parameters.versionCount(REGION), 1);
        _requireValues(parameters.versionOf(REGION, 0).values, _values());
    }

    function _requireValues(uint256[19] memory found, uint256[19] memory expected) private pure {
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            VM.assertEq(found[index], expected[index], "a value");
        }
    }
}
