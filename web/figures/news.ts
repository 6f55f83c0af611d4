// Owns what happened in words: feed entries as a short list of lines. It refuses to flood: a run of the same kind of
// event is one line that grows.

import type { FeedEntry } from "../../clients/sdk/feed.ts";
import { slotStartS } from "../../protocol/units.ts";
import { countText, energyText, priceText } from "./amounts.ts";
import type { Calendar } from "./calendar.ts";

type FeedEvent = FeedEntry["events"][number];

/** One line of news: a run of events of one kind. */
export interface NewsLine {
  /** Stays the same while the line grows. */
  readonly id: number;
  readonly kind: string;
  /** Number of the last entry in it. */
  readonly entry: number;
  readonly atS: number;
  readonly events: number;
  readonly firstSlot: number | null;
  readonly untilSlot: number | null;
  readonly energyWh: number;
  readonly leastPrice: number | null;
  readonly mostPrice: number | null;
  readonly text: string;
}

/** Lines that are kept. */
export const NEWS_LINES = 12;

/** Kinds whose runs are told as one. */
const RUNS: ReadonlySet<string> = new Set([
  "slot_cleared",
  "readings_accepted",
  "order_placed",
  "order_ended",
  "meter_enrolled",
  "session_authorised",
  "quote_credited",
  "deposit_credited",
  "withdrawn",
]);

/** Events that come with others which say more. */
const SILENT: ReadonlySet<string> = new Set(["account_opened", "chain_event_mirrored"]);

/** Adds an entry's events, newest line first. */
export function addNews(
  lines: readonly NewsLine[],
  { number, atS, events }: FeedEntry,
  calendar: Calendar,
  currency: string,
): readonly NewsLine[] {
  let news = lines;
  for (const event of events) {
    if (SILENT.has(event.type)) continue;
    const [latest, ...older] = news;
    const isRun = latest !== undefined && latest.kind === event.type && RUNS.has(event.type);
    const line = told(
      grown(isRun ? latest : null, event, number, atS, (latest?.id ?? 0) + 1),
      event,
      calendar,
      currency,
    );
    news = [line, ...(isRun ? older : news)].slice(0, NEWS_LINES);
  }
  return news;
}

function grown(run: NewsLine | null, event: FeedEvent, entry: number, atS: number, id: number): NewsLine {
  const slot = numberOf(event.slot) ?? numberOf(event.firstSlot);
  const price = numberOf(event.priceMicrosPerKwh);
  return {
    id: run?.id ?? id,
    kind: event.type,
    entry,
    atS,
    events: (run?.events ?? 0) + 1,
    firstSlot: least(run?.firstSlot ?? null, slot),
    untilSlot: most(run?.untilSlot ?? null, slot === null ? null : slot + 1),
    energyWh: (run?.energyWh ?? 0) + (numberOf(event.tradedWh) ?? numberOf(event.deliveredWh) ?? 0),
    leastPrice: least(run?.leastPrice ?? null, price),
    mostPrice: most(run?.mostPrice ?? null, price),
    text: "",
  };
}

function told(line: NewsLine, event: FeedEvent, calendar: Calendar, currency: string): NewsLine {
  return { ...line, text: wordsOf(line, event, calendar, currency) };
}

function wordsOf(line: NewsLine, event: FeedEvent, calendar: Calendar, currency: string): string {
  const { events } = line;
  switch (line.kind) {
    case "slot_cleared":
      return clearedWords(line, calendar, currency);
    case "window_closed":
      return "The window is settled; every account in it has been paid or charged.";
    case "readings_accepted":
      return `${countText(events, "meter")} proved what ${events === 1 ? "it claims" : "they claim"}.`;
    case "order_placed": {
      if (events > 1) return `${countText(events, "standing order")} placed.`;
      return `A standing order to ${event.side === "buy" ? "buy" : "sell"} was placed.`;
    }
    case "order_ended":
      return events > 1
        ? `${countText(events, "standing order")} ended.`
        : `A standing order was ${String(event.reason).replaceAll("_", " ")}.`;
    case "installers_appointed":
      return "The operator appointed those who may enrol meters.";
    case "meter_enrolled":
      return `${countText(events, "meter")} enrolled.`;
    case "meter_revoked":
      return "A meter was revoked.";
    case "quote_credited":
      return `Test money was credited to ${countText(events, "account")}.`;
    case "deposit_credited":
      return `${countText(events, "deposit")} of the chain credited.`;
    case "withdrawn":
      return `${countText(events, "withdrawal")} asked for; the chain pays when the epoch's report is final.`;
    case "stake_recorded":
      return "A provider's stake on the chain has changed.";
    case "session_authorised":
      return `${countText(events, "key")} authorised by ${events === 1 ? "its household" : "their households"}.`;
    case "session_revoked":
      return "A household revoked a key.";
    case "certificate_committed":
      return "An account said under which commitment it may certify what it traded.";
    case "resource_order_placed":
      return `${countText(events, "order")} for compute came to ${events === 1 ? "its" : "their"} book.`;
    case "resource_traded":
      return "Compute was traded; what the buyer may owe is in escrow until it is delivered.";
    case "resource_order_ended":
      return `${countText(events, "order")} for compute ended.`;
    case "obligation_settled":
      return `${countText(events, "delivery", "deliveries")} of compute settled.`;
    case "result_reported":
      return `${countText(events, "result")} of jobs reported; each is paid unless it is shown to be wrong.`;
    case "audits_committed":
      return "Which results of an epoch's jobs are run again was bound before the first of them.";
    case "audits_revealed":
      return "How an epoch's results were drawn to be run again can be checked now.";
    case "results_awaited":
      return "Sellers of one job differ, or one is left alone; its result may be challenged.";
    case "obligations_lapsed":
      return "Deadlines passed; what was not delivered went back to its buyers.";
    case "parameters_set":
      return "New parameters were set; they apply from the next epoch on.";
    case "epoch_closed":
      return `An epoch closed: ${energyText(line.energyWh)} delivered among neighbours.`;
    case "region_opened":
      return "The region opened.";
    default:
      return line.kind.replaceAll("_", " ");
  }
}

function clearedWords(line: NewsLine, calendar: Calendar, currency: string): string {
  const { firstSlot, untilSlot, energyWh, leastPrice, mostPrice } = line;
  const when =
    firstSlot === null || untilSlot === null ? "" : ` ${whenCleared(firstSlot, untilSlot, calendar)}`;
  if (energyWh === 0 || leastPrice === null || mostPrice === null) return `Cleared${when}: nothing traded.`;
  const low = priceText(leastPrice, currency);
  const price =
    leastPrice === mostPrice ? `${low} per kWh` : `${low} to ${priceText(mostPrice, currency)} per kWh`;
  return `Cleared${when}: ${energyText(energyWh)} traded at ${price}.`;
}

/** From half a day on, a span of times alone would not say which day. */
function whenCleared(firstSlot: number, untilSlot: number, calendar: Calendar): string {
  const slots = untilSlot - firstSlot;
  if (slots < 48) return calendar.span(firstSlot, slots);
  const fromS = slotStartS(firstSlot);
  return `${countText(slots, "quarter-hour")} from ${calendar.shortDate(fromS)} ${calendar.time(fromS)}`;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : null;
}

function least(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right;
  return Math.min(left, right);
}

function most(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right;
  return Math.max(left, right);
}
