// SPDX-License-Identifier: GPL-3.0-only
// Owns the end of the threads that snarkjs starts for its curve and never stops. It refuses to start any.

/** Ends snarkjs's threads, without which a program that proved would not end. They come back with the next use. */
export async function endSnarkThreads(): Promise<void> {
  const kept = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null };
  await kept.curve_bn128?.terminate();
}
