// Owns which step stands at which place of a seed: every step is drawn from the seed and its own place alone, so that
// leaving out others changes nothing in it. It refuses to look at the world.

import { dayStream, type Stream } from "../../clients/household/random-stream.ts";
import { SECRETS } from "./meters.ts";
import { GATEWAYS, HOUSEHOLDS } from "./people.ts";
import { type Attack, SMOOTH, type Step, type StepKind, type StoredTable, type Trip } from "./steps.ts";
import { TRADE_MAKERS } from "./trade-draws.ts";

const STEPS = 1;
const TEMPER = 2;

/** The switch to another snapshot is the rarest write, and the one that most depends on. */
const TABLES: readonly (StoredTable | null)[] = [
  null,
  null,
  "journal",
  "segments",
  "snapshots",
  "snapshots",
  "snapshots",
  "sections",
  "slots",
  "failed_proofs",
  "commitments",
];

/** Draws for one place. */
class Draw {
  readonly #stream: Stream;

  constructor(seed: number, purpose: number, place: number) {
    this.#stream = dayStream(seed, purpose, place);
  }

  /** A whole number, both bounds included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#stream.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.#stream.chance(probability);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)] as T;
  }

  home(): number {
    return this.whole(0, HOUSEHOLDS - 1);
  }

  /** Any home with a meter: those and the agent's, which is the last. */
  metered(): number {
    return this.whole(0, HOUSEHOLDS);
  }

  /** Mostly a session key, now and then the wallet. */
  key(): number | null {
    return this.chance(0.06) ? null : this.pick([0, 0, 0, 0, 1, 2]);
  }

  table(): StoredTable | null {
    return this.pick(TABLES);
  }

  trip(): Trip {
    const copies = this.pick([1, 1, 1, 1, 1, 1, 2, 2, 3, 0]);
    const outMs = Array.from({ length: copies }, () => this.pick([5, 5, 5, 20, 20, 300, 5_000, 90_000]));
    return {
      outMs,
      backMs: this.chance(0.12) ? null : this.pick([5, 20, 400, 8_000]),
      retries: this.pick([0, 1, 2, 3]),
      hopMs: this.pick([1, 1, 1, 1, 1, 40, 900, 14_000]),
    };
  }

  /** A prover takes seconds; on a machine that does nothing else, less. */
  provesMs(): number {
    return this.pick([10, 10, 1_500, 1_500, 40_000]);
  }

  secret(): number {
    return this.whole(0, SECRETS - 1);
  }
}

/** Every attack. */
export const ATTACKS: readonly Attack[] = [
  "forged signature",
  "another's key",
  "another chain",
  "another region",
  "expired",
  "lives too long",
  "no operator",
  "no installer",
  "consent of another",
  "rotation elsewhere",
  "stranger",
  "overdraft of limits",
  "voucher of the seller",
  "voucher inflated",
  "payment without voucher",
  "result that nobody holds",
  "result attested by its seller",
  "run released by its seller",
  "junk",
  "another's proof",
  "another region's proof",
  "another window's proof",
  "stale root",
  "meter of nobody",
  "nullifier again",
  "claims inflated",
  "directions swapped",
  "secret rotated",
  "proof malleated",
  "proof of junk",
  "proofs that fail",
  "window not over",
  "window again",
];
/** Those with many spellings, or that seldom find what they need, come oftener. */
const OFTENER: readonly Attack[] = ["junk", "junk", "secret rotated", "proofs that fail", "window again"];

type Makers = { readonly [K in StepKind]: (draw: Draw) => Extract<Step, { do: K }> };

const MAKERS: Makers = {
  wait: (draw) => ({
    do: "wait",
    ms: draw.chance(0.03) ? 110_000_000 : draw.pick([1, 10, 500, 10_000, 60_000, 240_000]),
  }),
  "wait for window": (draw) => ({
    do: "wait for window",
    offsetMs: draw.pick([-1, 0, 1, 1, 500, 20_000, 20_000, 120_000]),
  }),
  "window ends": (draw) => ({
    do: "window ends",
    offsetMs: draw.pick([0, 1, 500, 20_000]),
    provesMs: draw.provesMs(),
    trips: Array.from({ length: HOUSEHOLDS }, () => draw.trip()),
    removes: draw.chance(0.03) ? draw.metered() : null,
  }),
  order: (draw) => {
    const side = draw.pick(["sell", "buy"] as const);
    const base = side === "sell" ? draw.whole(2, 12) * 10_000 : draw.whole(12, 28) * 10_000;
    const sign = side === "sell" ? 1 : -1;
    const steps = draw.pick([1, 1, 2, 3]);
    return {
      do: "order",
      who: draw.home(),
      key: draw.key(),
      side,
      prices: Array.from({ length: steps }, (_, step) => base + sign * step * 5_000),
      capWh: draw.pick([1, 150, 400, 2_000]),
      replaces: draw.chance(0.4) ? draw.whole(0, 9) : null,
      lastsS: draw.pick([0, 0, 900, 7_200]),
      trip: draw.trip(),
    };
  },
  ...TRADE_MAKERS,
  cancel: (draw) => ({
    do: "cancel",
    who: draw.home(),
    key: draw.key(),
    which: draw.whole(0, 9),
    trip: draw.trip(),
  }),
  readings: (draw) => ({
    do: "readings",
    who: draw.home(),
    gateway: draw.pick([0, 0, 0, 1]),
    provesMs: draw.provesMs(),
    trip: draw.trip(),
  }),
  authorise: (draw) => ({
    do: "authorise",
    who: draw.home(),
    key: draw.pick([0, 0, 1, 2]),
    limitMicros: draw.pick([0, 40_000, 10_000_000, 10_000_000]),
    lastsS: draw.pick([600, 500_000, 500_000, 3_000_000]),
    trip: draw.trip(),
  }),
  revoke: (draw) => ({ do: "revoke", who: draw.home(), key: draw.pick([0, 1, 1, 2, 2]), trip: draw.trip() }),
  commit: (draw) => ({
    do: "commit",
    who: draw.home(),
    commitment: draw.whole(1, 3),
    trip: draw.trip(),
  }),
  credit: (draw) => ({
    do: "credit",
    who: draw.home(),
    micros: draw.pick([1, 30_000, 1_000_000, 2_000_000_000_000_000]),
    trip: draw.trip(),
  }),
  admit: (draw) => ({ do: "admit", who: draw.home(), trip: draw.trip() }),
  appoint: (draw) => ({ do: "appoint", isThere: draw.chance(0.7), trip: draw.trip() }),
  enrol: (draw) => ({
    do: "enrol",
    who: draw.metered(),
    gateway: draw.whole(0, GATEWAYS - 1),
    secret: draw.pick([0, 0, draw.secret()]),
    trip: draw.trip(),
  }),
  rotate: (draw) => ({
    do: "rotate",
    who: draw.home(),
    gateway: draw.whole(0, GATEWAYS - 1),
    secret: draw.secret(),
    replaced: draw.pick([0, 0, 1]),
    trip: draw.trip(),
  }),
  unenrol: (draw) => ({
    do: "unenrol",
    who: draw.metered(),
    gateway: draw.pick([0, 0, 1]),
    isEmergency: draw.chance(0.5),
    trip: draw.trip(),
  }),
  parameters: (draw) => ({
    do: "parameters",
    networkFee: draw.pick([0, 20_011]),
    takeRateBps: draw.pick([0, 123, 2_000]),
    delayS: draw.pick([1, 450, 900, 3_600, 3_601]),
    trip: draw.trip(),
  }),
  attack: (draw) => ({
    do: "attack",
    how: draw.pick([...ATTACKS, ...OFTENER]),
    who: draw.home(),
    salt: draw.whole(0, 1_000_000),
    trip: draw.trip(),
  }),
  replay: (draw) => ({ do: "replay", which: draw.whole(0, 99), trip: draw.trip() }),
  flood: (draw) => ({ do: "flood", which: draw.whole(0, 99), copies: draw.pick([20, 330]) }),
  ask: (draw) => ({ do: "ask", which: draw.whole(0, 999) }),
  read: (draw) => ({ do: "read", who: draw.home() }),
  listen: (draw) => ({ do: "listen", isThere: draw.chance(0.7) }),
  vanish: (draw) => ({ do: "vanish", who: draw.home(), forgets: draw.chance(0.5) }),
  return: (draw) => ({ do: "return", who: draw.home() }),
  "agent wakes": (draw) => ({
    do: "agent wakes",
    trips: draw.chance(0.4) ? [SMOOTH] : Array.from({ length: draw.whole(1, 4) }, () => draw.trip()),
  }),
  "agent restarts": (draw) => ({ do: "agent restarts", forgets: draw.chance(0.5) }),
  crash: () => ({ do: "crash" }),
  "crash in turn": (draw) => ({
    do: "crash in turn",
    point: draw.pick(["turn", "durable"] as const),
    after: draw.pick([0, 0, 1, 2, 5, 13]),
  }),
  "crash in write": (draw) => ({
    do: "crash in write",
    table: draw.table(),
    after: draw.pick([0, 0, 1, 1, 2, 9]),
  }),
  evict: () => ({ do: "evict" }),
  "disk fails": (draw) => ({
    do: "disk fails",
    table: draw.table(),
    after: draw.pick([0, 0, 1, 1, 2, 9]),
    times: draw.pick([1, 1, 1, 2, 3]),
  }),
  "rules fail": (draw) => ({
    do: "rules fail",
    when: draw.pick(["before", "after"] as const),
    after: draw.pick([0, 0, 1, 3]),
  }),
  disk: (draw) => ({ do: "disk", ms: draw.pick([0, 3, 3, 40, 900]) }),
  bucket: (draw) => ({
    do: "bucket",
    mood: draw.pick(["sound", "sound", "slow", "refusing", "deaf"] as const),
  }),
  snapshot: () => ({ do: "snapshot" }),
  clock: (draw) => ({ do: "clock", skewMs: draw.pick([0, 0, -1_000, 1_000, -600_000, 600_000, 2_400_000]) }),
  drift: (draw) => ({ do: "drift", who: draw.home(), seconds: draw.pick([0, 0, -2, 2, -300, 300]) }),
  alarms: (draw) => ({
    do: "alarms",
    lateMs: draw.pick([0, 0, 200, 60_000, 3_000_000, 200_000_000]),
    earlyMs: draw.pick([0, 0, 0, 1, 5_000]),
    isTwice: draw.chance(0.3),
  }),
};

const WEIGHTS: Readonly<Record<StepKind, number>> = {
  wait: 6,
  "wait for window": 12,
  "window ends": 10,
  order: 30,
  cancel: 6,
  trade: 8,
  untrade: 4,
  deal: 8,
  deliver: 4,
  readings: 20,
  authorise: 3,
  revoke: 0.7,
  commit: 1,
  credit: 4,
  admit: 0.5,
  appoint: 0.7,
  enrol: 3,
  rotate: 3,
  unenrol: 2,
  parameters: 2,
  attack: 20,
  replay: 6,
  flood: 0.4,
  ask: 4,
  read: 3,
  listen: 1,
  vanish: 1,
  return: 4,
  "agent wakes": 6,
  "agent restarts": 1,
  crash: 4,
  "crash in turn": 3,
  "crash in write": 4,
  evict: 4,
  "disk fails": 4,
  "rules fail": 3,
  disk: 2,
  bucket: 2,
  snapshot: 3,
  clock: 3,
  drift: 2,
  alarms: 3,
  "buy job": 3,
  report: 5,
  job: 8,
};

const KINDS = Object.keys(WEIGHTS) as StepKind[];
/** What every seed needs, or nothing would happen in it. */
const ALWAYS: ReadonlySet<StepKind> = new Set([
  "wait for window",
  "window ends",
  "order",
  "readings",
  "return",
]);

/** What changes the registry: in most seeds the meters stay as they are, and windows are alike from seed to seed. */
const OF_REGISTRY: ReadonlySet<StepKind> = new Set(["enrol", "rotate", "unenrol", "appoint"]);

/** A seed's temper: some kinds of step are left out and others come often, so that seeds differ in more than luck. */
export function temperOf(seed: number): Readonly<Record<StepKind, number>> {
  const draw = new Draw(seed, TEMPER, 0);
  const isSteady = draw.chance(0.6);
  const weights = KINDS.map((kind) => {
    const often = draw.pick([0, 1, 1, 3]);
    if (ALWAYS.has(kind)) return [kind, WEIGHTS[kind]];
    return [kind, isSteady && OF_REGISTRY.has(kind) ? 0 : WEIGHTS[kind] * often];
  });
  return Object.fromEntries(weights) as Record<StepKind, number>;
}

/** The step at a place (from 0) of a seed whose temper is given. */
export function stepAt(seed: number, place: number, temper: Readonly<Record<StepKind, number>>): Step {
  const draw = new Draw(seed, STEPS, place);
  const total = KINDS.reduce((sum, kind) => sum + temper[kind], 0);
  let left = (draw.whole(0, 999_999) / 1_000_000) * total;
  for (const kind of KINDS) {
    left -= temper[kind];
    if (left < 0) return MAKERS[kind](draw);
  }
  return MAKERS.wait(draw);
}
