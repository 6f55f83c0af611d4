// Owns what every kind of evidence has in common: the context it is bound to, the facts it yields and the shape of a
// verdict. It refuses to know how any kind is verified.

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

/** What a gateway's consent establishes. */
export interface ConsentFacts {
  readonly kind: "gateway-consent";
  /** Id of the gateway key. */
  readonly gateway: Hex;
  /** What its enrolment puts into the registry's tree. */
  readonly leaf: Hex;
}

/** What a meter's proof establishes for the command that it came with. */
export interface ProofFacts {
  readonly kind: "meter-proof";
  /** Root of the tree that the meter is in. */
  readonly root: Hex;
  /** The same for every proof of one meter and one window: the region accepts it once. */
  readonly nullifier: Hex;
}

/** What a deposit's own fields establish. */
export interface DepositFacts {
  readonly kind: "deposit-chain";
  /** Hash of all deposits up to this one, as the contract has it. */
  readonly depositsHash: Hex;
}

/** What a delivery's evidence establishes. */
export interface DeliveryFacts {
  readonly kind: "delivery";
  readonly means: "voucher" | "job_result";
  /** Number of the trade that it is a delivery of. */
  readonly obligation: number;
  /** In all since the trade. */
  readonly deliveredMega: number;
  readonly jobDigest: Hex;
  readonly outputHash: Hex;
  /** Whose signatures bear it out. */
  readonly agreedBy: readonly (
    | { readonly scheme: "wallet"; readonly address: Hex }
    | { readonly scheme: "session"; readonly key: Hex }
  )[];
}

/** What verified evidence establishes; the region takes these from the verifier and never from a request. */
export type EvidenceFacts = ConsentFacts | ProofFacts | DepositFacts | DeliveryFacts;
