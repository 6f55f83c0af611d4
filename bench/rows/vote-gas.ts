// Owns the rows of what the chain charges for a proposal's life: propose, vote, vote by signature, queue, execute, as whole
// transactions. It refuses figures that were not measured in this run.

import { measureGas } from "../../tools/contracts.ts";
import { limited, type Measurement, type Row } from "../row.ts";

/** A fiftieth of a block of 36 million: a vote must stay payable when blocks are full. */
const MOST_GAS = 720_000;

const STEPS = [
  [
    "propose-gas",
    "propose",
    "one call; its calls are stored, so that queue and execute need its number alone",
  ],
  ["vote-gas", "first vote", "later ones cost less"],
  ["vote-by-signature-gas", "vote by signature", "paid by whoever relays it"],
  ["queue-gas", "queue", "into the timelock"],
  [
    "execute-gas",
    "execute, a change of values and terms",
    "a version with all governed values, and Settlement told",
  ],
] as const;

/** Measures the rows, or none where there is no Forge for this machine. */
export const measure: Measurement = async (say) => {
  const gas = await measureGas();
  if (gas === null) {
    say("skipped: there is no Forge for this machine");
    return [];
  }
  return STEPS.map(([name, step, note]): Row => {
    const figure = gas.get(step);
    if (figure === undefined) throw new Error(`nothing was measured for ${step}`);
    say(`${step} ${figure}`);
    return limited({
      name,
      ours: figure,
      unit: "gas",
      higherIsBetter: false,
      limit: `at most ${MOST_GAS}`,
      isWithinLimit: figure <= MOST_GAS,
      note,
    });
  });
};
