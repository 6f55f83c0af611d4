// SPDX-License-Identifier: Apache-2.0
// Owns the check of certificates on chain: root, epoch, audience, threshold, nullifier, canonical form, pairing. It refuses a
// root from anybody but the reporter, and signals from anybody: all six are its own or checked.
pragma solidity ^0.8.24;

import {Groth16Proofs} from "./Groth16Proofs.sol";
import {Certificate, Demand, ICertificateGate, ICertificateVerifier} from "./ICertificateGate.sol";
import {ProofGate} from "./ProofGate.sol";
import {RegionTags} from "./RegionTags.sol";

/// @title The gate for whoever pays against certificates; assumptions stand on `ICertificateGate`
contract CertificateGate is ICertificateGate, ProofGate {
    uint256 public constant ANNOUNCED_BLOCKS = 10;
    /// @dev `EPOCH_WH_BITS` of the circuit.
    uint256 private constant EPOCH_WH_BOUND = 2 ** 40;

    ICertificateVerifier public immutable verifier;
    mapping(bytes32 seal => uint256 blockNumber) private _announcedAt;

    constructor(
        ICertificateVerifier verifier_,
        address reporter_,
        address settlement,
        string memory regionId,
        uint256 windowSlots
    ) ProofGate(verifier_, reporter_, settlement, regionId, windowSlots) {
        verifier = verifier_;
    }

    /// @inheritdoc ICertificateGate
    function announce(bytes32 seal) external {
        if (_announcedAt[seal] != 0) return;
        _announcedAt[seal] = block.number;
        emit PayeeAnnounced(seal, block.number);
    }

    /// @inheritdoc ICertificateGate
    function use(Demand calldata demand, Certificate calldata certificate) external {
        _use(demand, certificate, RegionTags.audienceTag(demand.audience));
    }

    /// @inheritdoc ICertificateGate
    function useFor(Demand calldata demand, Certificate calldata certificate, address payee) external {
        uint256 audienceTag = RegionTags.audienceTag(demand.audience);
        bytes32 seal = _sealOf(msg.sender, audienceTag, certificate.nullifier, payee);
        uint256 announcedBlock = _announcedAt[seal];
        if (announcedBlock == 0) revert CertificateGate_NotAnnounced(seal);
        if (block.number < announcedBlock + ANNOUNCED_BLOCKS) {
            revert CertificateGate_AnnouncedTooLately(announcedBlock);
        }
        _use(demand, certificate, audienceTag);
    }

    /// @inheritdoc ICertificateGate
    function sealOf(address asker, string calldata audience, uint256 nullifier, address payee)
        external
        pure
        returns (bytes32)
    {
        return _sealOf(asker, RegionTags.audienceTag(audience), nullifier, payee);
    }

    /// @inheritdoc ICertificateGate
    function isUsed(address asker, string calldata audience, uint256 nullifier) external view returns (bool) {
        return _isUsed[asker][RegionTags.audienceTag(audience)][nullifier];
    }

    function _use(Demand calldata demand, Certificate calldata certificate, uint256 audienceTag) private {
        uint256 root = _requireRoot(demand.epoch);
        uint256 thresholdWh = certificate.thresholdWh;
        if (thresholdWh >= EPOCH_WH_BOUND) revert CertificateGate_ThresholdOutOfRange(thresholdWh);
        if (thresholdWh < demand.leastWh) revert CertificateGate_ThresholdTooLow(thresholdWh, demand.leastWh);
        Groth16Proofs.requireCanonical(certificate.proof);
        _useUp(msg.sender, audienceTag, certificate.nullifier);
        uint256[6] memory signals = [
            root,
            RegionTags.epochTag(regionTag, demand.epoch),
            audienceTag,
            certificate.nullifier,
            demand.isPurchase ? 1 : 0,
            thresholdWh
        ];
        if (!verifier.verifyProof(certificate.proof.a, certificate.proof.b, certificate.proof.c, signals)) {
            revert Groth16Proofs.Groth16_ProofInvalid();
        }
        emit CertificateUsed(msg.sender, demand.epoch, certificate.nullifier, demand.isPurchase, thresholdWh);
    }

    function _sealOf(address asker, uint256 audienceTag, uint256 nullifier, address payee)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(asker, audienceTag, nullifier, payee));
    }
}
