// Owns what can be done to a simulated region, as plain data: what people send, how the network treats it, what breaks.
// It refuses to do anything; a step names everything it needs, so that any selection of steps can be run again.

import type { TimeInForce } from "../../protocol/resource-commands.ts";
import type { BucketMood } from "./simulated-bucket.ts";

/** How the network treats one request. */
export interface Trip {
  /** When each copy arrives, milliseconds after it was sent; none when it is dropped. */
  readonly outMs: readonly number[];
  /** How long the answer takes; null when it is lost. */
  readonly backMs: number | null;
  /** How often the sender sends the same bytes again while it has no answer. */
  readonly retries: number;
  /** How long the gateway takes between two calls of the object, where a proof has to be verified in between. */
  readonly hopMs: number;
}

/** Tables of the region's database whose writes are worth a fault of their own. */
export type StoredTable =
  | "journal"
  | "segments"
  | "snapshots"
  | "sections"
  | "slots"
  | "failed_proofs"
  | "commitments";

/** How a request travels when nothing is wrong. */
export const SMOOTH: Trip = { outMs: [5], backMs: 5, retries: 0, hopMs: 1 };

/** What can be done with proofs that should not be. */
export type ProofAttack =
  | "another's proof"
  | "another region's proof"
  | "another window's proof"
  | "stale root"
  | "meter of nobody"
  | "nullifier again"
  | "claims inflated"
  | "directions swapped"
  | "secret rotated"
  | "proof malleated"
  | "proof of junk"
  | "proofs that fail"
  | "window not over"
  | "window again";

export type Attack =
  | ProofAttack
  | "forged signature"
  | "another's key"
  | "another chain"
  | "another region"
  | "expired"
  | "lives too long"
  | "no operator"
  | "no installer"
  | "consent of another"
  | "rotation elsewhere"
  | "stranger"
  | "overdraft of limits"
  | "voucher of the seller"
  | "voucher inflated"
  | "payment without voucher"
  | "result that nobody holds"
  | "result attested by its seller"
  | "run released by its seller"
  | "junk";

/** What is said of a run of a job. */
export type JobWord = "result" | "given up" | "released";

/** One thing that happens. Households, keys and gateways are named by their index. */
export type Step =
  | { readonly do: "wait"; readonly ms: number }
  /** To the next end of a window or of its time for evidence, by true time. */
  | { readonly do: "wait for window"; readonly offsetMs: number }
  /** The window that runs now ends, and every household that is there proves it; a trip for each. */
  | {
      readonly do: "window ends";
      readonly offsetMs: number;
      readonly provesMs: number;
      readonly trips: readonly Trip[];
      /** Home whose meter is removed at once while others prove, or null. */
      readonly removes: number | null;
    }
  | {
      readonly do: "order";
      readonly who: number;
      /** The session key that signs; null for the wallet. */
      readonly key: number | null;
      readonly side: "sell" | "buy";
      readonly prices: readonly number[];
      readonly capWh: number;
      /** Which of its known orders it replaces, or null. */
      readonly replaces: number | null;
      /** Seconds the order lasts; 0 until cancelled. */
      readonly lastsS: number;
      readonly trip: Trip;
    }
  | {
      readonly do: "cancel";
      readonly who: number;
      readonly key: number | null;
      readonly which: number;
      readonly trip: Trip;
    }
  /** An order of compute; the product by its number. */
  | {
      readonly do: "trade";
      readonly who: number;
      readonly key: number | null;
      readonly side: "sell" | "buy";
      readonly product: number;
      readonly quantity: number;
      readonly price: number;
      readonly timeInForce: TimeInForce;
      readonly restsS: number;
      readonly trip: Trip;
    }
  | {
      readonly do: "untrade";
      readonly who: number;
      readonly key: number | null;
      readonly which: number;
      readonly trip: Trip;
    }
  /** Two homes agree to trade, and what comes of it is settled after a while. */
  | {
      readonly do: "deal";
      readonly who: number;
      readonly buyer: number;
      readonly product: number;
      readonly quantity: number;
      readonly afterMs: number;
      readonly share: number;
      readonly isFinal: boolean;
      readonly trips: readonly [Trip, Trip, Trip];
    }
  /** The seller of a known trade settles what its buyer vouches for: so many tenths of it. */
  | {
      readonly do: "deliver";
      readonly which: number;
      readonly share: number;
      readonly isFinal: boolean;
      /** Whether seller and buyer sign with their first key; else with their wallets. */
      readonly byKey: boolean;
      readonly trip: Trip;
    }
  /** Somebody buys a job of what rests in the book. */
  | {
      readonly do: "buy job";
      readonly who: number;
      readonly key: number | null;
      readonly fuel: number;
      readonly replicas: number;
      readonly salt: number;
      readonly trip: Trip;
    }
  /** What came of a run: its seller reports so many tenths of its fuel, or gives it up; or its region's edge releases it. */
  | {
      readonly do: "report";
      readonly which: number;
      readonly share: number;
      readonly output: number;
      readonly word: JobWord;
      readonly trip: Trip;
    }
  /** Everybody else offers, a home buys a job of as many sellers, and each of them says after a while what came of it, or nothing. */
  | {
      readonly do: "job";
      readonly who: number;
      readonly fuel: number;
      readonly replicas: number;
      readonly salt: number;
      readonly trip: Trip;
      readonly words: readonly (null | {
        readonly afterMs: number;
        readonly output: number;
        readonly word: JobWord;
        readonly trip: Trip;
      })[];
    }
  | {
      readonly do: "readings";
      readonly who: number;
      readonly gateway: number;
      /** How long the household's prover takes. */
      readonly provesMs: number;
      readonly trip: Trip;
    }
  | {
      readonly do: "authorise";
      readonly who: number;
      readonly key: number;
      readonly limitMicros: number;
      readonly lastsS: number;
      readonly trip: Trip;
    }
  | { readonly do: "revoke"; readonly who: number; readonly key: number; readonly trip: Trip }
  /** A household commits to another secret for its certificates. */
  | { readonly do: "commit"; readonly who: number; readonly commitment: number; readonly trip: Trip }
  | { readonly do: "credit"; readonly who: number; readonly micros: number; readonly trip: Trip }
  | { readonly do: "admit"; readonly who: number; readonly trip: Trip }
  /** Whether the installer is on the operator's list. */
  | { readonly do: "appoint"; readonly isThere: boolean; readonly trip: Trip }
  /** Secrets are named by their number: a household draws another one for a rotation. */
  | {
      readonly do: "enrol";
      readonly who: number;
      readonly gateway: number;
      readonly secret: number;
      readonly trip: Trip;
    }
  /** A gateway takes another's place, or its own with another secret. */
  | {
      readonly do: "rotate";
      readonly who: number;
      readonly gateway: number;
      readonly secret: number;
      readonly replaced: number;
      readonly trip: Trip;
    }
  | {
      readonly do: "unenrol";
      readonly who: number;
      readonly gateway: number;
      readonly isEmergency: boolean;
      readonly trip: Trip;
    }
  | {
      readonly do: "parameters";
      readonly networkFee: number;
      readonly takeRateBps: number;
      readonly delayS: number;
      readonly trip: Trip;
    }
  | {
      readonly do: "attack";
      readonly how: Attack;
      readonly who: number;
      readonly salt: number;
      readonly trip: Trip;
    }
  /** A request sent before, byte for byte. */
  | { readonly do: "replay"; readonly which: number; readonly trip: Trip }
  | { readonly do: "flood"; readonly which: number; readonly copies: number }
  /** Somebody asks for an answer given before, by its entry. */
  | { readonly do: "ask"; readonly which: number }
  | { readonly do: "read"; readonly who: number }
  | { readonly do: "listen"; readonly isThere: boolean }
  | { readonly do: "vanish"; readonly who: number; readonly forgets: boolean }
  | { readonly do: "return"; readonly who: number }
  /** The household that the shipping agent runs: it wakes and does what is to do, with a trip for each request. */
  | { readonly do: "agent wakes"; readonly trips: readonly Trip[] }
  | { readonly do: "agent restarts"; readonly forgets: boolean }
  | { readonly do: "crash" }
  | { readonly do: "crash in turn"; readonly point: "turn" | "durable"; readonly after: number }
  | { readonly do: "crash in write"; readonly table: StoredTable | null; readonly after: number }
  | { readonly do: "evict" }
  | {
      readonly do: "disk fails";
      readonly table: StoredTable | null;
      readonly after: number;
      readonly times: number;
    }
  | { readonly do: "rules fail"; readonly when: "before" | "after"; readonly after: number }
  | { readonly do: "disk"; readonly ms: number }
  | { readonly do: "bucket"; readonly mood: BucketMood }
  | { readonly do: "snapshot" }
  | { readonly do: "clock"; readonly skewMs: number }
  | { readonly do: "drift"; readonly who: number; readonly seconds: number }
  | { readonly do: "alarms"; readonly lateMs: number; readonly earlyMs: number; readonly isTwice: boolean };

export type StepKind = Step["do"];

/** A step in words, for whoever reads what is left of a failing run. */
export function describeStep(step: Step): string {
  const { do: kind, ...rest } = step;
  const {
    trip,
    trips = [],
    ...facts
  } = rest as { trip?: Trip; trips?: readonly Trip[] } & Record<string, unknown>;
  const subject = "who" in facts ? `home ${String(facts.who)}: ` : "";
  const details = Object.entries(facts)
    .filter(([name, value]) => name !== "who" && value !== null)
    .map(
      ([name, value]) => `${NAMES[name] ?? name} ${Array.isArray(value) ? value.join("/") : String(value)}`,
    );
  return `${subject}${kind}${details.length === 0 ? "" : ` (${details.join(", ")})`}${[...(trip === undefined ? [] : [trip]), ...trips].map(describeTrip).join("")}`;
}

const NAMES: Readonly<Record<string, string>> = {
  ms: "ms",
  offsetMs: "plus ms",
  isThere: "there:",
  isEmergency: "at once:",
  provesMs: "ms to prove",
  removes: "removes the meter of home",
  isTwice: "twice:",
  lateMs: "ms late",
  earlyMs: "ms early",
  skewMs: "ms ahead",
};

/** `out 5 and 300 ms, back 20 ms, 2 retries, hop 40 ms`. */
function describeTrip({ outMs, backMs, retries, hopMs }: Trip): string {
  const again = `${retries === 0 ? "" : `, ${retries} retries`}${hopMs === SMOOTH.hopMs ? "" : `, hop ${hopMs} ms`}`;
  if (outMs.length === 0) return `; dropped${again}`;
  return `; out ${outMs.join(" and ")} ms, ${backMs === null ? "answer lost" : `back ${backMs} ms`}${again}`;
}
