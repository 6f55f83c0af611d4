// Owns the words for everything that keeps a window from being proved or taken. It refuses to leave anybody with a code
// alone: each says what it means and what can be done.

import { PolderProblem, TransportFault } from "../../clients/sdk/problem.ts";
import { CircuitFault } from "./circuit-files.ts";
import { Cancelled, ProvingFault } from "./proving-run.ts";

const PROBLEM_WORDS: Readonly<Partial<Record<string, string>>> = {
  registry_not_found:
    "This window is over, or too far ahead: the region takes proofs of a window from its end until its time for evidence is over. What was not proved in time counts as zero.",
  window_closed: "This window\u2019s time for evidence is over; what was not proved in it counts as zero.",
  window_not_over: "This window has not ended yet. Send it when it has.",
  window_already_proved: "This meter\u2019s window has been proved already, and is paid once.",
  registry_root_wrong:
    "The region\u2019s meters of this window have changed since the proof was made, which happens when one of them is taken out at once. Prove it again.",
  proof_attempts_exhausted:
    "Too many proofs of this account for this window did not verify, so the region looks at no more.",
  session_unknown: "The API key is not authorised for its account. Its owner can authorise a new one.",
  session_revoked: "The API key was revoked.",
  session_expired: "The API key has expired.",
  session_scope: "The API key may not send readings.",
};

/** What went wrong, for whoever waits for a proof. */
export function failureWords(error: unknown, meters: number | null = null): string {
  if (error instanceof Cancelled) return "Cancelled. Nothing was sent.";
  if (error instanceof ProvingFault) return faultWords(error, meters);
  if (error instanceof CircuitFault)
    return `A file of the circuit did not come: ${error.message}. Try again; if it stays so, tell the operator.`;
  if (error instanceof PolderProblem) return PROBLEM_WORDS[error.code] ?? `${error.message}.`;
  if (error instanceof TransportFault) return "The deployment does not answer. Nothing is lost; try again.";
  return `Something failed that should not: ${String(error)}`;
}

function faultWords({ reason, message }: ProvingFault, meters: number | null): string {
  const among = meters === null ? "" : ` the ${meters} of`;
  switch (reason) {
    case "artifact_wrong":
      return `The file ${message} that was served is not the one this page was made for, so nothing was proved with it. Load the page anew; if it stays so, tell the operator.`;
    case "leaf_missing":
      return `Your meter is not among${among} this window\u2019s registry. An enrolment acts from the next window on; after a rotation only the new file counts; and the limits in the file must be those it was enrolled with.`;
    case "root_wrong":
      return "The list of meters that was served does not make the root it names, so it is not believed. Try again; if it stays so, tell the operator.";
    case "inputs_refused":
      return `There is no proof of this: ${message}.`;
    case "worker_lost":
      return `The prover could not run in this browser (${message}).`;
    case "fault":
      return `The prover failed, which is a fault of this page: ${message}`;
  }
}
