// SPDX-License-Identifier: Apache-2.0
// Owns what both gates promise alike: of which region they are, who sets roots, and that a root stands once it is set. It
// refuses to judge a root: that it is the region's is the reporter's word.
pragma solidity ^0.8.24;

/// @title A gate to a region's proofs
/// @notice A gate is bound at its making to one chain, region and window length, and to one reporter.
/// @dev **Assumptions.** The reporter sets only roots that are final, and the right ones: whoever sets roots can make any
/// proof pass. It is an address for now and the settlement contract later; a gate has no owner, cannot be upgraded and
/// cannot be paused. What a gate has used up is used up for good. Time plays no part: whether a period is over is for the
/// reporter to say.
interface IProofGate {
    /// @notice A root was set.
    /// @param period An epoch's number (certificates) or a window's first slot (meters).
    event RootSet(uint256 indexed period, uint256 root);

    error ProofGate_NotReporter(address caller);
    error ProofGate_NoReporter();
    error ProofGate_WindowLength(uint256 windowSlots);
    error ProofGate_RootAlreadySet(uint256 period);
    error ProofGate_RootUnknown(uint256 period);
    error ProofGate_OtherChain(uint256 chainId);
    error ProofGate_NullifierUsed(uint256 nullifier);

    /// @notice Who may set roots.
    function reporter() external view returns (address);

    /// @notice Binds every proof to chain, settlement contract, region and window length.
    function regionTag() external view returns (uint256);

    /// @notice The root of a period; zero where none was set.
    function rootOf(uint256 period) external view returns (uint256);

    /// @notice Sets the root of a period, once: a root that could change would let a nullifier's proof be judged twice.
    /// @dev Reverts unless the reporter calls, when the period has a root, and for zero and numbers at or above the
    /// scalar field's order. Zero is refused because it stands for "none"; the empty tree has another root.
    function setRoot(uint256 period, uint256 root) external;
}
