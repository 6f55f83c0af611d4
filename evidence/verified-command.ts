// Owns the step from a signed command to verified facts, the same for gateway and audit: who signed, and what the
// evidence establishes. It refuses to judge whether the signer may; that is the market's.

import type { Command } from "../protocol/commands.ts";
import type { Hex } from "../protocol/fields.ts";
import { commandDigest, type SigningDomain } from "../protocol/typed-data.ts";
import { hexOf } from "./bytes.ts";
import { isInSubgroup } from "./eddsa-poseidon.ts";
import { verifyEvidence } from "./evidence.ts";
import { type EvidenceFacts, refused, type Verdict } from "./evidence-kind.ts";
import { gatewayIdOf } from "./gateway-window.ts";
import { verifySession } from "./session-signature.ts";
import { recoverWallet } from "./wallet-signature.ts";

/** How a command is signed: by a wallet's 65 bytes, or by a session key's 64. */
export type CommandSignature =
  | { readonly scheme: "wallet"; readonly signature: Hex }
  | { readonly scheme: "session"; readonly key: Hex; readonly signature: Hex };

/** Who signed, as the market wants to know it. */
export type VerifiedSigner =
  | { readonly scheme: "wallet"; readonly address: Hex }
  | { readonly scheme: "session"; readonly key: Hex };

export interface VerifiedCommand {
  readonly commandId: Hex;
  readonly signer: VerifiedSigner;
  readonly evidence: EvidenceFacts | null;
}

/**
 * Verifies a decoded command's signature over its EIP-712 digest and its evidence, cheapest first.
 * @returns the command's id and the facts, or the first refusal.
 */
export async function verifyCommand(
  domain: SigningDomain,
  command: Command,
  auth: CommandSignature,
  evidence: unknown,
): Promise<Verdict<VerifiedCommand>> {
  const digest = commandDigest(domain, command);
  const signed = await verifySigner(digest, auth);
  if (!signed.ok) return signed;
  const established = establish(domain, command, evidence);
  if (!established.ok) return established;
  return { ok: true, commandId: hexOf(digest), signer: signed.signer, evidence: established.evidence };
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

/** Only readings and enrolments carry something to establish; evidence on anything else is refused, not ignored. */
function establish(
  { chainId, settlement }: SigningDomain,
  command: Command,
  evidence: unknown,
): Verdict<{ evidence: EvidenceFacts | null }> {
  if (command.type === "submit_readings") {
    const { firstSlot, netWh, region: regionId } = command;
    if (netWh.length !== 4 && netWh.length !== 96) return refused("evidence_malformed", { path: "netWh" });
    const context = { chainId, settlement, regionId, windowSlots: netWh.length } as const;
    const verdict = verifyEvidence(context, { firstSlot, netWh }, evidence);
    return verdict.ok
      ? { ok: true, evidence: { kind: verdict.kind, gateway: verdict.gateway, nullifier: verdict.nullifier } }
      : verdict;
  }
  if (evidence !== undefined && evidence !== null) return refused("evidence_malformed", { path: "evidence" });
  if (command.type !== "enrol_meter") return { ok: true, evidence: null };
  const key = [BigInt(command.gatewayX), BigInt(command.gatewayY)] as const;
  if (!isInSubgroup(key)) return refused("gateway_key_invalid");
  const gateway = gatewayIdOf(key);
  return { ok: true, evidence: { kind: "gateway-key", gateway, nullifier: gateway } };
}
