// Owns the proofs of a journal on their way to the verifier: many at a time, each with the entry it stands in. It refuses to
// let one go unverified, or to blame another entry for it.

import type { Groth16Verifier, ProofVerdict } from "../../evidence/groth16.ts";
import { meterVerifier } from "../../evidence/meter-keys.ts";
import { type ShownProof, verifyMeterProofs } from "../../evidence/meter-proof.ts";
import { MAX_PROOFS_PER_BATCH } from "../../protocol/limits.ts";

/** A proof that does not hold. */
export interface BadProof<At> {
  readonly at: At;
  readonly reason: string;
}

/** Gives the verifier of windows of this length. @throws Error for a key that must not be used on this chain */
export type VerifierOf = (windowSlots: 4 | 96, chainId: number) => Groth16Verifier;

/** Collects proofs and verifies them together; `At` says where each stood. */
export class ProofBatches<At> {
  /** Proofs that held. */
  verified = 0;
  readonly #chainId: number;
  readonly #verifierOf: VerifierOf;
  #waiting: { readonly shown: ShownProof; readonly at: At }[] = [];

  /** @param verifierOf the one of the committed keys, unless the journal's region has keys of its own. */
  constructor(chainId: number, verifierOf: VerifierOf = meterVerifier) {
    this.#chainId = chainId;
    this.#verifierOf = verifierOf;
  }

  /** @returns the first proof that does not hold of a batch that was full, or null. */
  add(shown: ShownProof, at: At): BadProof<At> | null {
    this.#waiting.push({ shown, at });
    return this.#waiting.length < MAX_PROOFS_PER_BATCH ? null : this.flush();
  }

  /**
   * Verifies what waits.
   * @returns the first that does not hold, or null.
   * @throws Error for keys that must not be used on this chain
   */
  flush(): BadProof<At> | null {
    const batch = this.#waiting;
    this.#waiting = [];
    const verdicts = this.#verdictsOf(batch.map(({ shown }) => shown));
    const bad = verdicts.findIndex(({ ok }) => !ok);
    this.verified += bad < 0 ? batch.length : bad;
    const item = batch[bad];
    return item === undefined ? null : { at: item.at, reason: reasonOf(verdicts[bad] as ProofVerdict) };
  }

  /** One region has windows of one length; a journal that says otherwise is verified all the same. */
  #verdictsOf(shown: readonly ShownProof[]): ProofVerdict[] {
    const verdicts = new Map<ShownProof, ProofVerdict>();
    for (const [slots, alike] of Map.groupBy(shown, ({ statement }) => statement.context.windowSlots)) {
      const found = verifyMeterProofs(this.#verifierOf(slots, this.#chainId), alike);
      alike.forEach((one, index) => {
        verdicts.set(one, found[index] as ProofVerdict);
      });
    }
    return shown.map((one) => verdicts.get(one) as ProofVerdict);
  }
}

function reasonOf(verdict: ProofVerdict): string {
  if (verdict.ok || verdict.reason === "invalid") return "proof_invalid";
  return `evidence_malformed (${verdict.path})`;
}
