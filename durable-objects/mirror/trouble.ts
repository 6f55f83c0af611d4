// Owns how a mirror says what keeps it from going on: a code of the closed list in protocol/chain-answer.ts with facts. It
// refuses free text as a reason.

import type { ChainProblem, ChainProblemCode } from "../../protocol/chain-answer.ts";
import type { Facts } from "../../protocol/errors.ts";

/** Thrown where nothing more can be done in this poll; caught per region, or once for the whole poll. */
export class ChainTrouble extends Error {
  override readonly name = "ChainTrouble";
  readonly problem: ChainProblem;

  constructor(code: ChainProblemCode, facts: Facts = {}) {
    super(`${code} ${JSON.stringify(facts)}`);
    this.problem = { code, facts };
  }
}
