// Owns how an epoch's secret of audits is bound before it is used. It refuses nothing; how it draws is in evidence/audit-draw.ts.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "./fields.ts";

/** What stands for a block where a region follows no chain. */
export const NO_BLOCK: Hex = `0x${"00".repeat(32)}`;

/** SHA-256 of an epoch's secret: said before the epoch's first job, so that the secret cannot be chosen afterwards. */
export function auditCommitmentOf(secret: Hex): Hex {
  return `0x${bytesToHex(sha256(hexToBytes(secret.slice(2))))}`;
}
