// Owns the row `flush`: 64 verified commands at once into a region (decided, applied, journaled, hashed, a receipt
// each) against 64 rows inserted one a call. It refuses a command that is not accepted.

import type { Submission } from "../../evidence/signed-command.ts";
import { homeSubmissions, openingSubmissions, orderSubmission } from "../neighbourhood.ts";
import { compareParts, PARTS_NOTE, startParts, timePart } from "../parts.ts";
import { compared, type Measurement } from "../row.ts";

const BATCH = 64;
const BATCHES = 16;
const HOMES = 512;

/** Measures the row. */
export const measure: Measurement = async (say) => {
  const atS = Math.floor(Date.now() / 1_000);
  const stack = await startParts();
  try {
    await timePart(stack, "flush/ours", { batches: [openingSubmissions(atS)] });
    for (let home = 0; home < HOMES; home += BATCH) {
      const some = Array.from({ length: BATCH }, (_, index) => homeSubmissions(home + index, atS, 2));
      // A home's commands build on each other; the homes do not.
      for (let step = 0; step < 3; step += 1) {
        await timePart(stack, "flush/ours", {
          batches: [some.map((commands) => commands[step] as Submission)],
        });
      }
    }
    const batchesOf = (round: number) =>
      Array.from({ length: BATCHES }, (_, batch) =>
        Array.from({ length: BATCH }, (_, index) =>
          orderSubmission((batch * BATCH + index) % HOMES, atS, round),
        ),
      );
    const rates = await compareParts(stack, "flush", BATCH * BATCHES, (round) => ({
      batches: batchesOf(round),
    }));
    say(`ours ${rates.ours.toFixed(0)}/s, one row a call ${rates.peer.toFixed(0)}/s`);
    return [
      compared({
        name: "flush",
        ...rates,
        unit: "commands/s",
        higherIsBetter: true,
        note: `${BATCH} verified orders at once by object calls, no HTTP and no signature, against as many inserts; ${PARTS_NOTE}`,
      }),
    ];
  } finally {
    await stack.stop();
  }
};
