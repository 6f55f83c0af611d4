// Owns the row `typed-data`: our EIP-712 digest of an order against viem's. It refuses a digest that differs from
// viem's before it measures.

import { hashTypedData } from "viem";
import { commandId, typedDataOf } from "../../protocol/typed-data.ts";
import { DOMAIN, orderOf, seedOf } from "../fleet.ts";
import { compareParts, PARTS_NOTE, startParts } from "../parts.ts";
import { compared, type Measurement } from "../row.ts";

const ORDERS = 1_000;

/** Measures the row. */
export const measure: Measurement = async (say) => {
  const items = Array.from({ length: ORDERS }, (_, index) =>
    orderOf("measured", seedOf(`account ${index}`).slice(0, 42) as `0x${string}`, "sell", 2, index),
  );
  for (const command of items.slice(0, 10)) {
    if (commandId(DOMAIN, command) !== hashTypedData(typedDataOf(DOMAIN, command)))
      throw new Error("digests differ");
  }
  const stack = await startParts();
  try {
    const rates = await compareParts(stack, "typed-data", ORDERS, () => ({ domain: DOMAIN, items }));
    say(`ours ${rates.ours.toFixed(0)}/s, viem ${rates.peer.toFixed(0)}/s`);
    return [
      compared({
        name: "typed-data",
        ...rates,
        unit: "digests/s",
        higherIsBetter: true,
        note: `an order of two steps against viem's hashTypedData; ${PARTS_NOTE}`,
      }),
    ];
  } finally {
    await stack.stop();
  }
};
