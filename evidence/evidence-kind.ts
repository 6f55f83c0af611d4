// Owns what every kind of evidence has in common: the context it is bound to and the shape of a verdict. It refuses to know how any kind is verified.

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
  | "gateway_signature_invalid"
  | "proof_invalid";

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
