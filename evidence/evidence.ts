// Owns which command carries which kind of evidence. It refuses a kind that is not in the list, and evidence beside a
// command that needs none; nothing is paid without evidence.

import { z } from "zod";
import type { Command } from "../protocol/commands.ts";
import type { SigningDomain } from "../protocol/typed-data.ts";
import type { EvidenceFacts } from "../protocol/verified-facts.ts";
import { attestationSchema, verifyAttestation } from "./delivery-attestation.ts";
import { verifyVoucher, voucherSchema } from "./delivery-voucher.ts";
import { depositsHashOf } from "./deposit-chain.ts";
import { consentSchema, verifyConsent } from "./enrolment.ts";
import { refused, type Verdict } from "./evidence-kind.ts";
import { meterProofSchema, readMeterProof, type ShownProof } from "./meter-proof.ts";

/** JSON form of any evidence, told apart by `kind`. */
export const evidenceSchema = z.discriminatedUnion("kind", [
  meterProofSchema,
  consentSchema,
  voucherSchema,
  attestationSchema,
]);
export type Evidence = z.infer<typeof evidenceSchema>;

/** What evidence says. */
export interface ReadEvidence {
  readonly facts: EvidenceFacts | null;
  /** The proof that must hold for the facts to be facts; null when nothing is left to verify. */
  readonly shown: ShownProof | null;
}

/** Reads the evidence of a command: everything is verified but pairings, which are dear and come last. */
export async function readEvidence(
  { chainId, settlement }: SigningDomain,
  command: Command,
  evidence: unknown,
): Promise<Verdict<ReadEvidence>> {
  const regionId = command.region;
  if (command.type === "submit_readings") {
    const { length } = command.netWh;
    if (length !== 4 && length !== 96) return refused("evidence_malformed", { path: "netWh" });
    return readMeterProof({ chainId, settlement, regionId, windowSlots: length }, command, evidence);
  }
  if (command.type === "enrol_meter") {
    const { windowSlots } = command;
    return proved(verifyConsent({ chainId, settlement, regionId, windowSlots }, command, evidence));
  }
  // Without evidence nothing is paid; that a seller gives up the rest needs none.
  if (command.type === "settle_obligation" && evidence !== undefined && evidence !== null)
    return proved(await verifyVoucher({ chainId, settlement }, command, evidence));
  if (command.type === "report_result")
    return proved(await verifyAttestation({ chainId, settlement }, command, evidence));
  if (evidence !== undefined && evidence !== null) return refused("evidence_malformed", { path: "evidence" });
  if (command.type === "credit_deposit")
    return { ok: true, facts: { kind: "deposit-chain", depositsHash: depositsHashOf(command) }, shown: null };
  return { ok: true, facts: null, shown: null };
}

/** Evidence that signatures alone bear out: no proof is left to verify. */
function proved(verdict: Verdict<{ readonly facts: EvidenceFacts }>): Verdict<ReadEvidence> {
  return verdict.ok ? { ok: true, facts: verdict.facts, shown: null } : verdict;
}
