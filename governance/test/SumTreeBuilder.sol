// SPDX-License-Identifier: Apache-2.0
// Owns the sum tree as a region would make it, written a second time for tests: levels, root, totals and paths. It refuses to
// share a line with the library that it tests.
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Leaf, Path, Sibling, Sums} from "../settlement/SumTree.sol";

/// @notice All nodes, lowest level first.
struct Built {
    bytes32[][] hashes;
    Sums[][] sums;
}

library SumTreeBuilder {
    function build(Leaf[] memory leaves) internal pure returns (Built memory built) {
        uint256 levels = 1;
        for (uint256 width = leaves.length; width > 1; width = (width + 1) / 2) {
            ++levels;
        }
        built = Built(new bytes32[][](levels), new Sums[][](levels));
        built.hashes[0] = new bytes32[](leaves.length);
        built.sums[0] = new Sums[](leaves.length);
        for (uint256 index = 0; index < leaves.length; ++index) {
            built.hashes[0][index] = leafHash(leaves[index]);
            built.sums[0][index] = leaves[index].sums;
        }
        for (uint256 level = 1; level < levels; ++level) {
            _join(built, level);
        }
    }

    function root(Built memory built) internal pure returns (bytes32) {
        bytes32[] memory top = built.hashes[built.hashes.length - 1];
        return top.length == 0 ? bytes32(0) : top[0];
    }

    function totals(Built memory built) internal pure returns (Sums memory sums) {
        Sums[] memory top = built.sums[built.sums.length - 1];
        if (top.length != 0) sums = top[0];
    }

    function path(Built memory built, uint256 position) internal pure returns (Path memory shown) {
        shown.position = position;
        shown.siblings = new Sibling[](built.hashes.length - 1);
        for (uint256 level = 0; level + 1 < built.hashes.length; ++level) {
            uint256 beside = (position >> level) ^ 1;
            if (beside >= built.hashes[level].length) continue;
            shown.siblings[level] = Sibling(built.hashes[level][beside], built.sums[level][beside]);
        }
    }

    function leafHash(Leaf memory leaf) internal pure returns (bytes32) {
        bytes memory preimage = abi.encode(
            keccak256("polder/sum-leaf/v1"),
            leaf.account,
            leaf.sums.withdrawalsMicros,
            leaf.sums.heldMicros,
            leaf.sums.rewards
        );
        return keccak256(preimage);
    }

    function nodeHash(bytes32 left, Sums memory leftSums, bytes32 right, Sums memory rightSums)
        internal
        pure
        returns (bytes32)
    {
        bytes memory preimage = abi.encode(
            keccak256("polder/sum-node/v1"),
            left,
            leftSums.withdrawalsMicros,
            leftSums.heldMicros,
            leftSums.rewards,
            right,
            rightSums.withdrawalsMicros,
            rightSums.heldMicros,
            rightSums.rewards
        );
        return keccak256(preimage);
    }

    /// @notice The leaf of a number as the vector file's generator makes it: cut out of the number's hash.
    function vectorLeaf(uint256 number) internal pure returns (Leaf memory) {
        uint256 word = uint256(keccak256(abi.encode(number)));
        return Leaf({
            account: address(SafeCast.toUint160(word % 2 ** 160)),
            sums: Sums({
                withdrawalsMicros: SafeCast.toUint32((word >> 160) % 2 ** 32),
                heldMicros: SafeCast.toUint32((word >> 192) % 2 ** 32),
                rewards: SafeCast.toUint32(word >> 224)
            })
        });
    }

    function vectorLeaves(uint256 size) internal pure returns (Leaf[] memory leaves) {
        leaves = new Leaf[](size);
        for (uint256 number = 0; number < size; ++number) {
            leaves[number] = vectorLeaf(number);
        }
    }

    function _join(Built memory built, uint256 level) private pure {
        bytes32[] memory hashes = built.hashes[level - 1];
        Sums[] memory sums = built.sums[level - 1];
        uint256 width = (hashes.length + 1) / 2;
        built.hashes[level] = new bytes32[](width);
        built.sums[level] = new Sums[](width);
        for (uint256 index = 0; index < width; ++index) {
            uint256 left = 2 * index;
            Sums memory besideSums;
            bytes32 beside;
            if (left + 1 < hashes.length) (beside, besideSums) = (hashes[left + 1], sums[left + 1]);
            built.hashes[level][index] = nodeHash(hashes[left], sums[left], beside, besideSums);
            built.sums[level][index] = Sums(
                sums[left].withdrawalsMicros + besideSums.withdrawalsMicros,
                sums[left].heldMicros + besideSums.heldMicros,
                sums[left].rewards + besideSums.rewards
            );
        }
    }
}
