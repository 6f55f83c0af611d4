// Owns evidence of the kind "gateway-window": one window of net readings in the clear, signed by an enrolled gateway's
// key. It refuses numbers that are not canonical, so that one window has one spelling.

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
import {
  type EvidenceClaim,
  type EvidenceContext,
  type EvidenceFacts,
  type EvidenceKind,
  refused,
  type Verdict,
} from "./evidence-kind.ts";
import { packSlots, slotField } from "./slot-packing.ts";

const KIND = "gateway-window";
const TAG_DOMAIN = "polder/meter/v1";
const NULLIFIER_DOMAIN = utf8ToBytes("polder/window-nullifier/v1");

/** 77 digits hold every element of the field; the exact bounds are the verifier's. */
const decimal = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,76})$/, "must be a decimal integer without leading zeros")
  .meta({ description: "field element as a decimal string" });
const pointSchema = z.tuple([decimal, decimal]);

/** JSON form of the evidence. */
export const gatewayWindowSchema = z
  .strictObject({
    kind: z.literal(KIND),
    gateway: pointSchema.meta({ description: "the gateway's public key [x, y] on Baby Jubjub" }),
    signature: z.strictObject({ r8: pointSchema, s: decimal }),
  })
  .meta({ description: "EdDSA-Poseidon signature of an enrolled gateway over one window of readings" });
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

/** keccak256(domain ‖ gateway id ‖ firstSlot as uint64): one per gateway and window, whatever was read. */
export function windowNullifier(gateway: Hex, firstSlot: number): Hex {
  return hexOf(
    keccak_256(concatBytes(NULLIFIER_DOMAIN, exactBytes(gateway, 32, "gateway"), uint64(firstSlot))),
  );
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
  return {
    kind: KIND,
    gateway: decimals(poseidonKeyOf(secret)),
    signature: { r8: decimals(r8), s: s.toString() },
  };
}

/**
 * Verifies one window of readings against its gateway's signature. Which gateways are enrolled, and whether the
 * window is due, is for the region to say.
 *
 * @param evidence anything; it is decoded here.
 * @returns `evidence_malformed`, `gateway_key_invalid` or `gateway_signature_invalid`.
 */
export function verifyGatewayWindow(
  context: EvidenceContext,
  claim: EvidenceClaim,
  evidence: unknown,
): Verdict<EvidenceFacts> {
  const decoded = gatewayWindowSchema.safeParse(evidence);
  if (!decoded.success) return refused("evidence_malformed", { path: firstPath(decoded.error) });
  const { firstSlot, netWh } = claim;
  if (netWh.length !== context.windowSlots || !netWh.every(isReading)) {
    return refused("evidence_malformed", { path: "netWh", expectedReadings: context.windowSlots });
  }
  if (!Number.isSafeInteger(firstSlot) || firstSlot < 0)
    return refused("evidence_malformed", { path: "firstSlot" });
  const { gateway, signature } = decoded.data;
  const s = BigInt(signature.s);
  if (s >= SUBGROUP_ORDER) return refused("evidence_malformed", { path: "signature.s" });
  const key = integers(gateway);
  if (!isInSubgroup(key)) return refused("gateway_key_invalid");
  const message = windowMessage(regionTag(context), firstSlot, packReadings(netWh));
  if (!verifyPoseidon(key, message, { r8: integers(signature.r8), s }))
    return refused("gateway_signature_invalid");
  const id = gatewayIdOf(key);
  return { ok: true, kind: KIND, gateway: id, nullifier: windowNullifier(id, firstSlot) };
}

/** The entry of the registry. */
export const gatewayWindow = {
  kind: KIND,
  schema: gatewayWindowSchema,
  verify: verifyGatewayWindow,
} satisfies EvidenceKind;

function isReading(net: number): boolean {
  return Number.isSafeInteger(net) && Math.abs(net) <= MAX_READING_WH;
}

function firstPath(error: z.ZodError): string {
  return error.issues[0]?.path.join(".") ?? "";
}

function integers([x, y]: readonly [string, string]): FieldPoint {
  return [BigInt(x), BigInt(y)];
}

function decimals([x, y]: FieldPoint): [string, string] {
  return [x.toString(), y.toString()];
}

function uint64(value: number): Uint8Array {
  return wordOf(BigInt(value)).subarray(24);
}

/** Tail of a dynamic string in Solidity's ABI: its length and its bytes, padded to whole words. */
function abiString(text: string): Uint8Array {
  const bytes = utf8ToBytes(text);
  const padded = new Uint8Array(32 * Math.ceil(bytes.length / 32));
  padded.set(bytes);
  return concatBytes(wordOf(BigInt(bytes.length)), padded);
}
