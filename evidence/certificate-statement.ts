// Owns what the certificate circuit states, seen from whoever asks: tags, leaf, nullifier and public signals. It refuses
// a threshold beyond an epoch's bound.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { poseidon3 } from "poseidon-lite/poseidon3";
import { bigOf, wordOf } from "./bytes.ts";
import { FIELD_ORDER } from "./eddsa-poseidon.ts";
import { refused, type Verdict } from "./evidence-kind.ts";

/** Wh of an account in an epoch: the most that it may trade in 2,688 slots, a million Wh in each, stays well below. */
export const EPOCH_WH_BITS = 40;
const EPOCH_WH_BOUND = 2 ** EPOCH_WH_BITS;
const EPOCH_DOMAIN = utf8ToBytes("polder/certificate-epoch/v1");
const AUDIENCE_DOMAIN = utf8ToBytes("polder/certificate-audience/v1");

/** What somebody claims to have proved about an epoch whose certificate root is published. */
export interface CertificateStatement {
  readonly root: bigint;
  readonly epochTag: bigint;
  /** Who asks: `audienceTag` of a name the asker chose. */
  readonly audienceTag: bigint;
  readonly nullifier: bigint;
  /** True for Wh bought, false for Wh sold. */
  readonly isPurchase: boolean;
  readonly thresholdWh: number;
}

/** Field element of one region's epoch, from the region's tag (chain, contract, region and window length are in it). */
export function epochTag(tag: bigint, epoch: number): bigint {
  return bigOf(keccak_256(concatBytes(EPOCH_DOMAIN, wordOf(tag), wordOf(BigInt(epoch))))) >> 8n;
}

/** Field element of whoever asks; the nullifier is bound to it, so a proof is worth nothing to another. */
export function audienceTag(audience: string): bigint {
  return bigOf(keccak_256(concatBytes(AUDIENCE_DOMAIN, utf8ToBytes(audience)))) >> 8n;
}

/**
 * An account's leaf: Poseidon(Poseidon(secret), sold, bought), so the region that writes it knows no secret.
 * @throws RangeError for amounts of 2⁴⁰ Wh and more.
 */
export function certificateLeaf(commitment: bigint, soldWh: number, boughtWh: number): bigint {
  if (!isEpochWh(soldWh) || !isEpochWh(boughtWh)) throw new RangeError("not an epoch's Wh");
  return poseidon3([commitment, BigInt(soldWh), BigInt(boughtWh)]);
}

/** Poseidon(secret, epochTag, audienceTag): one per account, epoch and asker. */
export function certificateNullifier(secret: bigint, epoch: bigint, audience: bigint): bigint {
  return poseidon3([secret, epoch, audience]);
}

/** The six public signals in the circuit's order, or `evidence_malformed` with the path of what is out of range. */
export function certificateSignalsOf(
  statement: CertificateStatement,
): Verdict<{ readonly signals: readonly string[] }> {
  for (const path of ["root", "epochTag", "audienceTag", "nullifier"] as const) {
    if (statement[path] < 0n || statement[path] >= FIELD_ORDER)
      return refused("evidence_malformed", { path });
  }
  const { root, epochTag, audienceTag, nullifier, isPurchase, thresholdWh } = statement;
  if (!isEpochWh(thresholdWh)) return refused("evidence_malformed", { path: "thresholdWh" });
  const signals = [root, epochTag, audienceTag, nullifier, isPurchase ? 1 : 0, thresholdWh];
  return { ok: true, signals: signals.map(String) };
}

function isEpochWh(wh: number): boolean {
  return Number.isSafeInteger(wh) && wh >= 0 && wh < EPOCH_WH_BOUND;
}
