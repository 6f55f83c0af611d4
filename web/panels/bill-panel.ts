// Owns one household's bill as a statement and a table. It refuses to hide anything: every amount is exact, every line
// links to the evidence it was paid on.

import type { BillLine } from "../../clients/sdk/client.ts";
import { slotStartS } from "../../protocol/units.ts";
import { paths } from "../api.ts";
import { countText, energyText, moneyText, priceText, tokensText } from "../figures/amounts.ts";
import { type Statement, statementOf } from "../figures/statement.ts";
import type { PageState } from "../page-state.ts";
import { byId, make, moneyNode, setText } from "./element.ts";

/** The bill of the household shown; `select` marks a line's quarter-hour everywhere. */
export function showBill(state: PageState, selected: number | null, select: (slot: number) => void): void {
  const { who, day, lines, account, calendar, profile } = state;
  const csv = byId<HTMLAnchorElement>("csv");
  const isShown = who !== null && day !== null && lines !== null && lines.length > 0;
  csv.hidden = !isShown;
  setText("bill-title", who === null ? "One household’s bill" : `Bill of ${state.name(who)}`);
  setText("bill-hint", hintOf(state));
  if (!isShown) {
    byId("bill").replaceChildren();
    return;
  }
  csv.href = paths.csv(profile.region, who, day);
  csv.title = `The lines of ${calendar.shortDate(slotStartS(day.first))} as a table`;
  const statement = statementOf(lines);
  const balance = account === null ? [] : [balanceNode(state, account.freeMicros, account.rewards)];
  const box = byId("bill").querySelector(".lines");
  const [scrolled, focused] = [box?.scrollTop ?? 0, document.activeElement === box];
  byId("bill").replaceChildren(
    statementTable(statement, state),
    ...balance,
    linesTable(lines, state, selected, select),
  );
  const table = byId("bill").querySelector<HTMLElement>(".lines");
  if (table === null) return;
  table.scrollTop = scrolled;
  if (focused) table.focus();
}

/** Marks the selected line without drawing the bill again. */
export function markLine(selected: number | null): void {
  for (const row of byId("bill").querySelectorAll<HTMLElement>("tr[data-slot]")) {
    row.classList.toggle("selected", row.dataset.slot === String(selected));
  }
}

function hintOf({ who, day, lines, account, calendar, market }: PageState): string {
  if (market === null || day === null) return "There is no bill before the market is open.";
  if (who === null)
    return "Choose a household above, or type its account address, to see what its day came to.";
  if (account === null) return "This region does not know that account: it has no meter and no balance here.";
  const date = calendar.shortDate(slotStartS(day.first));
  if (lines === null || lines.length === 0) {
    const isAhead = day.until > market.nextSlot;
    return `Nothing of ${date} is settled for this household${isAhead ? " yet; a window is settled as a whole, after the meters have spoken" : ""}.`;
  }
  const isWhole = lines.length === day.until - day.first;
  return `${date}, ${isWhole ? "all quarter-hours" : `${lines.length} of ${day.until - day.first} quarter-hours settled so far`}. What comes in is positive, what goes out negative; the small digits are below a cent.`;
}

function statementTable(statement: Statement, { profile }: PageState): HTMLElement {
  const { currency, tariffs } = profile;
  const [tariff] = tariffs;
  const terms =
    tariff === undefined
      ? ""
      : `${tariff.name}: ${priceText(tariff.retailMicrosPerKwh, currency)} to take, ${priceText(tariff.feedInMicrosPerKwh, currency)} to give, per kWh`;
  const { exportWh, importWh, soldWh, boughtWh, gainMicros } = statement;
  const row = (name: string, note: string, wh: string, value: Node | string, kind = ""): HTMLElement =>
    make(
      "tr",
      { class: kind },
      make("th", { scope: "row" }, name, make("small", {}, note)),
      make("td", {}, wh),
      make("td", {}, value),
    );
  const money = (micros: number): HTMLElement => moneyNode(micros, currency, true);
  const gain = make("span", { class: gainMicros < 0 ? "down" : "up" }, money(gainMicros));
  return make(
    "table",
    { class: "statement" },
    make("caption", { class: "hidden" }, "What the day came to"),
    make(
      "tbody",
      {},
      row(
        "Sold to neighbours",
        `after a fee of ${moneyText(statement.feeMicros, currency)}`,
        energyText(soldWh),
        money(statement.saleMicros),
      ),
      row(
        "Bought from neighbours",
        `with a network fee of ${moneyText(statement.networkMicros, currency)}`,
        energyText(boughtWh),
        money(statement.purchaseMicros),
      ),
      row(
        "Rest with the supplier",
        terms,
        `${energyText(importWh - boughtWh)} taken, ${energyText(exportWh - soldWh)} given`,
        money(statement.restMicros),
      ),
      row(
        "With this market",
        `metered: ${energyText(importWh)} taken, ${energyText(exportWh)} given`,
        "",
        money(statement.totalMicros),
        "sum",
      ),
      row(
        "The tariff alone",
        "the same meter readings without neighbours",
        "",
        money(statement.tariffMicros),
      ),
      row("Gain", gainWords(statement), "", gain, "gain"),
      ...(statement.reward === null
        ? []
        : [row("Reward", "for epochs that have closed", "", `${tokensText(statement.reward)} tokens`)]),
    ),
  );
}

function gainWords({ cutSlots }: Statement): string {
  if (cutSlots === 0) return "against the tariff alone";
  return `against the tariff alone; in ${countText(cutSlots, "quarter-hour")} cut to what the balance could bear`;
}

function balanceNode({ profile }: PageState, freeMicros: number, rewards: string): HTMLElement {
  const text = `Balance now: ${moneyText(freeMicros, profile.currency)}${profile.isSimulation ? " of test money" : ""}`;
  return make(
    "p",
    { class: "hint" },
    rewards === "0" ? `${text}.` : `${text}, rewards so far: ${tokensText(BigInt(rewards))} tokens.`,
  );
}

const COLUMNS = [
  "Metered",
  "Traded",
  "Price",
  "Paid or received",
  "Fees in it",
  "Rest",
  "Tariff alone",
  "Gain",
  "Evidence",
];

function linesTable(
  lines: readonly BillLine[],
  state: PageState,
  selected: number | null,
  select: (slot: number) => void,
): HTMLElement {
  const hasOwn = lines.some(({ slot }) => state.behind.has(slot));
  const columns = hasOwn ? ["Own use", ...COLUMNS] : COLUMNS;
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, "Quarter-hour"),
    ...columns.map((name) => make("th", { scope: "col" }, name)),
  );
  const body = make("tbody", {}, ...lines.map((line) => lineRow(line, state, hasOwn)));
  for (const row of body.rows) {
    row.classList.toggle("selected", row.dataset.slot === String(selected));
    row.addEventListener("click", () => select(Number(row.dataset.slot)));
  }
  const caption = make(
    "caption",
    {},
    "Per quarter-hour. A plus is given away, sold or received; a minus is taken, bought or paid.",
  );
  const attributes = {
    class: "lines",
    role: "region",
    tabindex: "0",
    "aria-label": "The bill per quarter-hour",
  };
  return make("div", attributes, make("table", {}, caption, make("thead", {}, head), body));
}

function lineRow(
  line: BillLine,
  { calendar, profile, behind }: PageState,
  hasOwn: boolean,
): HTMLTableRowElement {
  const { currency, region } = profile;
  const { slot, tradedWh, meteredWh, priceMicrosPerKwh, wasCut, feeMicros, networkMicros, gainMicros } = line;
  const own = behind.get(slot);
  const cut = make("span", { class: "cut", title: "Cut to what the balance could bear" }, "cut");
  const cells: (Node | string)[] = [
    ...(hasOwn ? [own === undefined ? "–" : energyText(own.ownWh)] : []),
    signedEnergy(meteredWh),
    tradedWh === 0 ? "–" : signedEnergy(tradedWh),
    priceMicrosPerKwh === null ? "–" : priceText(priceMicrosPerKwh, currency),
    tradedWh === 0 ? "–" : moneyNode(line.amountMicros, currency, true),
    feeMicros + networkMicros === 0 ? "–" : moneyNode(feeMicros + networkMicros, currency),
    moneyNode(line.restMicros, currency, true),
    moneyNode(line.tariffMicros, currency, true),
    moneyNode(gainMicros, currency, true),
    make(
      "a",
      { href: paths.receipt(region, line.evidence), title: "The signed readings behind this line" },
      `entry ${line.evidence}`,
    ),
  ];
  const row = make(
    "tr",
    { "data-slot": String(slot) },
    make("th", { scope: "row" }, calendar.span(slot)),
    ...cells.map((cell) => make("td", {}, cell)),
  );
  if (wasCut) row.cells[hasOwn ? 3 : 2]?.append(" ", cut);
  return row;
}

function signedEnergy(wh: number): string {
  return wh > 0 ? `+${energyText(wh)}` : energyText(wh);
}
