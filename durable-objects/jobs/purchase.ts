// Owns what a region's answer to a purchase means for a desk: the runs that were bought, each of one provider. It refuses an
// answer in which nothing was bought.

import type { OpenObligation } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { Answer } from "../outcome.ts";
import type { RunRecord } from "./job-records.ts";

/** Numbers of the trades that a purchase made. @throws Error where it made none */
export function boughtObligations({ events }: Answer): number[] {
  for (const event of events)
    if (event.type === "resource_traded")
      return event.orders.map((_order, index) => event.firstObligation + index);
  throw new Error("a job was bought without a trade");
}

/**
 * The runs of a purchase.
 * @param open those of its trades that are not settled; one that is missing was given up or lapsed meanwhile.
 */
export function runsOf(answer: Answer, attempt: number, open: readonly OpenObligation[]): RunRecord[] {
  const numbers = boughtObligations(answer);
  const runs = open
    .filter(({ obligationId }) => numbers.includes(obligationId))
    .map(
      (obligation): RunRecord => ({
        obligation: obligation.obligationId,
        attempt,
        provider: obligation.seller,
        priceMicrosPerTera: obligation.priceMicrosPerTera,
        fuelMega: obligation.quantityMega,
        deadlineS: obligation.deadlineS,
        state: "bought",
        faults: 0,
        dueMs: 0,
        commitment: null,
        outputHash: null,
        fuelUsed: null,
      }),
    );
  const missing = numbers.filter((number) => !runs.some(({ obligation }) => obligation === number));
  return [...runs, ...missing.map((number) => lostRun(number, attempt))];
}

/** One that ended before its provider was known here. */
function lostRun(obligation: number, attempt: number): RunRecord {
  const provider: Hex = `0x${"00".repeat(20)}`;
  return {
    obligation,
    attempt,
    provider,
    ...{ priceMicrosPerTera: 0, fuelMega: 0, deadlineS: 0, faults: 0, dueMs: 0 },
    state: "gave_up",
    commitment: null,
    outputHash: null,
    fuelUsed: null,
  };
}
