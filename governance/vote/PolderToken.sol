// SPDX-License-Identifier: Apache-2.0
// Owns the token that votes and that rewards are minted in. It refuses every minter but Settlement, and more than its ceiling
// for the time since it began.
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRewardToken} from "../tokens/IRewardToken.sol";
import {Grant, IPolderToken} from "./IPolderToken.sol";

/// @title Polder's token; promises and assumptions stand on `IPolderToken`
contract PolderToken is IPolderToken, ERC20, ERC20Permit, ERC20Votes {
    address public immutable settlement;
    uint256 public immutable cap;
    uint256 public immutable mostPerDay;
    uint256 public immutable bornAtS;
    /// @dev Nothing is ever burnt: what there is beyond it are rewards.
    uint256 private immutable BORN_SUPPLY;

    /// @param settlement_ The only minter, for ever.
    /// @param treasury Gets its share undelegated: the treasury does not vote.
    /// @param treasuryAmount Base units.
    /// @param members Whom the rest of the beginning's supply goes to; each delegates to itself, and may change that.
    /// @param cap_ The most that may ever exist. Base units.
    /// @param mostPerDay_ By how much the ceiling on all rewards together grows in a day. Base units.
    constructor(
        address settlement_,
        address treasury,
        uint256 treasuryAmount,
        Grant[] memory members,
        uint256 cap_,
        uint256 mostPerDay_
    ) ERC20("Polder", "POLDER") ERC20Permit("Polder") {
        if (settlement_.code.length == 0) revert PolderToken_SettlementMissing();
        settlement = settlement_;
        cap = cap_;
        mostPerDay = mostPerDay_;
        bornAtS = block.timestamp;
        _requireCapped(treasuryAmount, cap_);
        _mint(treasury, treasuryAmount);
        for (uint256 index = 0; index < members.length; ++index) {
            Grant memory member = members[index];
            _requireCapped(totalSupply() + member.amount, cap_);
            _mint(member.account, member.amount);
            _delegate(member.account, member.account);
        }
        BORN_SUPPLY = totalSupply();
    }

    /// @inheritdoc IRewardToken
    function mint(address account, uint256 amount) external {
        if (msg.sender != settlement) revert PolderToken_NotSettlement(msg.sender);
        uint256 most = mintableNow();
        if (amount > most) revert PolderToken_AboveCeiling(amount, most);
        _mint(account, amount);
    }

    /// @inheritdoc IPolderToken
    function mintableNow() public view returns (uint256) {
        uint256 ceiling = mostPerDay * (block.timestamp - bornAtS) / 1 days;
        uint256 byTime = ceiling - mintedRewards();
        uint256 bySupply = cap - totalSupply();
        return byTime < bySupply ? byTime : bySupply;
    }

    /// @inheritdoc IPolderToken
    function mintedRewards() public view returns (uint256) {
        return totalSupply() - BORN_SUPPLY;
    }

    /// @notice Seconds: the vote's times do not depend on how fast a chain makes blocks.
    function clock() public view override returns (uint48) {
        return SafeCast.toUint48(block.timestamp);
    }

    /// @notice How `clock` counts (ERC-6372).
    // The standard's spelling.
    // forge-lint: disable-next-line(mixed-case-function)
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice One count for permits and for delegations by signature.
    function nonces(address account) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(account);
    }

    function _update(address from, address to, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._update(from, to, amount);
    }

    function _requireCapped(uint256 supply, uint256 cap_) private pure {
        if (supply > cap_) revert PolderToken_AboveCap(supply, cap_);
    }
}
