// Owns the registry of kinds of evidence. It refuses a kind that is not in it; nothing is paid without evidence.

import { z } from "zod";
import {
  type EvidenceClaim,
  type EvidenceContext,
  type EvidenceFacts,
  type EvidenceKind,
  refused,
  type Verdict,
} from "./evidence-kind.ts";
import { gatewayWindow } from "./gateway-window.ts";

/** Every kind by its name. */
export const EVIDENCE_KINDS: ReadonlyMap<unknown, EvidenceKind> = new Map([
  [gatewayWindow.kind, gatewayWindow],
]);

/** JSON form of any evidence, told apart by `kind`. */
export const evidenceSchema = z.discriminatedUnion("kind", [gatewayWindow.schema]);
export type Evidence = z.infer<typeof evidenceSchema>;

/**
 * Verifies evidence of any registered kind for a claim.
 * @param evidence anything; the kind's own verifier decodes it.
 * @returns the established facts, `evidence_malformed` for an unknown kind, or the kind's refusal.
 */
export function verifyEvidence(
  context: EvidenceContext,
  claim: EvidenceClaim,
  evidence: unknown,
): Verdict<EvidenceFacts> {
  const name = (evidence as { readonly kind?: unknown } | null | undefined)?.kind;
  const kind = EVIDENCE_KINDS.get(name);
  if (kind === undefined) return refused("evidence_malformed", { path: "kind" });
  return kind.verify(context, claim, evidence);
}
