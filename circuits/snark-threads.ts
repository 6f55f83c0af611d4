// SPDX-License-Identifier: GPL-3.0-only
// Owns the threads that snarkjs starts for its curve: that there are none where there may be none, and that they end. It
// refuses to start any itself.

import { curves } from "snarkjs";

/** Where snarkjs keeps the curve that it made, threads and all, for whatever it does next. */
const kept = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null };

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
