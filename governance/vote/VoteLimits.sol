// SPDX-License-Identifier: Apache-2.0
// Owns the bounds of a vote's own settings, which no vote can change. It refuses to check them; the governor does.
pragma solidity ^0.8.24;

/// @notice Without these one vote that nobody watched could make all later ones too short, too small or impossible.
library VoteLimits {
    /// @dev A vote is on balances before it begins, and nobody can borrow into a second that is still to come. An hour is
    /// for people: to see a proposal, and to delegate.
    uint256 internal constant MIN_DELAY_SECONDS = 1 hours;
    uint256 internal constant MAX_DELAY_SECONDS = 14 days;
    uint256 internal constant MIN_PERIOD_SECONDS = 1 days;
    uint256 internal constant MAX_PERIOD_SECONDS = 30 days;
    /// @dev After a late quorum the other side needs this long to answer.
    uint256 internal constant MIN_EXTENSION_SECONDS = 6 hours;
    /// @dev None at all would let one token decide; above a half nothing would ever pass.
    uint256 internal constant MIN_QUORUM_PERCENT = 1;
    uint256 internal constant MAX_QUORUM_PERCENT = 50;
    /// @dev A threshold that nobody reaches would be the last vote.
    uint256 internal constant MAX_THRESHOLD_PERCENT = 1;
    /// @dev `LOCAL_CHAIN_ID` of protocol/limits.ts, where times may be as short as a test needs them, but not zero.
    uint256 internal constant LOCAL_CHAIN_ID = 31_337;
}
