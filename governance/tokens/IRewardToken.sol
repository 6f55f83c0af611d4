// SPDX-License-Identifier: Apache-2.0
// Owns what Settlement needs of the token that rewards are paid in. It refuses to know how the token votes or is capped.
pragma solidity ^0.8.24;

/// @notice A token that Settlement mints, and nobody else.
interface IRewardToken {
    /// @notice Mints to an account. Reverts for any caller but its Settlement.
    function mint(address account, uint256 amount) external;
}
