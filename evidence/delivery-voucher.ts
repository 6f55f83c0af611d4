// Owns evidence of the kind "delivery-voucher": a buyer's signature under how much of a trade was delivered, in all since it
// was made. It refuses a voucher for another trade, amount, job or region; whose trade it is, is the market's to judge.

import { z } from "zod";
import type { CommandOf } from "../protocol/commands.ts";
import { bytes32, type Hex, signatureBytes } from "../protocol/fields.ts";
import { type SigningDomain, statementDigest, typedStatement } from "../protocol/typed-data.ts";
import type { DeliveryFacts } from "../protocol/verified-facts.ts";
import { refused, type Verdict } from "./evidence-kind.ts";
import { firstPath } from "./field-text.ts";
import { verifySession } from "./session-signature.ts";
import { recoverWallet } from "./wallet-signature.ts";

const KIND = "delivery-voucher";

/** JSON form of the evidence: signed by the buyer's wallet, or by its session key when `sessionKey` names it. */
export const voucherSchema = z
  .strictObject({ kind: z.literal(KIND), signature: signatureBytes, sessionKey: bytes32.optional() })
  .meta({ description: "the buyer's signature under what was delivered (EIP-712, DeliveryVoucher)" });
export type DeliveryVoucher = z.infer<typeof voucherSchema>;

/** What a voucher says. Each replaces those before it: delivered counts from the trade on. */
export type VoucherStatement = Pick<
  CommandOf<"settle_obligation">,
  "region" | "obligationId" | "deliveredMega" | "jobDigest" | "outputHash"
>;

const TYPE = "DeliveryVoucher";

/** What a wallet signs, as `eth_signTypedData_v4` and viem's `signTypedData` take it. */
export function voucherTypedData(domain: SigningDomain, statement: VoucherStatement) {
  const { region, obligationId, deliveredMega, jobDigest, outputHash } = statement;
  return typedStatement(domain, TYPE, { region, obligationId, deliveredMega, jobDigest, outputHash });
}

/** The digest of that, which a session key signs. */
export function voucherDigest(domain: SigningDomain, statement: VoucherStatement): Uint8Array {
  return statementDigest(domain, TYPE, statement);
}

/**
 * Verifies a voucher for the settlement that it is shown with.
 * @returns the delivery and who agreed to it, or the first refusal.
 */
export async function verifyVoucher(
  domain: SigningDomain,
  command: CommandOf<"settle_obligation">,
  evidence: unknown,
): Promise<Verdict<{ readonly facts: DeliveryFacts }>> {
  const decoded = voucherSchema.safeParse(evidence);
  if (!decoded.success) return refused("evidence_malformed", { path: firstPath(decoded.error) });
  const { signature, sessionKey } = decoded.data;
  const signer = await signerOf(voucherDigest(domain, command), signature, sessionKey);
  if (!signer.ok) return signer;
  const { obligationId, deliveredMega, jobDigest, outputHash } = command;
  return {
    ok: true,
    facts: {
      kind: "delivery",
      means: "voucher",
      obligation: obligationId,
      deliveredMega,
      jobDigest,
      outputHash,
      agreedBy: [signer.signer],
    },
  };
}

async function signerOf(
  digest: Uint8Array,
  signature: Hex,
  key: Hex | undefined,
): Promise<Verdict<{ readonly signer: DeliveryFacts["agreedBy"][number] }>> {
  if (key !== undefined) {
    const verdict = await verifySession(key, digest, signature);
    return verdict.ok ? { ok: true, signer: { scheme: "session", key } } : verdict;
  }
  const verdict = recoverWallet(digest, signature);
  return verdict.ok ? { ok: true, signer: { scheme: "wallet", address: verdict.wallet } } : verdict;
}
