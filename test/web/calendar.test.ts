// Owns the rules of local days: their slots, also on the days on which clocks change.

import { describe, expect, test } from "vitest";
import { slotStartS } from "../../protocol/units.ts";
import { calendarOf, durationText, neighbourDay } from "../../web/figures/calendar.ts";

const slotOf = (iso: string): number => Date.parse(iso) / 900_000;

describe("calendar", () => {
  test("behavior: a local day begins at local midnight", () => {
    const amsterdam = calendarOf("Europe/Amsterdam");
    const day = amsterdam.day(slotOf("2026-06-20T12:00:00Z"));
    expect(day).toEqual({ first: slotOf("2026-06-19T22:00:00Z"), until: slotOf("2026-06-20T22:00:00Z") });
    expect(amsterdam.day(day.first)).toEqual(day);
    expect(amsterdam.day(day.until - 1)).toEqual(day);
  });

  test("behavior: a day has 92 or 100 slots when the clocks change", () => {
    const amsterdam = calendarOf("Europe/Amsterdam");
    const length = (iso: string): number => {
      const { first, until } = amsterdam.day(slotOf(iso));
      return until - first;
    };
    expect(length("2026-03-29T12:00:00Z")).toBe(92);
    expect(length("2026-10-25T12:00:00Z")).toBe(100);
    expect(length("2026-10-26T12:00:00Z")).toBe(96);
  });

  test("behavior: zones that are a fraction of an hour off have whole days too", () => {
    const kathmandu = calendarOf("Asia/Kathmandu");
    const day = kathmandu.day(slotOf("2026-06-20T12:00:00Z"));
    expect(day.until - day.first).toBe(96);
    expect(kathmandu.time(slotStartS(day.first))).toBe("00:00");
  });

  test("behavior: neighbouring days meet", () => {
    const sydney = calendarOf("Australia/Sydney");
    const day = sydney.day(slotOf("2026-06-20T12:00:00Z"));
    expect(neighbourDay(sydney, day, 1).first).toBe(day.until);
    expect(neighbourDay(sydney, day, -1).until).toBe(day.first);
  });

  test("behavior: an unknown zone is shown in UTC, and says so", () => {
    const calendar = calendarOf("Nowhere/Atall");
    expect(calendar.timeZone).toBe("UTC");
    expect(calendar.time(slotStartS(slotOf("2026-06-20T12:15:00Z")))).toBe("12:15");
  });

  test("behavior: moments in words", () => {
    const calendar = calendarOf("Europe/Amsterdam");
    const atS = Date.parse("2026-06-19T22:05:09Z") / 1000;
    expect(calendar.clock(atS)).toBe("00:05:09");
    expect(calendar.date(atS)).toBe("Saturday 20 June 2026");
    expect(calendar.shortDate(atS)).toBe("Sat 20 Jun");
    expect(calendar.span(slotOf("2026-06-20T21:45:00Z"))).toBe("23:45–00:00");
    expect([durationText(-3), durationText(59.2), durationText(60), durationText(3_845)]).toEqual([
      "0 s",
      "1 min 00 s",
      "1 min 00 s",
      "1 h 04 min",
    ]);
  });
});
