// Owns what an audit says of jobs that were run again: drawn or not, missed or untold. It refuses to take a region's word for its
// draw.

import { expect, test } from "vitest";
import { AuditedResults, type AuditsHeld } from "../../clients/audit/audited-results.ts";
import { isDrawn } from "../../evidence/audit-draw.ts";
import { applyEntry } from "../../market/journal.ts";
import { createState } from "../../market/state.ts";
import { NO_BLOCK } from "../../protocol/audits.ts";
import type { Hex } from "../../protocol/fields.ts";
import { deposit, openSettlement } from "../support/chain-money.ts";
import { address, credit, type Market, openMarket, word } from "../support/market.ts";
import { audited, buyJob, commitAudits, order, result, revealAudits } from "../support/resource-drafts.ts";

const [ANN, BOB, CAI, DEB] = [address(1), address(2), address(3), address(4)] as [Hex, Hex, Hex, Hex];
const SECRET = word(0x5ec2e7);
const RATE = { auditRateBps: 3_000 };

/** Another job for each number: a seller that still owes one does not get it again. */
const job = (number: number): { readonly jobDigest: Hex } => ({ jobDigest: word(0x10b00 + number) });

function heldOf(market: Market): AuditsHeld {
  const state = createState();
  const results = new AuditedResults();
  for (const entry of market.entries) {
    applyEntry(state, entry);
    results.take(entry, state);
  }
  return results.held;
}

/** Forty results of one epoch; those that `isAudited` says are run again. */
function reported(market: Market, isAudited: (obligation: number) => boolean): number {
  const epoch = Math.floor(market.atS / 7_200);
  market.accept(order(market, ANN, "sell", 10_000, 1_000_000));
  market.accept(commitAudits(epoch, SECRET));
  for (let id = 1; id <= 40; id += 1) {
    market.accept(buyJob(DEB, 10, 1_000_000, job(id)));
    market.accept(result(ANN, id, 5, job(id)));
    if (isAudited(id)) market.accept(audited(id, 5));
  }
  return epoch;
}

function opened(): Market {
  const market = openMarket({ parameters: RATE });
  for (const owner of [ANN, BOB, CAI, DEB]) market.accept(credit(owner, 1_000_000));
  return market;
}

const drawn = (id: number): boolean => isDrawn(SECRET, NO_BLOCK, id, 5, RATE.auditRateBps);
const DRAWN = Array.from({ length: 40 }, (_, index) => index + 1).filter(drawn);

test("behavior: what was run again as drawn is counted, once the secret is shown", () => {
  const market = opened();
  const epoch = reported(market, drawn);
  expect(DRAWN.length).toBeGreaterThan(3);
  const none = { drawn: 0, disputed: 0, undrawn: [], missed: [], untold: 0 };
  expect(heldOf(market)).toEqual({ ...none, recorded: DRAWN.length, unshown: 40 });
  market.to((epoch + 2) * 7_200);
  market.accept(revealAudits(epoch, SECRET));
  expect(heldOf(market)).toEqual({ ...none, recorded: DRAWN.length, drawn: DRAWN.length, unshown: 0 });
});

test("behavior: what was drawn and not run again is named, and so is what was run again and not drawn", () => {
  const market = opened();
  const epoch = reported(market, (id) => !drawn(id));
  market.to((epoch + 2) * 7_200);
  market.accept(revealAudits(epoch, SECRET));
  expect(heldOf(market)).toMatchObject({ drawn: 0, missed: DRAWN });
  expect(heldOf(market).undrawn.length).toBe(40 - DRAWN.length);
});

test("behavior: where a region follows a chain, blocks that the journal does not have are said to be missing", () => {
  const market = openSettlement(RATE);
  for (const owner of [ANN, DEB]) market.accept(deposit(market, owner, 1_000_000));
  const epoch = reported(market, drawn);
  market.to((epoch + 2) * 7_200);
  market.accept(revealAudits(epoch, SECRET));
  expect(heldOf(market)).toMatchObject({ drawn: DRAWN.length, missed: [], untold: 40 - DRAWN.length });
});

test("behavior: results that differed are nobody's draw, and those that agreed neither", () => {
  const market = opened();
  const epoch = Math.floor(market.atS / 7_200);
  market.accept(commitAudits(epoch, SECRET));
  for (const seller of [ANN, BOB, CAI]) market.accept(order(market, seller, "sell", 1_000, 1_000_000));
  for (const number of [1, 2]) market.accept(buyJob(DEB, 10, 1_000_000, { replicas: 3, ...job(number) }));
  [ANN, BOB, CAI].forEach((seller, index) => {
    market.accept(result(seller, 1 + index, 5, { output: index, ...job(1) }));
    market.accept(result(seller, 4 + index, 5, job(2)));
  });
  market.accept(audited(2, 5, 1));
  market.to((epoch + 2) * 7_200);
  market.accept(revealAudits(epoch, SECRET));
  expect(heldOf(market)).toEqual({
    ...{ recorded: 1, drawn: 0, disputed: 1, undrawn: [], missed: [], untold: 0, unshown: 0 },
  });
});

test("behavior: what is run again after the secret was shown is drawn with it all the same", () => {
  const market = opened();
  const epoch = Math.floor(market.atS / 7_200);
  const id = DRAWN[0] as number;
  market.accept(commitAudits(epoch, SECRET));
  market.accept(order(market, ANN, "sell", 1_000, 1_000_000));
  const endS = (epoch + 1) * 7_200;
  for (let count = 1; count <= id; count += 1) {
    market.to(endS - 1);
    market.accept(buyJob(DEB, 10, 1_000_000, job(count)));
  }
  market.to(endS + 3_500);
  market.accept(result(ANN, id, 5, job(id)));
  market.to(endS + 3_600);
  market.accept(revealAudits(epoch, SECRET));
  expect(heldOf(market)).toMatchObject({ drawn: 0, missed: [], unshown: 1 });
  market.accept(audited(id, 5));
  expect(heldOf(market)).toMatchObject({ drawn: 1, missed: [], unshown: 0 });
});
