// Owns the verification of meter proofs in a Worker: what arrives together is verified together, at a fraction of the cost
// each. It refuses nothing by itself, and no promise crosses from one request to another: each waits on its own timer,
// and whoever wakes first verifies for all.

import type { Env } from "../durable-objects/environment.ts";
import { signingDomain } from "../durable-objects/environment.ts";
import type { ProofVerdict } from "../evidence/groth16.ts";
import { meterVerifier } from "../evidence/meter-keys.ts";
import { type ShownProof, verifyMeterProofs } from "../evidence/meter-proof.ts";
import { MAX_PROOFS_PER_BATCH } from "../protocol/limits.ts";

/** A batch gathers this long: short beside the fourteen milliseconds that one proof takes. */
const GATHER_MS = 2;

interface Waiting {
  readonly shown: ShownProof;
  readonly chainId: number;
  verdict: ProofVerdict | null;
}

/** Proofs of this isolate that nobody has verified yet. */
let waiting: Waiting[] = [];

/**
 * Verifies a proof, together with those that came within the same moment.
 * @param isAlone true for an account whose proofs have failed: it must not make others' batches fail.
 */
export async function verifyProof(env: Env, shown: ShownProof, isAlone: boolean): Promise<ProofVerdict> {
  const { chainId } = signingDomain(env);
  const mine: Waiting = { shown, chainId, verdict: null };
  if (isAlone) {
    verifyAll([mine]);
  } else {
    waiting.push(mine);
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    if (mine.verdict === null) verifyNext(mine);
  }
  return mine.verdict as unknown as ProofVerdict;
}

/** Verifies the batch that `mine` is in: those of the same window length, in the order they came. */
function verifyNext(mine: Waiting): void {
  const alike = waiting.filter((one) => isAlike(one, mine));
  const at = alike.indexOf(mine);
  const first = at - (at % MAX_PROOFS_PER_BATCH);
  const batch = new Set(alike.slice(first, first + MAX_PROOFS_PER_BATCH));
  waiting = waiting.filter((one) => !batch.has(one));
  verifyAll([...batch]);
}

function isAlike(one: Waiting, other: Waiting): boolean {
  return windowSlotsOf(one) === windowSlotsOf(other) && one.chainId === other.chainId;
}

function verifyAll(batch: readonly Waiting[]): void {
  const [first] = batch as readonly [Waiting, ...Waiting[]];
  const verifier = meterVerifier(windowSlotsOf(first), first.chainId);
  const verdicts = verifyMeterProofs(
    verifier,
    batch.map(({ shown }) => shown),
  );
  batch.forEach((one, index) => {
    one.verdict = verdicts[index] as ProofVerdict;
  });
}

function windowSlotsOf({ shown }: Waiting): 4 | 96 {
  return shown.statement.context.windowSlots;
}
