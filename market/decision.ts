// Owns what a decision is made of and what it may be: a command with verified facts, and events or a rejection. It
// refuses nothing; deciding is in decide.ts and decisions/.

import type { Command } from "../protocol/commands.ts";
import type { Rejection } from "../protocol/errors.ts";
import type { MarketEvent } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import type { RegionState } from "./state.ts";

/** Who signed, as verified outside: the market believes this and nothing else about signatures. */
export type Signer =
  | { readonly scheme: "wallet"; readonly address: Hex }
  | { readonly scheme: "session"; readonly key: Hex };

/** What verified evidence established; the bytes themselves go to the journal. */
export type EvidenceFacts = ConsentFacts | ProofFacts | DepositFacts | DeliveryFacts;

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
  /** The same for the same meter and window, whoever sends it. */
  readonly nullifier: Hex;
}

/** A deposit, chained to those before it. */
export interface DepositFacts {
  readonly kind: "deposit-chain";
  /** Hash of all deposits up to this one. */
  readonly depositsHash: Hex;
}

/** How much of a trade was delivered, and who says so. */
export interface DeliveryFacts {
  readonly kind: "delivery";
  /** Which evidence it is: a voucher of the buyer's, or the result of a job. */
  readonly means: "voucher" | "job_result";
  readonly obligation: number;
  /** In all since the trade. */
  readonly deliveredMega: number;
  readonly jobDigest: Hex;
  readonly outputHash: Hex;
  /** Whose signatures bear it out. */
  readonly agreedBy: readonly Signer[];
}

/** A command with its verified facts. */
export interface Request {
  readonly command: Command;
  readonly commandId: Hex;
  readonly signer: Signer;
  readonly evidence: EvidenceFacts | null;
}

/** What a decision about one command needs. */
export interface Occasion<C extends Command = Command> {
  readonly state: RegionState;
  readonly command: C;
  /** Market time of the decision. */
  readonly atS: number;
  /** Number the journal entry will have. */
  readonly entry: number;
  /** Account the command acts for; −1 where it does not exist yet (only for the operator's commands). */
  readonly account: number;
  readonly signer: Signer;
  readonly evidence: EvidenceFacts | null;
}

export type Decision = { readonly events: readonly MarketEvent[] } | { readonly rejection: Rejection };
