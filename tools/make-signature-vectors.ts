// Writes test/vectors/signatures.json: signatures of every kind, good ones and the forgeries that lax verifiers accept,
// with the verdict a strict one must give. It refuses randomness: the same seeds give the same file.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ed25519 } from "@noble/curves/ed25519.js";
import { babyjubjub } from "@noble/curves/misc.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { SUBGROUP_ORDER } from "../evidence/eddsa-poseidon.ts";
import type { EvidenceContext } from "../evidence/evidence-kind.ts";
import {
  type GatewayWindow,
  gatewayIdOfSeed,
  packReadings,
  regionTag,
  signWindow,
  windowMessage,
} from "../evidence/gateway-window.ts";
import { sessionKeyOf, signSession } from "../evidence/session-signature.ts";
import type { Hex } from "../protocol/fields.ts";

const OUT = fileURLToPath(new URL("../test/vectors/signatures.json", import.meta.url));
const BIOME = fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url));

const seed = (name: string) => sha256(utf8ToBytes(`polder/vectors/${name}`));
const hex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`;
const word = (value: bigint) => value.toString(16).padStart(64, "0");
const accepted = (facts: object = {}) => ({ ok: true, ...facts });
const refused = (code: string) => ({ ok: false, code });

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function bigOfLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(hex(bytes.slice().reverse()));
}

function addressOf(secret: Uint8Array): Hex {
  return hex(keccak_256(secp256k1.getPublicKey(secret, false).subarray(1)).subarray(12));
}

function walletVectors() {
  const digest = seed("digest");
  const owner = seed("wallet");
  const stranger = seed("stranger");
  const order = secp256k1.Point.CURVE().n;
  const parts = (secret: Uint8Array) => {
    const bytes = secp256k1.sign(digest, secret, { prehash: false, format: "recovered" });
    const { r, s, recovery } = secp256k1.Signature.fromBytes(bytes, "recovered");
    return { r, s, v: 27 + (recovery as number) };
  };
  const written = (r: bigint, s: bigint, v: number) =>
    `0x${word(r)}${word(s)}${v.toString(16).padStart(2, "0")}`;
  const { r, s, v } = parts(owner);
  const foreign = parts(stranger);
  const cases: [string, string, object][] = [
    ["good", written(r, s, v), accepted({ wallet: addressOf(owner) })],
    ["foreign signer", written(foreign.r, foreign.s, foreign.v), accepted({ wallet: addressOf(stranger) })],
    ["high s, the twin of the good one", written(r, order - s, 55 - v), refused("signature_high_s")],
    ["v is 0 or 1", written(r, s, v - 27), refused("signature_malformed")],
    ["v of EIP-155", written(r, s, v + 10), refused("signature_malformed")],
    ["v past 28", written(r, s, v + 2), refused("signature_malformed")],
    ["r is zero", written(0n, s, v), refused("signature_malformed")],
    ["s is zero", written(r, 0n, v), refused("signature_malformed")],
    ["r is the order", written(order, s, v), refused("signature_malformed")],
    ["s is past the order", written(r, order + 1n, v), refused("signature_malformed")],
    ["r is no point's x", written(5n, s, v), refused("signature_invalid")],
    ["compact, 64 bytes", written(r, s, v).slice(0, 130), refused("signature_malformed")],
    ["a byte too many", `${written(r, s, v)}00`, refused("signature_malformed")],
    ["empty", "0x", refused("signature_malformed")],
  ];
  return cases.map(([name, signature, verdict]) => ({
    name,
    account: addressOf(owner),
    digest: hex(digest),
    signature,
    verdict,
  }));
}

type SessionCase = [name: string, key: Hex, signature: string, verdict: object];

/** Honest keys: good, foreign, and cut or malleated signatures. */
function honestSessionCases(owner: Uint8Array, digest: Uint8Array): SessionCase[] {
  const key = sessionKeyOf(owner);
  const good = signSession(owner, digest);
  const other = signSession(owner, seed("another digest"));
  const { Fp, Fn } = ed25519.Point;
  const bytes = ed25519.sign(digest, owner);
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)];
  const malleated = hex(concatBytes(r, littleEndian(bigOfLittleEndian(s) + Fn.ORDER)));
  // y = p + 3 spells the points of y = 3 a second time.
  const secondSpelling = hex(concatBytes(littleEndian(Fp.ORDER + 3n), s));
  const malformed = refused("signature_malformed");
  return [
    ["good", key, good, accepted()],
    ["forged: a signature of another digest", key, other, refused("signature_invalid")],
    ["foreign key", sessionKeyOf(seed("stranger")), good, refused("signature_invalid")],
    ["A is no point", `0x02${"00".repeat(31)}`, good, refused("signature_invalid")],
    ["malleated: S + L", key, malleated, malformed],
    ["non-canonical R: y = p + 3", key, secondSpelling, malformed],
    ["a key of 31 bytes", key.slice(0, -2) as Hex, good, malformed],
    ["63 bytes", key, good.slice(0, -2), malformed],
    ["65 bytes", key, `${good}00`, malformed],
    ["R alone", key, hex(r), malformed],
  ];
}

/** Small order: with the identity as A, R = S·B verifies for every message. */
function smallOrderSessionCases(owner: Uint8Array, digest: Uint8Array): SessionCase[] {
  const { Point } = ed25519;
  const identity = Point.ZERO.toBytes();
  const minusZero = identity.slice();
  minusZero[31] = 0x80;
  const secondIdentity = littleEndian(Point.Fp.ORDER + 1n);
  const freeS = Point.Fn.create(bigOfLittleEndian(seed("free s")));
  const forged = hex(concatBytes(Point.BASE.multiply(freeS).toBytes(), littleEndian(freeS)));
  // With the identity as R, S = k·a verifies: a signature whose S betrays the key.
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(owner);
  const challenge = bigOfLittleEndian(sha512(concatBytes(identity, pointBytes, digest)));
  const withoutNonce = hex(concatBytes(identity, littleEndian(Point.Fn.create(challenge * scalar))));
  const smallOrder = refused("signature_small_order");
  return [
    ["small-order A signs everything", hex(identity), forged, smallOrder],
    ["small-order A: the identity with the sign of minus zero", hex(minusZero), forged, smallOrder],
    ["small-order R", hex(pointBytes), withoutNonce, smallOrder],
    [
      "non-canonical A: the identity as y = p + 1",
      hex(secondIdentity),
      forged,
      refused("signature_malformed"),
    ],
  ];
}

function sessionVectors() {
  const owner = seed("session");
  const digest = seed("digest");
  return [...honestSessionCases(owner, digest), ...smallOrderSessionCases(owner, digest)].map(
    ([name, key, signature, verdict]) => ({ name, key, digest: hex(digest), signature, verdict }),
  );
}

/** Signs with a chosen key of small order: R8 = s·Base8 verifies for every message where 8·A = 0 is not refused. */
function smallOrderEvidence(gateway: [string, string]): GatewayWindow {
  const s = BigInt(hex(seed("free s"))) % SUBGROUP_ORDER;
  const { x, y } = babyjubjub.Point.BASE.multiply(s).toAffine();
  return {
    gateway,
    signature: { r8: [x.toString(), y.toString()], s: s.toString() },
  };
}

const CONTEXT: EvidenceContext = {
  chainId: 31337,
  settlement: `0x${"00".repeat(20)}`,
  regionId: "polder-one",
  windowSlots: 4,
};
const FIRST_SLOT = 1_958_976;
const READINGS = [1500, 0, -320, 1_048_575];

interface GatewayVector {
  readonly name: string;
  readonly context?: EvidenceContext;
  readonly firstSlot?: number;
  readonly netWh?: readonly number[];
  readonly evidence: object;
  readonly verdict: object;
}

function goodGatewayVectors(secret: Uint8Array): GatewayVector[] {
  const gateway = gatewayIdOfSeed(secret);
  const verdict = accepted({
    gateway,
  });
  const day: EvidenceContext = { ...CONTEXT, windowSlots: 96 };
  const netWh = Array.from({ length: 96 }, (_, slot) => Math.round(900 * Math.sin(slot / 15 - 1.6)));
  return [
    { name: "good", evidence: signWindow(secret, CONTEXT, FIRST_SLOT, READINGS), verdict },
    {
      name: "good, a day",
      context: day,
      netWh,
      evidence: signWindow(secret, day, FIRST_SLOT, netWh),
      verdict,
    },
  ];
}

/** The good signature shown for something it was not made for. */
function misusedGatewayVectors(good: GatewayWindow): GatewayVector[] {
  const stranger = signWindow(seed("stranger"), CONTEXT, FIRST_SLOT, READINGS);
  const verdict = refused("gateway_signature_invalid");
  return [
    { name: "tampered reading", netWh: [1501, 0, -320, 1_048_575], evidence: good, verdict },
    { name: "import shown as export", netWh: [1500, 0, 320, 1_048_575], evidence: good, verdict },
    { name: "another window", firstSlot: FIRST_SLOT + 4, evidence: good, verdict },
    { name: "another region", context: { ...CONTEXT, regionId: "polder-two" }, evidence: good, verdict },
    { name: "another chain", context: { ...CONTEXT, chainId: 1 }, evidence: good, verdict },
    { name: "foreign key", evidence: { ...good, gateway: stranger.gateway }, verdict },
  ];
}

/** Keys under which forging is possible, and second spellings of what is good. */
function forgedGatewayVectors(good: GatewayWindow): GatewayVector[] {
  const { r8, s } = good.signature;
  const { Point } = babyjubjub;
  const fieldOrder = Point.Fp.ORDER;
  const [x, y] = good.gateway.map(BigInt) as [bigint, bigint];
  const orderTwo = { x: 0n, y: fieldOrder - 1n };
  const mixed = Point.fromAffine(orderTwo).add(Point.fromAffine({ x, y })).toAffine();
  const withKey = (keyX: bigint, keyY: bigint) => ({ ...good, gateway: [`${keyX}`, `${keyY}`] });
  const withS = (text: string) => ({ ...good, signature: { r8, s: text } });
  const badKey = refused("gateway_key_invalid");
  const malformed = refused("evidence_malformed");
  return [
    { name: "small-order key: the identity", evidence: smallOrderEvidence(["0", "1"]), verdict: badKey },
    {
      name: "small-order key: order 2",
      evidence: smallOrderEvidence(["0", `${orderTwo.y}`]),
      verdict: badKey,
    },
    { name: "key outside of the subgroup: A + T", evidence: withKey(mixed.x, mixed.y), verdict: badKey },
    { name: "key off the curve", evidence: withKey(1n, 1n), verdict: badKey },
    { name: "key's coordinate + field order", evidence: withKey(x + fieldOrder, y), verdict: badKey },
    { name: "s + order", evidence: withS(`${BigInt(s) + SUBGROUP_ORDER}`), verdict: malformed },
    { name: "leading zero", evidence: withS(`0${s}`), verdict: malformed },
    { name: "unknown kind", evidence: { ...good, kind: "affidavit" }, verdict: malformed },
  ];
}

function gatewayVectors() {
  const secret = seed("gateway");
  const good = signWindow(secret, CONTEXT, FIRST_SLOT, READINGS);
  const all = [...goodGatewayVectors(secret), ...misusedGatewayVectors(good), ...forgedGatewayVectors(good)];
  return all.map(
    ({ name, context = CONTEXT, firstSlot = FIRST_SLOT, netWh = READINGS, evidence, verdict }) => ({
      name,
      context,
      claim: { firstSlot, netWh },
      message: windowMessage(regionTag(context), firstSlot, packReadings(netWh)).toString(),
      evidence,
      verdict,
    }),
  );
}

const vectors = { wallet: walletVectors(), session: sessionVectors(), gateway: gatewayVectors() };
writeFileSync(OUT, `${JSON.stringify(vectors, null, 2)}\n`);
// The formatter decides which arrays fit on a line; without it the file would fail the format check.
execFileSync(BIOME, ["format", "--write", OUT], { stdio: "ignore" });
