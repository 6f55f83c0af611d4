// Owns what a gateway does with a request before the region sees it: the real decoder, the real check of signature and
// evidence. It refuses what they refuse; the simulated network begins behind it.

import { DOMAIN } from "../../bench/fleet.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { type CommandSignature, verifyCommand } from "../../evidence/verified-command.ts";
import { commandSchema } from "../../protocol/commands.ts";

/** A request as somebody sends it; nothing in it is believed. */
export interface RawRequest {
  readonly command: unknown;
  readonly auth: CommandSignature;
  readonly evidence?: unknown;
}

/** What comes out of the gateway: a verified command, or the code it was refused with. */
export type Judged = { readonly submission: Submission } | { readonly code: string };

const judged = new Map<string, Judged>();
const MOST_KEPT = 20_000;

/** Decodes and verifies a request, as the Worker does before it calls the region. */
export async function judge({ command: raw, auth, evidence = null }: RawRequest): Promise<Judged> {
  const decoded = commandSchema.safeParse(raw);
  if (!decoded.success) return { code: "malformed_request" };
  const command = decoded.data;
  // Every seed opens its region, and proves some windows, with the same bytes; a verdict is a function of them.
  const name = JSON.stringify([command, auth, evidence]);
  const known = judged.get(name);
  if (known !== undefined) return known;
  const verdict = await verifyCommand(DOMAIN, command, auth, evidence);
  if (!verdict.ok) return { code: verdict.code };
  const { commandId, signer } = verdict;
  const found = {
    submission: { command, commandId, signer, evidence: verdict.evidence, auth, rawEvidence: evidence },
  };
  if (judged.size < MOST_KEPT) judged.set(name, found);
  return found;
}
