// Owns the rules of the ticker: words for every event, and one line for a run of the same.

import { describe, expect, test } from "vitest";
import { eventSchema } from "../../protocol/events.ts";
import { calendarOf } from "../../web/figures/calendar.ts";
import { addNews, NEWS_LINES, type NewsLine } from "../../web/figures/news.ts";

const CALENDAR = calendarOf("UTC");
const tell = (
  lines: readonly NewsLine[],
  ...events: { type: string; [name: string]: unknown }[]
): readonly NewsLine[] =>
  addNews(lines, { number: (lines[0]?.entry ?? 0) + 1, atS: 0, events }, CALENDAR, "EUR");
const cleared = (slot: number, tradedWh: number, priceMicrosPerKwh: number | null) => ({
  type: "slot_cleared",
  slot,
  tradedWh,
  priceMicrosPerKwh,
});

describe("news", () => {
  test("behavior: clearings in a row are one line with their span, sum and prices", () => {
    let lines = tell([], cleared(0, 500, 150_000));
    expect(lines[0]?.text).toBe("Cleared 00:00–00:15: 500\u202fWh traded at €0.15 per kWh.");
    lines = tell(lines, cleared(1, 0, null));
    lines = tell(lines, cleared(2, 700, 170_000));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.text).toBe("Cleared 00:00–00:45: 1.2\u202fkWh traded at €0.15 to €0.17 per kWh.");
    lines = tell(lines, { type: "window_closed", firstSlot: 0 });
    expect(lines.map(({ kind }) => kind)).toEqual(["window_closed", "slot_cleared"]);
    expect(tell(lines, cleared(4, 0, null))[0]?.text).toBe("Cleared 01:00–01:15: nothing traded.");
  });

  test("behavior: a day's clearing names the day it begins on", () => {
    let lines: readonly NewsLine[] = [];
    for (let slot = 96; slot < 192; slot += 1) lines = tell(lines, cleared(slot, 10, 150_000));
    expect(lines[0]?.text).toBe(
      "Cleared 96 quarter-hours from Fri 2 Jan 00:00: 960\u202fWh traded at €0.15 per kWh.",
    );
  });

  test("behavior: accounts open silently, with what opened them", () => {
    expect(
      tell(
        [],
        { type: "account_opened", account: 3 },
        { type: "quote_credited", account: 3, amountMicros: 5 },
      ),
    ).toHaveLength(1);
  });

  test("behavior: a single order says its side, several their number", () => {
    const one = tell([], { type: "order_placed", side: "buy" });
    expect(one[0]?.text).toBe("A standing order to buy was placed.");
    expect(tell(one, { type: "order_placed", side: "sell" })[0]?.text).toBe("2 standing orders placed.");
  });

  test("invariant: every event of the protocol has words of its own", () => {
    const types = eventSchema.options.map(({ shape }) => shape.type.value);
    for (const type of types) {
      if (type === "account_opened" || type === "chain_event_mirrored") continue;
      const [line] = tell([], { type, slot: 0, tradedWh: 0, priceMicrosPerKwh: null });
      expect(line?.text, type).not.toBe(type.replaceAll("_", " "));
      expect(line?.text, type).toMatch(/\.$/);
    }
  });

  test("invariant: the list stays short", () => {
    let lines: readonly NewsLine[] = [];
    for (let index = 0; index < 50; index += 1)
      lines = tell(lines, { type: "window_closed", firstSlot: index });
    expect(lines).toHaveLength(NEWS_LINES);
  });
});
