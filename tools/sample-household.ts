// Owns a made-up household whose windows and certificates are proved by vectors, tests and measurements. It refuses to be
// anybody's: every secret in it follows from its name.

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { CertificateInputs } from "../circuits/certificate-witness.ts";
import { claimsOf, type WindowInputs } from "../circuits/meter-witness.ts";
import { bigOf } from "../evidence/bytes.ts";
import { audienceTag, certificateLeaf, epochTag } from "../evidence/certificate-statement.ts";
import { poseidonKeyOf } from "../evidence/eddsa-poseidon.ts";
import type { EvidenceContext } from "../evidence/evidence-kind.ts";
import { regionTag, signWindow } from "../evidence/gateway-window.ts";
import { type MeterLimits, meterLeaf, secretCommitment } from "../evidence/meter-statement.ts";
import { QuadTree } from "../protocol/quad-tree.ts";

/** 32 bytes that follow from a name. */
export const sampleSeed = (name: string) => sha256(utf8ToBytes(`polder/sample/${name}`));
/** A field element that follows from a name. */
export const sampleSecret = (name: string) => bigOf(sampleSeed(name)) >> 8n;

/** Limits that the sample's claims keep. */
export const SAMPLE_LIMITS: MeterLimits = {
  nameplateWh: 2_000,
  connectionWh: 4_300,
  saleCapWh: 60_000,
  purchaseCapWh: 200_000,
};

/** The first slot of a UTC day. */
export const SAMPLE_FIRST_SLOT = 96 * 20_410;
/** Where the sample's meter stands in its tree, away from the edge of a node. */
const POSITION = 4_242;

/** A region on the local chain. */
export function sampleContext(windowSlots: 4 | 96): EvidenceContext {
  return { chainId: 31_337, settlement: `0x${"00".repeat(20)}`, regionId: "polder-one", windowSlots };
}

/** Readings with sun by day; a slot of neither, a slot missing. */
export function sampleReadings(slots: number, shift = 0): number[] {
  return Array.from({ length: slots }, (_, slot) =>
    slot % 11 === 3 ? 0 : Math.round(1_200 * Math.sin((slot + shift) / 15 - 1.2)) - 37 * (slot % 5),
  );
}

/** Everything the sample knows about one of its windows; `changes` go in before leaf and signature are made. */
export function sampleWindow(
  windowSlots: 4 | 96,
  changes: Partial<
    Pick<WindowInputs, "context" | "firstSlot" | "netWh" | "limits" | "secret" | "account">
  > = {},
): WindowInputs & { readonly root: bigint } {
  const context = changes.context ?? sampleContext(windowSlots);
  const firstSlot = changes.firstSlot ?? SAMPLE_FIRST_SLOT;
  const netWh = changes.netWh ?? sampleReadings(windowSlots, windowSlots === 4 ? 40 : 0);
  const limits = changes.limits ?? SAMPLE_LIMITS;
  const secret = changes.secret ?? sampleSecret("meter");
  const seed = sampleSeed("gateway");
  const gateway = poseidonKeyOf(seed);
  const { r8, s } = signWindow(seed, context, firstSlot, netWh).signature;
  const tree = new QuadTree([sampleSecret("first neighbour"), sampleSecret("second neighbour")]);
  tree.set(POSITION, meterLeaf(gateway, secretCommitment(secret), regionTag(context), limits));
  return {
    context,
    firstSlot,
    account: changes.account ?? `0x${"a1".repeat(20)}`,
    netWh,
    gateway,
    signature: { r8: [BigInt(r8[0]), BigInt(r8[1])], s: BigInt(s) },
    secret,
    limits,
    path: tree.path(POSITION),
    root: tree.root,
    claims: claimsOf(netWh, { stepWh: 50 }),
  };
}

/** What the sample shows of an epoch: that it bought at least half a MWh. */
export function sampleCertificate(changes: Partial<CertificateInputs> = {}): CertificateInputs {
  const secret = sampleSecret("certificate");
  const [soldWh, boughtWh] = [812_350, 1_204_900];
  const tree = new QuadTree([
    sampleSecret("first neighbour"),
    certificateLeaf(secretCommitment(secret), soldWh, boughtWh),
  ]);
  return {
    secret,
    soldWh,
    boughtWh,
    path: tree.path(1),
    epochTag: epochTag(regionTag(sampleContext(4)), 3),
    audienceTag: audienceTag("a landlord"),
    isPurchase: true,
    thresholdWh: 500_000,
    ...changes,
  };
}
