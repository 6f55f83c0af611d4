// Owns the market under random commands over virtual time, valid and invalid mixed: after every entry all invariants
// hold, money is conserved exactly, and the journal alone gives the same bytes. It refuses to choose kind inputs.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freeze, thaw } from "../../market/snapshot.ts";
import { replay } from "../support/market.ts";
import { action, runActions, type Tally } from "../support/market-actions.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

describe("random regions", () => {
  test("property: invariants after every entry, exact conservation, and the journal gives the same bytes", () => {
    const tally: Tally = { accepted: 0, refused: 0, tradedWh: 0 };
    fc.assert(
      fc.property(fc.array(action, { minLength: 40, maxLength: 120, size: "max" }), (actions) => {
        const market = runActions(actions, tally);
        const credited = market
          .events("quote_credited")
          .reduce((sum, { amountMicros }) => sum + amountMicros, 0);
        const { columns, rows } = market.state.tables.accounts;
        const held = [columns.freeMicros, columns.escrowMicros]
          .flatMap((column) => [...column.subarray(0, rows)])
          .reduce((sum, micros) => sum + micros, 0);
        expect(held).toBe(credited);
        const rebuilt = replay(market.lines);
        expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
        expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
        const { head, sections } = freeze(market.state);
        expect(indexesOf(thaw(head, sections))).toEqual(indexesOf(market.state));
      }),
      { numRuns: 500 },
    );
    // A run in which nothing is accepted, refused or traded would prove nothing.
    expect(Math.min(tally.accepted, tally.refused, tally.tradedWh)).toBeGreaterThan(1_000);
  });
});
