// SPDX-License-Identifier: Apache-2.0
// Owns the tree that a report commits to: one leaf per account, and in every node the sums of what is below it. It refuses a
// node as a leaf, a path that leads elsewhere, and sums that wrap. evidence/sum-tree.ts makes the same hashes.
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice What a leaf owes, what is below a node, or what a whole region owes.
struct Sums {
    /// Asked out of the region's ledger since it began, paid or not. Micros of the quote asset.
    uint64 withdrawalsMicros;
    /// Free and in escrow in the region's ledger. Micros.
    uint64 heldMicros;
    /// Earned since the region began, claimed or not. Base units of the token.
    uint128 rewards;
}

/// @notice One account of a region at the end of an epoch.
struct Leaf {
    address account;
    Sums sums;
}

/// @notice The other child of a node on the way from a leaf to the root.
struct Sibling {
    bytes32 hash;
    Sums sums;
}

/// @notice What shows that a leaf is in a tree.
struct Path {
    /// The leaf's place: bit i is set where the node of level i is a right child.
    uint256 position;
    /// From the leaf upwards; none where the leaf is the root.
    Sibling[] siblings;
}

/// @notice The Merkle sum tree. A node's hash covers the sums of both its children, so whoever reaches the root from a leaf
/// has added up the root's sums with only non-negative terms: no set of leaves owes more than the root says.
/// @dev Where a level has an odd number of nodes, the last one's sibling is empty: hash zero, sums zero.
library SumTree {
    /// @dev A leaf's preimage can never be a node's: other domain, other length.
    bytes32 internal constant LEAF_DOMAIN = keccak256("polder/sum-leaf/v1");
    bytes32 internal constant NODE_DOMAIN = keccak256("polder/sum-node/v1");
    /// @dev A region has at most 2^15 accounts; no path needs more, and none may cost more.
    uint256 internal constant MAX_LEVELS = 20;

    error SumTree_PathTooLong(uint256 levels);
    error SumTree_PositionOutside(uint256 position, uint256 levels);
    error SumTree_LeafNotInTree(bytes32 root, bytes32 reached);

    /// @notice Reverts unless a leaf stands in the tree of a root and of its sums.
    function requireLeaf(bytes32 root, Sums memory totals, Leaf calldata leaf, Path calldata path) internal pure {
        uint256 levels = path.siblings.length;
        if (levels > MAX_LEVELS) revert SumTree_PathTooLong(levels);
        // A second spelling of a place would do no harm here, but could where somebody keeps claims by place.
        if (path.position >> levels != 0) revert SumTree_PositionOutside(path.position, levels);
        bytes32 hash = hashLeaf(leaf);
        Sums memory sums = leaf.sums;
        for (uint256 level = 0; level < levels; ++level) {
            Sibling calldata sibling = path.siblings[level];
            Sums memory beside = sibling.sums;
            hash = (path.position >> level) & 1 == 0
                ? _hashNode(hash, sums, sibling.hash, beside)
                : _hashNode(sibling.hash, beside, hash, sums);
            _add(sums, beside);
        }
        bool isWhole = sums.withdrawalsMicros == totals.withdrawalsMicros && sums.heldMicros == totals.heldMicros
            && sums.rewards == totals.rewards;
        if (hash != root || !isWhole) revert SumTree_LeafNotInTree(root, hash);
    }

    function hashLeaf(Leaf calldata leaf) internal pure returns (bytes32) {
        return keccak256(abi.encode(LEAF_DOMAIN, leaf));
    }

    function _hashNode(bytes32 left, Sums memory leftSums, bytes32 right, Sums memory rightSums)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(NODE_DOMAIN, left, leftSums, right, rightSums));
    }

    /// @dev What passes the width of a sum reverts: nothing wraps.
    function _add(Sums memory sums, Sums memory more) private pure {
        sums.withdrawalsMicros = SafeCast.toUint64(uint256(sums.withdrawalsMicros) + more.withdrawalsMicros);
        sums.heldMicros = SafeCast.toUint64(uint256(sums.heldMicros) + more.heldMicros);
        sums.rewards = SafeCast.toUint128(uint256(sums.rewards) + more.rewards);
    }
}
