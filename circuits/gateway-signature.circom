// SPDX-License-Identifier: GPL-3.0-only
// Owns what a gateway's signature must satisfy. It refuses points off the curve, which circomlib's verifier takes as
// they come; that A is in the prime-order subgroup is checked at enrolment.
pragma circom 2.1.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/eddsaposeidon.circom";

template GatewaySignature() {
    signal input key[2];
    signal input r8[2];
    signal input s;
    signal input message;

    // The addition law is complete on the curve only; off it, a prover could choose "points" that add up as needed.
    BabyCheck()(key[0], key[1]);
    BabyCheck()(r8[0], r8[1]);

    component verifier = EdDSAPoseidonVerifier();
    verifier.enabled <== 1;
    verifier.Ax <== key[0];
    verifier.Ay <== key[1];
    verifier.S <== s;
    verifier.R8x <== r8[0];
    verifier.R8y <== r8[1];
    verifier.M <== message;
}
