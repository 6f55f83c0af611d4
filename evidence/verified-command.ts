// Owns the step from a signed command to its facts, the same for gateway and audit: who signed, what the evidence says,
// and which proof that rests on. It refuses to judge whether the signer may; that is the market's.

import type { Command } from "../protocol/commands.ts";
import type { Hex } from "../protocol/fields.ts";
import { commandDigest, type SigningDomain } from "../protocol/typed-data.ts";
import type { EvidenceFacts, VerifiedSigner } from "../protocol/verified-facts.ts";
import { hexOf } from "./bytes.ts";
import { readEvidence } from "./evidence.ts";
import type { Verdict } from "./evidence-kind.ts";
import type { ShownProof } from "./meter-proof.ts";
import { verifySession } from "./session-signature.ts";
import { recoverWallet } from "./wallet-signature.ts";

/** How a command is signed: by a wallet's 65 bytes, or by a session key's 64. */
export type CommandSignature =
  | { readonly scheme: "wallet"; readonly signature: Hex }
  | { readonly scheme: "session"; readonly key: Hex; readonly signature: Hex };

export interface VerifiedCommand {
  readonly commandId: Hex;
  readonly signer: VerifiedSigner;
  readonly evidence: EvidenceFacts | null;
}

/** A command that is verified as soon as the proof that it shows holds; at once where there is none. */
export interface ShownCommand extends VerifiedCommand {
  readonly shown: ShownProof | null;
}

/**
 * Verifies a decoded command's signature over its EIP-712 digest and its evidence, cheapest first and pairings not at
 * all: they are for the caller, who may have cheaper reasons to refuse.
 * @returns the command's id, the facts and the proof they rest on, or the first refusal.
 */
export async function verifyCommand(
  domain: SigningDomain,
  command: Command,
  auth: CommandSignature,
  evidence: unknown,
): Promise<Verdict<ShownCommand>> {
  const digest = commandDigest(domain, command);
  const signed = await verifySigner(digest, auth);
  if (!signed.ok) return signed;
  const read = await readEvidence(domain, command, evidence);
  if (!read.ok) return read;
  const { facts, shown } = read;
  return { ok: true, commandId: hexOf(digest), signer: signed.signer, evidence: facts, shown };
}

async function verifySigner(
  digest: Uint8Array,
  auth: CommandSignature,
): Promise<Verdict<{ signer: VerifiedSigner }>> {
  if (auth.scheme === "session") {
    const verdict = await verifySession(auth.key, digest, auth.signature);
    return verdict.ok ? { ok: true, signer: { scheme: "session", key: auth.key } } : verdict;
  }
  const verdict = recoverWallet(digest, auth.signature);
  return verdict.ok ? { ok: true, signer: { scheme: "wallet", address: verdict.wallet } } : verdict;
}
