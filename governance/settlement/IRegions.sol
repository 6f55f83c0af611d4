// SPDX-License-Identifier: Apache-2.0
// Owns what the owner decides of regions, and what everybody may read of them. It refuses terms without notice.
pragma solidity ^0.8.24;

import {IRewardToken} from "../tokens/IRewardToken.sol";
import {Opening, Region, Terms} from "./SettlementTypes.sol";

/// @notice What other contracts ask about regions.
interface IRegionList {
    /// @return 4 or 96; 0 for a region that nobody opened.
    function windowSlotsOf(bytes32 region) external view returns (uint256);
}

/// @title Regions, and what is decided about them
/// @notice A region is named by its name's characters, left-aligned in a word ("polder-one" then zeros).
/// @dev **Whoever owns this contract** opens regions, names operators and the guardian, and decides on freezes. It is the
/// timelock that does what votes pass. It cannot pay anybody or change a report. With the operator's help it can do harm: it
/// may name a guardian who sleeps.
/// - *Terms have a keeper,* which bounds each step of theirs, and no one else schedules any once it is named. Nobody touches a
///   term of an epoch that has begun.
/// - *Terms are the region's too.* The region decides withdrawals and rewards by the very terms that its report is judged by
///   here, epoch for epoch. Each version of its parameters begins its emission anew; schedule terms here for the same epoch,
///   or an honest report may be refused.
/// - *Terms of the last report* are those that count for deposits and for silence: a vote cannot lengthen a silence that is
///   already running.
interface IRegions is IRegionList {
    event RegionOpened(bytes32 indexed region, Opening opening);
    event OperatorSet(bytes32 indexed region, address operator);
    event TermsScheduled(bytes32 indexed region, uint256 indexed version, Terms terms);
    event GuardianSet(address guardian);
    event RewardTokenSet(IRewardToken token);
    event TermsKeeperSet(address keeper);

    error Settlement_RegionUnknown(bytes32 region);
    error Settlement_RegionExists(bytes32 region);
    error Settlement_OperatorMissing();
    error Settlement_OwnerNeeded();
    error Settlement_WindowLength(uint256 windowSlots);
    error Settlement_EpochLength(uint256 epochSlots);
    error Settlement_FirstEpoch(uint256 epoch, uint256 runningEpoch);
    error Settlement_TermsTooSoon(uint256 fromEpoch);
    error Settlement_TermOutOfBounds(string term, uint256 value, uint256 least, uint256 most);
    error Settlement_RewardTokenSet();
    error Settlement_TermsKeeperSet();
    error Settlement_NotTermsKeeper(address caller);
    error Settlement_TokenDecimals(uint256 decimals);

    /// @notice Opens a region. Its first epoch is the running one or one that begins within 30 days: earlier ones would let
    /// an operator post many at once, and so get past the cap on what leaves in an epoch.
    function openRegion(bytes32 region, Opening calldata opening) external;

    /// @notice Names who reports from now on. What the last one posted stands.
    function setOperator(bytes32 region, address operator) external;

    /// @notice Schedules terms, in place of all that was scheduled for that epoch or later. Notice is an hour before the
    /// epoch begins. For the terms' keeper; while there is none, for the owner.
    function setTerms(bytes32 region, Terms calldata terms) external;

    /// @notice Names who alone schedules terms from now on, once: a contract that bounds every step, which the owner must not
    /// be able to go around.
    function setTermsKeeper(address keeper) external;

    /// @notice Names who may freeze epochs; the zero address for nobody.
    function setGuardian(address guardian) external;

    /// @notice Names the token that rewards are minted in, once. Until then claims of rewards are refused and lose nothing.
    function setRewardToken(IRewardToken token) external;

    function guardian() external view returns (address);
    function termsKeeper() external view returns (address);
    function rewardToken() external view returns (IRewardToken);
    function regionOf(bytes32 region) external view returns (Region memory);

    /// @return The terms that hold in an epoch, as scheduled so far, and their version.
    function termsInEpoch(bytes32 region, uint256 epoch) external view returns (Terms memory, uint256 version);

    /// @notice Reverts for what `setTerms` would refuse of terms now.
    function checkTerms(bytes32 region, Terms calldata terms) external view;
}
