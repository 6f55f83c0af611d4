// Owns the row `auction`: clearing one slot of 100,000 steps against sorting as many numbers once. It refuses books in
// which nothing trades: those would be cheap.

import { clearAuction } from "../../market/auction/auction.ts";
import type { Book, Steps } from "../../market/auction/book.ts";
import { median } from "../median.ts";
import { compared, type Measurement } from "../row.ts";

const ORDERS = 100_000;
const ROUNDS = 31;

/** A stream of numbers in [0, 1) that is the same every time (a 32-bit linear congruence). */
function stream(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function sideOf(next: () => number, low: number, spread: number): Steps {
  const count = ORDERS / 2;
  return {
    count,
    netPriceMicros: Int32Array.from({ length: count }, () => low + Math.floor(next() * spread)),
    quantityWh: Int32Array.from({ length: count }, () => 1 + Math.floor(next() * 3_000)),
  };
}

/** Measures the row. */
export const measure: Measurement = async (say) => {
  const next = stream(12_345);
  const book: Book = { bids: sideOf(next, -500_000, 1_000_000), asks: sideOf(next, -500_000, 1_000_000) };
  if (clearAuction(book, 5_000).tradedWh === 0) throw new Error("nothing trades");
  const numbers = Float64Array.from({ length: ORDERS }, next);
  const scratch = new Float64Array(ORDERS);
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = -ROUNDS; round < ROUNDS; round += 1) {
    const oursMs = timed(() => clearAuction(book, 5_000));
    scratch.set(numbers);
    const peerMs = timed(() => scratch.sort());
    if (round < 0) continue;
    ours.push(oursMs);
    peer.push(peerMs);
  }
  say(`ours ${median(ours).toFixed(2)} ms, a sort ${median(peer).toFixed(2)} ms`);
  return [
    compared({
      name: "auction",
      ours: median(ours),
      peer: median(peer),
      unit: "ms",
      higherIsBetter: false,
      note: `one slot of ${ORDERS} steps, half of them bids, prices over the whole range, against one sort of as many 64-bit numbers; medians of ${ROUNDS} alternating rounds on Node`,
    }),
  ];
};

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
