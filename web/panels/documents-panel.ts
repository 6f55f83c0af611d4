// Owns the list of what was chosen: the meter, the windows, and why a file was not taken. It refuses to show a secret.

import { gatewayIdOf } from "../../evidence/gateway-window.ts";
import { slotStartS } from "../../protocol/units.ts";
import { energyText } from "../figures/amounts.ts";
import type { ProvingState } from "../proving/proving-state.ts";
import { byId, make } from "./element.ts";

/** A file that was not taken. */
export interface Complaint {
  readonly file: string;
  readonly words: string;
}

/** The documents that are held. */
export function showDocuments(state: ProvingState, complaints: readonly Complaint[]): void {
  const list = byId("complaints");
  list.hidden = complaints.length === 0;
  list.replaceChildren(
    ...complaints.map(({ file, words }) => make("li", {}, make("b", {}, file), ` ${words}`)),
  );
  showMeter(state);
  const windows = byId("windows");
  windows.hidden = state.windows.size === 0;
  windows.replaceChildren(
    ...state
      .listed()
      .map((window) =>
        make(
          "li",
          {},
          make("span", {}, spanText(state, window.firstSlot)),
          make("span", { class: "muted" }, state.misfitOf(window) ?? stateWords(state, window.firstSlot)),
        ),
      ),
  );
  byId("forget-line").hidden = state.meter === null && state.windows.size === 0;
}

/** When a window was: Fri 19 Jun 22:00–23:00. */
export function spanText({ calendar, place }: ProvingState, firstSlot: number): string {
  const { windowSlots } = place;
  const [from, until] = [slotStartS(firstSlot), slotStartS(firstSlot + windowSlots)];
  const day = calendar.shortDate(from);
  return calendar.shortDate(until) === day
    ? `${day} ${calendar.span(firstSlot, windowSlots)}`
    : `${day} ${calendar.time(from)} to ${calendar.shortDate(until)} ${calendar.time(until)}`;
}

function stateWords({ results }: ProvingState, firstSlot: number): string {
  const result = results.get(firstSlot);
  if (result === undefined) return "signed, not proved yet";
  return result.entry === null ? "proved" : "proved and sent";
}

function showMeter({ meter }: ProvingState): void {
  const box = byId("meter");
  box.hidden = meter === null;
  if (meter === null) return;
  const { nameplateWh, connectionWh, saleCapWh, purchaseCapWh } = meter.limits;
  const row = (name: string, value: string): HTMLElement =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value));
  box.replaceChildren(
    row("Your meter\u2019s gateway", `${gatewayIdOf(meter.gateway).slice(0, 10)}…`),
    row("Most of a quarter-hour", `${energyText(nameplateWh)} given, ${energyText(connectionWh)} taken`),
    row("Most of a window", `${energyText(saleCapWh)} given, ${energyText(purchaseCapWh)} taken`),
  );
}
