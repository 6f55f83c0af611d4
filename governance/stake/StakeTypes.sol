// SPDX-License-Identifier: Apache-2.0
// Owns the shapes of what ProviderStake keeps and is told, and the bounds of its times. It refuses to say what may be done with
// them.
pragma solidity ^0.8.24;

/// @notice What a provider has at stake in a region.
struct Stake {
    /// Public key that signs the provider's results (Ed25519). Zero where there is no stake.
    bytes32 nodeKey;
    /// At stake, and free of any queued slash. Micros.
    uint64 bondedMicros;
    /// Held back for slashes that are queued. Micros.
    uint64 queuedMicros;
    /// Of the provider's last act that the region is told of.
    uint40 changedAtS;
    /// From when it may be withdrawn; 0 while it is not unbonding.
    uint40 unbondsAtS;
    /// Slashes that are queued.
    uint16 waiting;
}

/// @notice What happened to a stake.
enum Act {
    Staked,
    ToppedUp,
    KeyRotated,
    UnbondingBegun,
    UnbondingCancelled,
    Withdrawn,
    SlashQueued,
    SlashCancelled
}

/// @notice A provider's standing after something happened to it: all that a market needs to know. The newest of an account says
/// everything, whatever came before.
struct StakeEvent {
    bytes32 nodeKey;
    address account;
    uint64 bondedMicros;
    bool isUnbonding;
}

/// @notice What a provider did wrong, by the referee's result: the evidence that anybody can hold against the region's journal.
struct Wrong {
    bytes32 region;
    address account;
    /// The key that signed the result.
    bytes32 nodeKey;
    bytes32 jobDigest;
    /// Hash of the output that the provider signed.
    bytes32 outputHash;
    /// Number of the journal's entry that has the referee's result.
    uint64 entry;
    /// When the result was given. Unix seconds.
    uint40 atS;
}

enum SlashStage {
    None,
    Queued,
    Executed,
    Cancelled
}

/// @notice A slash as it is kept.
struct Slash {
    address account;
    uint64 amountMicros;
    SlashStage stage;
    /// From when anybody may execute it.
    uint40 dueAtS;
    /// keccak256(abi.encode(wrong)).
    bytes32 wrongHash;
}

/// @notice Bounds of ProviderStake's times.
library StakeLimits {
    /// @dev A referee needs some time; after a month nobody should have to fear for a result.
    uint256 internal constant MIN_AUDIT_SECONDS = 1 hours;
    uint256 internal constant MAX_AUDIT_SECONDS = 30 days;
    /// @dev The shortest vote there can be takes an hour and a day, and somebody must see the slash and propose. With the longest
    /// audit it stays within the longest `UnbondingSeconds`.
    uint256 internal constant MIN_DELAY_SECONDS = 2 days;
    uint256 internal constant MAX_DELAY_SECONDS = 60 days;
    /// @dev Each act of a provider is an entry in its region's journal: one provider must not be able to fill it.
    uint256 internal constant CHANGE_SECONDS = 10 minutes;
    /// @dev Slashes of an account that wait at a time: a vote must be able to cancel them all.
    uint256 internal constant MAX_WAITING = 16;
    /// @dev `LOCAL_CHAIN_ID` of protocol/limits.ts, where times may be as short as a test needs them, but not zero.
    uint256 internal constant LOCAL_CHAIN_ID = 31_337;
}
