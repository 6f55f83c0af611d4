// SPDX-License-Identifier: Apache-2.0
// Owns the token that the local chain's regions reward in until the voting token exists. It refuses every minter but its
// Settlement, and every other chain.
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IRewardToken} from "./IRewardToken.sol";
import {LocalChain} from "./LocalChain.sol";

/// @title Reward token for the local chain, without a vote
contract TestRewardToken is IRewardToken, ERC20, LocalChain {
    address public immutable settlement;

    error TestRewardToken_NotSettlement(address caller);

    /// @param settlement_ The only minter. It mints what reports say was earned, and they keep within the emission.
    constructor(address settlement_) ERC20("Polder test reward", "TESTR") {
        settlement = settlement_;
    }

    /// @inheritdoc IRewardToken
    function mint(address account, uint256 amount) external onlyLocalChain {
        if (msg.sender != settlement) revert TestRewardToken_NotSettlement(msg.sender);
        _mint(account, amount);
    }
}
