// Owns the policy's form and what it makes of a window: picture, figures and words. It refuses a policy that is no whole
// number of Wh, and says so at the field.

import { drawClaims } from "../charts/claims-chart.ts";
import { countText, energyText } from "../figures/amounts.ts";
import { type ClaimFigures, claimFigures, policyOf } from "../figures/claims.ts";
import { readAccount } from "../page-address.ts";
import type { ProvingState } from "../proving/proving-state.ts";
import { spanText } from "./documents-panel.ts";
import { byId, make, setText } from "./element.ts";

/** Reads policy and account from the form into the state; what is wrong is said at its field. */
export function readPolicy(state: ProvingState): void {
  const [step, most, account] = ["step", "most", "account"].map((id) => byId<HTMLInputElement>(id)) as [
    HTMLInputElement,
    HTMLInputElement,
    HTMLInputElement,
  ];
  state.policy = policyOf(most.value, step.value);
  state.account = readAccount(account.value);
  const mark = (input: HTMLInputElement, isWrong: boolean): void =>
    input.setAttribute("aria-invalid", String(isWrong));
  mark(step, policyOf("", step.value) === null);
  mark(most, policyOf(most.value, "1") === null);
  mark(account, account.value.trim() !== "" && state.account === null);
}

/** The picture of the window shown, and the choice among several. */
export function showClaims(state: ProvingState, choose: (firstSlot: number) => void): void {
  const window = state.shown();
  const { policy, calendar } = state;
  const claimed = window === null ? null : state.claimsOf(window);
  byId("claims").hidden = claimed === null;
  byId("claims-hint").hidden = claimed !== null;
  setText(
    "claims-hint",
    policy === null
      ? "Both amounts are whole Wh: the first at least 1, the second empty for all."
      : "Choose a signed window to see what of it would be claimed.",
  );
  if (window === null || claimed === null) return;
  const { firstSlot, netWh } = window;
  showChoice(state, firstSlot, choose);
  const figures = claimFigures(netWh, claimed.claims);
  const cut = claimed.isCut ? " The limits that your meter was enrolled with allow no more." : "";
  const words = wordsOf(figures) + cut;
  setText(
    "claims-when",
    `${spanText(state, firstSlot)}. Above the line what was given, below it what was taken.`,
  );
  drawClaims(byId("claims-chart"), figures.slots, (index) => calendar.span(firstSlot + index));
  byId("claims-chart").setAttribute("aria-label", words);
  const [from, until] = calendar.span(firstSlot, netWh.length).split("\u2013") as [string, string];
  setText("claims-from", from);
  setText("claims-until", until);
  setText("claims-words", words);
}

function showChoice(state: ProvingState, shown: number, choose: (firstSlot: number) => void): void {
  const box = byId("claims-windows");
  const listed = state.listed();
  box.hidden = listed.length < 2;
  box.replaceChildren(
    ...listed.map(({ firstSlot }) => {
      const button = make(
        "button",
        { type: "button", "aria-pressed": String(firstSlot === shown) },
        spanText(state, firstSlot),
      );
      button.addEventListener("click", () => choose(firstSlot));
      return button;
    }),
  );
}

function wordsOf({ soldWh, boughtWh, keptExportWh, keptImportWh, keptSlots, slots }: ClaimFigures): string {
  const claimed = `Becomes public: ${energyText(soldWh)} given and ${energyText(boughtWh)} taken.`;
  if (keptSlots === 0)
    return `${claimed} Nothing is kept back: whoever reads the journal sees every reading.`;
  const of = countText(slots.length, "quarter-hour");
  return `${claimed} Stays here: ${energyText(keptExportWh)} given and ${energyText(keptImportWh)} taken, in ${keptSlots} of ${of}.`;
}
