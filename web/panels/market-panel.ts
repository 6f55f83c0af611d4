// Owns the region's head, the market's figures, the countdown and the curve. It refuses to read anything itself.

import type { ClearedSlot, Curve } from "../../clients/sdk/client.ts";
import { slotStartS } from "../../protocol/units.ts";
import { paths } from "../api.ts";
import type { CurveChart, CurvePicture } from "../charts/curve-chart.ts";
import { basisPointsText, countText, energyText, priceText, shareText } from "../figures/amounts.ts";
import { durationText } from "../figures/calendar.ts";
import { figuresOf, type MarketFigures } from "../figures/day.ts";
import { type Side, stairsOf } from "../figures/stairs.ts";
import type { PageState } from "../page-state.ts";
import { byId, make, setText } from "./element.ts";

/** What never changes while the page is open: who and where the region is, and the ways to check it. */
export function showRegion({ profile, calendar, clock }: PageState): void {
  document.title = `${profile.name} · Polder`;
  setText("region-name", profile.name);
  setText("region-place", profile.place);
  byId("simulation").hidden = !profile.isSimulation;
  setText("speed", clock.rate === 1 ? "real time" : `${clock.rate.toLocaleString("en")} times real time`);
  byId("date").title = `Local time of ${calendar.timeZone}`;
  byId<HTMLAnchorElement>("prove-link").href = `/prove?region=${profile.region}`;
  const links: [string, string][] = [
    ["Where the journal stands", paths.head(profile.region)],
    ["The whole journal", paths.journal(profile.region)],
    ["The region’s own checks", paths.health(profile.region)],
  ];
  byId("links").replaceChildren(...links.map(([text, href]) => make("li", {}, make("a", { href }, text))));
}

/** The clock and the countdown: several times a second. */
export function showTime(state: PageState): void {
  const nowS = state.nowS();
  const { calendar, market } = state;
  setText("clock", calendar.clock(nowS));
  setText("date", calendar.date(nowS));
  if (market === null) return;
  const { nextDueS, windowSlots, windowFirstSlot } = market;
  const leftS = nextDueS - nowS;
  setText("countdown", leftS > 0 ? `in ${durationText(leftS)}` : "clearing");
  const beganS = slotStartS(windowFirstSlot);
  byId<HTMLProgressElement>("progress").value = Math.min(
    1,
    Math.max(0, (nowS - beganS) / (nextDueS - beganS)),
  );
  setText("clearing-hint", clearingWords(state, windowFirstSlot, windowSlots, nextDueS));
}

function clearingWords({ calendar }: PageState, firstSlot: number, slots: number, dueS: number): string {
  const beganS = slotStartS(firstSlot);
  const window =
    slots === 96
      ? `the day from ${calendar.shortDate(beganS)} ${calendar.time(beganS)}`
      : calendar.span(firstSlot, slots);
  return `at ${calendar.time(dueS)}, for ${window}`;
}

/** The figures of the last quarter-hour and of the day shown. */
export function showMarket(state: PageState): void {
  const { market, calendar, profile, slots, day } = state;
  const last = market?.lastCleared ?? null;
  showFigures("last", last === null ? null : figuresOf([last]), profile.currency);
  showFigures("shown", slots.length === 0 ? null : figuresOf(slots), profile.currency);
  setText(
    "last-when",
    last === null ? "none yet" : `${calendar.shortDate(slotStartS(last.slot))} ${calendar.span(last.slot)}`,
  );
  setText("shown-when", day === null ? "\u00a0" : calendar.shortDate(slotStartS(day.first)));
  setText("market-hint", marketWords(state, last));
  if (market === null) return;
  const { parameters, meters, provedAccounts, liveOrders } = market;
  setText("proved", `${provedAccounts} of ${meters}`);
  setText("orders", String(liveOrders));
  setText("network-fee", `${priceText(parameters.networkFeeMicrosPerKwh, profile.currency)} per kWh`);
  setText("take-rate", `${basisPointsText(parameters.takeRateBps)} of a sale`);
}

function showFigures(column: "last" | "shown", figures: MarketFigures | null, currency: string): void {
  const cell = (row: string, text: string | null): void => setText(`${column}-${row}`, text ?? "–");
  cell(
    "price",
    figures?.priceMicros == null
      ? null
      : priceText(column === "last" ? figures.priceMicros : rounded(figures.priceMicros), currency),
  );
  cell("traded", figures === null ? null : energyText(figures.tradedWh));
  cell("surplus", figures === null ? null : energyText(figures.surplusWh));
  cell("need", figures === null ? null : energyText(figures.needWh));
  cell("share", figures === null ? null : shareText(figures.tradedWh, figures.matchableWh));
}

/** A mean has no exact price: to a tenth of a hundredth, downwards. */
function rounded(micros: number): number {
  return Math.floor(micros / 1000) * 1000;
}

function marketWords({ market, slots }: PageState, last: ClearedSlot | null): string {
  if (market === null) return "\u00a0";
  if (last === null) return "Nothing has cleared yet: the first window is still being metered.";
  if (last.tradedWh > 0)
    return `${countText(last.traders, "household")} traded in the last quarter-hour. The day’s price is the mean by energy.`;
  const why =
    last.surplusWh === 0 ? "nobody had a surplus" : last.needWh === 0 ? "nobody needed any" : "no offers met";
  return `In the last quarter-hour ${why}, so nothing traded.${slots.length === 0 ? "" : " The day’s price is the mean by energy."}`;
}

/** The curve of the selected quarter-hour. */
export function showCurve(
  { slots, calendar, profile, market, chosenSlot }: PageState,
  selected: number | null,
  chart: CurveChart,
): void {
  const slot = slots.find((candidate) => candidate.slot === selected);
  if (slot === undefined) {
    const isOpen = market !== null && selected !== null && selected >= market.nextSlot;
    setText("curve-when", selected === null ? "\u00a0" : calendar.span(selected));
    setText("curve-words", "\u00a0");
    chart.showEmpty(
      isOpen ? "This quarter-hour has not cleared yet." : "No quarter-hour of this day has cleared.",
    );
    return;
  }
  const when = `${calendar.shortDate(slotStartS(slot.slot))} ${calendar.span(slot.slot)}`;
  setText("curve-when", chosenSlot === slot.slot ? when : `${when}, the busiest of the day`);
  if (slot.curve.bids.priceMicros.length + slot.curve.asks.priceMicros.length === 0) {
    chart.showEmpty("Nobody offered or asked for anything that the meters proved.");
  } else chart.show(pictureOf(slot, profile.currency));
  const words = curveWords(slot, profile.currency);
  setText("curve-words", words);
  byId("curve").setAttribute("aria-label", `Supply and demand, ${when}. ${words}`);
}

function pictureOf({ curve, priceMicrosPerKwh, tradedWh }: ClearedSlot, currency: string): CurvePicture {
  const sideOf = ({ priceMicros, cumulativeWh }: Curve["bids"]): Side => ({
    priceMicros,
    reach: cumulativeWh,
  });
  return {
    stairs: stairsOf(sideOf(curve.bids), sideOf(curve.asks)),
    met: priceMicrosPerKwh === null ? null : { priceMicros: priceMicrosPerKwh, reach: tradedWh },
    reachText: energyText,
    priceText: (micros) => priceText(micros, currency),
  };
}

function curveWords(slot: ClearedSlot, currency: string): string {
  const { offeredWh, askedWh, priceMicrosPerKwh, tradedWh } = slot;
  const offers = `Demand ${energyText(askedWh)} (blue), supply ${energyText(offeredWh)} (green)`;
  if (priceMicrosPerKwh === null) return `${offers}; they do not meet, so there is no price.`;
  return `${offers}; ${energyText(tradedWh)} met at ${priceText(priceMicrosPerKwh, currency)} per kWh, without the network fee.`;
}
