// SPDX-License-Identifier: Apache-2.0
// Owns what a report promises, who may stop it, and what nobody can check here. It refuses every report that is out of order,
// out of balance or above a cap.
pragma solidity ^0.8.24;

import {Posted, Report} from "./SettlementTypes.sol";

/// @title Epoch reports
/// @notice The operator says once an epoch what the region's ledger owes to whom, in one root, and what of the deposits it has
/// counted. The contract holds it to: strictly one report an epoch, in order, after the epoch's end; withdrawals plus holdings
/// equal to the deposits counted; those deposits being the very ones made, none left out for `exitAfterSeconds`; withdrawals never
/// falling, and rising at most by the cap; rewards within the emission. It costs the same for any number of accounts.
/// @dev **What it cannot check** is whether the leaves are right: that is a replay of the journal, which everybody can make
/// before the report is final.
/// - *A false report that becomes final is the end of it.* Withdrawals are then bounded by the cap, but an exit pays what the
///   last final root says an account holds, and is not capped. Somebody must replay every epoch within the delay.
/// - *An operator that is late* posts several epochs one after the other, and their caps add up. All of them wait for the same
///   delay, and one freeze holds them all.
/// - *The guardian* can only delay: it freezes an epoch that is not final, and the owner decides. Evidence, to be weighed off
///   chain: two signatures of the region for one entry number, a signed answer that the journal lacks, a replay that ends in
///   another state hash.
/// - While an epoch is frozen nothing is reported and nothing from it on becomes final. If the owner never decides, the
///   silence that follows opens the exit, as if it had upheld the freeze. A vote must be quicker than that silence.
/// - A report refused for its terms is refused for ever, since the epoch has passed: the region can then only be left.
interface IReports {
    event Reported(bytes32 indexed region, uint256 indexed epoch, Report report, uint256 finalAtS);
    event EpochFrozen(bytes32 indexed region, uint256 indexed epoch);
    /// @notice Reports behind the released epoch are gone and must be posted again; `droppedThrough` was the last of them.
    event FreezeReleased(bytes32 indexed region, uint256 indexed epoch, uint256 droppedThrough);
    event FreezeUpheld(bytes32 indexed region, uint256 indexed epoch);

    error Settlement_NotOperator(address caller);
    error Settlement_NotGuardian(address caller);
    error Settlement_ReportOutOfOrder(uint256 epoch, uint256 expectedEpoch);
    error Settlement_EpochNotOver(uint256 epoch, uint256 endS);
    error Settlement_DepositsUnknown(uint256 lastDeposit, bytes32 depositsHash);
    error Settlement_DepositLeftOut(uint256 index);
    error Settlement_OutOfBalance(uint256 owedMicros, uint256 depositedMicros);
    error Settlement_WithdrawalsFell(uint256 micros, uint256 beforeMicros);
    error Settlement_AboveOutflowCap(uint256 outflowMicros, uint256 capMicros);
    error Settlement_RewardsFell(uint256 rewards, uint256 before);
    error Settlement_AboveEmission(uint256 rewarded, uint256 emission);
    error Settlement_EpochNotReported(uint256 epoch);
    error Settlement_EpochFinal(uint256 epoch);
    error Settlement_NotFrozen(bytes32 region);

    /// @notice Posts the report of the next epoch. Only its operator, only in an open region.
    function report(bytes32 region, Report calldata report_) external;

    /// @notice Freezes an epoch that is reported and not final, and all after it. A frozen region's earlier epoch may be
    /// frozen as well. Only the guardian.
    function freeze(bytes32 region, uint256 epoch) external;

    /// @notice Decides that the frozen epoch is right: it is final. Reports behind it are dropped, because their delay passed
    /// while nobody could answer it; the operator posts them again. Only the owner.
    function release(bytes32 region) external;

    /// @notice Decides that the frozen epoch is wrong: the region is over, and everybody may leave. Only the owner.
    function uphold(bytes32 region) external;

    /// @notice Whether claims may rest on an epoch's report. What was final stays final.
    function isFinal(bytes32 region, uint256 epoch) external view returns (bool);

    /// @notice What is kept of a report; reverts where there is none, or it was dropped.
    function reportOf(bytes32 region, uint256 epoch) external view returns (Posted memory);

    /// @notice The most that the next report may add to withdrawals if it counts deposits up to an index, and the most that
    /// it may reward. For operators that want to see what would be refused.
    function allowanceOf(bytes32 region, uint256 lastDeposit)
        external
        view
        returns (uint256 outflowMicros, uint256 emission);
}
