// Owns what is established about a command outside the market: who signed it, and what its evidence shows. It refuses to know how
// any of it is verified, and what follows from it.

import type { Hex } from "./fields.ts";

/** Who signed. */
export type VerifiedSigner =
  | { readonly scheme: "wallet"; readonly address: Hex }
  | { readonly scheme: "session"; readonly key: Hex };

/** A gateway agreed to be enrolled with a household's commitment. */
export interface ConsentFacts {
  readonly kind: "gateway-consent";
  /** Id of the gateway's key. */
  readonly gateway: Hex;
  /** What its enrolment puts into the registry's tree. */
  readonly leaf: Hex;
}

/** Some meter of the tree with this root measured at least what is claimed, for this account and window. */
export interface ProofFacts {
  readonly kind: "meter-proof";
  readonly root: Hex;
  /** The same for every proof of one meter and one window, whoever sends it: the region accepts it once. */
  readonly nullifier: Hex;
}

/** A deposit, chained to those before it. */
export interface DepositFacts {
  readonly kind: "deposit-chain";
  /** Hash of all deposits up to this one, as the contract has it. */
  readonly depositsHash: Hex;
}

/** How much of a trade was delivered, and who says so. */
export interface DeliveryFacts {
  readonly kind: "delivery";
  /** Which evidence it is: a voucher of the buyer's, or that the region holds the result of a job. */
  readonly means: "voucher" | "job_result";
  /** Number of the trade that it is a delivery of. */
  readonly obligation: number;
  /** In all since the trade. */
  readonly deliveredMega: number;
  readonly jobDigest: Hex;
  readonly outputHash: Hex;
  /** Whose signatures bear it out. */
  readonly agreedBy: readonly VerifiedSigner[];
}

/** What verified evidence establishes; the region takes these from the verifier and never from a request. */
export type EvidenceFacts = ConsentFacts | ProofFacts | DepositFacts | DeliveryFacts;
