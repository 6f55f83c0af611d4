// Owns a certificate as the on-chain gate takes it: the data of a call of `CertificateGate.use`. It refuses a
// proof that is not in canonical form; the rest is the gate's to refuse.

import { encodeFunctionData, type Hex, parseAbi } from "viem";
import { decodeProof } from "../../evidence/groth16-decoding.ts";
import type { Certificate } from "./certificate-file.ts";

/** What of `governance/gates/ICertificateGate.sol` is called; a test holds it to the compiled contract. */
export const GATE_ABI = parseAbi([
  "struct Groth16Proof { uint256[2] a; uint256[2][2] b; uint256[2] c; }",
  "struct Demand { string audience; uint256 epoch; bool isPurchase; uint256 leastWh; }",
  "struct Certificate { uint256 thresholdWh; uint256 nullifier; Groth16Proof proof; }",
  "function use(Demand demand, Certificate certificate)",
]);

/**
 * Data of the call by which an asker uses a certificate that shows exactly what it demands.
 * @throws Malformed for a proof that is not in canonical form
 */
export function gateCall({ for: audience, epoch, side, atLeastWh, nullifier, proof }: Certificate): Hex {
  const wh = BigInt(atLeastWh);
  const demand = { audience, epoch: BigInt(epoch), isPurchase: side === "bought", leastWh: wh };
  const { a, b, c } = decodeProof(proof);
  const [x0, x1, y0, y1] = b;
  // In the EVM the imaginary part of B's coordinates is first.
  const points = {
    a,
    b: [
      [x1, x0],
      [y1, y0],
    ],
    c,
  } as const;
  const certificate = { thresholdWh: wh, nullifier: BigInt(nullifier), proof: points };
  return encodeFunctionData({ abi: GATE_ABI, functionName: "use", args: [demand, certificate] });
}
