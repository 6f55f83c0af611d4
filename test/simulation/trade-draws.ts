// Owns how steps about compute are drawn: orders, cancels, deals, deliveries and jobs. It refuses to look at the world.

import { HOUSEHOLDS } from "./people.ts";
import { type JobWord, SMOOTH, type Step, type StepKind, type Trip } from "./steps.ts";

/** What draws for one place. */
interface Dice {
  whole(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  home(): number;
  key(): number | null;
  trip(): Trip;
}

type TradeKind = Extract<StepKind, "trade" | "untrade" | "deal" | "deliver" | "buy job" | "report" | "job">;

/** What is said of runs, as often as it is. */
const WORDS: readonly JobWord[] = [...Array<JobWord>(12).fill("result"), "given up", "released"];

/** A step of each kind. */
export const TRADE_MAKERS: { readonly [K in TradeKind]: (draw: Dice) => Extract<Step, { do: K }> } = {
  trade: (draw: Dice) => {
    const side = draw.pick(["sell", "buy"] as const);
    return {
      do: "trade",
      who: draw.home(),
      key: draw.key(),
      side,
      product: draw.pick([0, 0, 0, 1, 2]),
      quantity: draw.pick([1, 7, 40, 333, 5_000]),
      price: 100_000 + draw.whole(-6, 6) * 997,
      timeInForce: draw.pick([
        "good_till_time",
        "good_till_time",
        "good_till_time",
        "immediate_or_cancel",
        "fill_or_kill",
        "post_only",
      ] as const),
      restsS: draw.pick([1, 60, 900, 3_600, 20_000]),
      trip: draw.trip(),
    };
  },
  untrade: (draw: Dice) => ({
    do: "untrade",
    who: draw.home(),
    key: draw.key(),
    which: draw.whole(0, 9),
    trip: draw.trip(),
  }),
  deal: (draw: Dice) => {
    const who = draw.home();
    return {
      do: "deal",
      who,
      buyer: (who + draw.whole(1, HOUSEHOLDS - 1)) % HOUSEHOLDS,
      product: draw.pick([0, 0, 1, 2]),
      quantity: draw.pick([1, 40, 333, 5_000]),
      afterMs: draw.pick([1_000, 1_000, 1_000, 200_000, 5_000_000]),
      share: draw.whole(0, 10),
      isFinal: draw.chance(0.4),
      trips: [draw.chance(0.7) ? SMOOTH : draw.trip(), draw.chance(0.7) ? SMOOTH : draw.trip(), draw.trip()],
    };
  },
  deliver: (draw: Dice) => ({
    do: "deliver",
    which: draw.whole(0, 11),
    share: draw.whole(0, 10),
    isFinal: draw.chance(0.4),
    byKey: draw.chance(0.5),
    trip: draw.trip(),
  }),
  "buy job": (draw: Dice) => ({
    do: "buy job",
    who: draw.home(),
    key: draw.key(),
    fuel: draw.pick([1, 30, 300]),
    replicas: draw.pick([1, 1, 1, 2, 3]),
    salt: draw.whole(0, 999_999),
    trip: draw.trip(),
  }),
  report: (draw: Dice) => ({
    do: "report",
    which: draw.whole(0, 11),
    share: draw.whole(1, 11),
    output: draw.pick([1, 1, 1, 2]),
    word: draw.pick(WORDS),
    trip: draw.trip(),
  }),
  job: (draw: Dice) => ({
    do: "job",
    who: draw.home(),
    fuel: draw.pick([1, 30, 300]),
    replicas: draw.pick([1, 1, 2]),
    salt: draw.whole(0, 999_999),
    trip: draw.chance(0.7) ? SMOOTH : draw.trip(),
    words: Array.from({ length: HOUSEHOLDS - 1 }, () =>
      draw.chance(0.12)
        ? null
        : {
            afterMs: draw.pick([1_000, 1_000, 30_000, 200_000, 3_590_000]),
            output: draw.pick([1, 1, 1, 2]),
            word: draw.pick(WORDS),
            trip: draw.trip(),
          },
    ),
  }),
};
