// Owns one household's bill as a statement and a table. It refuses to hide anything: every amount is exact, every line
// links to the evidence it was paid on.

import type { BillLine } from "../../clients/sdk/client.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import { paths } from "../api.ts";
import { countText, energyText, moneyText, priceText, tokensText } from "../figures/amounts.ts";
import { type Statement, statementOf } from "../figures/statement.ts";
import type { PageState } from "../page-state.ts";
import { byId, make, moneyNode, setText } from "./element.ts";

/** What the bill panel hands back. */
export interface BillHandlers {
  /** A line's quarter-hour is marked everywhere. */
  readonly select: (slot: number) => void;
  readonly choose: (account: Hex) => void;
}

/** The bill of the household chosen, or of the home's first one. */
export function showBill(state: PageState, selected: number | null, handlers: BillHandlers): void {
  const { day, lines, account, calendar, profile } = state;
  const who = state.billed();
  const isShown = who !== null && day !== null && lines !== null && lines.length > 0;
  setText("bill-title", who === null ? "One household\u2019s bill" : `Bill of ${state.name(who)}`);
  setText("bill-hint", hintOf(state));
  byId("lines-card").hidden = !isShown;
  showChoice(state, handlers.choose);
  if (!isShown) {
    byId("bill").replaceChildren();
    return;
  }
  const csv = byId<HTMLAnchorElement>("csv");
  csv.href = paths.csv(profile.region, who, day);
  csv.title = `The lines of ${calendar.shortDate(slotStartS(day.first))} as a table`;
  const balance = account === null ? [] : [balanceNode(state, account.freeMicros, account.rewards)];
  byId("bill").replaceChildren(statementTable(statementOf(lines), state), ...balance);
  showLines(linesTable(lines, state, selected, handlers.select), `${who}/${day.first}`, selected);
}

/** The home's households as a row of buttons. */
function showChoice({ households, who }: PageState, choose: (account: Hex) => void): void {
  const box = byId("bill-households");
  box.hidden = households.length < 2;
  const keys = households.map(({ account }) => account).join();
  if (box.dataset.households !== keys) {
    box.dataset.households = keys;
    const buttons = households.map(({ name, account }) => {
      const button = make("button", { type: "button", "data-account": account }, name);
      button.addEventListener("click", () => choose(account));
      return button;
    });
    box.replaceChildren(...buttons);
  }
  for (const button of box.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.account === who));
  }
}

/** Replaces the table and leaves it scrolled and focused as it was; another bill begins at the selected line. */
function showLines(table: HTMLElement, bill: string, selected: number | null): void {
  const box = byId("lines");
  const before = box.firstElementChild;
  const [scrolled, isFocused] = [
    before?.scrollTop ?? 0,
    before !== null && document.activeElement === before,
  ];
  box.replaceChildren(table);
  if (box.dataset.bill === bill) table.scrollTop = scrolled;
  else markLine(selected);
  box.dataset.bill = bill;
  if (isFocused) table.focus();
}

/** Marks the selected line without drawing the bill again, and scrolls the table, not the page, to it. */
export function markLine(selected: number | null): void {
  const table = byId("lines").firstElementChild;
  if (table === null) return;
  for (const row of table.querySelectorAll<HTMLElement>("tr[data-slot]")) {
    const isSelected = row.dataset.slot === String(selected);
    row.classList.toggle("selected", isSelected);
    const top = row.offsetTop - table.scrollTop;
    const isSeen = top > 2 * row.offsetHeight && top < table.clientHeight - row.offsetHeight;
    if (isSelected && !isSeen) table.scrollTop = row.offsetTop - table.clientHeight / 2;
  }
}

function hintOf(state: PageState): string {
  const { day, lines, account, calendar, market } = state;
  if (market === null || day === null) return "There is no bill before the market is open.";
  if (state.billed() === null) {
    return "Type a household\u2019s account address above to see what its day came to. From its own agent, this page knows it by name.";
  }
  if (account === null) return "This region does not know that account: it has no meter and no balance here.";
  const date = calendar.shortDate(slotStartS(day.first));
  if (lines === null || lines.length === 0) {
    const isAhead = day.until > market.nextSlot;
    return `Nothing of ${date} is settled for this household${isAhead ? " yet; a window is settled as a whole, after the meters have spoken" : ""}.`;
  }
  const isWhole = lines.length === day.until - day.first;
  return `${date}, ${isWhole ? "all quarter-hours" : `${lines.length} of ${day.until - day.first} quarter-hours settled`}. What comes in is positive, what goes out negative; the small digits are below a hundredth.`;
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
  const hasOwn = state.who !== null && lines.some(({ slot }) => state.behind.has(slot));
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
      { href: paths.receipt(region, line.evidence), title: "The proof behind this line" },
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
