// SPDX-License-Identifier: GPL-3.0-only
// Owns the numbers that the circuits share with TypeScript and, later, Solidity: each equals its namesake in
// test/vectors/statements.json, against which all sides are tested. It refuses a number without a reason.
pragma circom 2.1.0;

// A reading and a claim: net Wh of a quarter-hour.
function WH_BITS() { return 20; }

// Where a slot's direction stands in its field. Claim + unsold can reach 2 * (2^20 - 1) = 2^21 - 2, so one bit lower
// an export could be claimed as an import.
function DIRECTION_BIT() { return 21; }

// Distance of two slots in a field element: Wh, the carry of claim + unsold, and the direction.
function STRIDE_BITS() { return 22; }

// Eleven times 22 bits is 242, below the field's 253.
function SLOTS_PER_ELEMENT() { return 11; }

// A cap of a window's sales or purchases: 96 slots of 2^20 Wh stay below 2^27.
function CAP_BITS() { return 27; }

// Levels of a tree of four children a node: 65,536 leaves.
function TREE_DEPTH() { return 8; }

// Wh of an account in an epoch: 2,688 slots of sixteen meters of 2^20 Wh stay below 2^36.
function EPOCH_WH_BITS() { return 40; }
