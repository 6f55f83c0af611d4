// Owns whether what a node says of a run fits what it was given and itself. It refuses outputs beyond the job's limit, a hash
// or fuel that is not the outputs', and a report about anything else.

import { resultOf } from "../../compute/host/job.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { NodeFrame, Parts, SignedSettlement } from "../../protocol/provider-frames.ts";
import { commitmentOf, fuelMegaOf } from "../../protocol/run-results.ts";
import type { RunOrder, RunResult } from "../job-calls.ts";

export type ResultFrame = Extract<NodeFrame, { type: "result" }>;

/** What came of a run as its object has reckoned it, from what its node said. */
export function resultOfFrame(
  frame: Pick<ResultFrame, "end" | "exitCode" | "fuelUsed" | "trap">,
  parts: Parts,
): Omit<RunResult, "entry"> {
  const [stdout = new Uint8Array(0), stderr = new Uint8Array(0)] = parts;
  const { end, exitCode, fuelUsed, trap } = frame;
  const { outputHash } = resultOf({ end, exitCode, stdout, stderr, fuelUsed, trap });
  return { kind: "result", end, exitCode, stdout, stderr, fuelUsed, outputHash: `0x${outputHash}`, trap };
}

/** Why a result cannot be the run's, or null. */
export function faultOfResult(
  frame: ResultFrame,
  result: Omit<RunResult, "entry">,
  run: {
    readonly order: Omit<RunOrder, "input">;
    readonly commitment: Hex | null;
    readonly account: Hex;
    readonly key: Hex;
  },
): string | null {
  const { order, commitment, account, key } = run;
  const { command, sessionKey } = frame.report;
  const { outputBytes } = order.description.limits;
  if (result.stdout.length + result.stderr.length > outputBytes) return "output_beyond_limit";
  if (result.outputHash !== command.outputHash) return "output_hash_wrong";
  const fuelMega = fuelMegaOf(result.fuelUsed);
  if (fuelMega !== command.fuelMega) return "fuel_wrong";
  if (fuelMega > order.fuelMega) return "fuel_beyond_limit";
  const isAboutIt =
    command.obligationId === order.obligationId &&
    command.jobDigest === order.jobDigest &&
    command.account === account &&
    command.region === order.region;
  if (!isAboutIt) return "report_of_another_run";
  if (sessionKey !== key) return "report_of_another_key";
  if (!order.commitFirst) return null;
  return frame.salt !== null && commitmentOf(result.outputHash, frame.salt) === commitment
    ? null
    : "commitment_broken";
}

/** Whether what a node has signed, if anything, gives an obligation up and does nothing else. */
export function isGivingUp(signed: SignedSettlement | null, obligationId: number, account: Hex): boolean {
  if (signed === null) return true;
  const { command } = signed;
  return (
    command.obligationId === obligationId &&
    command.account === account &&
    command.isFinal &&
    command.deliveredMega === 0
  );
}
