// Owns one refusal of every code that the market can answer with, in the order of the error table, each leaving the
// state untouched byte for byte. It refuses a code of the market that no case provokes.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERRORS } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { ProofFacts } from "../../protocol/verified-facts.ts";
import {
  cancel,
  enrol,
  FIRST_SLOT,
  MIDNIGHT_S,
  openMarket,
  place,
  readings,
  session,
  settle,
  wallet,
  word,
} from "../support/market.ts";
import { identityCases } from "../support/rejections/identity.ts";
import { jobCases } from "../support/rejections/jobs.ts";
import { meterCases } from "../support/rejections/meters.ts";
import { moneyCases } from "../support/rejections/money.ts";
import { provable } from "../support/rejections/rejection-case.ts";
import { resourceCases } from "../support/rejections/resources.ts";
import { termsCases } from "../support/rejections/terms.ts";
import { expectRejected } from "../support/untouched-state.ts";

const CASES = [...identityCases, ...moneyCases, ...termsCases, ...meterCases, ...resourceCases, ...jobCases];

describe("every refusal of the market, in the order of the table", () => {
  for (const { code, when, run } of CASES) test(`rejects: ${code} when ${when}`, run);

  test("rejects: the sum of two meters of an account above what one may trade", () => {
    const market = openMarket();
    const [ann] = settle(market, 1) as [Hex];
    market.accept(enrol(2));
    market.to(MIDNIGHT_S + 3_600);
    market.accept(readings(ann, 1, FIRST_SLOT, [600_000, -600_000]));
    expect(market.refuse(readings(ann, 2, FIRST_SLOT, [400_001]), "slot_side_full").facts.of).toBe("account");
    expect(market.refuse(readings(ann, 2, FIRST_SLOT, [0, -400_001]), "slot_side_full").facts.of).toBe(
      "account",
    );
    market.accept(readings(ann, 2, FIRST_SLOT, [400_000, -400_000]));
  });

  test("invariant: the cases are exactly the codes that the market's sources name, in the table's order", () => {
    const root = join(import.meta.dirname, "../../market");
    const sources = globSync("**/*.ts", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));
    const named = new Set(
      sources.flatMap((text) => [...text.matchAll(/rejected\(\s*"(\w+)"/g)].map((match) => match[1])),
    );
    const inOrder = Object.keys(ERRORS).filter((code) => named.has(code));
    expect(CASES.map(({ code }) => code)).toEqual(inOrder);
  });
});

describe("precedence", () => {
  test("rejects: with the first code of the table when several apply", () => {
    const { market, ann, bob } = provable();
    const everythingWrong = place(
      ann,
      "sell",
      [
        [2, 1],
        [1, 1],
      ],
      { replaces: 999 },
      session(word(99)),
    );
    const request = market.request(everythingWrong, { region: "elsewhere", expiresAtS: 0 });
    expectRejected(market.state, request, market.atS, "wrong_region");
    const expired = market.request(everythingWrong, { expiresAtS: 0 });
    expectRejected(market.state, expired, market.atS, "command_expired");
    market.refuse(everythingWrong, "session_unknown");
    market.refuse(
      place(
        ann,
        "sell",
        [
          [2, 1],
          [1, 1],
        ],
        { replaces: 999 },
        wallet(bob),
      ),
      "not_account_owner",
    );
    market.refuse(
      place(
        ann,
        "sell",
        [
          [2, 1],
          [1, 1],
        ],
        { replaces: 999 },
      ),
      "ladder_unsorted",
    );
    market.refuse(readings(ann, 2, FIRST_SLOT + 1, [1], 5), "window_length_wrong");
    market.refuse(readings(ann, 2, FIRST_SLOT + 1, [1]), "window_unaligned");
    market.accept(readings(bob, 2, FIRST_SLOT, [1]));
    const again = readings(bob, 2, FIRST_SLOT, [2_000_000]);
    const elsewhere = { ...again.evidence, root: word(7) } as ProofFacts;
    market.refuse({ ...again, evidence: elsewhere }, "registry_root_wrong");
    market.refuse(again, "window_already_proved");
    market.refuse(readings(ann, 1, FIRST_SLOT, [2_000_000]), "slot_side_full");
  });
});

describe("faults of ours", () => {
  test("rejects: by throwing, a command that was accepted before, a command before what is due, and time going back", () => {
    const { market, ann } = provable();
    const request = market.request(place(ann, "sell", [[1, 1]]));
    expect("entry" in market.execute(request)).toBe(true);
    expect(() => expectRejected(market.state, request, market.atS, "internal_fault")).toThrow(
      "decided again",
    );
    const next = market.request(cancel(ann, 1));
    expect(() => expectRejected(market.state, next, market.atS - 1, "internal_fault")).toThrow("went back");
    expect(() => expectRejected(market.state, next, market.atS + 3_600, "internal_fault")).toThrow(
      "what is due",
    );
  });
});
