// SPDX-License-Identifier: GPL-3.0-only
// Owns the process that proves windows for another one: jobs in by its channel, proofs out. It refuses to outlive the
// process that started it, and answers what no proof exists for in words instead of failing with it.

import { readProvingArtifacts } from "./artifacts.ts";
import type { WindowInputs } from "./meter-witness.ts";
import { type ProvedWindow, type ProvingArtifacts, proveWindow } from "./prover.ts";

/** A window to prove; the answer bears the same number. */
export interface ProvingJob {
  readonly job: number;
  readonly inputs: WindowInputs;
}

/** What came of a job: a proof, that none exists, or a fault of the prover's own. */
export type ProvingAnswer = { readonly job: number } & (
  | { readonly proved: ProvedWindow }
  | { readonly impossible: string }
  | { readonly fault: string }
);

/** Read and hashed once a window length; what could not be read is tried again with the next job. */
const kept = new Map<4 | 96, Promise<ProvingArtifacts>>();

function artifactsOf(windowSlots: 4 | 96): Promise<ProvingArtifacts> {
  const found = kept.get(windowSlots);
  if (found !== undefined) return found;
  const read = readProvingArtifacts(`meter-${windowSlots}`);
  kept.set(windowSlots, read);
  read.catch(() => kept.delete(windowSlots));
  return read;
}

async function answer({ job, inputs }: ProvingJob): Promise<ProvingAnswer> {
  try {
    return { job, proved: await proveWindow(inputs, await artifactsOf(inputs.context.windowSlots)) };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return error instanceof RangeError ? { job, impossible: words } : { job, fault: words };
  }
}

process.on("message", async (job: ProvingJob) => {
  const answered = await answer(job);
  if (process.connected) process.send?.(answered);
});
// The channel closes when the other process ends, however it does; exiting ends snarkjs's threads too.
process.once("disconnect", () => process.exit());
// Ctrl-C goes to both: the other one says when it is over.
process.on("SIGINT", () => {});
