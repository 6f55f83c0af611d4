// Owns what a gateway signs: one window of net readings, bound to chain, contract, region and window length. It refuses
// readings out of range. A signed window stays with the household: it is what a proof is made of, and evidence of nothing.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { poseidon3 } from "poseidon-lite/poseidon3";
import { poseidon11 } from "poseidon-lite/poseidon11";
import { z } from "zod";
import type { Hex } from "../protocol/fields.ts";
import { MAX_READING_WH } from "../protocol/limits.ts";
import { bigOf, exactBytes, hexOf, wordOf } from "./bytes.ts";
import {
  type FieldPoint,
  isInSubgroup,
  poseidonKeyOf,
  SUBGROUP_ORDER,
  signPoseidon,
  verifyPoseidon,
} from "./eddsa-poseidon.ts";
import { type EvidenceContext, refused, type Verdict } from "./evidence-kind.ts";
import { firstPath, pointOf, pointText, signatureText, textOf } from "./field-text.ts";
import { packSlots, slotField } from "./slot-packing.ts";

const TAG_DOMAIN = "polder/meter/v1";

/** What a gateway's signature of a window looks like in JSON. */
export const gatewayWindowSchema = z
  .strictObject({
    gateway: pointText.meta({ description: "the gateway's public key [x, y] on Baby Jubjub" }),
    signature: signatureText,
  })
  .meta({ description: "EdDSA-Poseidon signature of a gateway over one window of readings" });
export type GatewayWindow = z.infer<typeof gatewayWindowSchema>;

/**
 * Field element that binds a message to chain, contract, region and window length:
 * keccak256(abi.encode("polder/meter/v1", chainId, settlement, regionId, windowSlots)) >> 8, so below 2²⁴⁸.
 */
export function regionTag(context: EvidenceContext): bigint {
  const domain = abiString(TAG_DOMAIN);
  const head = 5 * 32;
  const encoded = concatBytes(
    wordOf(BigInt(head)),
    wordOf(BigInt(context.chainId)),
    wordOf(BigInt(context.settlement)),
    wordOf(BigInt(head + domain.length)),
    wordOf(BigInt(context.windowSlots)),
    domain,
    abiString(context.regionId),
  );
  return bigOf(keccak_256(encoded)) >> 8n;
}

/**
 * Packs readings for the circuit: direction·2²¹ + |net| per slot (direction 1 = export), 22 bits apart, eleven a
 * field element, earliest lowest. Zero has direction 0. One element for 4 slots, nine for 96.
 *
 * @param netWh whole Wh within ±(2²⁰ − 1), export positive.
 * @throws RangeError for any other number.
 */
export function packReadings(netWh: readonly number[]): bigint[] {
  return packSlots(netWh.length, (slot) => {
    const net = netWh[slot] as number;
    if (!isReading(net)) throw new RangeError(`not a reading: ${net}`);
    return slotField(net > 0, Math.abs(net));
  });
}

/** The signed field element: Poseidon(tag, firstSlot, packed…), of 1 or 9 packed elements. */
export function windowMessage(tag: bigint, firstSlot: number, packed: readonly bigint[]): bigint {
  const inputs = [tag, BigInt(firstSlot), ...packed];
  if (packed.length === 1) return poseidon3(inputs);
  if (packed.length === 9) return poseidon11(inputs);
  throw new RangeError(`a window packs to 1 or 9 elements, not ${packed.length}`);
}

/** 32-byte id of a gateway key, as enrolments name it: keccak256(Ax ‖ Ay), 32 big-endian bytes each. */
export function gatewayIdOf(key: FieldPoint): Hex {
  return hexOf(keccak_256(concatBytes(wordOf(key[0]), wordOf(key[1]))));
}

/** Id of the gateway whose secret seed this is (32 bytes). */
export function gatewayIdOfSeed(seed: Uint8Array | Hex): Hex {
  return gatewayIdOf(poseidonKeyOf(exactBytes(seed, 32, "seed")));
}

/**
 * Signs a window as a gateway does.
 * @param seed the gateway's 32 secret bytes.
 * @param netWh as many readings as the context's window has slots.
 * @throws RangeError for readings that are out of range or too few.
 */
export function signWindow(
  seed: Uint8Array | Hex,
  context: EvidenceContext,
  firstSlot: number,
  netWh: readonly number[],
): GatewayWindow {
  if (netWh.length !== context.windowSlots)
    throw new RangeError(`a window has ${context.windowSlots} readings`);
  const secret = exactBytes(seed, 32, "seed");
  const message = windowMessage(regionTag(context), firstSlot, packReadings(netWh));
  const { r8, s } = signPoseidon(secret, message);
  return { gateway: textOf(poseidonKeyOf(secret)), signature: { r8: textOf(r8), s: s.toString() } };
}

/**
 * Verifies a window of readings against its gateway's signature, before a proof is made of it.
 *
 * @param window anything; it is decoded here.
 * @returns the gateway's id, or `evidence_malformed`, `gateway_key_invalid` or `gateway_signature_invalid`.
 */
export function verifyGatewayWindow(
  context: EvidenceContext,
  { firstSlot, netWh }: { readonly firstSlot: number; readonly netWh: readonly number[] },
  window: unknown,
): Verdict<{ readonly gateway: Hex }> {
  const decoded = gatewayWindowSchema.safeParse(window);
  if (!decoded.success) return refused("evidence_malformed", { path: firstPath(decoded.error) });
  if (netWh.length !== context.windowSlots || !netWh.every(isReading)) {
    return refused("evidence_malformed", { path: "netWh", expectedReadings: context.windowSlots });
  }
  if (!Number.isSafeInteger(firstSlot) || firstSlot < 0)
    return refused("evidence_malformed", { path: "firstSlot" });
  const { gateway, signature } = decoded.data;
  const s = BigInt(signature.s);
  if (s >= SUBGROUP_ORDER) return refused("evidence_malformed", { path: "signature.s" });
  const key = pointOf(gateway);
  if (!isInSubgroup(key)) return refused("gateway_key_invalid");
  const message = windowMessage(regionTag(context), firstSlot, packReadings(netWh));
  if (!verifyPoseidon(key, message, { r8: pointOf(signature.r8), s }))
    return refused("gateway_signature_invalid");
  return { ok: true, gateway: gatewayIdOf(key) };
}

function isReading(net: number): boolean {
  return Number.isSafeInteger(net) && Math.abs(net) <= MAX_READING_WH;
}

/** Tail of a dynamic string in Solidity's ABI: its length and its bytes, padded to whole words. */
function abiString(text: string): Uint8Array {
  const bytes = utf8ToBytes(text);
  const padded = new Uint8Array(32 * Math.ceil(bytes.length / 32));
  padded.set(bytes);
  return concatBytes(wordOf(BigInt(bytes.length)), padded);
}
