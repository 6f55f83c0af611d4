// Owns what every kind of evidence has in common: the context it is bound to, the claim it supports, the facts it
// yields and the shape of a verdict. It refuses to know any kind.

import type { z } from "zod";
import type { Facts } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";

/** Codes of `protocol/errors` that a signature or a piece of evidence can be refused with. */
export type RefusalCode =
  | "wrong_chain"
  | "wrong_region"
  | "signature_malformed"
  | "signature_high_s"
  | "signature_small_order"
  | "signature_invalid"
  | "evidence_malformed"
  | "gateway_key_invalid"
  | "gateway_signature_invalid";

export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly facts: Facts;
}

/** Either what was established, or why nothing was. Refusals are values; only our own bugs throw. */
export type Verdict<Established extends object = object> = ({ readonly ok: true } & Established) | Refusal;

/** Makes a refusal. */
export function refused(code: RefusalCode, facts: Facts = {}): Refusal {
  return { ok: false, code, facts };
}

/** What a region's evidence is bound to, so that it means nothing on another chain, region or window length. */
export interface EvidenceContext {
  readonly chainId: number;
  /** Settlement contract; the zero address until there is one. */
  readonly settlement: Hex;
  readonly regionId: string;
  readonly windowSlots: 4 | 96;
}

/** What the evidence is to support: signed Wh of every slot of one window, export positive. */
export interface EvidenceClaim {
  readonly firstSlot: number;
  readonly netWh: readonly number[];
}

/** What verified evidence establishes; the region takes these from the verifier and never from a request. */
export interface EvidenceFacts {
  readonly kind: string;
  /** Id of the gateway key. */
  readonly gateway: Hex;
  /** The same for every piece of evidence of one meter and one window: the region accepts it once. */
  readonly nullifier: Hex;
}

/** One kind of evidence. A new kind is a new file that exports one of these, and an entry in `evidence.ts`. */
export interface EvidenceKind {
  readonly kind: string;
  /** JSON form, for decoding and for the OpenAPI document. */
  readonly schema: z.ZodType<{ readonly kind: string }>;
  /** Decodes and verifies; never throws for what a request can hold. */
  verify(context: EvidenceContext, claim: EvidenceClaim, evidence: unknown): Verdict<EvidenceFacts>;
}
