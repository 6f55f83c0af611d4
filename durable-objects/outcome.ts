// Owns what comes out of a region: its answer to a command, or its refusal. It refuses nothing.

import type { Receipt } from "../evidence/receipt.ts";
import type { Rejection } from "../protocol/errors.ts";
import type { MarketEvent } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";

/** What an accepted command is answered with, the first time and every time it is sent again. */
export interface Answer {
  readonly commandId: Hex;
  readonly entry: number;
  readonly atS: number;
  readonly events: readonly MarketEvent[];
  readonly receipt: Receipt;
}

export type Outcome = { readonly answer: Answer } | { readonly rejection: Rejection };
