// Owns evidence of the kind "meter-proof": a window's claims in the clear and the zero-knowledge proof that some enrolled
// meter measured them. It refuses to take signals from the prover; whether root and window are the region's is for the
// region to say, and that the pairing holds for whoever holds a verifier.

import { z } from "zod";
import type { SubmitReadings } from "../protocol/commands.ts";
import { bounded, bytes32, FIELD_ORDER } from "../protocol/fields.ts";
import { nodeHex } from "../protocol/quad-tree.ts";
import type { ProofFacts } from "../protocol/verified-facts.ts";
import { type EvidenceContext, refused, type Verdict } from "./evidence-kind.ts";
import { firstPath } from "./field-text.ts";
import type { Groth16Verifier, ProofVerdict } from "./groth16.ts";
import { type MeterStatement, meterSignalsOf, type SlotClaim } from "./meter-statement.ts";

const KIND = "meter-proof";
const coordinates = z.array(z.string().max(80)).length(3);

/** JSON form of the evidence. The proof is snarkjs's, whose coordinates the verifier decodes. */
export const meterProofSchema = z
  .strictObject({
    kind: z.literal(KIND),
    root: bytes32.meta({ description: "root of this window's meters; GET the window's registry" }),
    nullifier: bytes32,
    heldBack: z
      .array(bounded(0, 95))
      .max(96)
      .meta({ description: "slots of the window, ascending, that exported and of which nothing is claimed" }),
    proof: z
      .strictObject({
        pi_a: coordinates,
        pi_b: z.array(z.array(z.string().max(80)).length(2)).length(3),
        pi_c: coordinates,
        protocol: z.literal("groth16"),
        curve: z.literal("bn128"),
      })
      .meta({ description: "Groth16 over bn128, in snarkjs's JSON form" }),
  })
  .meta({ description: "zero-knowledge proof that an enrolled meter measured at least what is claimed" });
export type MeterProof = z.infer<typeof meterProofSchema>;

/** A proof as it came, and the statement that its claims in the clear make. */
export interface ShownProof {
  readonly statement: MeterStatement;
  readonly proof: unknown;
}

/** Claims and evidence as a command carries them. */
export interface ShownWindow {
  readonly netWh: readonly number[];
  readonly evidence: MeterProof;
}

/** What a household sends of a window that it proved. */
export function shownWindowOf(proved: {
  readonly claims: readonly SlotClaim[];
  readonly root: bigint;
  readonly nullifier: bigint;
  readonly proof: unknown;
}): ShownWindow {
  const { claims, root, nullifier, proof } = proved;
  return {
    netWh: claims.map(({ isExport, claimedWh }) => (isExport || claimedWh === 0 ? claimedWh : -claimedWh)),
    evidence: meterProofSchema.parse({
      kind: KIND,
      root: nodeHex(root),
      nullifier: nodeHex(nullifier),
      heldBack: claims.flatMap(({ isExport, claimedWh }, slot) =>
        isExport && claimedWh === 0 ? [slot] : [],
      ),
      proof,
    }),
  };
}

/**
 * Reads a command's claims and proof: what they state, and the facts if the proof holds.
 * @param context its window has as many slots as the command has claims.
 * @returns `evidence_malformed` with the path.
 */
export function readMeterProof(
  context: EvidenceContext,
  { account, firstSlot, netWh }: Pick<SubmitReadings, "account" | "firstSlot" | "netWh">,
  evidence: unknown,
): Verdict<{ readonly facts: ProofFacts; readonly shown: ShownProof }> {
  const decoded = meterProofSchema.safeParse(evidence);
  if (!decoded.success) return refused("evidence_malformed", { path: firstPath(decoded.error) });
  const { root, nullifier, heldBack, proof } = decoded.data;
  for (const [path, element] of [
    ["root", root],
    ["nullifier", nullifier],
  ] as const) {
    if (BigInt(element) >= FIELD_ORDER) return refused("evidence_malformed", { path });
  }
  const isSpelt = heldBack.every(
    (slot, index) => netWh[slot] === 0 && (index === 0 || (heldBack[index - 1] as number) < slot),
  );
  if (!isSpelt) return refused("evidence_malformed", { path: "heldBack" });
  const exported = new Set(heldBack);
  const statement: MeterStatement = {
    context,
    firstSlot,
    root: BigInt(root),
    account,
    nullifier: BigInt(nullifier),
    claims: netWh.map((wh, slot) => ({ isExport: wh > 0 || exported.has(slot), claimedWh: Math.abs(wh) })),
  };
  return { ok: true, facts: { kind: KIND, root, nullifier }, shown: { statement, proof } };
}

/**
 * Verifies proofs of windows of one length, all in one batch.
 * @param verifier holds the key of that window length.
 * @returns a verdict for each in their order; `malformed` names the path in statement or proof.
 */
export function verifyMeterProofs(verifier: Groth16Verifier, shown: readonly ShownProof[]): ProofVerdict[] {
  const stated = shown.map(({ statement }) => meterSignalsOf(statement));
  const whole = shown.flatMap(({ proof }, index) => {
    const verdict = stated[index];
    return verdict?.ok ? [{ signals: verdict.signals, proof }] : [];
  });
  const verdicts = verifier.verifyBatch(whole).values();
  return stated.map((verdict) => {
    if (!verdict.ok) return { ok: false, reason: "malformed", path: String(verdict.facts.path) };
    return verdicts.next().value as ProofVerdict;
  });
}
