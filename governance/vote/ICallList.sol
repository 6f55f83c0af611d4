// SPDX-License-Identifier: Apache-2.0
// Owns what the list of allowed calls promises. It refuses to know what a call does.
pragma solidity ^0.8.24;

/// @notice A function of a contract.
struct AllowedCall {
    address target;
    bytes4 selector;
}

/// @title What a vote may call
/// @notice A proposal is a list of typed calls to functions that stand here. The list is the timelock's: what is missing is put
/// on it by one vote and called by a second one, so a call that nobody thought of is in sight for two whole votes.
/// @dev **A pair is pinned to the code its target had when it was listed.** A target whose code has changed since is refused
/// when it is proposed and again when it is executed, so nobody votes on one code and executes another.
/// - *A proxy's code does not change when what is behind it does.* Whoever can change that decides what its calls do: list one
///   only of somebody who is trusted anyway, as the quote asset's issuer is.
/// - *No ether:* nothing here takes any. What somebody sends to the timelock stays there.
/// - *Not on a new deployment's list:* roles and delay of the timelock, ownership of anything, and the governor's relay.
interface ICallList {
    event CallAllowed(address indexed target, bytes4 indexed selector, bytes32 codeHash);
    event CallForbidden(address indexed target, bytes4 indexed selector);

    error CallList_NoContract(address target);
    error CallList_NotAllowed(address target, bytes4 selector);
    error CallList_CodeChanged(address target, bytes32 pinned, bytes32 found);
    error CallList_NoSelector(address target, uint256 bytesGiven);
    error CallList_EtherRefused(address target, uint256 value);
    error CallList_Lengths(uint256 targets, uint256 values, uint256 calls);
    error CallList_OwnerNeeded();
    error CallList_KeptForEver(bytes4 selector);

    /// @notice Puts calls on the list, or pins them to the code that their target has now.
    function allow(AllowedCall[] calldata calls) external;

    /// @notice Takes calls off the list, which they must be on. It also holds for proposals that were made before. Calls of
    /// the list itself stay: without them nothing could ever be listed again.
    function forbid(AllowedCall[] calldata calls) external;

    /// @return Hash of the code that a listed call is pinned to; zero for a call that is not listed.
    function codeHashOf(address target, bytes4 selector) external view returns (bytes32);

    /// @notice Reverts unless all of a proposal's calls are listed and their targets what they were then.
    function requireAllowed(address[] calldata targets, uint256[] calldata values, bytes[] calldata calls) external view;
}
