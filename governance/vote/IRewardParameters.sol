// SPDX-License-Identifier: Apache-2.0
// Owns what is promised of a region's governed values, and their shapes. It refuses to say what a value does; the market and
// Settlement do.
pragma solidity ^0.8.24;

/// @notice A region's governed values, in the order in which versions keep them. Weights are integers, `Bps` are hundredths of
/// a percent, amounts of the token are base units, amounts of the quote asset micros.
enum Parameter {
    RewardWeightEnergy,
    RewardWeightCompute,
    RewardWeightBandwidth,
    EmissionPerEpoch,
    EmissionDecayBps,
    /// Base units of the token per 10^6 micros of fees paid.
    RewardPerFee,
    ShareCapBps,
    TakeRateBps,
    NetworkFeeMicrosPerKwh,
    /// Where in a slot's price interval its price stands: 0 low, 10000 high.
    ClearingPriceK,
    ProofDelaySeconds,
    OutflowCapBps,
    FinalityDelaySeconds,
    ExitAfterSeconds,
    LeastDepositMicros,
    ProviderMinimumStake,
    UnbondingSeconds,
    SlashBps,
    AuditRateBps
}

/// @notice What one value shall be.
struct Change {
    Parameter parameter;
    uint256 value;
}

/// @notice All values as they hold from the first second of an epoch on.
struct Version {
    uint64 fromEpoch;
    uint256[19] values;
}

/// @notice What one value may be, and how fast it may become so.
struct Bounds {
    uint256 least;
    uint256 most;
    /// The largest step up or down, in hundredths of a percent of the value, or `stepFloor` where that is more: a share of zero
    /// would hold a value at zero for ever.
    uint256 stepBps;
    uint256 stepFloor;
    /// From one change of the value to its next.
    uint256 coolDownSeconds;
}

/// @title The governed values of regions
/// @notice A vote changes some values of a region; that makes a version with all of them. What was out of bounds, too large a
/// step or too soon is refused when it is executed, whatever was voted.
/// @dev **From when a version holds** nobody chooses: from the first epoch that begins at least an hour after it was made, so
/// that every region has read it from a final block by then. Of two that begin with the same epoch the later one holds.
/// - *Steps and cool-downs count from the newest version*, whether it holds already or not.
/// - *What Settlement judges reports by* is handed to it in the same transaction: emission and its decay, cap on outflow, delays
///   and least deposit. It may refuse what is within the bounds here: silence must be longer than two epochs and the delay.
/// - *A version that changes any of those begins the emission anew* at `EmissionPerEpoch`, there and in the market.
interface IRewardParameters {
    event VersionAdded(bytes32 indexed region, uint256 indexed version, uint64 fromEpoch, uint256[19] values);

    error RewardParameters_RegionUnknown(bytes32 region);
    error RewardParameters_RegionExists(bytes32 region);
    error RewardParameters_VersionUnknown(bytes32 region, uint256 version);
    error RewardParameters_OutOfBounds(Parameter parameter, uint256 value, uint256 least, uint256 most);
    error RewardParameters_StepTooLarge(Parameter parameter, uint256 current, uint256 value, uint256 mostStep);
    error RewardParameters_CoolingDown(Parameter parameter, uint256 untilS);
    error RewardParameters_NotAscending(Parameter parameter);
    error RewardParameters_NothingToChange(bytes32 region);
    error RewardParameters_SameValue(Parameter parameter, uint256 value);
    error RewardParameters_BeyondWindow(uint256 proofDelaySeconds, uint256 windowSeconds);
    error RewardParameters_OtherTerms(Parameter parameter, uint256 value, uint256 found);
    error RewardParameters_OwnerNeeded();

    /// @notice Changes some values, in ascending order of their parameters, for the owner.
    function change(bytes32 region, Change[] calldata changes) external;

    /// @notice Takes up a region that Settlement has opened, once, for the owner. What Settlement judges reports by must be what
    /// its terms say. The first version holds from the region's first epoch on.
    function open(bytes32 region, uint256[19] calldata values) external;

    /// @return 0 for a region that was not opened.
    function versionCount(bytes32 region) external view returns (uint256);

    /// @param version From 0, the opening's, on.
    function versionOf(bytes32 region, uint256 version) external view returns (Version memory);

    function boundsOf(Parameter parameter) external view returns (Bounds memory);

    /// @return The first second in which a value may change again; 0 where it never changed.
    function changeableAtS(bytes32 region, Parameter parameter) external view returns (uint256);

    /// @notice Reverts for what a change would be refused for if it were executed in this second.
    function check(bytes32 region, Change[] calldata changes) external view;
}
