// SPDX-License-Identifier: Apache-2.0
// Owns the promise that only a leaf of a tree passes for one, with the sums that the root was given. It refuses to build trees
// with the library under test.
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {MeterLimits} from "../registry/MeterLimits.sol";
import {Limits} from "../settlement/SettlementTypes.sol";
import {Leaf, Path, Sibling, Sums, SumTree} from "../settlement/SumTree.sol";
import {LocalChain} from "../tokens/LocalChain.sol";
import {Cheats} from "./Cheats.sol";
import {Built, SumTreeBuilder} from "./SumTreeBuilder.sol";

contract SumTreeTest is Cheats, LocalChain {
    uint256 private constant SIZE = 10;

    function check(bytes32 root, Sums calldata totals, Leaf calldata leaf, Path calldata path) external pure {
        SumTree.requireLeaf(root, totals, leaf, path);
    }

    function testRejects_wrongLeaf() external {
        Built memory built = _built(SIZE);
        Leaf memory leaf = SumTreeBuilder.vectorLeaf(3);
        leaf.sums.heldMicros += 1;
        _expectNotInTree(built, leaf, SumTreeBuilder.path(built, 3));
        leaf = SumTreeBuilder.vectorLeaf(3);
        leaf.account = address(uint160(leaf.account) + 1);
        _expectNotInTree(built, leaf, SumTreeBuilder.path(built, 3));
    }

    function testRejects_pathOfAnotherLeaf() external {
        Built memory built = _built(SIZE);
        _expectNotInTree(built, SumTreeBuilder.vectorLeaf(3), SumTreeBuilder.path(built, 4));
    }

    function testRejects_pathOfAnotherTree() external {
        Path memory foreign = SumTreeBuilder.path(_built(SIZE - 1), 3);
        _expectNotInTree(_built(SIZE), SumTreeBuilder.vectorLeaf(3), foreign);
    }

    function testRejects_pathThatIsTooShort() external {
        Built memory built = _built(SIZE);
        Path memory path = SumTreeBuilder.path(built, 3);
        Sibling[] memory fewer = new Sibling[](path.siblings.length - 1);
        for (uint256 level = 0; level < fewer.length; ++level) {
            fewer[level] = path.siblings[level];
        }
        _expectNotInTree(built, SumTreeBuilder.vectorLeaf(3), Path(3, fewer));
        _expectNotInTree(built, SumTreeBuilder.vectorLeaf(3), Path(0, new Sibling[](0)));
    }

    function testRejects_pathThatIsTooLong() external {
        Built memory built = _built(SIZE);
        Path memory longest = Path(3, new Sibling[](SumTree.MAX_LEVELS));
        _expectNotInTree(built, SumTreeBuilder.vectorLeaf(3), longest);
        Path memory longer = Path(3, new Sibling[](SumTree.MAX_LEVELS + 1));
        _expect(
            built,
            SumTreeBuilder.vectorLeaf(3),
            longer,
            abi.encodeWithSelector(SumTree.SumTree_PathTooLong.selector, 21)
        );
    }

    function testRejects_secondSpellingOfAPlace() external {
        Built memory built = _built(SIZE);
        Path memory path = SumTreeBuilder.path(built, 3);
        path.position += 16;
        bytes memory outside = abi.encodeWithSelector(SumTree.SumTree_PositionOutside.selector, 19, 4);
        _expect(built, SumTreeBuilder.vectorLeaf(3), path, outside);
    }

    /// @dev The node above leaves 0 and 1 as if it were a leaf: every reading of its preimage has another domain and length.
    function testRejects_nodeAsLeaf() external {
        Built memory built = _built(SIZE);
        Path memory whole = SumTreeBuilder.path(built, 0);
        Sibling[] memory above = new Sibling[](whole.siblings.length - 1);
        for (uint256 level = 0; level < above.length; ++level) {
            above[level] = whole.siblings[level + 1];
        }
        bytes32 node = built.hashes[1][0];
        Leaf memory posing = Leaf(address(uint160(uint256(node))), built.sums[1][0]);
        _expectNotInTree(built, posing, Path(0, above));
        VM.assertTrue(SumTree.LEAF_DOMAIN != SumTree.NODE_DOMAIN, "one domain");
    }

    /// @dev A sibling with other sums gives another root, even where they add up.
    function testRejects_sumsMovedToTheSibling() external {
        Built memory built = _built(SIZE);
        Leaf memory leaf = SumTreeBuilder.vectorLeaf(3);
        Path memory path = SumTreeBuilder.path(built, 3);
        leaf.sums.heldMicros += 1;
        path.siblings[0].sums.heldMicros -= 1;
        _expectNotInTree(built, leaf, path);
    }

    /// @dev The operator says less (or more) than its root holds: then nothing can be shown, and nothing is overpaid.
    function testRejects_totalsThatAreNotTheRoots() external {
        for (uint256 field = 0; field < 3; ++field) {
            Built memory built = _built(SIZE);
            bytes32 root = SumTreeBuilder.root(built);
            Sums memory totals = SumTreeBuilder.totals(built);
            if (field == 0) totals.withdrawalsMicros -= 1;
            if (field == 1) totals.heldMicros += 1;
            if (field == 2) totals.rewards -= 1;
            Path memory path = SumTreeBuilder.path(built, 3);
            VM.expectRevert(abi.encodeWithSelector(SumTree.SumTree_LeafNotInTree.selector, root, root));
            this.check(root, totals, SumTreeBuilder.vectorLeaf(3), path);
        }
    }

    /// @dev Two leaves whose sums wrap to a small total: an operator would owe more than it said.
    function testRejects_sumsThatWrap() external {
        Leaf[] memory leaves = new Leaf[](2);
        for (uint256 field = 0; field < 3; ++field) {
            Sums memory most;
            Sums memory one;
            if (field == 0) (most.withdrawalsMicros, one.withdrawalsMicros) = (type(uint64).max, 1);
            if (field == 1) (most.heldMicros, one.heldMicros) = (type(uint64).max, 1);
            if (field == 2) (most.rewards, one.rewards) = (type(uint128).max, 1);
            leaves[0] = Leaf(address(1), most);
            leaves[1] = Leaf(address(2), one);
            bytes32 beside = SumTreeBuilder.leafHash(leaves[1]);
            bytes32 root = SumTreeBuilder.nodeHash(SumTreeBuilder.leafHash(leaves[0]), most, beside, one);
            Sibling[] memory siblings = new Sibling[](1);
            siblings[0] = Sibling(beside, one);
            VM.expectPartialRevert(SafeCast.SafeCastOverflowedUintDowncast.selector);
            this.check(root, Sums(0, 0, 0), leaves[0], Path(0, siblings));
        }
    }

    function testBehavior_everyLeafOfEverySizeIsFound() external view {
        for (uint256 size = 1; size <= 17; ++size) {
            Built memory built = _built(size);
            for (uint256 position = 0; position < size; ++position) {
                _check(built, SumTreeBuilder.vectorLeaf(position), SumTreeBuilder.path(built, position));
            }
        }
    }

    function testBehavior_theOnlyLeafIsTheRoot() external view {
        Leaf memory leaf = SumTreeBuilder.vectorLeaf(7);
        this.check(SumTreeBuilder.leafHash(leaf), leaf.sums, leaf, Path(0, new Sibling[](0)));
    }

    /// @dev The largest sums there are, side by side with none.
    function testBehavior_sumsAtTheirLimits() external view {
        Leaf[] memory leaves = new Leaf[](2);
        leaves[0] = Leaf(address(1), Sums(type(uint64).max, type(uint64).max, type(uint128).max));
        leaves[1] = Leaf(address(2), Sums(0, 0, 0));
        Built memory built = SumTreeBuilder.build(leaves);
        _check(built, leaves[0], SumTreeBuilder.path(built, 0));
    }

    function testProperty_aChangedSiblingIsRefused(uint256 size, uint256 position, uint256 level, uint256 bit)
        external
    {
        size = _within(size, 2, 40);
        position = _within(position, 0, size - 1);
        Built memory built = _built(size);
        Path memory path = SumTreeBuilder.path(built, position);
        Sibling memory sibling = path.siblings[_within(level, 0, path.siblings.length - 1)];
        sibling.hash ^= bytes32(2 ** _within(bit, 0, 255));
        _expectNotInTree(built, SumTreeBuilder.vectorLeaf(position), path);
    }

    /// @dev The very numbers that TypeScript computes; 10,000 accounts among them.
    function testBehavior_treesOfTheVectorFile() external view {
        string memory json = VM.readFile("test/vectors/settlement.json");
        VM.assertEq(SumTreeBuilder.leafHash(SumTreeBuilder.vectorLeaf(0)), VM.parseJsonBytes32(json, ".leafHash"));
        uint256 size;
        for (uint256 index = 0; size < 10_000; ++index) {
            string memory key = string.concat(".trees[", VM.toString(index), "]");
            size = VM.parseJsonUint(json, string.concat(key, ".size"));
            Built memory built = _built(size);
            Sums memory totals = SumTreeBuilder.totals(built);
            VM.assertEq(SumTreeBuilder.root(built), VM.parseJsonBytes32(json, string.concat(key, ".root")), key);
            uint256 withdrawalsMicros = VM.parseJsonUint(json, string.concat(key, ".withdrawalsMicros"));
            VM.assertEq(totals.withdrawalsMicros, withdrawalsMicros, key);
            VM.assertEq(totals.heldMicros, VM.parseJsonUint(json, string.concat(key, ".heldMicros")), key);
            VM.assertEq(totals.rewards, VM.parseJsonUint(json, string.concat(key, ".rewards")), key);
            if (size != 0) _check(built, SumTreeBuilder.vectorLeaf(size - 1), SumTreeBuilder.path(built, size - 1));
        }
    }

    function testBehavior_boundsOfTheVectorFile() external view {
        string memory json = VM.readFile("test/vectors/settlement.json");
        _expectConstant(json, "MAX_REGION_MICROS", Limits.MAX_REGION_MICROS);
        _expectConstant(json, "MAX_DEPOSITED_MICROS", Limits.MAX_DEPOSITED_MICROS);
        _expectConstant(json, "SLOT_SECONDS", Limits.SLOT_SECONDS);
        _expectConstant(json, "MAX_EPOCH_SLOTS", Limits.MAX_EPOCH_SLOTS);
        _expectConstant(json, "MAX_READING_WH", MeterLimits.MAX_READING_WH);
        _expectConstant(json, "MAX_WINDOW_CAP_WH", MeterLimits.MAX_WINDOW_CAP_WH);
        _expectConstant(json, "MAX_INSTALLERS", MeterLimits.MAX_INSTALLERS);
        _expectConstant(json, "TREE_LEAVES", MeterLimits.TREE_LEAVES);
        _expectConstant(json, "FIELD_ORDER", MeterLimits.FIELD_ORDER);
        _expectConstant(json, "SUBGROUP_ORDER", MeterLimits.SUBGROUP_ORDER);
        _expectConstant(json, "MAX_SUM_LEVELS", SumTree.MAX_LEVELS);
        _expectConstant(json, "LOCAL_CHAIN_ID", LOCAL_CHAIN_ID);
    }

    function _expectConstant(string memory json, string memory name, uint256 value) private pure {
        VM.assertEq(value, VM.parseJsonUint(json, string.concat(".constants.", name)), name);
    }

    function _built(uint256 size) private pure returns (Built memory) {
        return SumTreeBuilder.build(SumTreeBuilder.vectorLeaves(size));
    }

    function _check(Built memory built, Leaf memory leaf, Path memory path) private view {
        this.check(SumTreeBuilder.root(built), SumTreeBuilder.totals(built), leaf, path);
    }

    function _expectNotInTree(Built memory built, Leaf memory leaf, Path memory path) private {
        bytes32 root = SumTreeBuilder.root(built);
        Sums memory totals = SumTreeBuilder.totals(built);
        VM.expectPartialRevert(SumTree.SumTree_LeafNotInTree.selector);
        this.check(root, totals, leaf, path);
    }

    function _expect(Built memory built, Leaf memory leaf, Path memory path, bytes memory error_) private {
        bytes32 root = SumTreeBuilder.root(built);
        Sums memory totals = SumTreeBuilder.totals(built);
        VM.expectRevert(error_);
        this.check(root, totals, leaf, path);
    }
}
