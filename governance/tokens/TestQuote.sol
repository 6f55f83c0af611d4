// SPDX-License-Identifier: Apache-2.0
// Owns the play money of the local chain: six decimals, permits, and a mint that is open to everybody. It refuses to exist on
// any other chain.
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {LocalChain} from "./LocalChain.sol";

/// @title Quote asset for the local chain, worth nothing
contract TestQuote is ERC20Permit, LocalChain {
    constructor() ERC20("Polder test quote", "TESTQ") ERC20Permit("Polder test quote") {}

    /// @notice Gives anybody as much as is asked for. Base units: micros.
    function mint(address account, uint256 amountMicros) external onlyLocalChain {
        _mint(account, amountMicros);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
