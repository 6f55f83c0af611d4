// SPDX-License-Identifier: GPL-3.0-only
// Owns the threads that snarkjs starts for its curve: that there are none where there may be none, that they are started once, and
// that they end.

import { curves } from "snarkjs";

/** Where snarkjs keeps the curve that it made, threads and all, for whatever it does next. */
const kept = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null };

let making: Promise<unknown> | undefined;

/**
 * Has snarkjs make its curve before it is needed. Two proofs that begin together would each make one with threads, of which it
 * would forget the first, and nobody could end those.
 */
export async function startSnarkThreads(): Promise<void> {
  if (kept.curve_bn128) return;
  making ??= curves.getCurveFromName("bn128").finally(() => {
    making = undefined;
  });
  await making;
}

/** Ends snarkjs's threads, without which a program that proved would not end. They come back with the next use. */
export async function endSnarkThreads(): Promise<void> {
  await kept.curve_bn128?.terminate();
}

/**
 * From here on snarkjs computes in the thread that calls it: in a browser's worker, which is one already and may start no
 * others from a text. Told to do so each time it would make the curve anew each time, a tenth of a proof's time.
 */
export async function useNoSnarkThreads(): Promise<void> {
  kept.curve_bn128 ??= await curves.getCurveFromName("bn128", { singleThread: true });
}
