// Owns how the lies of an operator and what became of them are told to people. It refuses to leave out a micro.

import { money, table } from "../cli/figures.ts";
import type { LieResult, Stop, TrustResult } from "./trust-result.ts";

/** The run as text: a table of the lies, then what everybody was due and got. */
export function trustInWords(result: TrustResult): string {
  const { lies, lostMicros, operatorGainedMicros, isWatched } = result;
  const gained = `the operator gained ${money(operatorGainedMicros)}`;
  return [
    table(
      ["lie", "what stopped it", "who acted", "lost", "operator gained"],
      lies.map((lie) => [
        lie.lie,
        lie.stoppedBy.map(stopInWords).join("\n") || "nothing",
        lie.actedBy.join(", "),
        money(lostIn(lie)),
        money(lie.operatorGainedMicros),
      ]),
    ),
    table(
      ["lie", "account", "due", "got back", "difference (micros)"],
      lies.flatMap(({ lie, accounts }) =>
        accounts.map(({ name, dueMicros, gotBackMicros, differenceMicros }) => [
          lie,
          name,
          money(dueMicros),
          money(gotBackMicros),
          differenceMicros,
        ]),
      ),
    ),
    ...(isWatched ? [] : ["nobody replayed the journal in this run"]),
    `households lost ${money(lostMicros)}, ${gained}`,
  ].join("\n");
}

function lostIn({ accounts }: LieResult): number {
  return accounts.reduce((sum, { differenceMicros }) => sum + Math.max(0, -differenceMicros), 0);
}

function stopInWords(stop: Stop): string {
  switch (stop.by) {
    case "contract":
      return `contract: ${stop.error}`;
    case "silence":
      return `silence: everybody may leave after ${hours(stop.seconds)}`;
    case "audit":
      return `audit, entry ${stop.entry}: ${findingInWords(stop)}`;
  }
}

function findingInWords({ difference, finding, secondsLeft }: Stop & { readonly by: "audit" }): string {
  const left = secondsLeft === null ? "" : `; frozen ${hours(secondsLeft)} before it was final`;
  if (difference === null) return short(finding) + left;
  const { epoch, part } = difference;
  return `epoch ${epoch} was reported with another ${part} than the journal gives${left}`;
}

/** Hashes and addresses are in the JSON. */
function short(text: string): string {
  return text.replaceAll(/0x([0-9a-f]{6})[0-9a-f]{10,}/g, "0x$1…");
}

function hours(seconds: number): string {
  return `${(seconds / 3_600).toFixed(1)} h`;
}
