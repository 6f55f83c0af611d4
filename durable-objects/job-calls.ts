// Owns what the objects say to each other about a job: the desk that an app's jobs lie on, and the seller's own object. It
// refuses nothing; each object judges what it is told.

import type { JobEnd } from "../compute/host/job.ts";
import type { Hex } from "../protocol/fields.ts";
import type { JobDescription } from "../protocol/jobs.ts";

/** One run of a job, as its seller's object gets it. */
export interface RunOrder {
  readonly region: string;
  readonly obligationId: number;
  readonly jobDigest: Hex;
  /** Name of the desk that is told what became of it. */
  readonly desk: string;
  readonly description: JobDescription;
  /** Standard input. */
  readonly input: Uint8Array;
  /** True: the result is bound by a hash first, and shown when the desk asks for it. */
  readonly commitFirst: boolean;
  /** Market time from which nothing is paid for it any more. */
  readonly deadlineS: number;
  readonly fuelMega: number;
  readonly priceMicrosPerTera: number;
  readonly buyer: Hex;
}

/** A run of which nothing will come, as the region knows it. */
export type ReleasedRun = Pick<RunOrder, "obligationId" | "jobDigest" | "deadlineS">;

/** What a seller says to a run: `full`, it has no room now; `away`, its node is not there. */
export type DispatchAnswer = "accepted" | "full" | "away";

/** What came of a run. */
export interface RunResult {
  readonly kind: "result";
  readonly end: JobEnd;
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly fuelUsed: number;
  /** Hash of all of the above, `0x` before it. */
  readonly outputHash: Hex;
  readonly trap: string | null;
  /** Journal entry of the seller's report; null when the region refused it. */
  readonly entry: number | null;
}

/** Nothing came of it: the seller said so, or its time is up. */
export interface RunGivenUp {
  readonly kind: "gave_up";
  readonly reason: string;
}

export type RunOutcome = RunResult | RunGivenUp;

/** What the object of a seller does for a desk. */
export interface RunTaker {
  /** Gives the seller a run. The same obligation again gets the same answer. */
  dispatch(order: RunOrder): Promise<DispatchAnswer>;
  /** Asks for a result that was bound by its hash. */
  reveal(obligationId: number): Promise<void>;
  /** Tells that a run which was bought will not be handed out. */
  abandon(run: ReleasedRun): Promise<void>;
}

/** What a desk does for the object of a seller. Each may come twice. */
export interface RunAsker {
  committed(jobDigest: Hex, obligationId: number, commitment: Hex): Promise<void>;
  ran(jobDigest: Hex, obligationId: number, outcome: RunOutcome): Promise<void>;
}
