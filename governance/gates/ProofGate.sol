// SPDX-License-Identifier: Apache-2.0
// Owns what both gates do alike: the key is checked when a gate is made, roots are set once, nullifiers are used once. It
// refuses to be made with a key that must not be used, and to work on any chain but the one it was made on.
pragma solidity ^0.8.24;

import {Groth16Proofs, IVerifyingKey} from "./Groth16Proofs.sol";
import {IProofGate} from "./IProofGate.sol";
import {RegionTags} from "./RegionTags.sol";

/// @title What both gates do alike; assumptions stand on `IProofGate`
abstract contract ProofGate is IProofGate {
    address public immutable reporter;
    uint256 public immutable regionTag;
    uint256 internal immutable _chainId;

    mapping(uint256 period => uint256 root) public rootOf;
    /// @dev By user, scope and nullifier: nobody can use up what is another's to use.
    mapping(address user => mapping(uint256 scope => mapping(uint256 nullifier => bool))) internal _isUsed;

    /// @param verifier An exported verifier; see `IVerifyingKey` for what is believed of it.
    /// @param settlement The settlement contract that the region's signatures name; the zero address until there is one.
    constructor(
        IVerifyingKey verifier,
        address reporter_,
        address settlement,
        string memory regionId,
        uint256 windowSlots
    ) {
        Groth16Proofs.requireUsableKey(verifier);
        if (reporter_ == address(0)) revert ProofGate_NoReporter();
        if (windowSlots != 4 && windowSlots != 96) revert ProofGate_WindowLength(windowSlots);
        reporter = reporter_;
        _chainId = block.chainid;
        regionTag = RegionTags.regionTag(block.chainid, settlement, regionId, windowSlots);
    }

    /// @inheritdoc IProofGate
    function setRoot(uint256 period, uint256 root) external {
        if (msg.sender != reporter) revert ProofGate_NotReporter(msg.sender);
        if (rootOf[period] != 0) revert ProofGate_RootAlreadySet(period);
        if (root == 0) revert Groth16Proofs.Groth16_SignalNotCanonical(root);
        Groth16Proofs.requireSignal(root);
        rootOf[period] = root;
        emit RootSet(period, root);
    }

    /// @dev The root that a proof is held against. A chain that splits off has another id, and its region another tag.
    function _requireRoot(uint256 period) internal view returns (uint256 root) {
        if (block.chainid != _chainId) revert ProofGate_OtherChain(block.chainid);
        root = rootOf[period];
        if (root == 0) revert ProofGate_RootUnknown(period);
    }

    /// @dev Proofs are malleable: what was used is known by its nullifier and never by its bytes.
    function _useUp(address user, uint256 scope, uint256 nullifier) internal {
        Groth16Proofs.requireSignal(nullifier);
        if (_isUsed[user][scope][nullifier]) revert ProofGate_NullifierUsed(nullifier);
        _isUsed[user][scope][nullifier] = true;
    }
}
