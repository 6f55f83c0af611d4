// Owns the controls, the words and the picture of the day. It refuses to read anything itself; what somebody chooses is
// handed to main.ts.

import { slotAt, slotStartS } from "../../protocol/units.ts";
import type { DayChart } from "../charts/day-chart.ts";
import { energyText, powerText, priceText, shortAccount } from "../figures/amounts.ts";
import { type DayRow, totalsOf } from "../figures/day.ts";
import { MOST_HOMES } from "../home.ts";
import type { PageState } from "../page-state.ts";
import { byId, make, setText } from "./element.ts";

/** Households that can be chosen by name. */
export function showHouseholds({ households, who }: PageState): void {
  const select = byId<HTMLSelectElement>("who");
  const options = households.map(({ name, account, kind }) =>
    make("option", { value: account }, `${name} (${kind.replaceAll("-", " ")})`),
  );
  select.replaceChildren(make("option", { value: "" }, "Whole neighbourhood"), ...options);
  const isKnown = who === null || households.some(({ account }) => account === who);
  if (!isKnown && who !== null) select.append(make("option", { value: who }, shortAccount(who)));
  select.value = who ?? "";
}

/** The picture, its controls and its words. */
export function showDay(state: PageState, selected: number | null, chart: DayChart): void {
  const { day, rows, calendar, profile, who } = state;
  if (day === null) return;
  const date = calendar.shortDate(slotStartS(day.first));
  setText("day-title", who === null ? "The neighbourhood’s day" : `The day of ${shortName(state)}`);
  setText("day-date", date);
  byId("day-settled").setAttribute("aria-pressed", String(state.choice.kind === "settled"));
  byId("day-today").setAttribute("aria-pressed", String(state.choice.kind === "today"));
  const first = state.market?.firstSlot ?? 0;
  byId<HTMLButtonElement>("day-before").disabled = day.first <= first;
  byId<HTMLButtonElement>("day-after").disabled = day.until > slotAt(state.nowS());
  const totals = totalsOf(rows);
  byId("legend-open").hidden = totals.openSlots === 0;
  chart.show(
    {
      day,
      rows,
      calendar,
      currency: profile.currency,
      retailMicros: profile.tariffs[0]?.retailMicrosPerKwh ?? 0,
    },
    selected,
  );
  byId("day-chart").setAttribute(
    "aria-label",
    `${byId("day-title").textContent}, ${date}. ${summaryOf(totals)}`,
  );
  const range = byId<HTMLInputElement>("slot");
  range.min = String(day.first);
  range.max = String(day.until - 1);
  if (selected !== null) range.value = String(selected);
  setText("day-hint", hintOf(state, totals));
  showReadout(state, selected);
}

/** One quarter-hour in words: the one under the pointer, or the selected one. */
export function showReadout(state: PageState, slot: number | null): void {
  const { calendar, profile, rows } = state;
  const row = rows.find((candidate) => candidate.slot === slot);
  const words =
    row === undefined
      ? "Choose a quarter-hour in the picture, or with the slider, to see what it came to."
      : wordsOf(row, state);
  const when = row === undefined ? "" : calendar.span(row.slot);
  const price =
    row?.priceMicros == null ? "" : ` At ${priceText(row.priceMicros, profile.currency)} per kWh.`;
  byId("readout").replaceChildren(make("b", {}, when), `${when === "" ? "" : "  "}${words}${price}`);
  byId("slot").setAttribute("aria-valuetext", `${when} ${words}${price}`);
}

function wordsOf(row: DayRow, { market }: PageState): string {
  if (row.state === "none") {
    return market !== null && row.slot >= market.nextSlot ? "Not settled yet." : "Nothing was metered here.";
  }
  const own = row.ownWh === null ? [] : [`own use ${energyText(row.ownWh)}`];
  if (row.state === "open") {
    const parts = [
      ...own,
      `taken in ${energyText(row.openImportWh)}`,
      `given away ${energyText(row.openExportWh)}`,
    ];
    return `Metered, not settled yet: ${parts.join(", ")}.`;
  }
  const parts = [
    ...own,
    `from neighbours ${energyText(row.boughtWh)}`,
    `from the grid ${energyText(row.fromGridWh)}`,
    `to neighbours ${energyText(row.soldWh)}`,
    `to the grid ${energyText(row.toGridWh)}`,
  ];
  const sentence = parts.join(", ");
  return `${sentence[0]?.toUpperCase()}${sentence.slice(1)}.`;
}

function summaryOf(totals: ReturnType<typeof totalsOf>): string {
  const {
    ownWh,
    boughtWh,
    fromGridWh,
    soldWh,
    toGridWh,
    openImportWh,
    openExportWh,
    settledSlots,
    openSlots,
  } = totals;
  const own = ownWh === null ? "" : `own use ${energyText(ownWh)}, `;
  const settled = `from neighbours ${energyText(boughtWh)}, from the grid ${energyText(fromGridWh)}, to neighbours ${energyText(soldWh)}, to the grid ${energyText(toGridWh)}`;
  const open = `taken in ${energyText(openImportWh)}, given away ${energyText(openExportWh)}`;
  if (settledSlots + openSlots === 0) return "Nothing is settled yet.";
  if (openSlots === 0) return `In all ${own}${settled}.`;
  if (settledSlots === 0) return `So far ${own}${open}; none of it is settled yet.`;
  return `So far ${own}${settled}; and not settled yet: ${open}.`;
}

function hintOf(state: PageState, totals: ReturnType<typeof totalsOf>): string {
  const { rows, home, homeFault, who, households, market } = state;
  const parts: string[] = [];
  const isEmpty = totals.settledSlots + totals.openSlots === 0;
  if (!isEmpty) parts.push(summaryOf(totals));
  else if (market === null || market.lastCleared === null)
    parts.push("Nothing has cleared yet; the picture fills when the first window does.");
  else
    parts.push(
      who === null
        ? "Nothing of this day is settled yet."
        : "This household has no settled readings on this day.",
    );
  if (homeFault !== null) parts.push(homeFault);
  else if (home === null) {
    parts.push(
      "Own use is left out: what a household uses of its own sun is known only to its own agent and never leaves the home. Open this page from that agent to see it.",
    );
  } else if (who !== null && !households.some(({ account }) => account === who))
    parts.push("Own use is left out: this household does not live at the home this page was opened from.");
  else if (who === null && households.length > MOST_HOMES)
    parts.push("Own use is left out: there are too many homes to add up here.");
  else if (who === null && households.length > 0 && market !== null && households.length < market.meters) {
    parts.push(
      `Own use is that of ${households.length} of ${market.meters} homes; the others keep theirs to themselves.`,
    );
  }
  const passed = slotAt(state.nowS()) - 1;
  const live = rows.find(({ slot, state: known }) => slot === passed && known === "open");
  if (live !== undefined) {
    parts.push(
      `Just now: ${powerText((live.ownWh ?? 0) + live.openImportWh)} used, ${powerText((live.ownWh ?? 0) + live.openExportWh)} generated.`,
    );
  }
  return parts.join(" ");
}

function shortName(state: PageState): string {
  const { who } = state;
  if (who === null) return "the neighbourhood";
  const name = state.name(who);
  return name === who ? shortAccount(who) : name;
}
