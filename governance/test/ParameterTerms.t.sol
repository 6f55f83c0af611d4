// SPDX-License-Identifier: Apache-2.0
// Owns the tests of what governed values do to Settlement: its terms in the same transaction, from the same epoch on. It
// refuses terms past the contract that bounds their steps.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {Terms} from "../settlement/SettlementTypes.sol";
import {Change, IRewardParameters, Parameter} from "../vote/IRewardParameters.sol";
import {RewardParameters} from "../vote/RewardParameters.sol";
import {VoteFixture} from "./VoteFixture.sol";

contract ParameterTermsTest is VoteFixture {
    uint64 private constant LATER = type(uint64).max;

    /// @dev Not even the owner: a vote on terms themselves would be one without bounds on its step.
    function testRejects_termsPastTheirKeeper() external {
        Terms memory terms = _opening().terms;
        terms.fromEpoch = FIRST_EPOCH + 5;
        address[3] memory callers = [address(timelock), STRANGER, OPERATOR];
        for (uint256 index = 0; index < callers.length; ++index) {
            VM.prank(callers[index]);
            VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_NotTermsKeeper.selector, callers[index]));
            settlement.setTerms(REGION, terms);
        }
        _requireVersion(0);
    }

    function testRejects_secondKeeper() external {
        VM.prank(address(timelock));
        VM.expectRevert(IRegions.Settlement_TermsKeeperSet.selector);
        settlement.setTermsKeeper(STRANGER);
        VM.prank(STRANGER);
        VM.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        settlement.setTermsKeeper(STRANGER);
        VM.assertEq(settlement.termsKeeper(), address(parameters));
    }

    /// @dev Settlement's own bounds hold as well: silence must outlast two epochs and the delay.
    function testRejects_whatSettlementRefuses() external {
        uint256 value = 20 days;
        while (value - value / 4 >= 4 days) {
            VM.warp(block.timestamp + 30 days);
            value -= value / 4;
            _change(Parameter.ExitAfterSeconds, value);
        }
        VM.warp(block.timestamp + 30 days);
        uint256 versions = parameters.versionCount(REGION);
        Change[] memory changes = _changes(Parameter.ExitAfterSeconds, 4 days - 1);
        bytes memory refused = abi.encodeWithSelector(
            IRegions.Settlement_TermOutOfBounds.selector, "exitAfterSeconds", 4 days - 1, 4 days, 90 days
        );
        VM.expectRevert(refused);
        parameters.check(REGION, changes);
        VM.prank(address(timelock));
        VM.expectRevert(refused);
        parameters.change(REGION, changes);
        VM.assertEq(parameters.versionCount(REGION), versions);
        VM.assertEq(_valueOf(Parameter.ExitAfterSeconds), value);
        VM.assertEq(_terms(LATER).exitAfterSeconds, value);
        _change(Parameter.ExitAfterSeconds, 4 days);
    }

    /// @dev Values that Settlement does not have would be judged otherwise there.
    function testRejects_openingWithOtherTerms() external {
        RewardParameters fresh = new RewardParameters(settlement, address(this));
        Parameter[6] memory shared = [
            Parameter.EmissionPerEpoch,
            Parameter.EmissionDecayBps,
            Parameter.OutflowCapBps,
            Parameter.FinalityDelaySeconds,
            Parameter.ExitAfterSeconds,
            Parameter.LeastDepositMicros
        ];
        for (uint256 index = 0; index < shared.length; ++index) {
            uint256[19] memory values = _values();
            uint256 found = values[uint256(shared[index])];
            values[uint256(shared[index])] = found + 1;
            VM.expectRevert(
                abi.encodeWithSelector(
                    IRewardParameters.RewardParameters_OtherTerms.selector, shared[index], found + 1, found
                )
            );
            fresh.open(REGION, values);
        }
        VM.assertEq(fresh.versionCount(REGION), 0);
    }

    function testBehavior_termsChangeInTheSameTransaction() external {
        Change[] memory changes = new Change[](3);
        changes[0] = Change(Parameter.EmissionPerEpoch, 1_200 ether);
        changes[1] = Change(Parameter.TakeRateBps, 120);
        changes[2] = Change(Parameter.FinalityDelaySeconds, 1 days);
        VM.prank(address(timelock));
        parameters.change(REGION, changes);
        uint64 fromEpoch = parameters.versionOf(REGION, 1).fromEpoch;
        Terms memory terms = _terms(LATER);
        VM.assertEq(terms.fromEpoch, fromEpoch);
        VM.assertEq(terms.emissionPerEpoch, 1_200 ether);
        VM.assertEq(terms.finalityDelaySeconds, 1 days);
        VM.assertEq(terms.exitAfterSeconds, 20 days);
        // Not in an epoch before it.
        VM.assertEq(_terms(fromEpoch - 1).emissionPerEpoch, EMISSION);
        _requireVersion(1);
    }

    /// @dev Terms that did not change would begin the emission anew.
    function testBehavior_otherValuesLeaveTermsAlone() external {
        _change(Parameter.TakeRateBps, 120);
        _change(Parameter.RewardPerFee, 60 ether);
        _requireVersion(0);
        VM.assertEq(parameters.versionCount(REGION), 3);
    }

    /// @dev Never the running epoch, nor one that begins before every region has read it from a final block.
    function testProperty_versionBeginsWithAnEpochAfterItsNotice(uint256 seed) external {
        for (uint256 turn = 0; turn < 12; ++turn) {
            seed = uint256(keccak256(abi.encode(seed)));
            VM.warp(block.timestamp + 7 days + _within(seed, 0, EPOCH_SECONDS));
            uint256 value = _valueOf(Parameter.EmissionPerEpoch);
            bool isUp = value < 100 ether || seed & 1 == 0;
            _change(Parameter.EmissionPerEpoch, isUp ? value + 100 ether : value - 100 ether);
            uint256 startS = parameters.versionOf(REGION, parameters.versionCount(REGION) - 1).fromEpoch * EPOCH_SECONDS;
            VM.assertLe(block.timestamp + 1 hours, startS, "an hour's notice");
            VM.assertGt(block.timestamp + 1 hours + EPOCH_SECONDS, startS, "the first such epoch");
        }
    }

    /// @dev Of two for one epoch the later holds, here and there; it has what the earlier one changed.
    function testBehavior_laterOfTwoVersionsForOneEpochHolds() external {
        _change(Parameter.EmissionPerEpoch, 1_200 ether);
        _change(Parameter.LeastDepositMicros, 1_500_000);
        VM.assertEq(parameters.versionOf(REGION, 1).fromEpoch, parameters.versionOf(REGION, 2).fromEpoch);
        Terms memory terms = _terms(LATER);
        VM.assertEq(terms.emissionPerEpoch, 1_200 ether);
        VM.assertEq(terms.leastDepositMicros, 1_500_000);
        _requireVersion(1);
    }

    /// @dev A region that begins next month has its first epoch by the terms it was opened with.
    function testBehavior_regionThatHasNotBegun() external {
        bytes32 region = "polder-later";
        VM.startPrank(address(timelock));
        settlement.openRegion(region, _openingFrom(FIRST_EPOCH + 25));
        parameters.open(region, _values());
        parameters.change(region, _changes(Parameter.EmissionPerEpoch, 1_100 ether));
        VM.stopPrank();
        VM.assertEq(parameters.versionOf(region, 0).fromEpoch, FIRST_EPOCH + 25);
        VM.assertEq(parameters.versionOf(region, 1).fromEpoch, FIRST_EPOCH + 26);
    }

    function testBehavior_proposalChangesTermsThroughTheVote() external {
        _pass(_draft(address(parameters), _changeCall(Parameter.EmissionPerEpoch, 900 ether)));
        VM.assertEq(_terms(LATER).emissionPerEpoch, 900 ether);
        VM.assertEq(_valueOf(Parameter.EmissionPerEpoch), 900 ether);
    }

    function _change(Parameter parameter, uint256 value) private {
        VM.prank(address(timelock));
        parameters.change(REGION, _changes(parameter, value));
    }

    function _changes(Parameter parameter, uint256 value) private pure returns (Change[] memory changes) {
        changes = new Change[](1);
        changes[0] = Change(parameter, value);
    }

    function _terms(uint64 epoch) private view returns (Terms memory terms) {
        (terms,) = settlement.termsInEpoch(REGION, epoch);
    }

    function _requireVersion(uint256 expected) private view {
        (, uint256 version) = settlement.termsInEpoch(REGION, LATER);
        VM.assertEq(version, expected, "version of the terms");
    }
}
