// SPDX-License-Identifier: GPL-3.0-only
// Owns the statement about one account's epoch towards a third party. It refuses to say which account it is, and how
// much beyond the threshold.
pragma circom 2.1.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";
include "bounds.circom";
include "quad-tree.circom";

// "A leaf of this epoch's certificate root holds a commitment to a secret I know and what its account sold and bought;
// the one of the two that is asked about is at least the threshold; this is the secret's nullifier towards whoever asks
// about this epoch."
template Certificate() {
    // Public, in this order.
    signal input root;
    signal input epochTag;
    signal input audienceTag;
    signal input nullifier;
    signal input isPurchase;
    signal input thresholdWh;

    // Known to the household and its region; the secret to the household alone. It is not the meter's, or account and
    // meter would be linked.
    signal input secret;
    signal input soldWh;
    signal input boughtWh;
    signal input children[TREE_DEPTH()][4];

    // "A leaf of this epoch's certificate root." The region knows the commitment only, and cannot use it up.
    signal commitment <== Poseidon(1)([secret]);
    signal leaf <== Poseidon(3)([commitment, soldWh, boughtWh]);
    signal reached <== QuadInclusion(TREE_DEPTH())(leaf, children);
    reached === root;

    // "The one that is asked about is at least the threshold": all below 2^40, so a negative difference has no bits.
    isPurchase * (isPurchase - 1) === 0;
    _ <== Num2Bits(EPOCH_WH_BITS())(soldWh);
    _ <== Num2Bits(EPOCH_WH_BITS())(boughtWh);
    _ <== Num2Bits(EPOCH_WH_BITS())(thresholdWh);
    signal askedWh <== soldWh + isPurchase * (boughtWh - soldWh);
    _ <== Num2Bits(EPOCH_WH_BITS())(askedWh - thresholdWh);

    // "This is the secret's nullifier towards whoever asks": two of them from one epoch are told to be one account's,
    // to another they say nothing.
    signal expected <== Poseidon(3)([secret, epochTag, audienceTag]);
    expected === nullifier;
}
