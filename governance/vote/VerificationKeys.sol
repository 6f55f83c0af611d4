// SPDX-License-Identifier: Apache-2.0
// Owns which verification key a vote has named for each circuit. It refuses no key at all, the same once more, and another within
// the cool-down.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IVerificationKeys} from "./IVerificationKeys.sol";

/// @title The verification keys of circuits; assumptions stand on `IVerificationKeys`
abstract contract VerificationKeys is IVerificationKeys, Ownable {
    struct NamedKey {
        bytes32 keyHash;
        uint256 namedAtS;
    }

    /// @dev Evidence rests on it, as money does on a delay: once a month.
    uint256 private constant COOL_DOWN_SECONDS = 30 days;

    mapping(bytes32 circuit => NamedKey) private _keys;

    /// @inheritdoc IVerificationKeys
    function setVerificationKey(bytes32 circuit, bytes32 keyHash) external onlyOwner {
        NamedKey storage named = _keys[circuit];
        if (keyHash == 0) revert VerificationKeys_Missing(circuit);
        if (keyHash == named.keyHash) revert VerificationKeys_Same(circuit, keyHash);
        uint256 untilS = named.namedAtS + COOL_DOWN_SECONDS;
        if (named.keyHash != 0 && block.timestamp < untilS) revert VerificationKeys_CoolingDown(circuit, untilS);
        named.keyHash = keyHash;
        named.namedAtS = block.timestamp;
        emit VerificationKeySet(circuit, keyHash);
    }

    /// @inheritdoc IVerificationKeys
    function verificationKeyHash(bytes32 circuit) external view returns (bytes32) {
        return _keys[circuit].keyHash;
    }
}
