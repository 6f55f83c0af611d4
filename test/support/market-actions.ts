// Owns random commands over virtual time, valid and invalid mixed, and the region they make: what tests of the whole
// market have in common. It refuses to choose kind inputs.

import fc from "fast-check";
import { expect } from "vitest";
import type { Hex, Side } from "../../protocol/fields.ts";
import {
  address,
  authorise,
  cancel,
  commit,
  credit,
  type Draft,
  enrol,
  FIRST_SLOT,
  type Market,
  openMarket,
  place,
  readings,
  revoke,
  session,
  setParameters,
  unenrol,
  wallet,
  word,
} from "./market.ts";
import { jobAction, resourceAction } from "./resource-actions.ts";
import { bytesOf } from "./untouched-state.ts";

/** Small numbers, so that commands meet each other's accounts, keys, meters and orders. */
const home = fc.integer({ min: 1, max: 4 }).map(address);
const small = fc.integer({ min: 1, max: 6 });
const price = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map((steps) => steps * 50_000),
  fc.integer({ min: -200_000, max: 300_000 }),
);
const wh = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -400, max: 400 }),
  fc.integer({ min: -1_048_575, max: 1_048_575 }),
);
const side = fc.constantFrom<Side>("sell", "buy");

/** What is done next, made into a draft at the moment it is done. */
export type Action = (market: Market) => Draft | number;

const signerOf = (owner: Hex, key: number): ReturnType<typeof wallet> =>
  key <= 2 ? session(word(key)) : wallet(owner);

const placing: fc.Arbitrary<Action> = fc
  .record({
    owner: home,
    side,
    prices: fc.uniqueArray(price, { minLength: 1, maxLength: 3 }),
    cap: fc.integer({ min: 1, max: 300 }),
    sorted: fc.integer({ min: 0, max: 9 }),
    from: fc.integer({ min: -4, max: 8 }),
    length: fc.integer({ min: -1, max: 12 }),
    hours: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { maxLength: 20 }), { freq: 3 }),
    replaces: fc.option(fc.nat(200), { freq: 3 }),
    key: small,
  })
  .map((shape) => (market: Market) => {
    const sign = shape.side === "sell" ? 1 : -1;
    const prices =
      shape.sorted === 0 ? shape.prices : shape.prices.sort((left, right) => sign * (left - right));
    const fromS = shape.from <= 0 ? 0 : market.atS + shape.from * 700;
    const more = {
      validFromS: fromS,
      validUntilS: shape.length <= 0 ? 0 : Math.max(fromS, market.atS) + shape.length * 500,
      hours: (shape.hours ?? []).sort((left, right) => left - right),
      replaces: shape.replaces === null ? 0 : Math.max(0, market.state.header.entry - (shape.replaces % 20)),
    };
    const steps = prices.map((limit) => [limit, shape.cap] as const);
    return place(shape.owner, shape.side, steps, more, signerOf(shape.owner, shape.key));
  });

const reading: fc.Arbitrary<Action> = fc
  .record({
    owner: home,
    meter: small,
    netWh: fc.array(wh, { minLength: 4, maxLength: 4 }),
    off: fc.integer({ min: 0, max: 12 }),
    own: fc.boolean(),
  })
  .map((shape) => (market: Market) => {
    // Mostly at a moment at which the window that ended last can still be proved.
    if (shape.off > 4 && market.atS % 3_600 > 600) market.to(market.atS + 3_600 - (market.atS % 3_600));
    const ended = Math.floor(market.atS / 3_600) * 4 - 4;
    const first = shape.off === 0 ? ended + 1 : shape.off === 1 ? ended - 4 : ended;
    const meter = shape.own ? Number.parseInt(shape.owner, 16) : shape.meter;
    return readings(shape.owner, meter, Math.max(first, 0), shape.netWh);
  });

const money = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constant(10_000_000));

const identity: fc.Arbitrary<Action> = fc
  .record({
    owner: home,
    key: small,
    what: fc.integer({ min: 0, max: 8 }),
    limit: fc.integer({ min: 0, max: 50_000 }),
    micros: money,
  })
  .map(({ owner, key, what, limit, micros }) => (market: Market) => {
    if (what === 0) return revoke(owner, word(key % 4), signerOf(owner, key));
    if (what === 8) return commit(owner, key, signerOf(owner, key));
    if (what === 1) return enrol(key, limit % 3 === 0 ? { replaces: word(key), leaf: word(limit) } : {});
    if (what === 2) return unenrol(key, limit % 2 === 0);
    if (what <= 4) return credit(owner, micros, limit === 0 ? wallet(owner) : undefined);
    const more = {
      spendingLimitMicros: limit,
      dailyWh: limit,
      sessionExpiresAtS: market.atS + limit,
      leastAskMicrosPerKwh: -100_000,
    };
    return authorise(owner, word(key % 4), more);
  });

const ending: fc.Arbitrary<Action> = fc.record({ owner: home, back: fc.nat(40), key: small }).map(
  ({ owner, back, key }) =>
    (market: Market) =>
      cancel(owner, Math.max(1, market.state.header.entry - back), signerOf(owner, key)),
);

const governing: fc.Arbitrary<Action> = fc
  .record({
    fee: fc.nat(60_000),
    take: fc.nat(2_000),
    k: fc.nat(10_000),
    delay: fc.integer({ min: 1, max: 4_000 }),
    emission: fc.nat(10 ** 9),
  })
  .map(
    ({ fee, take, k, delay, emission }) =>
      () =>
        setParameters({
          networkFeeMicrosPerKwh: fee,
          takeRateBps: take,
          clearingPriceK: k,
          proofDelaySeconds: delay,
          emissionPerEpoch: String(emission),
          rewardWeightCompute: take % 3,
        }),
  );

const waiting: fc.Arbitrary<Action> = fc.oneof(
  fc.integer({ min: 0, max: 1_200 }).map((seconds) => () => seconds),
  fc.constant((market: Market) => 3_600 - (market.atS % 3_600)),
);

/** Anything that somebody may do next. */
export const action = fc.oneof(
  { weight: 6, arbitrary: placing },
  { weight: 8, arbitrary: reading },
  { weight: 4, arbitrary: identity },
  { weight: 2, arbitrary: ending },
  { weight: 1, arbitrary: governing },
  { weight: 5, arbitrary: waiting },
  { weight: 8, arbitrary: resourceAction },
);

/** As much of compute as of energy. */
export const mixedAction = fc.oneof(
  { weight: 3, arbitrary: action },
  { weight: 3, arbitrary: resourceAction },
  { weight: 4, arbitrary: jobAction },
);

/** What came of the commands of all runs. */
export interface Tally {
  accepted: number;
  refused: number;
  tradedWh: number;
}

/** Runs the actions; `Market` itself checks the invariants after each entry, and `look` sees it after each action. */
export function runActions(
  actions: readonly Action[],
  tally: Tally,
  look: (market: Market) => void = () => {},
): Market {
  const market = openMarket({
    parameters: { takeRateBps: 123, networkFeeMicrosPerKwh: 20_011, rewardWeightCompute: 1 },
  });
  for (const owner of [1, 2, 3, 4]) {
    market.accept(enrol(owner));
    market.accept(credit(address(owner), 40_000 * owner));
    market.accept(
      place(address(owner), owner % 2 === 0 ? "buy" : "sell", [[owner % 2 === 0 ? 250_000 : 50_000, 200]]),
    );
  }
  market.to(FIRST_SLOT * 900);
  for (const act of actions) {
    const next = act(market);
    if (typeof next === "number") market.to(market.atS + next);
    else {
      market.to(market.atS);
      const before = bytesOf(market.state);
      const result = market.execute(market.request(next));
      if ("rejection" in result) {
        tally.refused += 1;
        expect(bytesOf(market.state).equals(before), `refused ${result.rejection.code}`).toBe(true);
      } else tally.accepted += 1;
    }
    look(market);
  }
  market.to(market.atS + 3 * 3_600);
  look(market);
  for (const { tradedWh } of market.events("slot_cleared")) tally.tradedWh += tradedWh;
  return market;
}
