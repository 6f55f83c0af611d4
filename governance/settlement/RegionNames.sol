// SPDX-License-Identifier: Apache-2.0
// Owns how a region's name stands in a word: its characters from the left, zeros behind them. It refuses every name that the
// region itself would refuse (protocol/fields.ts), so that one region has one spelling.
pragma solidity ^0.8.24;

/// @notice 2 to 32 of a-z, 0-9 and -, beginning with a letter.
library RegionNames {
    error RegionNames_NotAName(bytes32 region);

    function requireName(bytes32 region) internal pure {
        uint256 length = 0;
        while (length < 32 && region[length] != 0) {
            if (!_isAllowed(region[length], length == 0)) revert RegionNames_NotAName(region);
            ++length;
        }
        bool hasRest = length < 32 && (uint256(region) << (8 * length)) != 0;
        if (length < 2 || hasRest) revert RegionNames_NotAName(region);
    }

    function _isAllowed(bytes1 character, bool isFirst) private pure returns (bool) {
        if (character >= "a" && character <= "z") return true;
        if (isFirst) return false;
        return (character >= "0" && character <= "9") || character == "-";
    }
}
