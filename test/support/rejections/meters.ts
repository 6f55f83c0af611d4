// Owns a case for every refusal about meters and readings, in the order of the error table. It refuses a case
// that needs more than the market.

import { expect } from "vitest";
import { decide } from "../../../market/decide.ts";
import { rootOfWindow } from "../../../market/registry.ts";
import type { Hex } from "../../../protocol/fields.ts";
import { TREE_LEAVES } from "../../../protocol/quad-tree.ts";
import type { ProofFacts } from "../../../protocol/verified-facts.ts";
import { type Draft, enrol, FIRST_SLOT, MIDNIGHT_S, readings, unenrol, word } from "../market.ts";
import { provable, type RejectionCase } from "./rejection-case.ts";

export const meterCases: readonly RejectionCase[] = [
  {
    code: "meter_exists",
    when: "a gateway or a connection has a leaf already",
    run: () => {
      const { market } = provable();
      const held = (draft: Draft) => market.refuse(draft, "meter_exists").facts.held;
      expect(held(enrol(1, { connection: word(9) }))).toBe("gateway");
      expect(held(enrol(9, { connection: word(1) }))).toBe("connection");
      // Another's place is taken over with another's key only where that key is free.
      expect(held(enrol(1, { connection: word(2), replaces: word(2) }))).toBe("gateway");
    },
  },
  {
    code: "meters_exhausted",
    when: "the registry's tree is full",
    run: () => {
      const { market } = provable();
      const { meters } = market.state.tables;
      const before = meters.rows;
      meters.reset(TREE_LEAVES);
      for (let row = 0; row < TREE_LEAVES; row += 1) meters.columns.position[row] = row;
      expect("rejection" in decide(market.state, market.request(enrol(99)), market.atS)).toBe(true);
      market.refuse(enrol(99), "meters_exhausted");
      meters.rows = before;
    },
  },
  {
    code: "window_length_wrong",
    when: "readings are more or fewer than the window's slots",
    run: () => {
      const { market, ann } = provable();
      market.refuse(readings(ann, 1, FIRST_SLOT, [], 3), "window_length_wrong");
      market.refuse(readings(ann, 1, FIRST_SLOT, [], 96), "window_length_wrong");
      market.refuse(enrol(9, { windowSlots: 96 }), "window_length_wrong");
    },
  },
  {
    code: "window_unaligned",
    when: "the first slot is inside a window",
    run: () => {
      const { market, ann } = provable();
      for (const off of [-1, 1, 2, 3])
        market.refuse(readings(ann, 1, FIRST_SLOT + off, [1]), "window_unaligned");
    },
  },
  {
    code: "window_not_over",
    when: "readings are of the future or of a window that is half over",
    run: () => {
      const { market, ann } = provable();
      market.refuse(readings(ann, 1, FIRST_SLOT + 4, [1]), "window_not_over");
      market.refuse(readings(ann, 1, FIRST_SLOT + 400, [1]), "window_not_over");
      market.to(MIDNIGHT_S + 7_199);
      market.refuse(readings(ann, 1, FIRST_SLOT + 4, [1]), "window_not_over");
    },
  },
  {
    code: "window_closed",
    when: "the time for evidence is over, or was before the region opened",
    run: () => {
      const { market, ann } = provable();
      market.refuse(readings(ann, 1, FIRST_SLOT - 4, [1]), "window_closed");
      market.refuse(readings(ann, 1, 0, [1]), "window_closed");
      market.to(MIDNIGHT_S + 3_600 + 899);
      market.accept(readings(ann, 1, FIRST_SLOT, [1]));
      market.to(MIDNIGHT_S + 3_600 + 900);
      market.refuse(readings(ann, 1, FIRST_SLOT, [1]), "window_closed");
    },
  },
  {
    code: "meter_not_found",
    when: "a revocation or a rotation names a gateway without a leaf",
    run: () => {
      const { market } = provable();
      for (const isEmergency of [false, true]) market.refuse(unenrol(9, isEmergency), "meter_not_found");
      market.refuse(enrol(9, { replaces: word(8) }), "meter_not_found");
      market.accept(unenrol(1));
      market.refuse(unenrol(1), "meter_not_found");
      market.refuse(enrol(9, { replaces: word(1), connection: word(1) }), "meter_not_found");
    },
  },
  {
    code: "connection_mismatch",
    when: "a rotation would move a leaf to another connection, free or taken",
    run: () => {
      const { market } = provable();
      market.refuse(enrol(9, { replaces: word(1), connection: word(9) }), "connection_mismatch");
      market.refuse(enrol(9, { replaces: word(1), connection: word(2) }), "connection_mismatch");
    },
  },
  {
    code: "registry_root_wrong",
    when: "a proof is about other meters than the window's: made up, of a later window, or before an emergency",
    run: () => {
      const { market, ann } = provable();
      const about = (root: Hex): Draft => {
        const draft = readings(ann, 1, FIRST_SLOT, [1]);
        return { ...draft, evidence: { ...draft.evidence, root } as ProofFacts };
      };
      const root = rootOfWindow(market.state, FIRST_SLOT);
      expect(market.refuse(about(word(7)), "registry_root_wrong").facts.root).toBe(root);
      market.accept(enrol(9));
      market.refuse(about(rootOfWindow(market.state, FIRST_SLOT + 8)), "registry_root_wrong");
      market.accept(unenrol(2, true));
      market.refuse(about(root), "registry_root_wrong");
    },
  },
  {
    code: "window_already_proved",
    when: "the same meter's window is sent twice, with the same or other readings",
    run: () => {
      const { market, ann } = provable();
      market.accept(readings(ann, 1, FIRST_SLOT, [5]));
      market.refuse(readings(ann, 1, FIRST_SLOT, [5]), "window_already_proved");
      market.refuse(readings(ann, 1, FIRST_SLOT, [6]), "window_already_proved");
    },
  },
  {
    code: "slot_side_full",
    when: "an account's meters or a side add up to more than the arithmetic allows",
    run: () => {
      const { market, ann, bob } = provable();
      const { sides } = market.state.tables;
      market.accept(readings(ann, 1, FIRST_SLOT, [1_000_000]));
      sides.columns.surplusWh[1] = 5_000_000_000;
      market.refuse(readings(bob, 2, FIRST_SLOT, [0, 1]), "slot_side_full");
      sides.columns.surplusWh[1] = 0;
      sides.columns.needWh[1] = 5_000_000_000;
      market.refuse(readings(bob, 2, FIRST_SLOT, [0, -1]), "slot_side_full");
      sides.columns.needWh[1] = 0;
    },
  },
];
