// SPDX-License-Identifier: Apache-2.0
// Owns every governed value of regions, version after version, and the keys that proofs are verified under. It refuses a value out of its bounds, too large a step, and one
// within its cool-down, so a bad proposal cannot execute.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {Limits, Region, Terms} from "../settlement/SettlementTypes.sol";
import {Bounds, Change, IRewardParameters, Parameter, Version} from "./IRewardParameters.sol";
import {ParameterBounds} from "./ParameterBounds.sol";
import {VerificationKeys} from "./VerificationKeys.sol";

/// @title The governed values of regions; assumptions stand on `IRewardParameters`
contract RewardParameters is IRewardParameters, VerificationKeys {
    /// @dev Bounds keep every value below 2^128; two share a word.
    struct Kept {
        uint128[19] values;
        uint64 fromEpoch;
    }

    IRegions public immutable settlement;
    mapping(bytes32 region => Kept[]) private _versions;
    mapping(bytes32 region => uint40[19]) private _changedAtS;

    /// @param settlement_ Says which regions there are, and is told the terms it judges reports by.
    /// @param owner_ Who changes values; the timelock, or who hands over to it.
    constructor(IRegions settlement_, address owner_) Ownable(owner_) {
        settlement = settlement_;
    }

    /// @inheritdoc IRewardParameters
    function open(bytes32 region, uint256[19] calldata values) external onlyOwner {
        if (_versions[region].length != 0) revert RewardParameters_RegionExists(region);
        Region memory books = settlement.regionOf(region);
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            _requireBounds(Parameter(index), values[index], ParameterBounds.boundsOf(Parameter(index)));
        }
        _requireWithinWindow(values[uint256(Parameter.ProofDelaySeconds)], books.windowSlots);
        (Terms memory found,) = settlement.termsInEpoch(region, type(uint64).max);
        _requireSameTerms(values, found);
        _add(region, values, books.firstEpoch);
    }

    /// @inheritdoc IRewardParameters
    function change(bytes32 region, Change[] calldata changes) external onlyOwner {
        (uint256[19] memory values, uint64 fromEpoch, bool hasNewTerms) = _changed(region, changes);
        for (uint256 index = 0; index < changes.length; ++index) {
            _changedAtS[region][uint256(changes[index].parameter)] = SafeCast.toUint40(block.timestamp);
        }
        _add(region, values, fromEpoch);
        if (hasNewTerms) settlement.setTerms(region, _termsOf(values, fromEpoch));
    }

    /// @inheritdoc IRewardParameters
    function check(bytes32 region, Change[] calldata changes) external view {
        (uint256[19] memory values, uint64 fromEpoch, bool hasNewTerms) = _changed(region, changes);
        if (hasNewTerms) settlement.checkTerms(region, _termsOf(values, fromEpoch));
    }

    /// @inheritdoc IRewardParameters
    function versionCount(bytes32 region) external view returns (uint256) {
        return _versions[region].length;
    }

    /// @inheritdoc IRewardParameters
    function versionOf(bytes32 region, uint256 version) external view returns (Version memory) {
        if (version >= _versions[region].length) revert RewardParameters_VersionUnknown(region, version);
        return Version(_versions[region][version].fromEpoch, _valuesOf(region, version));
    }

    /// @inheritdoc IRewardParameters
    function boundsOf(Parameter parameter) external pure returns (Bounds memory) {
        return ParameterBounds.boundsOf(parameter);
    }

    /// @inheritdoc IRewardParameters
    function changeableAtS(bytes32 region, Parameter parameter) public view returns (uint256) {
        uint256 changedAtS = _changedAtS[region][uint256(parameter)];
        return changedAtS == 0 ? 0 : changedAtS + ParameterBounds.boundsOf(parameter).coolDownSeconds;
    }

    /// @notice Refused: values that nobody can change any more would outlive their reason.
    function renounceOwnership() public view override onlyOwner {
        revert RewardParameters_OwnerNeeded();
    }

    function _add(bytes32 region, uint256[19] memory values, uint64 fromEpoch) private {
        uint256 version = _versions[region].length;
        Kept storage kept = _versions[region].push();
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            kept.values[index] = SafeCast.toUint128(values[index]);
        }
        kept.fromEpoch = fromEpoch;
        emit VersionAdded(region, version, fromEpoch, values);
    }

    /// @return values All values after the changes.
    /// @return fromEpoch From when they would hold.
    /// @return hasNewTerms Whether Settlement must be told.
    function _changed(bytes32 region, Change[] calldata changes)
        private
        view
        returns (uint256[19] memory values, uint64 fromEpoch, bool hasNewTerms)
    {
        uint256 count = _versions[region].length;
        if (count == 0) revert RewardParameters_RegionUnknown(region);
        if (changes.length == 0) revert RewardParameters_NothingToChange(region);
        values = _valuesOf(region, count - 1);
        for (uint256 index = 0; index < changes.length; ++index) {
            Parameter parameter = changes[index].parameter;
            // A value that stood twice would take two steps at once.
            bool isAscending = index == 0 || parameter > changes[index - 1].parameter;
            if (!isAscending) revert RewardParameters_NotAscending(parameter);
            _requireChange(region, parameter, values[uint256(parameter)], changes[index].value);
            values[uint256(parameter)] = changes[index].value;
            hasNewTerms = hasNewTerms || _isTerm(parameter);
        }
        Region memory books = settlement.regionOf(region);
        _requireWithinWindow(values[uint256(Parameter.ProofDelaySeconds)], books.windowSlots);
        fromEpoch = _nextEpoch(books);
    }

    function _valuesOf(bytes32 region, uint256 version) private view returns (uint256[19] memory values) {
        Kept storage kept = _versions[region][version];
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            values[index] = kept.values[index];
        }
    }

    function _requireChange(bytes32 region, Parameter parameter, uint256 current, uint256 value) private view {
        Bounds memory bounds = ParameterBounds.boundsOf(parameter);
        _requireBounds(parameter, value, bounds);
        // It would do nothing but keep others from changing it.
        if (value == current) revert RewardParameters_SameValue(parameter, value);
        uint256 mostStep = Math.max(current * bounds.stepBps / Limits.BPS, bounds.stepFloor);
        uint256 step = value > current ? value - current : current - value;
        if (step > mostStep) revert RewardParameters_StepTooLarge(parameter, current, value, mostStep);
        uint256 untilS = changeableAtS(region, parameter);
        if (block.timestamp < untilS) revert RewardParameters_CoolingDown(parameter, untilS);
    }

    function _requireBounds(Parameter parameter, uint256 value, Bounds memory bounds) private pure {
        if (value < bounds.least || value > bounds.most) {
            revert RewardParameters_OutOfBounds(parameter, value, bounds.least, bounds.most);
        }
    }

    /// @dev One window takes evidence at a time.
    function _requireWithinWindow(uint256 proofDelaySeconds, uint256 windowSlots) private pure {
        uint256 windowSeconds = windowSlots * Limits.SLOT_SECONDS;
        if (proofDelaySeconds > windowSeconds) revert RewardParameters_BeyondWindow(proofDelaySeconds, windowSeconds);
    }

    /// @dev The first epoch that begins after Settlement's notice, and after the region's first one, which has its terms.
    function _nextEpoch(Region memory books) private view returns (uint64) {
        uint256 epochSeconds = books.epochSlots * Limits.SLOT_SECONDS;
        uint256 next = Math.ceilDiv(block.timestamp + Limits.NOTICE_SECONDS, epochSeconds);
        return SafeCast.toUint64(Math.max(next, uint256(books.firstEpoch) + 1));
    }

    function _isTerm(Parameter parameter) private pure returns (bool) {
        return parameter == Parameter.EmissionPerEpoch || parameter == Parameter.EmissionDecayBps
            || (parameter >= Parameter.OutflowCapBps && parameter <= Parameter.LeastDepositMicros);
    }

    function _termsOf(uint256[19] memory values, uint64 fromEpoch) private pure returns (Terms memory) {
        return Terms({
            fromEpoch: fromEpoch,
            outflowCapBps: SafeCast.toUint16(values[uint256(Parameter.OutflowCapBps)]),
            finalityDelaySeconds: SafeCast.toUint32(values[uint256(Parameter.FinalityDelaySeconds)]),
            exitAfterSeconds: SafeCast.toUint32(values[uint256(Parameter.ExitAfterSeconds)]),
            leastDepositMicros: SafeCast.toUint64(values[uint256(Parameter.LeastDepositMicros)]),
            emissionDecayBps: SafeCast.toUint16(values[uint256(Parameter.EmissionDecayBps)]),
            emissionPerEpoch: SafeCast.toUint128(values[uint256(Parameter.EmissionPerEpoch)])
        });
    }

    function _requireSameTerms(uint256[19] calldata values, Terms memory found) private pure {
        _requireSame(values, Parameter.OutflowCapBps, found.outflowCapBps);
        _requireSame(values, Parameter.FinalityDelaySeconds, found.finalityDelaySeconds);
        _requireSame(values, Parameter.ExitAfterSeconds, found.exitAfterSeconds);
        _requireSame(values, Parameter.LeastDepositMicros, found.leastDepositMicros);
        _requireSame(values, Parameter.EmissionDecayBps, found.emissionDecayBps);
        _requireSame(values, Parameter.EmissionPerEpoch, found.emissionPerEpoch);
    }

    function _requireSame(uint256[19] calldata values, Parameter parameter, uint256 found) private pure {
        uint256 value = values[uint256(parameter)];
        if (value != found) revert RewardParameters_OtherTerms(parameter, value, found);
    }
}
