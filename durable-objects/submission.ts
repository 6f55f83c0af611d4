// Owns what goes into a region and what comes out: a verified command, and its answer or refusal. It refuses nothing.

import type { Receipt } from "../evidence/receipt.ts";
import type { CommandSignature, VerifiedCommand } from "../evidence/verified-command.ts";
import type { Command } from "../protocol/commands.ts";
import type { Rejection } from "../protocol/errors.ts";
import type { MarketEvent } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";

/** A command whose signature and evidence were verified, with what the journal keeps of them. */
export interface Submission extends VerifiedCommand {
  readonly command: Command;
  readonly auth: CommandSignature;
  readonly rawEvidence: unknown;
}

/** What an accepted command is answered with, the first time and every time it is sent again. */
export interface Answer {
  readonly commandId: Hex;
  readonly entry: number;
  readonly atS: number;
  readonly events: readonly MarketEvent[];
  readonly receipt: Receipt;
}

export type Outcome = { readonly answer: Answer } | { readonly rejection: Rejection };
