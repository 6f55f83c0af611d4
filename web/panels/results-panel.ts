// Owns what was proved: each window to download, to copy or to send by hand. It refuses to write an API key into any of
// that: a key would end up in a shell's history.

import { paths } from "../api.ts";
import { energyText } from "../figures/amounts.ts";
import type { ProvedResult, ProvingState } from "../proving/proving-state.ts";
import { spanText } from "./documents-panel.ts";
import { byId, make, setText } from "./element.ts";
import { secondsText } from "./steps-panel.ts";

/** The body of the request that hands a window in. */
export function bodyOf({ firstSlot, shown }: ProvedResult): string {
  return JSON.stringify({ firstSlot, netWh: shown.netWh, evidence: shown.evidence });
}

/** Every window that was proved. */
export function showResults(state: ProvingState): void {
  const results = [...state.results.values()].sort((left, right) => left.firstSlot - right.firstSlot);
  byId("results-card").hidden = results.length === 0;
  byId("results").replaceChildren(...results.map((result) => resultItem(state, result)));
  const [last] = results.slice(-1);
  if (last === undefined) return;
  const isSent = results.every(({ entry }) => entry !== null);
  byId<HTMLButtonElement>("send").disabled = isSent;
  setText("curl", curlOf(state, last));
}

function resultItem(state: ProvingState, result: ProvedResult): HTMLElement {
  const { firstSlot, shown, seconds } = result;
  const sum = (wanted: (wh: number) => boolean): number =>
    Math.abs(shown.netWh.reduce((total, wh) => (wanted(wh) ? total + wh : total), 0));
  const given = energyText(sum((wh) => wh > 0));
  const taken = energyText(sum((wh) => wh < 0));
  const download = make("button", { type: "button", class: "small" }, "Download");
  download.addEventListener("click", () => saveFile(fileName(state, firstSlot), `${bodyOf(result)}\n`));
  const copy = make("button", { type: "button", class: "small" }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(bodyOf(result));
    copy.textContent = "Copied";
  });
  return make(
    "li",
    { "data-slot": String(firstSlot) },
    make("span", {}, spanText(state, firstSlot)),
    make("span", { class: "muted" }, `${given} given, ${taken} taken; proved in ${secondsText(seconds)}`),
    make("span", { class: "outcome" }, ...outcomeOf(state, result)),
    make("span", { class: "actions" }, download, " ", copy),
  );
}

function outcomeOf({ profile }: ProvingState, { entry, refusal }: ProvedResult): (Node | string)[] {
  if (entry !== null)
    return [
      "taken by the region: ",
      make("a", { href: paths.receipt(profile.region, entry) }, `entry ${entry}`),
    ];
  return refusal === null ? [] : [make("b", { class: "down" }, "not taken: "), refusal];
}

function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

function fileName({ profile }: ProvingState, firstSlot: number): string {
  return `polder-proof-${profile.region}-${firstSlot}.json`;
}

function curlOf(state: ProvingState, { firstSlot }: ProvedResult): string {
  return [
    `curl -X POST ${location.origin}/v1/regions/${state.profile.region}/readings \\`,
    `  -H 'content-type: application/json' -H "authorization: Bearer $POLDER_API_KEY" \\`,
    `  -d @${fileName(state, firstSlot)}`,
  ].join("\n");
}
