// Owns how a mirror says what keeps it from going on: a code of the closed list in protocol/chain-answer.ts with facts. It
// refuses free text as a reason.

import type { ChainProblem, ChainProblemCode } from "../../protocol/chain-answer.ts";
import type { Facts } from "../../protocol/errors.ts";

/** What concerns every region: the poll ends with it. */
const OF_CHAIN: ReadonlySet<ChainProblemCode> = new Set([
  "rpc_away",
  "rpc_malformed",
  "rpc_refused",
  "rpcs_disagree",
  "wrong_chain",
  "chain_behind",
  "contract_missing",
]);

/** Thrown where nothing more can be done in this poll; caught per region, or once for the whole poll. */
export class ChainTrouble extends Error {
  override readonly name = "ChainTrouble";
  readonly problem: ChainProblem;

  constructor(code: ChainProblemCode, facts: Facts = {}) {
    super(`${code} ${JSON.stringify(facts)}`);
    this.problem = { code, facts };
  }

  /** The endpoints' or the contracts', and not one region's. */
  get isOfChain(): boolean {
    return OF_CHAIN.has(this.problem.code);
  }
}
