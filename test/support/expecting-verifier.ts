// Owns a verifier contract that accepts exactly the signals it is told to expect, so that a test can see which signals a gate
// computes for claims that nobody has proved. It refuses every other use: no pairing is checked.

/** Solidity source; `signals` is the number of public signals. */
export function expectingVerifier(signals: number): string {
  return `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;
contract ExpectingVerifier {
    string public constant keyOrigin = "development";
    bytes32 public constant keyHash = 0;
    bytes32 private _expected;
    function keyIsContributed() external pure returns (bool) {
        return true;
    }
    function expect(uint256[${signals}] calldata signals) external {
        _expected = keccak256(abi.encode(signals));
    }
    function verifyProof(
        uint256[2] calldata,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[${signals}] calldata signals
    ) external view returns (bool) {
        return keccak256(abi.encode(signals)) == _expected;
    }
}
`;
}
