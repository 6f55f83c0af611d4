// SPDX-License-Identifier: Apache-2.0
// Owns what somebody who pays against certificates on chain may rely on, and what it must see to itself. It refuses to say
// which account a certificate is about, because nobody can.
pragma solidity ^0.8.24;

import {Groth16Proof, IVerifyingKey} from "./Groth16Proofs.sol";
import {IProofGate} from "./IProofGate.sol";

/// @notice The exported verifier of the certificate circuit.
interface ICertificateVerifier is IVerifyingKey {
    /// @return False also when it runs out of gas: call it through a gate, which reverts.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[6] calldata signals
    ) external view returns (bool);
}

/// @notice What an asker wants to be shown.
struct Demand {
    /// The asker's name, as certificates for it are made (`polder certificate make --for`).
    string audience;
    uint256 epoch;
    /// True for Wh bought, false for Wh sold.
    bool isPurchase;
    uint256 leastWh;
}

/// @notice What somebody shows.
struct Certificate {
    /// At least so many Wh; 2^40 Wh and more are no threshold.
    uint256 thresholdWh;
    uint256 nullifier;
    Groth16Proof proof;
}

/// @title The gate for whoever pays against certificates
/// @notice "Some account of this region sold (or bought) at least so many Wh of local solar in this epoch, and has not been
/// shown to me for this epoch before."
/// @dev **What an asker must see to itself.**
/// - *A certificate names no payee.* It is worth something to whoever sends it first. An asker that lets strangers send
///   certificates through a public mempool uses `useFor`, after the payee has announced; one that receives them in private
///   and calls from its own address may call `use`.
/// - *One account, one payment an epoch and audience.* An asker that changes its audience begins anew: the same account is
///   then another nullifier. Keep one name; let it contain the asker's address and chain, so that nobody else has reason to
///   accept it (`eip155:1:0x…`).
/// - *An account is not a person.* A household may have several accounts, and may hand its certificate to a friend.
/// - Nullifiers are kept by caller: another contract that uses the same audience cannot use up this one's.
interface ICertificateGate is IProofGate {
    /// @notice A certificate was used by an asker.
    event CertificateUsed(
        address indexed asker, uint256 indexed epoch, uint256 indexed nullifier, bool isPurchase, uint256 thresholdWh
    );

    /// @notice Somebody announced a payee, without showing for which certificate.
    event PayeeAnnounced(bytes32 indexed seal, uint256 blockNumber);

    error CertificateGate_ThresholdTooLow(uint256 thresholdWh, uint256 leastWh);
    error CertificateGate_ThresholdOutOfRange(uint256 thresholdWh);
    error CertificateGate_NotAnnounced(bytes32 seal);
    error CertificateGate_AnnouncedTooLately(uint256 announcedBlock);

    /// @notice Blocks between an announcement and its use: a transaction that waits in the mempool for longer can be
    /// overtaken by somebody who read it.
    function ANNOUNCED_BLOCKS() external view returns (uint256);

    /// @notice What a payee announces: `keccak256(abi.encode(asker, audienceTag, nullifier, payee))`. Until the certificate
    /// is shown nobody else knows its nullifier, and so nobody else can have announced it.
    function sealOf(address asker, string calldata audience, uint256 nullifier, address payee)
        external
        pure
        returns (bytes32);

    /// @notice Announces a payee. The first announcement stands: repeating it does not begin its time anew.
    function announce(bytes32 seal) external;

    /// @notice Checks a certificate for the caller and uses it up. Reverts unless all of it holds.
    function use(Demand calldata demand, Certificate calldata certificate) external;

    /// @notice The same for a payee who has announced at least `ANNOUNCED_BLOCKS` ago.
    function useFor(Demand calldata demand, Certificate calldata certificate, address payee) external;

    /// @notice Whether an asker has used up a nullifier towards one of its audiences.
    function isUsed(address asker, string calldata audience, uint256 nullifier) external view returns (bool);
}
