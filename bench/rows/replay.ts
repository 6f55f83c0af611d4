// Owns the rows of `replay`: recovering a journal's state and deciding it all again, in entries a second, against
// parsing the same lines. It refuses a replay whose state or entries differ from the first time.

import { createHash } from "node:crypto";
import type { Submission } from "../../evidence/signed-command.ts";
import {
  applyEntry,
  chainHash,
  decodeLine,
  type Entry,
  encodeLine,
  execute,
  executeDue,
  GENESIS_HASH,
  type Sha256,
  stateHash,
} from "../../market/journal.ts";
import { createState } from "../../market/state.ts";
import { median } from "../median.ts";
import {
  homeSubmissions,
  MIDNIGHT_S,
  openingSubmissions,
  orderSubmission,
  readingsSubmission,
} from "../neighbourhood.ts";
import { compared, type Measurement } from "../row.ts";

const HOMES = 400;
const ORDERS_PER_HOME = 12;
const ROUNDS = 7;
const OPENS_S = MIDNIGHT_S - 12 * 3_600;
const DAY_OVER_S = MIDNIGHT_S + 86_400 + 60;

const sha256: Sha256 = (...pieces) => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
};

interface Judged {
  readonly submission: Submission;
  readonly atS: number;
}

/** A day of a neighbourhood: what was submitted when, in order. */
function dayOf(homes: number): Judged[] {
  const numbers = Array.from({ length: homes }, (_, home) => home);
  const before = [
    ...openingSubmissions(OPENS_S),
    ...numbers.flatMap((home) => homeSubmissions(home, OPENS_S, 4)),
  ];
  const orders = numbers.flatMap((home) =>
    Array.from({ length: ORDERS_PER_HOME }, (_, salt) => orderSubmission(home, OPENS_S, salt)),
  );
  const readings = numbers.map((home) => readingsSubmission(home, DAY_OVER_S));
  return [
    ...[...before, ...orders].map((submission) => ({ submission, atS: OPENS_S })),
    ...readings.map((submission) => ({ submission, atS: DAY_OVER_S })),
  ];
}

/** Decides a day and clears it; with lines to compare against, refuses the first that differs. */
function decideDay(
  day: readonly Judged[],
  expected: readonly string[] | null,
): { lines: string[]; hash: string } {
  const state = createState();
  const lines: string[] = [];
  let hash = GENESIS_HASH;
  const keep = (entry: Entry): void => {
    const body = JSON.stringify(entry);
    hash = chainHash(sha256, hash, body);
    const line = encodeLine(hash, body);
    if (expected !== null && expected[lines.length] !== line)
      throw new Error(`entry ${entry.number} differs`);
    lines.push(line);
  };
  for (const { submission, atS } of day) {
    const { auth, rawEvidence, ...request } = submission;
    const result = execute(state, request, auth, rawEvidence, atS);
    if ("rejection" in result) throw new Error(`refused: ${JSON.stringify(result.rejection)}`);
    keep(result.entry);
  }
  for (;;) {
    const entry = executeDue(state, DAY_OVER_S + 3_600, sha256);
    if (entry === null) return { lines, hash: stateHash(state, sha256) };
    keep(entry);
  }
}

/** What a region does when it comes back: check the chain and apply. */
function recoverDay(lines: readonly string[]): string {
  const state = createState();
  let hash = GENESIS_HASH;
  for (const line of lines) {
    const decoded = decodeLine(line);
    if (decoded === null || chainHash(sha256, hash, decoded.body) !== decoded.hash)
      throw new Error("broken chain");
    applyEntry(state, JSON.parse(decoded.body) as Entry);
    hash = decoded.hash;
  }
  return stateHash(state, sha256);
}

/** Measures the rows. */
export const measure: Measurement = async (say) => {
  const day = dayOf(HOMES);
  const { lines, hash } = decideDay(day, null);
  const rates = { recover: [] as number[], decide: [] as number[], parse: [] as number[] };
  const rateOf = (work: () => unknown): number => {
    const started = performance.now();
    work();
    return (lines.length * 1_000) / (performance.now() - started);
  };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const recovered = rateOf(() => {
      if (recoverDay(lines) !== hash) throw new Error("the recovered state differs");
    });
    const parsed = rateOf(() => lines.map((line) => JSON.parse(line) as unknown));
    const decided = rateOf(() => decideDay(day, lines));
    if (round === 0) continue;
    rates.recover.push(recovered);
    rates.parse.push(parsed);
    rates.decide.push(decided);
  }
  const common = { peer: median(rates.parse), unit: "entries/s", higherIsBetter: true } as const;
  const about = `${lines.length} entries: ${HOMES} homes, ${day.length} commands, a day of 96 slots; against JSON.parse of the same lines; medians of ${ROUNDS} alternating rounds on Node`;
  say(`recovery ${median(rates.recover).toFixed(0)}/s, deciding again ${median(rates.decide).toFixed(0)}/s`);
  return [
    compared({
      name: "replay: recovery",
      ours: median(rates.recover),
      ...common,
      note: `chain checked and events applied; ${about}`,
    }),
    compared({
      name: "replay: deciding again",
      ours: median(rates.decide),
      ...common,
      note: `decided, journaled, hashed and compared, without signatures; ${about}`,
    }),
  ];
};
