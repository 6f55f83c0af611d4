// SPDX-License-Identifier: Apache-2.0
// Owns what somebody who settles by meter proofs on chain may rely on. It refuses to take a maximum, a sum or a packing from
// the prover: with readings 0, 0, 0, 1 that proves claims far above them.
pragma solidity ^0.8.24;

import {Groth16Proof, IVerifyingKey} from "./Groth16Proofs.sol";
import {IProofGate} from "./IProofGate.sol";

/// @notice The exported verifier of a window of 4 slots.
interface IHourVerifier is IVerifyingKey {
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[10] calldata signals
    ) external view returns (bool);
}

/// @notice The exported verifier of a window of 96 slots.
interface IDayVerifier is IVerifyingKey {
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[18] calldata signals
    ) external view returns (bool);
}

/// @notice One window's claims in the clear, and their proof.
struct ProvedWindow {
    uint256 firstSlot;
    /// For whom it is claimed; bound into the proof, so that anybody may send it.
    address account;
    uint256 nullifier;
    /// Claimed Wh a slot, sold positive, bought negative; as many as the window has slots.
    int32[] netWh;
    /// Bit s: slot s was an export of which nothing is claimed. Only where `netWh` is 0.
    uint256 heldBack;
    Groth16Proof proof;
}

/// @notice What follows from a window's claims, in Wh.
struct ClaimTotals {
    uint256 largestSaleWh;
    uint256 largestPurchaseWh;
    uint256 salesWh;
    uint256 purchasesWh;
}

/// @title The gate for whoever settles by meter proofs
/// @notice "An enrolled meter of this region measured at least this in every slot of this window; it is claimed for this
/// account; and you have not used this meter's window before."
/// @dev **What a user must see to itself.** A household may claim less than was measured. The meter is one of the region's,
/// and not said which. Nullifiers are kept by caller, so that a stranger who copies a proof cannot use up yours; a caller
/// that stands for several users must keep them apart itself. A root is of one window: the reporter sets it after the last
/// moment at which a meter could be taken out of it.
interface IMeterGate is IProofGate {
    /// @notice A window's claims were used by somebody.
    event WindowUsed(
        address indexed user,
        address indexed account,
        uint256 indexed firstSlot,
        uint256 nullifier,
        uint256 salesWh,
        uint256 purchasesWh
    );

    error MeterGate_WindowUnaligned(uint256 firstSlot);
    error MeterGate_ClaimCount(uint256 count);
    error MeterGate_ClaimOutOfRange(uint256 slot);
    error MeterGate_HeldBackOfClaim(uint256 slot);
    error MeterGate_HeldBackOutOfRange(uint256 heldBack);

    /// @notice Slots of a window: 4 or 96.
    function windowSlots() external view returns (uint256);

    /// @notice Checks a window for the caller and uses it up. Reverts unless all of it holds.
    function use(ProvedWindow calldata window) external returns (ClaimTotals memory);

    /// @notice Whether somebody has used up a nullifier.
    function isUsed(address user, uint256 nullifier) external view returns (bool);
}
