// Owns turning measured kWh into whole Wh per slot with nothing lost. It refuses to guess a shape within an hour, and
// never turns a surplus into a need.
//
// The order is: net first (generation less load of the same interval), then whole Wh, then slots. Netting first keeps
// the sides apart: an hour of surplus is surplus in each of its slots, as far as an hourly value can tell.

import { MAX_READING_WH } from "../../protocol/limits.ts";

/**
 * Whole Wh per interval of non-negative kWh: the running total is rounded to the nearest Wh and differences are taken.
 * So the sum of the result is the rounded total (not the total of roundings), each value is within 1 Wh of the
 * measured, none is negative, and an interval of 0 kWh stays 0. Throws RangeError for a negative or non-finite value.
 */
export function wholeWh(kwh: readonly number[]): number[] {
  let totalKwh = 0;
  let doneWh = 0;
  return kwh.map((value, i) => {
    if (!(value >= 0 && value < 1e9)) throw new RangeError(`not an energy in kWh at ${i}: ${value}`);
    totalKwh += value;
    const upToWh = Math.round(totalKwh * 1000);
    const wh = upToWh - doneWh;
    doneWh = upToWh;
    return wh;
  });
}

/**
 * One interval's whole Wh over `parts` slots: equal, with the remainder of less than `parts` Wh spread evenly among
 * them, and never a part of the other sign. `wh` is a safe integer below 2⁴⁰ either way, `parts` 1 to 96.
 */
export function spreadWh(wh: number, parts: number): number[] {
  if (!Number.isSafeInteger(wh) || Math.abs(wh) >= 2 ** 40) throw new RangeError(`not whole Wh: ${wh}`);
  if (!Number.isSafeInteger(parts) || parts < 1 || parts > 96)
    throw new RangeError(`parts outside 1..96: ${parts}`);
  const size = Math.abs(wh);
  const sign = wh < 0 ? -1 : 1;
  const upTo = (j: number) => Math.floor((size * j) / parts);
  return Array.from({ length: parts }, (_, j) => sign * (upTo(j + 1) - upTo(j)) + 0);
}

/**
 * Net Wh per slot (export positive) of measured load and generation, kWh per interval of `slotsPerValue` slots.
 * Export and import are made whole separately, so that the sums of both equal their rounded totals exactly.
 * Throws RangeError for unequal lengths, bad energies and a slot beyond what a reading can hold.
 */
export function netWhPerSlot(
  loadKwh: readonly number[],
  generationKwh: readonly number[],
  slotsPerValue: number,
): Int32Array {
  if (loadKwh.length !== generationKwh.length) {
    throw new RangeError(`${loadKwh.length} loads but ${generationKwh.length} generations`);
  }
  const netKwh = loadKwh.map((load, i) => (generationKwh[i] as number) - load);
  const exported = wholeWh(netKwh.map((net) => Math.max(net, 0)));
  const imported = wholeWh(netKwh.map((net) => Math.max(-net, 0)));
  const slots = new Int32Array(loadKwh.length * slotsPerValue);
  for (let i = 0; i < loadKwh.length; i++) {
    const parts = spreadWh((exported[i] as number) - (imported[i] as number), slotsPerValue);
    if (Math.abs(parts[slotsPerValue - 1] as number) > MAX_READING_WH) {
      throw new RangeError(`interval ${i} is beyond what a meter reading can hold`);
    }
    slots.set(parts, i * slotsPerValue);
  }
  return slots;
}
