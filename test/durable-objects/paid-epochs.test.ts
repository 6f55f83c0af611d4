// Owns the promise that what a region keeps for previews is what its journal says was sold and paid. It refuses sums that are not
// of an epoch's traders.

import fc from "fast-check";
import { expect, test } from "vitest";
import { epochSums, paidEpochOf } from "../../durable-objects/paid-epochs.ts";
import { applyEntry } from "../../market/journal.ts";
import { versionInEpoch } from "../../market/parameters.ts";
import type { PaidEpoch } from "../../market/previews.ts";
import { createState } from "../../market/state.ts";
import type { Market } from "../support/market.ts";
import { action, runActions } from "../support/market-actions.ts";
import { paidEpochsOf } from "../support/paid-epochs.ts";

/** Every epoch as a region would have kept it, taken before each closing. */
function keptBy(market: Market): PaidEpoch[] {
  const state = createState();
  const kept: PaidEpoch[] = [];
  for (const entry of market.entries) {
    for (const event of entry.events) {
      if (event.type !== "epoch_closed") continue;
      const { version, voteVersion, parameters } = versionInEpoch(state.header, event.epoch);
      const { epoch } = event;
      const sums = epochSums(state).slice().buffer as ArrayBuffer;
      const record = JSON.stringify(event);
      kept.push(paidEpochOf({ epoch, parametersVersion: version, voteVersion, parameters, record, sums }));
    }
    applyEntry(state, entry);
  }
  return kept;
}

const plain = (epoch: PaidEpoch) =>
  Object.fromEntries(
    Object.entries(epoch).map(([name, value]) => [
      name,
      ArrayBuffer.isView(value) ? [...(value as never)] : value,
    ]),
  );

test("rejects: sums of more or fewer traders than the record has", () => {
  const record = JSON.stringify({ accounts: [1, 2], soldWh: [], boughtWh: [], rewards: [], emission: "1" });
  const decidedBy = { epoch: 3, parametersVersion: 1, voteVersion: 0, parameters: {} as never };
  for (const doubles of [0, 3, 5, 9])
    expect(() => paidEpochOf({ ...decidedBy, record, sums: new ArrayBuffer(8 * doubles) })).toThrow(
      "the sums of epoch 3",
    );
});

test("property: kept epochs are the journal's, to the micro", () => {
  let epochs = 0;
  fc.assert(
    fc.property(fc.array(action, { minLength: 30, maxLength: 80, size: "max" }), (actions) => {
      const market = runActions(actions, { accepted: 0, refused: 0, tradedWh: 0 });
      const kept = keptBy(market);
      expect(kept.map(plain)).toEqual(paidEpochsOf(market.entries).map(plain));
      epochs += kept.filter(({ accounts }) => accounts.length > 0).length;
    }),
    { numRuns: 25 },
  );
  expect(epochs).toBeGreaterThan(5);
});
