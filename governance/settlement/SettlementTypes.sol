// SPDX-License-Identifier: Apache-2.0
// Owns the shapes of what Settlement keeps and is told, and the bounds of both. It refuses to say what may be done with them.
pragma solidity ^0.8.24;

import {Sums} from "./SumTree.sol";

/// @notice What a region may do now.
enum Stage {
    /// Nobody opened it.
    None,
    /// It reports, takes deposits and pays.
    Open,
    /// The guardian froze an epoch and the owner has not decided: no report, no deposit; final reports pay.
    Frozen,
    /// The owner upheld the freeze: the next to come fixes the exit.
    Upheld,
    /// The exit's report is fixed, and everybody leaves by it.
    Exiting
}

/// @notice Governed values of a region. They hold from the first second of an epoch on.
struct Terms {
    uint64 fromEpoch;
    /// The most that may be withdrawn in an epoch, in hundredths of a percent of what the ledger held before it.
    uint16 outflowCapBps;
    /// From a report's posting to its being final. Seconds.
    uint32 finalityDelaySeconds;
    /// Silence, or lag, after which accounts may leave: seconds since the last report, or since the end of the epoch that
    /// should be reported next. A deposit made so long before an epoch's end must be counted in its report: whoever comes back
    /// in time has seen it.
    uint32 exitAfterSeconds;
    /// Smaller deposits are refused: each is an entry in the region's journal, and may open an account there. Micros.
    uint64 leastDepositMicros;
    /// By how much the emission falls from an epoch to the next, in hundredths of a percent, rounded down.
    uint16 emissionDecayBps;
    /// The most that the first epoch of these terms may reward. Base units of the token.
    uint128 emissionPerEpoch;
}

/// @notice What is fixed when a region is opened, and its first terms.
struct Opening {
    address operator;
    /// 4 or 96: inside every meter's message, leaf and nullifier, so fixed for the region's life.
    uint16 windowSlots;
    /// Quarter-hours; whole windows. Fixed for life as well.
    uint16 epochSlots;
    /// Its `fromEpoch` is the first epoch that is reported.
    Terms terms;
}

/// @notice A region's books. All amounts count from its beginning and never fall.
struct Region {
    address operator;
    Stage stage;
    uint16 windowSlots;
    uint16 epochSlots;
    /// Since when silence counts: the last report, or the first epoch's start, or a release.
    uint40 aliveAtS;
    /// The last epoch reported, the last known to be final, the frozen one (0 for none), the first one.
    uint64 reportedEpoch;
    uint64 finalEpoch;
    uint64 frozenEpoch;
    uint64 firstEpoch;
    uint64 depositedMicros;
    /// Paid against leaves: withdrawals and exits.
    uint64 paidMicros;
    /// Deposits paid back in an exit.
    uint64 refundedMicros;
    uint48 depositCount;
    uint128 paidRewards;
    /// When a freeze was last released: what was overdue then is due as of then.
    uint40 releasedAtS;
}

/// @notice What the operator says of an epoch that has ended.
struct Report {
    uint64 epoch;
    bytes32 stateHash;
    bytes32 journalRoot;
    /// Index of the last deposit counted, and the hash of all deposits up to it.
    uint48 lastDeposit;
    bytes32 depositsHash;
    /// Root of the epoch's certificates; what it is worth is for a gate to say.
    bytes32 certificateRoot;
    /// Root of the sum tree over all accounts, and its sums.
    bytes32 sumRoot;
    Sums totals;
}

/// @notice What is kept of a report.
struct Posted {
    bytes32 sumRoot;
    Sums totals;
    /// What the next epoch may reward under the same terms.
    uint128 nextEmission;
    uint40 finalAtS;
    uint48 lastDeposit;
    /// Index of the terms it was made under.
    uint40 version;
    bytes32 certificateRoot;
    /// keccak256(abi.encode(region, report)): whoever shows a report, shows whether it was this one.
    bytes32 digest;
}

/// @notice A deposit as it is kept. Its amount is the difference of two running totals.
struct DepositRecord {
    /// Zero once it was paid back.
    address account;
    /// All deposits of the region up to this one.
    uint64 depositedMicros;
    /// Until 2106; afterwards deposits need another contract.
    uint32 atS;
}

/// @notice What an account was paid in a region.
struct Paid {
    uint64 micros;
    uint128 rewards;
}

/// @notice Bounds. Those with a name of protocol/limits.ts or protocol/units.ts have its value.
library Limits {
    uint256 internal constant MAX_REGION_MICROS = 4_000_000_000_000_000;
    /// @dev All deposits that a region ever counts: its ledger adds them up in numbers that are exact up to here.
    uint256 internal constant MAX_DEPOSITED_MICROS = 2 ** 53 - 1;
    uint256 internal constant SLOT_SECONDS = 900;
    uint256 internal constant MAX_EPOCH_SLOTS = 2_688;
    uint256 internal constant BPS = 10_000;

    /// @dev A vote must not be able to lock money in: at the least a hundredth may leave in an epoch.
    uint256 internal constant MIN_OUTFLOW_CAP_BPS = 100;
    /// @dev Somebody must have time to replay an epoch; and nobody should wait for a withdrawal for more than a month.
    uint256 internal constant MIN_FINALITY_SECONDS = 1 hours;
    uint256 internal constant MAX_FINALITY_SECONDS = 30 days;
    /// @dev Above two of the longest epochs and the longest delay; beyond it money would be locked in.
    uint256 internal constant MAX_EXIT_AFTER_SECONDS = 90 days;
    /// @dev Below 10^30 base units an account's rewards of 10^8 epochs still fit 128 bits.
    uint256 internal constant MAX_EMISSION = 10 ** 30 - 1;

    /// @dev Terms are mirrored from a finalised block before the epoch begins in which they hold.
    uint256 internal constant NOTICE_SECONDS = 1 hours;
    /// @dev Silence counts from the first epoch's start: one typed wrongly must not lock deposits in for years.
    uint256 internal constant MAX_OPENING_AHEAD_SECONDS = 30 days;
}
