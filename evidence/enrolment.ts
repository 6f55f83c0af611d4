// Owns evidence of the kind "gateway-consent": a gateway agrees that its windows are claimed by whoever knows the secret
// behind a commitment. It refuses a key outside the subgroup, and makes the leaf that the enrolment puts into the tree.

import { poseidon2 } from "poseidon-lite/poseidon2";
import { z } from "zod";
import type { CommandOf } from "../protocol/commands.ts";
import type { Hex } from "../protocol/fields.ts";
import { nodeHex } from "../protocol/quad-tree.ts";
import type { ConsentFacts } from "../protocol/verified-facts.ts";
import { exactBytes } from "./bytes.ts";
import { isInSubgroup, SUBGROUP_ORDER, signPoseidon, verifyPoseidon } from "./eddsa-poseidon.ts";
import { type EvidenceContext, refused, type Verdict } from "./evidence-kind.ts";
import { firstPath, pointOf, signatureText, textOf } from "./field-text.ts";
import { gatewayIdOf, regionTag } from "./gateway-window.ts";
import { meterLeaf } from "./meter-statement.ts";

const KIND = "gateway-consent";

/** JSON form of the evidence. */
export const consentSchema = z
  .strictObject({ kind: z.literal(KIND), signature: signatureText })
  .meta({ description: "EdDSA-Poseidon signature of the enrolled gateway over the commitment" });
export type GatewayConsent = z.infer<typeof consentSchema>;

/** What consent is a signature of: Poseidon(regionTag, commitment). No window's message has two inputs. */
export function consentMessage(tag: bigint, commitment: bigint): bigint {
  return poseidon2([tag, commitment]);
}

/**
 * Signs an enrolment as a gateway does that its household shows the commitment to.
 * @param seed the gateway's 32 secret bytes.
 */
export function signConsent(
  seed: Uint8Array | Hex,
  context: EvidenceContext,
  commitment: bigint,
): GatewayConsent {
  const secret = exactBytes(seed, 32, "seed");
  const { r8, s } = signPoseidon(secret, consentMessage(regionTag(context), commitment));
  return { kind: KIND, signature: { r8: textOf(r8), s: s.toString() } };
}

/**
 * Verifies a gateway's consent to the enrolment that it is shown with.
 * @returns gateway and leaf, or `evidence_malformed`, `gateway_key_invalid` or `gateway_signature_invalid`.
 */
export function verifyConsent(
  context: EvidenceContext,
  enrolment: CommandOf<"enrol_meter">,
  evidence: unknown,
): Verdict<{ readonly facts: ConsentFacts }> {
  const decoded = consentSchema.safeParse(evidence);
  if (!decoded.success) return refused("evidence_malformed", { path: firstPath(decoded.error) });
  const { r8, s } = decoded.data.signature;
  if (BigInt(s) >= SUBGROUP_ORDER) return refused("evidence_malformed", { path: "signature.s" });
  const key = [BigInt(enrolment.gatewayX), BigInt(enrolment.gatewayY)] as const;
  if (!isInSubgroup(key)) return refused("gateway_key_invalid");
  const tag = regionTag(context);
  const commitment = BigInt(enrolment.commitment);
  if (!verifyPoseidon(key, consentMessage(tag, commitment), { r8: pointOf(r8), s: BigInt(s) }))
    return refused("gateway_signature_invalid");
  const leaf = nodeHex(meterLeaf(key, commitment, tag, enrolment));
  return { ok: true, facts: { kind: KIND, gateway: gatewayIdOf(key), leaf } };
}
