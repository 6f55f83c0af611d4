// Owns how a part is timed against its peer inside workerd: from outside, since the runtime's clock stands still while
// code runs. It refuses a part that answers anything but true.

import { type Stack, startStack } from "../clients/local/stack.ts";
import { median } from "./median.ts";

/** A deployment of the parts. */
export function startParts(): Promise<Stack> {
  return startStack({ entryFile: "bench/parts-worker.js" });
}

/** Seconds that a part takes for what it is given. */
export async function timePart(stack: Stack, part: string, given: unknown): Promise<number> {
  const body = JSON.stringify(given);
  const started = performance.now();
  const response = await fetch(`${stack.url}/v1/${part}`, { method: "POST", body });
  const answer = await response.text();
  if (answer !== "true") throw new Error(`${part}: ${response.status} ${answer}`);
  return (performance.now() - started) / 1_000;
}

/** Items a second of both sides: medians of alternating rounds after one for warming up. */
export async function compareParts(
  stack: Stack,
  name: string,
  items: number,
  givenOf: (round: number) => unknown,
  rounds = 7,
): Promise<{ readonly ours: number; readonly peer: number }> {
  const rates: Record<"ours" | "peer", number[]> = { ours: [], peer: [] };
  for (let round = 0; round <= rounds; round += 1) {
    const given = givenOf(round);
    for (const side of round % 2 === 0 ? (["ours", "peer"] as const) : (["peer", "ours"] as const)) {
      const seconds = await timePart(stack, `${name}/${side}`, given);
      if (round > 0) rates[side].push(items / seconds);
    }
  }
  return { ours: median(rates.ours), peer: median(rates.peer) };
}

/** What the notes of all parts say of the method. */
export const PARTS_NOTE = "inside workerd, timed from outside, medians of 7 alternating rounds";
