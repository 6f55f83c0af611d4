// Owns a case for every refusal about meters and readings, in the order of the error table. It refuses a case
// that needs more than the market.

import { expect } from "vitest";
import type { Hex } from "../../../protocol/fields.ts";
import { MAX_METERS_PER_ACCOUNT } from "../../../protocol/limits.ts";
import {
  address,
  enrol,
  FIRST_SLOT,
  type Market,
  MIDNIGHT_S,
  openMarket,
  readings,
  unenrol,
  word,
} from "../market.ts";
import { provable, type RejectionCase } from "./rejection-case.ts";

export const meterCases: readonly RejectionCase[] = [
  {
    code: "meter_exists",
    when: "a gateway or a connection is enrolled twice",
    run: () => {
      const { market, ann, bob } = provable();
      expect(market.refuse(enrol(ann, 1, { connection: word(9) }), "meter_exists").facts.held).toBe(
        "gateway",
      );
      expect(market.refuse(enrol(bob, 1, { connection: word(9) }), "meter_exists").facts.held).toBe(
        "gateway",
      );
      expect(market.refuse(enrol(bob, 9, { connection: word(1) }), "meter_exists").facts.held).toBe(
        "connection",
      );
    },
  },
  {
    code: "meters_exhausted",
    when: "an account is given one meter too many",
    run: () => {
      const { market, ann, bob } = provable();
      for (let meter = 1; meter < MAX_METERS_PER_ACCOUNT; meter += 1) market.accept(enrol(ann, 100 + meter));
      market.refuse(enrol(ann, 99), "meters_exhausted");
      market.accept(enrol(bob, 99));
    },
  },
  {
    code: "window_length_wrong",
    when: "readings are more or fewer than the window's slots",
    run: () => {
      const { market, ann } = provable();
      market.refuse(readings(ann, 1, FIRST_SLOT, [], 3), "window_length_wrong");
      market.refuse(readings(ann, 1, FIRST_SLOT, [], 96), "window_length_wrong");
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
    when: "readings or a revocation name a meter that is not enrolled",
    run: () => {
      const { market, ann } = provable();
      market.refuse(readings(ann, 9, FIRST_SLOT, [1]), "meter_not_found");
      market.refuse(unenrol(ann, 9), "meter_not_found");
      market.refuse(unenrol(address(99), 9), "meter_not_found");
    },
  },
  {
    code: "meter_not_owned",
    when: "readings or a revocation name another's meter",
    run: () => {
      const { market, ann } = provable();
      market.refuse(readings(ann, 2, FIRST_SLOT, [1]), "meter_not_owned");
      market.refuse(unenrol(ann, 2), "meter_not_owned");
      market.refuse(unenrol(address(99), 2), "meter_not_owned");
    },
  },
  {
    code: "meter_not_active",
    when: "a meter was enrolled after the window began, or revoked before it, or is revoked twice",
    run: () => {
      const { market, ann } = provable();
      market.accept(enrol(ann, 9));
      market.to(MIDNIGHT_S + 3_700);
      market.refuse(readings(ann, 9, FIRST_SLOT, [1]), "meter_not_active");
      market.accept(unenrol(ann, 1));
      market.refuse(unenrol(ann, 1), "meter_not_active");
      market.to(MIDNIGHT_S + 3 * 3_600);
      market.refuse(readings(ann, 9, FIRST_SLOT + 4, [1]), "window_closed");
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
    code: "above_nameplate",
    when: "a slot exports more than the nameplate",
    run: () => {
      const { market, ann } = limited();
      market.refuse(readings(ann, 5, FIRST_SLOT, [0, 0, 101]), "above_nameplate");
    },
  },
  {
    code: "above_connection",
    when: "a slot imports more than the connection",
    run: () => {
      const { market, ann } = limited();
      market.refuse(readings(ann, 5, FIRST_SLOT, [0, -201]), "above_connection");
    },
  },
  {
    code: "above_window_cap",
    when: "a window's exports or imports are above the enrolment's cap",
    run: () => {
      const { market, ann } = limited();
      const sold = market.refuse(readings(ann, 5, FIRST_SLOT, [100, 100, 51]), "above_window_cap");
      expect(sold.facts.side).toBe("sell");
      const bought = market.refuse(readings(ann, 5, FIRST_SLOT, [-200, -200, -51, 100]), "above_window_cap");
      expect(bought.facts.side).toBe("buy");
      market.accept(readings(ann, 5, FIRST_SLOT, [100, 100, 50, -200]));
    },
  },
  {
    code: "slot_side_full",
    when: "an account's meters or a side add up to more than the arithmetic allows",
    run: () => {
      const { market, ann, bob } = provable();
      const { sides } = market.state.tables;
      market.accept(readings(ann, 1, FIRST_SLOT, [1_000_000]));
      market.accept(enrol(bob, 9, { nameplateWh: 1_048_575 }));
      sides.columns.surplusWh[1] = 5_000_000_000;
      market.refuse(readings(bob, 2, FIRST_SLOT, [0, 1]), "slot_side_full");
      sides.columns.surplusWh[1] = 0;
      sides.columns.needWh[1] = 5_000_000_000;
      market.refuse(readings(bob, 2, FIRST_SLOT, [0, -1]), "slot_side_full");
      sides.columns.needWh[1] = 0;
    },
  },
];

function limited(): { market: Market; ann: Hex } {
  const market = openMarket();
  const ann = address(1);
  const limits = { nameplateWh: 100, connectionWh: 200, saleCapWh: 250, purchaseCapWh: 450 };
  market.accept(enrol(ann, 5, limits));
  market.to(MIDNIGHT_S + 3_600);
  return { market, ann };
}
