// Owns how a job that was sold at a moment is drawn to be run again: whoever draws and whoever checks the draw ask here. It refuses
// to draw.

import { PRODUCTS } from "../../protocol/products.ts";
import { slotAt } from "../../protocol/units.ts";
import { epochOf, parametersAtSlot } from "../parameters.ts";
import type { RegionState } from "../state.ts";

/** How what is sold at a moment is drawn: by the secret of that epoch, at the rate that is in force in it. */
export interface DrawTerms {
  readonly epoch: number;
  readonly auditRateBps: number;
}

/** How a job that was sold at a moment is drawn. */
export function drawTermsAt(state: RegionState, soldAtS: number): DrawTerms {
  const slot = slotAt(soldAtS);
  const { auditRateBps } = parametersAtSlot(state, slot);
  return { epoch: epochOf(state, slot), auditRateBps };
}

/** Market time at which a job was sold that must be reported by a deadline. */
export function soldAtS(deadlineS: number): number {
  return deadlineS - PRODUCTS["compute-job"].deliverySeconds;
}
