// SPDX-License-Identifier: Apache-2.0
// Owns what is promised of the keys that proofs are verified under. It refuses to verify anything.
pragma solidity ^0.8.24;

/// @title The verification keys that a vote has named
/// @notice One hash a circuit: SHA-256 as the verifiers' `keyHash`. A region that takes proofs under another key takes what nobody
/// voted for, and every audit against the chain says so.
/// @dev A key is bound to its circuit and to the release that has both; so a vote for another key is a vote for another release.
interface IVerificationKeys {
    event VerificationKeySet(bytes32 indexed circuit, bytes32 keyHash);

    error VerificationKeys_Missing(bytes32 circuit);
    error VerificationKeys_Same(bytes32 circuit, bytes32 keyHash);
    error VerificationKeys_CoolingDown(bytes32 circuit, uint256 untilS);

    /// @notice Names a circuit's key, for the owner. Its first needs no cool-down; from then on a month passes between two.
    /// @param circuit Its name in the manifest, padded with zeros on the right.
    function setVerificationKey(bytes32 circuit, bytes32 keyHash) external;

    /// @return 0 for a circuit that nobody named a key of.
    function verificationKeyHash(bytes32 circuit) external view returns (bytes32);
}
