// SPDX-License-Identifier: Apache-2.0
// Owns the field elements that bind a proof to a place, an epoch and an asker: the same numbers as in TypeScript
// (evidence/gateway-window, evidence/certificate-statement), to which tests hold them. It refuses nothing: pure hashing.
pragma solidity ^0.8.24;

/// @notice Hashes cut to 248 bits, so that each is below the scalar field's order.
library RegionTags {
    /// @param settlement The settlement contract; the zero address until there is one.
    /// @param windowSlots 4 or 96: the window's length is inside every message, leaf and nullifier.
    function regionTag(uint256 chainId, address settlement, string memory regionId, uint256 windowSlots)
        internal
        pure
        returns (uint256)
    {
        return uint256(keccak256(abi.encode("polder/meter/v1", chainId, settlement, regionId, windowSlots))) >> 8;
    }

    /// @param tag The region's.
    function epochTag(uint256 tag, uint256 epoch) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked("polder/certificate-epoch/v1", tag, epoch))) >> 8;
    }

    /// @param audience Who asks, by the name that a certificate was made for; UTF-8, compared byte for byte.
    function audienceTag(string memory audience) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked("polder/certificate-audience/v1", audience))) >> 8;
    }
}
