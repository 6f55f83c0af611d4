// SPDX-License-Identifier: Apache-2.0
// Owns the bounds of an enrolment and of a region's register. It refuses to check them; the register does.
pragma solidity ^0.8.24;

/// @notice Each with a name of protocol/limits.ts, protocol/fields.ts, protocol/quad-tree.ts or evidence/eddsa-poseidon.ts has
/// its value.
library MeterLimits {
    /// @dev Order of the scalar field, in which coordinates and commitments are.
    uint256 internal constant FIELD_ORDER =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @dev Order of the subgroup in which gateways sign.
    uint256 internal constant SUBGROUP_ORDER =
        2736030358979909402780800718157159386076813972158567259200215660948447373041;
    uint256 internal constant MAX_READING_WH = 2 ** 20 - 1;
    uint256 internal constant MAX_WINDOW_CAP_WH = 2 ** 27 - 1;
    uint256 internal constant MAX_INSTALLERS = 64;
    uint256 internal constant TREE_LEAVES = 4 ** 8;
    /// @dev Two of the longest windows: what left a region is in no window of it any more.
    uint256 internal constant MOVE_SECONDS = 2 days;
}
