// SPDX-License-Identifier: Apache-2.0
// Owns what every gate asks of a proof and of the key it is verified under, before a verifier sees either. It refuses second
// spellings, points at infinity, keys that anybody forges under, and development keys off the local chain.
pragma solidity ^0.8.24;

/// @notice A Groth16 proof over bn254 in the EVM's order: of each coordinate of `b` the imaginary part is first.
struct Groth16Proof {
    uint256[2] a;
    uint256[2][2] b;
    uint256[2] c;
}

/// @notice What an exported verifier says of the key inside it; `npm run circuits:solidity` writes these into it.
/// @dev Assumed: that the contract is one that this project exported. Its word is believed here, so whoever deploys a gate
/// compares `keyHash` with the id under which the Worker reads the same key (`readGroth16Key(...).id`).
interface IVerifyingKey {
    /// @return Who made the key: `development` or the name of a ceremony.
    function keyOrigin() external view returns (string memory);

    /// @return SHA-256 of the key's points, the same as in TypeScript.
    function keyHash() external view returns (bytes32);

    /// @return False when gamma equals delta: nobody contributed to phase 2, and anybody forges under the key.
    function keyIsContributed() external view returns (bool);
}

/// @notice Stateless checks of proofs and keys.
library Groth16Proofs {
    /// @notice Order of the scalar field: every public signal is below it.
    uint256 internal constant SCALAR_ORDER =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @notice Order of the base field: every coordinate is below it.
    uint256 internal constant COORDINATE_ORDER =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @notice The only chain on which development keys are believed; `LOCAL_CHAIN_ID` in TypeScript.
    uint256 internal constant LOCAL_CHAIN_ID = 31337;

    error Groth16_KeyNotContributed();
    error Groth16_DevelopmentKey(uint256 chainId);
    error Groth16_SignalNotCanonical(uint256 signal);
    error Groth16_PointNotCanonical();
    error Groth16_ProofInvalid();

    /// @notice Reverts for a key that must not be used on this chain; called once, when a gate is made.
    function requireUsableKey(IVerifyingKey key) internal view {
        if (!key.keyIsContributed()) revert Groth16_KeyNotContributed();
        bool isDevelopment = keccak256(bytes(key.keyOrigin())) == keccak256("development");
        if (isDevelopment && block.chainid != LOCAL_CHAIN_ID) revert Groth16_DevelopmentKey(block.chainid);
    }

    /// @notice Reverts for a number that is not below the scalar field's order: `x + r` would be a second spelling of
    /// `x`, and a nullifier with two spellings is used twice.
    function requireSignal(uint256 signal) internal pure {
        if (signal >= SCALAR_ORDER) revert Groth16_SignalNotCanonical(signal);
    }

    /// @notice Reverts for a coordinate that is not below the base field's order, and for a point at infinity. Points off
    /// their curve, and a `b` outside of its subgroup, are refused by the pairing precompile (EIP-197).
    /// @dev snarkjs's verifier negates `a` modulo the order and so takes a second spelling of its y.
    function requireCanonical(Groth16Proof calldata proof) internal pure {
        _requirePoint(proof.a[0] | proof.a[1], proof.a[0], proof.a[1]);
        _requirePoint(proof.c[0] | proof.c[1], proof.c[0], proof.c[1]);
        uint256 any = proof.b[0][0] | proof.b[0][1] | proof.b[1][0] | proof.b[1][1];
        _requirePoint(any, proof.b[0][0], proof.b[0][1]);
        _requirePoint(any, proof.b[1][0], proof.b[1][1]);
    }

    function _requirePoint(uint256 any, uint256 left, uint256 right) private pure {
        if (any == 0 || left >= COORDINATE_ORDER || right >= COORDINATE_ORDER) revert Groth16_PointNotCanonical();
    }
}
