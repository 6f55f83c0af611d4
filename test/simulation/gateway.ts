// Owns what a gateway does with a request before the region decides it: the real decoder, the real check of signature and
// evidence, and the real verifier of proofs under a key of the tests'. It refuses what they refuse.

import type { ProofVerdict } from "../../evidence/groth16.ts";
import { type ShownProof, verifyMeterProofs } from "../../evidence/meter-proof.ts";
import type { ProvedSubmission, Submission } from "../../evidence/signed-command.ts";
import { type CommandSignature, verifyCommand } from "../../evidence/verified-command.ts";
import { commandSchema } from "../../protocol/commands.ts";
import { trapdoorVerifier } from "../support/trapdoor-prover.ts";
import { kept } from "./kept.ts";
import { DOMAIN } from "./people.ts";

/** A request as somebody sends it; nothing in it is believed. */
export interface RawRequest {
  readonly command: unknown;
  readonly auth: CommandSignature;
  readonly evidence?: unknown;
}

/** A command that is verified but for the proof it shows, if it shows one; or the code it was refused with. */
export type Judged =
  | { readonly submission: Submission; readonly shown: null }
  | { readonly submission: ProvedSubmission; readonly shown: ShownProof }
  | { readonly code: string };

const judged = new Map<string, Promise<Judged>>();

/** Decodes and verifies a request, as the Worker does before it calls the region. */
export function judge({ command: raw, auth, evidence = null }: RawRequest): Promise<Judged> {
  const decoded = commandSchema.safeParse(raw);
  if (!decoded.success) return Promise.resolve({ code: "malformed_request" });
  const command = decoded.data;
  // Every seed opens its region, and proves some windows, with the same bytes; a verdict is a function of them.
  return kept(judged, JSON.stringify([command, auth, evidence]), async () => {
    const verdict = await verifyCommand(DOMAIN, command, auth, evidence);
    if (!verdict.ok) return { code: verdict.code };
    const { commandId, signer, shown } = verdict;
    const submission = {
      command,
      commandId,
      signer,
      evidence: verdict.evidence,
      auth,
      rawEvidence: evidence,
    };
    return { submission, shown } as Judged;
  });
}

/** The shipping verifier; no deployment has its key. Made once, as a Worker's isolate makes it. */
let verifier: ReturnType<typeof trapdoorVerifier> | null = null;

/** The verifier of this region's meter proofs, for gateway and audit. */
export function meterVerifier(): ReturnType<typeof trapdoorVerifier> {
  verifier ??= trapdoorVerifier(4);
  return verifier;
}

export const verdicts = new Map<string, ProofVerdict>();

/** Says whether a proof holds; the same bytes about the same claims are looked at once. */
export function verifyProof({ command, rawEvidence }: ProvedSubmission, shown: ShownProof): ProofVerdict {
  const { account, firstSlot, netWh } = command;
  const name = JSON.stringify([account, firstSlot, netWh, rawEvidence]);
  return kept(verdicts, name, () => verifyMeterProofs(meterVerifier(), [shown])[0] as ProofVerdict);
}
