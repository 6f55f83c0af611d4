// Owns what a decision is made of and what it may be: a command with verified facts, and events or a rejection. It
// refuses nothing; deciding is in decide.ts and decisions/.

import type { Command } from "../protocol/commands.ts";
import type { Rejection } from "../protocol/errors.ts";
import type { MarketEvent } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import type { EvidenceFacts, VerifiedSigner } from "../protocol/verified-facts.ts";
import type { RegionState } from "./state.ts";

/** A command with its verified facts. */
export interface Request {
  readonly command: Command;
  readonly commandId: Hex;
  readonly signer: VerifiedSigner;
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
  readonly signer: VerifiedSigner;
  readonly evidence: EvidenceFacts | null;
}

export type Decision = { readonly events: readonly MarketEvent[] } | { readonly rejection: Rejection };
