// Owns what is told of a lie: what stopped it, who acted, and what everybody was due and got, in micros. It refuses to call a run
// good in which a household lost one or the operator gained one.

import type { Hex } from "../../protocol/fields.ts";
import type { ReportDifference } from "../audit/reported-epochs.ts";

/** Something that the operator tried on the chain. */
export interface Attempt {
  readonly what: string;
  /** The contract's error by name and with its fields; null where it was accepted. */
  readonly refusedWith: string | null;
  readonly fields: Readonly<Record<string, string>>;
}

/** What stopped a lie. */
export type Stop =
  | { readonly by: "contract"; readonly error: string }
  | {
      readonly by: "audit";
      readonly entry: number;
      readonly finding: string;
      /** The report's part that the journal does not bear out. */
      readonly difference: ReportDifference | null;
      /** From the freeze to when the report would have been final. Seconds. */
      readonly secondsLeft: number | null;
    }
  | { readonly by: "silence"; readonly seconds: number };

export type Actor = "contract" | "guardian" | "vote" | "anybody";

/** What one account was due and got. Micros of the quote asset. */
export interface Settled {
  readonly name: string;
  readonly account: Hex;
  readonly role: "household" | "fees";
  /** By the journal at the close of the last honest final epoch, less what was paid before; and deposits after it. */
  readonly dueMicros: number;
  /** By how much its balance of the token grew when everybody left. */
  readonly gotBackMicros: number;
  readonly differenceMicros: number;
  /** Why it could not take what it was due. */
  readonly refused: string | null;
}

/** One lie, from its telling to everybody's leaving. */
export interface LieResult {
  readonly lie: string;
  readonly told: string;
  readonly attempts: readonly Attempt[];
  readonly stoppedBy: readonly Stop[];
  readonly actedBy: readonly Actor[];
  /** The epoch by whose report everybody left. */
  readonly exitEpoch: number;
  readonly accounts: readonly Settled[];
  /** By how much the balance of the operator's wallet grew. */
  readonly operatorGainedMicros: number;
  /** What is still in the contract when all have left. */
  readonly leftInContractMicros: number;
  /** Market time from the lie to the exit. */
  readonly marketSeconds: number;
}

export interface TrustResult {
  readonly scenario: "dishonest-operator";
  /** False where nobody replayed the journal. */
  readonly isWatched: boolean;
  readonly chainId: number;
  readonly parties: { readonly operator: Hex; readonly guardian: Hex; readonly owner: Hex };
  readonly tradedWh: number;
  readonly lies: readonly LieResult[];
  /** What households lost in all. */
  readonly lostMicros: number;
  readonly operatorGainedMicros: number;
  readonly isGood: boolean;
}

/** Adds up. */
export function resultOf(
  facts: Pick<TrustResult, "isWatched" | "chainId" | "parties" | "tradedWh">,
  lies: readonly LieResult[],
): TrustResult {
  const lostMicros = lies
    .flatMap(({ accounts }) => accounts)
    .reduce((sum, { differenceMicros }) => sum + Math.max(0, -differenceMicros), 0);
  const gained = lies.reduce((sum, { operatorGainedMicros }) => sum + operatorGainedMicros, 0);
  return {
    scenario: "dishonest-operator",
    ...facts,
    lies,
    lostMicros,
    operatorGainedMicros: gained,
    isGood: lies.every(isHarmless),
  };
}

/** Stopped, everybody has all that was due, the operator nothing, and nothing is left over. */
function isHarmless({ accounts, operatorGainedMicros, leftInContractMicros, stoppedBy }: LieResult): boolean {
  return (
    stoppedBy.length > 0 &&
    operatorGainedMicros === 0 &&
    leftInContractMicros === 0 &&
    accounts.every(({ differenceMicros }) => differenceMicros === 0)
  );
}
