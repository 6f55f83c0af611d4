// Owns evidence of the kind "delivery-attestation": a region's word that its edge holds the outputs of a result that a seller reports.
// It refuses an attestation of another result, job, trade or region; whose key counts is the market's to judge.

import { z } from "zod";
import type { CommandOf } from "../protocol/commands.ts";
import { bytes32, type Hex, signatureBytes } from "../protocol/fields.ts";
import { type SigningDomain, statementDigest } from "../protocol/typed-data.ts";
import type { DeliveryFacts } from "../protocol/verified-facts.ts";
import { refused, type Verdict } from "./evidence-kind.ts";
import { firstPath } from "./field-text.ts";
import { sessionKeyOf, signSession, verifySession } from "./session-signature.ts";

const KIND = "delivery-attestation";
const TYPE = "DeliveryAttestation";

/** JSON form of the evidence: an Ed25519 signature, and the key that made it. */
export const attestationSchema = z
  .strictObject({ kind: z.literal(KIND), signature: signatureBytes, sessionKey: bytes32 })
  .meta({
    description:
      "the region's signature under a result whose outputs it holds (EIP-712, DeliveryAttestation)",
  });
export type DeliveryAttestation = z.infer<typeof attestationSchema>;

/** What an attestation is about. */
export type AttestedResult = Pick<
  CommandOf<"report_result">,
  "region" | "obligationId" | "fuelMega" | "jobDigest" | "outputHash"
>;

/** Attests, with the seed of the key that a region signs its receipts with, that the outputs of a result are held. */
export function attestDelivery(
  domain: SigningDomain,
  result: AttestedResult,
  seed: Hex,
): DeliveryAttestation {
  const signature = signSession(seed, statementDigest(domain, TYPE, result));
  return { kind: KIND, signature, sessionKey: sessionKeyOf(seed) };
}

/**
 * Verifies an attestation for the report that it is shown with.
 * @returns the delivery and who attests it, or the first refusal.
 */
export async function verifyAttestation(
  domain: SigningDomain,
  result: AttestedResult,
  evidence: unknown,
): Promise<Verdict<{ readonly facts: DeliveryFacts }>> {
  const decoded = attestationSchema.safeParse(evidence);
  if (!decoded.success) return refused("evidence_malformed", { path: firstPath(decoded.error) });
  const { signature, sessionKey: key } = decoded.data;
  const verdict = await verifySession(key, statementDigest(domain, TYPE, result), signature);
  if (!verdict.ok) return verdict;
  const { obligationId: obligation, fuelMega: deliveredMega, jobDigest, outputHash } = result;
  const agreedBy = [{ scheme: "session", key }] as const;
  return {
    ok: true,
    facts: {
      kind: "delivery",
      means: "job_result",
      obligation,
      deliveredMega,
      jobDigest,
      outputHash,
      agreedBy,
    },
  };
}
