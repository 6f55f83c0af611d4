// SPDX-License-Identifier: Apache-2.0
// Owns the list of calls that a vote may make. It refuses a target without code of its own, and one whose code is another than
// when it was listed.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {AllowedCall, ICallList} from "./ICallList.sol";

/// @title The list of allowed calls; assumptions stand on `ICallList`
contract CallList is ICallList, Ownable {
    /// @dev What an account's code begins with that has lent itself another's (EIP-7702): its key can change that at any time.
    bytes3 private constant LENT_CODE = 0xef0100;
    uint256 private constant LENT_CODE_BYTES = 23;

    mapping(address target => mapping(bytes4 selector => bytes32 codeHash)) public codeHashOf;

    /// @param owner_ Who changes the list; the timelock, or who hands over to it.
    constructor(address owner_) Ownable(owner_) {}

    /// @inheritdoc ICallList
    function allow(AllowedCall[] calldata calls) external onlyOwner {
        for (uint256 index = 0; index < calls.length; ++index) {
            (address target, bytes4 selector) = (calls[index].target, calls[index].selector);
            _requireContract(target);
            codeHashOf[target][selector] = target.codehash;
            emit CallAllowed(target, selector, target.codehash);
        }
    }

    /// @inheritdoc ICallList
    function forbid(AllowedCall[] calldata calls) external onlyOwner {
        for (uint256 index = 0; index < calls.length; ++index) {
            (address target, bytes4 selector) = (calls[index].target, calls[index].selector);
            if (codeHashOf[target][selector] == 0) revert CallList_NotAllowed(target, selector);
            if (target == address(this)) revert CallList_KeptForEver(selector);
            delete codeHashOf[target][selector];
            emit CallForbidden(target, selector);
        }
    }

    /// @inheritdoc ICallList
    function requireAllowed(address[] calldata targets, uint256[] calldata values, bytes[] calldata calls)
        external
        view
    {
        if (targets.length != values.length || targets.length != calls.length) {
            revert CallList_Lengths(targets.length, values.length, calls.length);
        }
        for (uint256 index = 0; index < targets.length; ++index) {
            address target = targets[index];
            if (values[index] != 0) revert CallList_EtherRefused(target, values[index]);
            if (calls[index].length < 4) revert CallList_NoSelector(target, calls[index].length);
            bytes4 selector = bytes4(calls[index][:4]);
            bytes32 pinned = codeHashOf[target][selector];
            if (pinned == 0) revert CallList_NotAllowed(target, selector);
            if (target.codehash != pinned) revert CallList_CodeChanged(target, pinned, target.codehash);
        }
    }

    /// @notice Refused: no vote could change anything any more that is not on the list.
    function renounceOwnership() public view override onlyOwner {
        revert CallList_OwnerNeeded();
    }

    function _requireContract(address target) private view {
        bytes memory code = target.code;
        // Casting to 'bytes3' is safe because all 23 bytes are there; it takes the first ones.
        // forge-lint: disable-next-line(unsafe-typecast)
        bool isLent = code.length == LENT_CODE_BYTES && bytes3(code) == LENT_CODE;
        if (code.length == 0 || isLent) revert CallList_NoContract(target);
    }
}
