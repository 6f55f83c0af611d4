// SPDX-License-Identifier: GPL-3.0-only
// Owns the statement about one window of a meter. It refuses to look at the claims themselves: it sees them packed, and
// whoever verifies checks 0 <= claim < 2^20 and computes directions, maxima, sums and packing from the claims in the
// clear. Without that, readings 0, 0, 0, 1 prove claims far above them, one slot borrowing from the next.
pragma circom 2.1.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";
include "bounds.circom";
include "gateway-signature.circom";
include "quad-tree.circom";

// "A leaf of this window's root holds a gateway key A, a commitment to a secret I know, and this region; A signed this
// window's readings; in every slot the claim has the reading's direction and is not above it; the largest sale is
// within the nameplate, the largest purchase within the connection, the sums within the window's caps; this is the
// secret's nullifier, and I name this account."
template Meter(slots) {
    var elements = (slots + SLOTS_PER_ELEMENT() - 1) \ SLOTS_PER_ELEMENT();

    // Public, in this order.
    signal input root;
    signal input regionTag;
    signal input firstSlot;
    signal input accountTag;
    signal input nullifier;
    signal input largestSaleWh;
    signal input largestPurchaseWh;
    signal input salesWh;
    signal input purchasesWh;
    signal input packedClaims[elements];

    // Known to the household alone.
    signal input key[2];
    signal input r8[2];
    signal input s;
    signal input secret;
    signal input nameplateWh;
    signal input connectionWh;
    signal input saleCapWh;
    signal input purchaseCapWh;
    signal input children[TREE_DEPTH()][4];
    signal input unsoldWh[slots];

    // "In every slot the claim has the reading's direction and is not above it": what was signed is what is claimed
    // plus what is not. With claim < 2^20 (the verifier's check) and unsold < 2^20 (here) a slot's sum stays below the
    // direction's bit, so each slot of the packed readings is the sum of that slot alone, direction and all.
    signal packedReadings[elements];
    for (var element = 0; element < elements; element++) {
        var packed = packedClaims[element];
        var weight = 1;
        for (var k = 0; k < SLOTS_PER_ELEMENT() && element * SLOTS_PER_ELEMENT() + k < slots; k++) {
            _ <== Num2Bits(WH_BITS())(unsoldWh[element * SLOTS_PER_ELEMENT() + k]);
            packed += unsoldWh[element * SLOTS_PER_ELEMENT() + k] * weight;
            weight *= 1 << STRIDE_BITS();
        }
        packedReadings[element] <== packed;
    }

    // "A signed this window's readings."
    component message = Poseidon(2 + elements);
    message.inputs[0] <== regionTag;
    message.inputs[1] <== firstSlot;
    for (var element = 0; element < elements; element++) {
        message.inputs[2 + element] <== packedReadings[element];
    }
    GatewaySignature()(key, r8, s, message.out);

    // "A leaf of this window's root holds A, a commitment to a secret I know, and this region." Every limit is an input
    // of its own: packed together, a prover could split them another way.
    signal commitment <== Poseidon(1)([secret]);
    signal leaf <== Poseidon(8)([
        key[0], key[1], commitment, regionTag, nameplateWh, connectionWh, saleCapWh, purchaseCapWh
    ]);
    signal reached <== QuadInclusion(TREE_DEPTH())(leaf, children);
    reached === root;

    // "The largest sale is within the nameplate, the largest purchase within the connection, the sums within the caps."
    // The limits were range-checked at enrolment and the rest by the verifier, so a negative difference has no bits.
    _ <== Num2Bits(WH_BITS())(nameplateWh - largestSaleWh);
    _ <== Num2Bits(WH_BITS())(connectionWh - largestPurchaseWh);
    _ <== Num2Bits(CAP_BITS())(saleCapWh - salesWh);
    _ <== Num2Bits(CAP_BITS())(purchaseCapWh - purchasesWh);

    // "This is the secret's nullifier": one per meter, region, window length and window.
    signal expected <== Poseidon(3)([secret, regionTag, firstSlot]);
    expected === nullifier;

    // "I name this account": an input that no constraint mentions could be exchanged in a finished proof.
    signal accountSquared <== accountTag * accountTag;
}
