// Owns compute in words and figures: what an hour of a core costs, what is on offer, what each machine has done, and what became of
// the last jobs. It refuses to say how long a job will take: fuel counts a program's steps, and time is what they come to on a server.

import type { Book } from "../../protocol/answers.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import type { ProviderReputation } from "../../protocol/provider-answers.ts";
import type { ResultVerdict } from "../../protocol/resource-events.ts";
import { moneyText, priceText, shortAccount } from "./amounts.ts";
import { durationText } from "./calendar.ts";
import { type Side, type Stairs, stairsOf } from "./stairs.ts";

/** A megafuel is about a tenth of a millisecond of a server's core. */
const MEGA_PER_CORE_SECOND = 10_000;
const TERA_PER_CORE_HOUR = (3_600 * MEGA_PER_CORE_SECOND) / 1_000_000;
/** Runs and machines that are told of: the rest is in the API. */
export const JOBS_SHOWN = 8;
export const MACHINES_SHOWN = 12;
/** Offers that are told apart, and how many times the best price one may ask to be in the picture: a joke would flatten it. */
const OFFERS_SHOWN = 5;
const CHARTED_TIMES_BEST = 5;

/** What about an hour of a core costs, at a price for 10^12 fuel. */
export function coreHourText(priceMicrosPerTera: number, currency: string): string {
  const micros = priceMicrosPerTera * TERA_PER_CORE_HOUR;
  return micros > Number.MAX_SAFE_INTEGER
    ? `over ${priceText(Number.MAX_SAFE_INTEGER, currency)}`
    : priceText(micros, currency);
}

/** About how long a core is busy with so much fuel. @param mega safe integer */
export function coreTimeText(mega: number): string {
  return mega < MEGA_PER_CORE_SECOND
    ? "less than 1 s of a core"
    : `${durationText(Math.floor(mega / MEGA_PER_CORE_SECOND))} of a core`;
}

/** A stretch of a core's time for an axis: short, and as exact as there is room for. */
export function axisTimeText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const tenths = Math.floor(seconds / (seconds < 3_600 ? 6 : 360));
  return `${tenths / 10} ${seconds < 3_600 ? "min" : "h"}`;
}

/** What is on offer at one price. */
export interface OfferRow {
  readonly price: string;
  readonly hour: string;
  readonly time: string;
  readonly offers: number;
}

/** Offers of a book, the cheapest first. */
export function offerRows({ asks }: Pick<Book, "asks">, currency: string): OfferRow[] {
  return asks.slice(0, OFFERS_SHOWN).map(({ priceMicrosPerTera, restingMega, orders }) => ({
    price: priceText(priceMicrosPerTera, currency),
    hour: coreHourText(priceMicrosPerTera, currency),
    time: coreTimeText(safe(restingMega)),
    offers: orders,
  }));
}

/** A book as staircases over seconds of a core, rounded down; null where nothing is on offer. */
export function bookStairs({ bids, asks }: Pick<Book, "bids" | "asks">): Stairs | null {
  const most = (asks[0]?.priceMicrosPerTera ?? 0) * CHARTED_TIMES_BEST;
  const charted = asks.filter(({ priceMicrosPerTera }) => priceMicrosPerTera <= most);
  return charted.length === 0 ? null : stairsOf(sideOf(bids), sideOf(charted));
}

function sideOf(side: Book["asks"]): Side {
  let mega = 0;
  const reach = side.map(({ restingMega }) => {
    mega = Math.min(mega + safe(restingMega), Number.MAX_SAFE_INTEGER);
    return Math.floor(mega / MEGA_PER_CORE_SECOND);
  });
  return { priceMicros: side.map(({ priceMicrosPerTera }) => priceMicrosPerTera), reach };
}

/** A decimal as a number; what no number holds becomes the most that one does. */
function safe(decimal: string): number {
  return Math.min(Number(decimal), Number.MAX_SAFE_INTEGER);
}

/** The book in one sentence. */
export function bookWords({ asks }: Pick<Book, "asks">, currency: string): string {
  const [best] = asks;
  if (best === undefined)
    return "No machine offers its time just now. Whoever has one to spare can, with polder provider start.";
  const hour = coreHourText(best.priceMicrosPerTera, currency);
  return `The cheapest asks ${hour} for about an hour of a core, and has ${coreTimeText(safe(best.restingMega))} to give. A job pays for what it used, and only for a result.`;
}

/** A machine's record in words, cell by cell. */
export interface MachineRow {
  readonly account: string;
  readonly jobs: string;
  readonly failures: string;
  readonly audits: string;
  readonly speed: string;
  readonly stake: string;
  readonly earned: string;
}

/** The records of machines, in the order they came in. */
export function machineRows(providers: readonly ProviderReputation[], currency: string): MachineRow[] {
  return providers.slice(0, MACHINES_SHOWN).map((one) => ({
    account: shortAccount(one.account),
    jobs: String(one.jobs),
    failures: String(one.failures),
    audits: auditWords(one),
    speed: one.meanSeconds === null ? "nothing yet" : durationText(one.meanSeconds),
    stake:
      one.stake === null || one.stake.stakedMicros === 0
        ? "nothing"
        : `${moneyText(one.stake.stakedMicros, currency)}${one.stake.isUnbonding ? ", leaving" : ""}`,
    earned: moneyText(safe(one.earnedMicros), currency),
  }));
}

function auditWords({ auditsPassed, auditsFailed }: ProviderReputation): string {
  if (auditsPassed + auditsFailed === 0) return "none yet";
  return auditsFailed === 0 ? `${auditsPassed} right` : `${auditsPassed} right, ${auditsFailed} wrong`;
}

/** One run of a job, from its sale on. */
export interface JobLine {
  readonly obligation: number;
  readonly atS: number;
  readonly priceMicrosPerTera: number;
  readonly text: string;
}

const VERDICT_WORDS: Readonly<Record<ResultVerdict, string>> = {
  unchallenged: "nobody showed it wrong",
  agreed: "other machines gave the same",
  audit_passed: "run again, with the same result",
  disagreed: "other machines gave another result",
  undecided: "the machines did not agree",
  audit_failed: "run again, and found wrong",
};

/** What an entry of the journal tells. */
export interface ToldEntry {
  readonly number: number;
  readonly atS: number;
  readonly events: readonly MarketEvent[];
}

/** Events after which book, records or jobs differ. */
export const COMPUTE_EVENTS: ReadonlySet<string> = new Set<MarketEvent["type"]>([
  "resource_order_placed",
  "resource_order_ended",
  "resource_traded",
  "result_reported",
  "obligation_settled",
  "obligations_lapsed",
  "stake_recorded",
]);

/** Adds what an entry tells of jobs, the newest first. The same lines where it tells nothing. */
export function addJobs(
  lines: readonly JobLine[],
  { atS, events }: Pick<ToldEntry, "atS" | "events">,
  currency: string,
): readonly JobLine[] {
  let known = lines;
  for (const event of events) known = told(known, event, atS, currency);
  return known;
}

function told(
  lines: readonly JobLine[],
  event: MarketEvent,
  atS: number,
  currency: string,
): readonly JobLine[] {
  switch (event.type) {
    case "resource_traded":
      return event.product === "compute-job"
        ? [...soldLines(event, atS), ...lines].slice(0, JOBS_SHOWN)
        : lines;
    case "result_reported":
      return changed(lines, [event.obligation], "answered; paid unless somebody shows it wrong");
    case "obligation_settled":
      return changed(lines, [event.obligation], settledWords(event, currency));
    case "obligations_lapsed":
      return changed(lines, event.obligations, "no answer in time; the buyer has its money back");
    default:
      return lines;
  }
}

function soldLines(
  { firstObligation, priceMicrosPerTera }: EventOf<"resource_traded">,
  atS: number,
): JobLine[] {
  return priceMicrosPerTera
    .map((price, place) => ({
      obligation: firstObligation + place,
      atS,
      priceMicrosPerTera: price,
      text: "a machine is at it",
    }))
    .reverse();
}

function settledWords({ paidMicros, verdict }: EventOf<"obligation_settled">, currency: string): string {
  const why = verdict === undefined ? null : VERDICT_WORDS[verdict];
  if (paidMicros === 0) return `not paid: ${why ?? "nothing was delivered"}; the buyer has its money back`;
  return `${moneyText(paidMicros, currency)} paid${why === null ? "" : `: ${why}`}`;
}

function changed(
  lines: readonly JobLine[],
  obligations: readonly number[],
  text: string,
): readonly JobLine[] {
  if (!lines.some(({ obligation }) => obligations.includes(obligation))) return lines;
  return lines.map((line) => (obligations.includes(line.obligation) ? { ...line, text } : line));
}
