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
import { mixedAction, runActions } from "../support/market-actions.ts";
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

const listed = <T extends object>(columns: T) =>
  Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      ArrayBuffer.isView(value) ? [...(value as never)] : value,
    ]),
  );
const plain = (epoch: PaidEpoch) => ({ ...listed(epoch), promised: epoch.promised.map(listed) });

test("rejects: sums of more or fewer traders than the record has", () => {
  const record = JSON.stringify({ accounts: [1, 2], soldWh: [], boughtWh: [], rewards: [], emission: "1" });
  const decidedBy = { epoch: 3, parametersVersion: 1, voteVersion: 0, parameters: {} as never };
  for (const doubles of [0, 3, 5, 9])
    expect(() => paidEpochOf({ ...decidedBy, record, sums: new ArrayBuffer(8 * doubles) })).toThrow(
      "the sums of epoch 3",
    );
});

const CLOSED = {
  ...{ accounts: [7], soldWh: [5], boughtWh: [0], rewards: ["1"], emission: "9", deliveredWh: 5 },
  resources: [
    {
      ...{ resource: "compute", units: "30", feesMicros: 3, accounts: [2, 7], deliveredMega: [10, 20] },
      ...{ rewards: ["1", "2"], providerFeesMicros: [1, 2] },
    },
  ],
};

const keptWith = (doubles: number, record: object) =>
  paidEpochOf({
    ...{ epoch: 3, parametersVersion: 1, voteVersion: 0, parameters: {} as never },
    record: JSON.stringify(record),
    sums: Float64Array.from({ length: doubles }, (_, place) => place + 1).buffer,
  });

test("rejects: sums of more or fewer providers than the record has", () => {
  for (const doubles of [4, 6]) expect(() => keptWith(doubles, CLOSED)).toThrow("the sums of epoch 3");
});

test("regression: epochs that closed before whose fees and sales were was kept have energy only, and say so", () => {
  expect(plain(keptWith(5, CLOSED))).toMatchObject({
    leftOut: [],
    promised: [{ resource: "compute", units: 30n, salesMicros: [4, 5] }],
  });
  const [{ providerFeesMicros: _, ...older }] = CLOSED.resources as [(typeof CLOSED.resources)[0]];
  const withoutFees = { ...CLOSED, resources: [older] };
  for (const kept of [keptWith(3, CLOSED), keptWith(3, withoutFees), keptWith(5, withoutFees)])
    expect(plain(kept)).toMatchObject({
      promised: [],
      leftOut: [{ resource: "compute", units: 30n }],
      salesMicros: [1],
    });
  const { resources: _none, ...energyOnly } = CLOSED;
  expect(keptWith(3, energyOnly)).toMatchObject({ promised: [], leftOut: [] });
});

test("property: kept epochs are the journal's, to the micro", () => {
  let [epochs, delivered] = [0, 0];
  fc.assert(
    fc.property(fc.array(mixedAction, { minLength: 40, maxLength: 120, size: "max" }), (actions) => {
      const market = runActions(actions, { accepted: 0, refused: 0, tradedWh: 0 });
      const kept = keptBy(market);
      expect(kept.map(plain)).toEqual(paidEpochsOf(market.entries).map(plain));
      epochs += kept.filter(({ accounts }) => accounts.length > 0).length;
      delivered += kept.filter(({ promised }) => promised.length > 0).length;
    }),
    { numRuns: 90 },
  );
  expect(epochs).toBeGreaterThan(5);
  expect(delivered).toBeGreaterThan(5);
});
