// Owns the question that tests inside workerd ask the prover outside. It refuses to import the prover.

import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import type { MeterLimits } from "../../evidence/meter-statement.ts";
import type { Hex } from "../../protocol/fields.ts";

/** What a household knows when a window is over; JSON. */
export interface WindowToProve {
  readonly context: EvidenceContext;
  readonly firstSlot: number;
  readonly account: Hex;
  readonly netWh: readonly number[];
  readonly gatewaySeed: Hex;
  /** Decimal. */
  readonly secret: string;
  readonly limits: MeterLimits;
  /** The registry of the window. */
  readonly leaves: readonly Hex[];
  /** How much of a reading is claimed: most Wh of a slot, and a step to round down to. */
  readonly policy: { readonly mostWh?: number; readonly stepWh?: number };
}
