// SPDX-License-Identifier: Apache-2.0
// Owns what an account may take against a final report, and how often. It refuses everything twice.
pragma solidity ^0.8.24;

import {Paid} from "./SettlementTypes.sol";
import {Leaf, Path} from "./SumTree.sol";

/// @title Withdrawals and rewards
/// @notice A withdrawal first leaves the region's ledger, into the account's cumulative withdrawals, so that nothing can be
/// spent in two places. Here the account is paid what its leaf in a final report says, less what it was paid before. Rewards
/// are minted in the same way.
/// @dev Anybody may send a claim; it always pays the account in the leaf.
/// - *Everything is cumulative.* A claim against a newer report pays also what was not claimed against older ones; nothing
///   expires, and claiming late loses nothing.
/// - *What all accounts were paid* never passes what the newest report that was claimed against says all of them asked for. So
///   an operator that gives one account what others were paid long ago, with the same sum, gets no more than what is unclaimed
///   and what the cap lets out.
/// - An account that cannot receive the quote asset cannot be paid, and hinders nobody else.
interface IClaims {
    event Withdrawn(bytes32 indexed region, address indexed account, uint256 indexed epoch, uint256 amountMicros);
    event RewardsClaimed(bytes32 indexed region, address indexed account, uint256 indexed epoch, uint256 amount);

    error Settlement_EpochNotFinal(uint256 epoch);
    error Settlement_NothingToClaim(uint256 entitled, uint256 paid);
    error Settlement_PaidTwice(uint256 wouldBePaid, uint256 owed);
    error Settlement_LeaveByExit(uint256 epoch);
    error Settlement_RewardTokenMissing();

    /// @notice Pays an account its cumulative withdrawals, less what it was paid. In an exit, `exit` pays them with the rest.
    /// @return amountMicros What was paid.
    function withdraw(bytes32 region, uint256 epoch, Leaf calldata leaf, Path calldata path)
        external
        returns (uint256 amountMicros);

    /// @notice Mints an account its cumulative rewards, less what was minted to it.
    /// @return amount Base units of the token.
    function claimRewards(bytes32 region, uint256 epoch, Leaf calldata leaf, Path calldata path)
        external
        returns (uint256 amount);

    /// @notice What an account was paid and minted in a region so far.
    function paidOf(bytes32 region, address account) external view returns (Paid memory);
}
