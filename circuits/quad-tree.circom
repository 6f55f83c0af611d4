// SPDX-License-Identifier: GPL-3.0-only
// Owns membership in a Poseidon tree of four children a node. It refuses a node that is none of its parent's children.
pragma circom 2.1.0;

include "circomlib/circuits/poseidon.circom";

// The prover shows all four children of every node on the way up. That the node is one of them is a product that must
// vanish, which needs no position and so cannot leave one open. A leaf cannot be shown as an inner node: the depth is
// fixed, and leaves hash another number of inputs than nodes do.
template QuadInclusion(depth) {
    signal input leaf;
    signal input children[depth][4];
    signal output root;

    signal node[depth + 1];
    signal firstTwo[depth];
    signal lastTwo[depth];

    node[0] <== leaf;
    for (var level = 0; level < depth; level++) {
        firstTwo[level] <== (node[level] - children[level][0]) * (node[level] - children[level][1]);
        lastTwo[level] <== (node[level] - children[level][2]) * (node[level] - children[level][3]);
        firstTwo[level] * lastTwo[level] === 0;
        node[level + 1] <== Poseidon(4)(children[level]);
    }
    root <== node[depth];
}
