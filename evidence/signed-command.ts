// Owns the form in which a signed command travels, and the whole step from there to what a region decides on. It
// refuses a command for another chain or region, and everything that its signature or evidence does not bear out.

import { z } from "zod";
import { type Command, commandSchema, type SubmitReadings } from "../protocol/commands.ts";
import { bounded, bytes32, signatureBytes } from "../protocol/fields.ts";
import type { SigningDomain } from "../protocol/typed-data.ts";
import { evidenceSchema } from "./evidence.ts";
import { refused, type Verdict } from "./evidence-kind.ts";
import type { ShownProof } from "./meter-proof.ts";
import { type CommandSignature, type VerifiedCommand, verifyCommand } from "./verified-command.ts";

/** A command with its signature: a wallet's, or a session key's when `sessionKey` names it. */
export const signedSchema = <T extends z.ZodType>(command: T) =>
  z.strictObject({
    chainId: bounded(1, Number.MAX_SAFE_INTEGER),
    command,
    signature: signatureBytes,
    sessionKey: bytes32.optional(),
    evidence: evidenceSchema.optional(),
  });

export const anySigned = signedSchema(commandSchema).meta({ id: "SignedCommand" });
export type SignedCommand = z.infer<typeof anySigned>;

/** A command whose signature and evidence were verified, with what the journal keeps of them. */
export interface Submission extends VerifiedCommand {
  readonly command: Command;
  readonly auth: CommandSignature;
  readonly rawEvidence: unknown;
}

/** A window's claims with the facts that hold if the proof does. */
export type ProvedSubmission = Submission & { readonly command: SubmitReadings };

/**
 * Verifies a decoded command for a region: chain and region first, then signature and evidence.
 * @returns what the region decides on once the proof shown holds, or the first refusal.
 */
export async function verifySigned(
  domain: SigningDomain,
  region: string,
  { chainId, command, signature, sessionKey, evidence: rawEvidence }: SignedCommand,
): Promise<Verdict<{ readonly submission: Submission; readonly shown: ShownProof | null }>> {
  if (chainId !== domain.chainId) return refused("wrong_chain", { expected: domain.chainId, got: chainId });
  if (command.region !== region) return refused("wrong_region", { expected: region, got: command.region });
  const auth: CommandSignature =
    sessionKey === undefined
      ? { scheme: "wallet", signature }
      : { scheme: "session", key: sessionKey, signature };
  const verdict = await verifyCommand(domain, command, auth, rawEvidence);
  if (!verdict.ok) return verdict;
  const { commandId, signer, evidence, shown } = verdict;
  return { ok: true, submission: { command, commandId, signer, evidence, auth, rawEvidence }, shown };
}
