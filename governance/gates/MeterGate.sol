// SPDX-License-Identifier: Apache-2.0
// Owns the check of meter proofs on chain: each claim's range, directions, maxima, sums and packing from the claims in the
// clear, then root, nullifier, account, chain and pairing. It refuses every number of the prover's that it can compute.
pragma solidity ^0.8.24;

import {Groth16Proof, Groth16Proofs, IVerifyingKey} from "./Groth16Proofs.sol";
import {ClaimTotals, IDayVerifier, IHourVerifier, IMeterGate, ProvedWindow} from "./IMeterGate.sol";
import {ProofGate} from "./ProofGate.sol";

/// @title The gate for whoever settles by meter proofs; assumptions stand on `IMeterGate`
contract MeterGate is IMeterGate, ProofGate {
    /// @dev `WH_BITS`, `DIRECTION_BIT`, `STRIDE_BITS` and `SLOTS_PER_ELEMENT` of the circuit (bounds.circom): a claim and
    /// what was not claimed of it add up to less than the direction's bit, so no slot reaches into the next.
    uint256 private constant CLAIM_BOUND = 2 ** 20;
    uint256 private constant EXPORT = 2 ** 21;
    uint256 private constant STRIDE_BITS = 22;
    uint256 private constant SLOTS_PER_ELEMENT = 11;
    uint256 private constant FIRST_CLAIM_SIGNAL = 9;

    /// @notice The exported verifier of this window length.
    address public immutable verifier;
    uint256 public immutable windowSlots;

    constructor(address verifier_, address reporter_, address settlement, string memory regionId, uint256 windowSlots_)
        ProofGate(IVerifyingKey(verifier_), reporter_, settlement, regionId, windowSlots_)
    {
        verifier = verifier_;
        windowSlots = windowSlots_;
    }

    /// @inheritdoc IMeterGate
    function use(ProvedWindow calldata window) external returns (ClaimTotals memory totals) {
        uint256 root = _requireRoot(window.firstSlot);
        if (window.firstSlot % windowSlots != 0) revert MeterGate_WindowUnaligned(window.firstSlot);
        Groth16Proofs.requireCanonical(window.proof);
        uint256[18] memory signals;
        totals = _addClaims(window, signals);
        signals[0] = root;
        signals[1] = regionTag;
        signals[2] = window.firstSlot;
        signals[3] = uint160(window.account);
        signals[4] = window.nullifier;
        signals[5] = totals.largestSaleWh;
        signals[6] = totals.largestPurchaseWh;
        signals[7] = totals.salesWh;
        signals[8] = totals.purchasesWh;
        Groth16Proofs.requireSignal(window.firstSlot);
        _useUp(msg.sender, 0, window.nullifier);
        if (!_isProof(window.proof, signals)) revert Groth16Proofs.Groth16_ProofInvalid();
        emit WindowUsed(
            msg.sender, window.account, window.firstSlot, window.nullifier, totals.salesWh, totals.purchasesWh
        );
    }

    /// @inheritdoc IMeterGate
    function isUsed(address user, uint256 nullifier) external view returns (bool) {
        return _isUsed[user][0][nullifier];
    }

    /// @dev Checks every claim, and packs them into the signals: direction and Wh of a slot, 22 bits apart, eleven a field
    /// element, earliest lowest.
    function _addClaims(ProvedWindow calldata window, uint256[18] memory signals)
        private
        view
        returns (ClaimTotals memory totals)
    {
        uint256 slots = windowSlots;
        uint256 heldBack = window.heldBack;
        if (window.netWh.length != slots) revert MeterGate_ClaimCount(window.netWh.length);
        if (heldBack >> slots != 0) revert MeterGate_HeldBackOutOfRange(heldBack);
        for (uint256 slot = 0; slot < slots; ++slot) {
            int256 net = window.netWh[slot];
            // Casting is safe because the sign is taken off before it.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint256 claim = net < 0 ? uint256(-net) : uint256(net);
            if (claim >= CLAIM_BOUND) revert MeterGate_ClaimOutOfRange(slot);
            bool isHeldBack = (heldBack >> slot) & 1 == 1;
            if (isHeldBack && claim != 0) revert MeterGate_HeldBackOfClaim(slot);
            uint256 field = claim;
            if (net > 0 || isHeldBack) {
                field |= EXPORT;
                totals.salesWh += claim;
                if (claim > totals.largestSaleWh) totals.largestSaleWh = claim;
            } else {
                totals.purchasesWh += claim;
                if (claim > totals.largestPurchaseWh) totals.largestPurchaseWh = claim;
            }
            uint256 element = FIRST_CLAIM_SIGNAL + slot / SLOTS_PER_ELEMENT;
            signals[element] |= field << (STRIDE_BITS * (slot % SLOTS_PER_ELEMENT));
        }
    }

    function _isProof(Groth16Proof calldata proof, uint256[18] memory signals) private view returns (bool) {
        if (windowSlots == 96) return IDayVerifier(verifier).verifyProof(proof.a, proof.b, proof.c, signals);
        uint256[10] memory hour;
        for (uint256 index = 0; index < 10; ++index) {
            hour[index] = signals[index];
        }
        return IHourVerifier(verifier).verifyProof(proof.a, proof.b, proof.c, hour);
    }
}
