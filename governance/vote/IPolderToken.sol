// SPDX-License-Identifier: Apache-2.0
// Owns what others may rely on of Polder's token. It refuses to say what a token is worth.
pragma solidity ^0.8.24;

import {IRewardToken} from "../tokens/IRewardToken.sol";

/// @notice What somebody holds from the beginning. Base units.
struct Grant {
    address account;
    uint256 amount;
}

/// @title Polder's token
/// @notice It votes and rewards, and pays for nothing. It has no owner: minter, cap and ceiling are fixed for ever. A vote that
/// could name another minter could print what it needs to win the next one.
/// @dev **The ceiling** on all rewards together grows by `mostPerDay`, from the token's first second on. What was not minted may
/// be later: an account that claims a year's rewards at once is not refused for being late. While all regions' emissions
/// together stay below the ceiling, no claim is ever refused; above it, claims wait for time to pass and lose nothing.
/// - *Votes count from delegation on*, as they stood before a proposal's snapshot. Whoever is paid a reward delegates, to
///   itself or to somebody; members of the beginning have delegated to themselves.
/// - *The clock is the chain's time* (ERC-6372). A balance counts at a second's end, so nothing that is borrowed and given
///   back within one counts.
interface IPolderToken is IRewardToken {
    error PolderToken_NotSettlement(address caller);
    error PolderToken_SettlementMissing();
    error PolderToken_AboveCap(uint256 supply, uint256 cap);
    error PolderToken_AboveCeiling(uint256 amount, uint256 most);

    /// @return What rewards may be minted in this second. Base units.
    function mintableNow() external view returns (uint256);

    /// @return All rewards minted so far. Base units.
    function mintedRewards() external view returns (uint256);

    function settlement() external view returns (address);
    function cap() external view returns (uint256);
    function mostPerDay() external view returns (uint256);
    function bornAtS() external view returns (uint256);
}
