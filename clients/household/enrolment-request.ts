// Owns what a household asks an installer for: its gateway's key, the commitment to its secret, the gateway's consent, and
// the limits it wishes. It refuses to name an account, and to tell the secret.

import { z } from "zod";
import { exactBytes } from "../../evidence/bytes.ts";
import { type FieldPoint, poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { consentSchema, type GatewayConsent, signConsent, verifyConsent } from "../../evidence/enrolment.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { type MeterLimits, secretCommitment } from "../../evidence/meter-statement.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import { address, type Hex, regionId } from "../../protocol/fields.ts";
import { MAX_READING_WH, MAX_WINDOW_CAP_WH } from "../../protocol/limits.ts";
import { chainId, DocumentFault, decoded, element, jsonOf, limitsSchema, textOf } from "./meter-documents.ts";

/** What `format` says in the document. */
export const ENROLMENT_FORMAT = "polder-enrolment/1";

/** What `replaces` says when an enrolment takes over no other. */
export const REPLACES_NOTHING: Hex = `0x${"00".repeat(32)}`;

/** The market's own bounds, for a meter that has none of its own. */
export const WIDEST_LIMITS: MeterLimits = {
  nameplateWh: MAX_READING_WH,
  connectionWh: MAX_READING_WH,
  saleCapWh: MAX_WINDOW_CAP_WH,
  purchaseCapWh: MAX_WINDOW_CAP_WH,
};

/** Everything an installer is told; nothing of it says whose the meter is. */
export interface EnrolmentRequest {
  readonly context: EvidenceContext;
  readonly gateway: FieldPoint;
  /** Poseidon(secret). */
  readonly commitment: bigint;
  readonly consent: GatewayConsent;
  /** What the household expects to be enrolled with; the installer decides. */
  readonly limits: MeterLimits;
}

/** What only the installer and the registrar know of an enrolment. */
export interface EnrolmentTerms {
  /** The registrar's keyed tag of the grid connection. */
  readonly connection: Hex;
  readonly limits: MeterLimits;
  /** Gateway whose enrolment this one takes over. */
  readonly replaces?: Hex;
}

const requestSchema = z.strictObject({
  format: z.literal(ENROLMENT_FORMAT),
  chainId,
  settlement: address,
  region: regionId,
  windowSlots: z.union([z.literal(4), z.literal(96)]),
  gatewayX: element,
  gatewayY: element,
  commitment: element,
  consent: consentSchema,
  limits: limitsSchema,
});

/** A household's request, signed by its software gateway. @param gatewaySeed 32 bytes. */
export function requestEnrolment(
  context: EvidenceContext,
  gatewaySeed: Hex,
  secret: bigint,
  limits: MeterLimits,
): EnrolmentRequest {
  const commitment = secretCommitment(secret);
  return {
    context,
    gateway: poseidonKeyOf(exactBytes(gatewaySeed, 32, "gateway seed")),
    commitment,
    consent: signConsent(gatewaySeed, context, commitment),
    limits,
  };
}

/**
 * Reads a request and checks the gateway's consent.
 * @throws DocumentFault naming the first field that is wrong, or what the consent is refused for
 */
export function readEnrolmentRequest(text: string): EnrolmentRequest {
  const found = decoded(requestSchema, jsonOf(text));
  const { settlement, region, windowSlots, gatewayX, gatewayY, commitment, consent, limits } = found;
  const context = { chainId: found.chainId, settlement, regionId: region, windowSlots };
  const request: EnrolmentRequest = { context, gateway: [gatewayX, gatewayY], commitment, consent, limits };
  const command = enrolmentOf(request, { connection: REPLACES_NOTHING, limits });
  const verdict = verifyConsent(context, { ...command, region, nonce: 0, expiresAtS: 0 }, consent);
  if (!verdict.ok) throw new DocumentFault(`consent: ${CONSENT_FAULTS[verdict.code] ?? verdict.code}`);
  return request;
}

/** The text of a request's document. */
export function enrolmentRequestText(request: EnrolmentRequest): string {
  const { context, gateway, commitment, consent, limits } = request;
  const { settlement, regionId: region, windowSlots } = context;
  return textOf({
    format: ENROLMENT_FORMAT,
    chainId: context.chainId,
    settlement,
    region,
    windowSlots,
    gatewayX: gateway[0],
    gatewayY: gateway[1],
    commitment,
    consent,
    limits,
  });
}

/** The installer's command for a request; the consent is its evidence. */
export function enrolmentOf(
  { context, gateway, commitment }: EnrolmentRequest,
  { connection, limits, replaces = REPLACES_NOTHING }: EnrolmentTerms,
): Omit<CommandOf<"enrol_meter">, "region" | "nonce" | "expiresAtS"> {
  return {
    type: "enrol_meter",
    gatewayX: gateway[0].toString(),
    gatewayY: gateway[1].toString(),
    commitment: commitment.toString(),
    connection,
    ...limits,
    windowSlots: context.windowSlots,
    replaces,
  };
}

const CONSENT_FAULTS: Readonly<Record<string, string>> = {
  gateway_key_invalid: "the gateway's key is not a point of the prime-order subgroup of Baby Jubjub",
  gateway_signature_invalid: "is not the gateway's signature over this commitment, chain, region and window",
};
