// Owns what is put around the engine's rules in a simulation: a look at every entry as it is made, and faults that are
// thrown on demand. It refuses to change a decision.

import { sha256Hex } from "../../durable-objects/digest.ts";
import type { RegionEngine } from "../../durable-objects/engine.ts";
import { nextDueS } from "../../market/due.ts";
import { INVARIANTS, violations } from "../../market/invariants.ts";
import { type Entry, stateHash } from "../../market/journal.ts";
import type { RegionState } from "../../market/state.ts";
import type { Witness } from "./witness.ts";

export type Rules = RegionEngine["rules"];

/** The next fault of the rules, or none. */
export interface FaultPlan {
  when: "before" | "after";
  /** Executions that still go well. */
  after: number;
}

/** Rules that tell a witness of every entry and every refusal. */
export function watchedRules(rules: Rules, witness: Witness): Rules {
  const look = (state: RegionState, entry: Entry): void => {
    witness.counts.checkedEntries += 1;
    witness.counts.invariants += INVARIANTS.length;
    const [broken] = violations(state);
    if (broken !== undefined) witness.fail("invariants", `after entry ${entry.number}: ${broken}`);
  };
  return {
    execute(state, request, ...rest) {
      const before = stateHash(state, sha256Hex);
      const result = rules.execute(state, request, ...rest);
      if ("entry" in result) look(state, result.entry);
      else if (stateHash(state, sha256Hex) !== before)
        witness.fail("refusals change nothing", `${result.rejection.code} left another state`);
      return result;
    },
    executeDue(state, atS, sha256) {
      const due = nextDueS(state);
      const entry = rules.executeDue(state, atS, sha256);
      if (entry === null) return null;
      look(state, entry);
      if (entry.atS !== due) witness.fail("due on time", `what was due at ${due} was done at ${entry.atS}`);
      return entry;
    },
  };
}

/** Rules that throw when a plan says so, before or after they changed the state; `next` answers and spends the plan. */
export function faultyRules(rules: Rules, next: () => FaultPlan["when"] | null): Rules {
  const guarded = <T>(state: RegionState, work: () => T): T => {
    const when = next();
    if (when === null) return work();
    if (when === "after") work();
    // What a fault leaves half done.
    state.header.depositedMicros += 1;
    throw new Error("a fault of the rules, made by the simulation");
  };
  return {
    execute: (state, ...rest) => guarded(state, () => rules.execute(state, ...rest)),
    executeDue: (state, ...rest) => guarded(state, () => rules.executeDue(state, ...rest)),
  };
}
