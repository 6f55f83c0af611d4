// SPDX-License-Identifier: Apache-2.0
// Owns the line between the local chain and every other: what is only for tests stands behind it. It refuses to be made, or
// to go on after a fork, anywhere else.
pragma solidity ^0.8.24;

/// @notice Base of contracts that give things away.
abstract contract LocalChain {
    /// @dev `LOCAL_CHAIN_ID` of protocol/limits.ts.
    uint256 internal constant LOCAL_CHAIN_ID = 31_337;

    error LocalChain_Elsewhere(uint256 chainId);

    modifier onlyLocalChain() {
        _requireLocalChain();
        _;
    }

    constructor() {
        _requireLocalChain();
    }

    function _requireLocalChain() private view {
        if (block.chainid != LOCAL_CHAIN_ID) revert LocalChain_Elsewhere(block.chainid);
    }
}
