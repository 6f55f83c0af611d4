// Owns a case for every refusal about money that comes from a chain and leaves for it, in the order of the error table. It
// refuses a case that needs more than the market.

import { expect } from "vitest";
import { deposit, mirrored, numbered, openSettlement, stake, terms, vote, withdraw } from "../chain-money.ts";
import {
  address,
  appoint,
  authorise,
  credit,
  enrol,
  FIRST_SLOT,
  INSTALLER,
  OPERATOR,
  openMarket,
  session,
  setParameters,
  unenrol,
  wallet,
  word,
} from "../market.ts";
import type { RejectionCase } from "./rejection-case.ts";

const MIRROR = address(0xa5);
const ANN = address(1);
const BOB = address(2);

export const notMirrorCase: RejectionCase = {
  code: "not_mirror",
  when: "anybody else says what happened on the chain: the operator, an installer, the account, a key of the account",
  run: () => {
    const market = openSettlement();
    market.accept(deposit(market, ANN, 5));
    market.accept(authorise(ANN, word(7)));
    for (const signer of [wallet(OPERATOR), wallet(INSTALLER), wallet(ANN), session(word(7))]) {
      market.refuse(deposit(market, ANN, 5, {}, signer), "not_mirror");
      market.refuse(terms(market, FIRST_SLOT, {}, signer), "not_mirror");
      market.refuse(vote(market, FIRST_SLOT, {}, signer), "not_mirror");
      market.refuse(stake(market, ANN, {}, signer), "not_mirror");
      market.refuse(mirrored(market, "registry", appoint([ANN], signer)), "not_mirror");
      market.refuse(mirrored(market, "registry", enrol(1, {}, signer)), "not_mirror");
      market.refuse(mirrored(market, "registry", unenrol(1, true, signer)), "not_mirror");
    }
    // A region of test money has no mirror at all.
    const test = openMarket();
    for (const signer of [wallet(OPERATOR), wallet(address(0)), wallet(MIRROR)]) {
      test.refuse(deposit(test, ANN, 5, {}, signer), "not_mirror");
      test.refuse(terms(test, FIRST_SLOT, {}, signer), "not_mirror");
      test.refuse(vote(test, FIRST_SLOT, {}, signer), "not_mirror");
      test.refuse(stake(test, ANN, {}, signer), "not_mirror");
    }
  },
};

export const moneyCases: readonly RejectionCase[] = [
  {
    code: "chain_event_out_of_order",
    when: "an event of the chain comes twice, or before the one it follows",
    run: () => {
      const market = openSettlement();
      market.refuse(deposit(market, ANN, 5, { nonce: 0 }), "chain_event_out_of_order");
      market.refuse(deposit(market, ANN, 5, { nonce: 2 }), "chain_event_out_of_order");
      const first = deposit(market, ANN, 5);
      market.accept(first);
      // Another command by its expiry, of the same event.
      market.to(market.atS + 1);
      expect(market.refuse(first, "chain_event_out_of_order").facts).toEqual({
        stream: "deposits",
        after: 1,
        got: 1,
      });
      const enrolled = mirrored(market, "registry", enrol(1, {}, wallet(MIRROR)));
      market.accept(enrolled);
      market.to(market.atS + 1);
      market.refuse(enrolled, "chain_event_out_of_order");
      market.refuse(numbered(unenrol(1, false, wallet(MIRROR)), 1), "chain_event_out_of_order");
      const scheduled = terms(market, FIRST_SLOT);
      market.accept(scheduled);
      market.to(market.atS + 1);
      market.refuse(scheduled, "chain_event_out_of_order");
      market.refuse(terms(market, FIRST_SLOT, { nonce: 0 }), "chain_event_out_of_order");
      const voted = vote(market, FIRST_SLOT);
      market.accept(voted);
      market.to(market.atS + 1);
      market.refuse(voted, "chain_event_out_of_order");
      market.refuse(numbered(voted, 0), "chain_event_out_of_order");
      const staked = stake(market, ANN);
      market.accept(staked);
      market.to(market.atS + 1);
      market.refuse(staked, "chain_event_out_of_order");
      market.refuse(numbered(staked, 0), "chain_event_out_of_order");
    },
  },
  {
    code: "deposit_hash_wrong",
    when: "a deposit is chained to others than those that were credited",
    run: () => {
      const market = openSettlement();
      market.refuse(deposit(market, ANN, 5, { previousHash: word(1) }), "deposit_hash_wrong");
      market.accept(deposit(market, ANN, 5));
      market.refuse(deposit(market, ANN, 5, { previousHash: word(0) }), "deposit_hash_wrong");
    },
  },
  {
    code: "terms_too_late",
    when: "terms come for an epoch that has closed",
    run: () => {
      const market = openSettlement();
      const running = FIRST_SLOT / 8;
      market.refuse(terms(market, running - 1), "terms_too_late");
      market.accept(terms(market, running));
      market.to((FIRST_SLOT + 8) * 900 + 900);
      market.refuse(terms(market, running), "terms_too_late");
    },
  },
  {
    code: "governed_by_vote",
    when: "the operator sets parameters in a region that has taken a vote's",
    run: () => {
      const market = openSettlement();
      market.accept(setParameters({ takeRateBps: 7 }));
      market.accept(vote(market, FIRST_SLOT));
      market.refuse(setParameters({}), "governed_by_vote");
      market.refuse(setParameters({ proofDelaySeconds: 3_601 }), "governed_by_vote");
    },
  },
  {
    code: "node_key_taken",
    when: "a provider is said to sign with the key of another one, also of one that has nothing at stake any more",
    run: () => {
      const market = openSettlement();
      market.accept(stake(market, ANN));
      market.refuse(stake(market, BOB), "node_key_taken");
      market.accept(stake(market, ANN, { stakedMicros: 0, isUnbonding: true }));
      const { facts } = market.refuse(stake(market, BOB), "node_key_taken");
      expect(facts).toEqual({ nodeKey: word(0x5e1), account: ANN });
    },
  },
  {
    code: "quote_not_test",
    when: "test money is credited in a region that settles in a real quote",
    run: () => openSettlement().refuse(credit(ANN, 5), "quote_not_test"),
  },
  {
    code: "quote_not_settlement",
    when: "test money is asked out of its region",
    run: () => {
      const market = openMarket();
      market.accept(credit(ANN, 5));
      market.refuse(withdraw(ANN, 5), "quote_not_settlement");
    },
  },
  {
    code: "funds_insufficient",
    when: "more is withdrawn than is free, also what was withdrawn before",
    run: () => {
      const market = openSettlement({ outflowCapBps: 10_000 });
      market.accept(deposit(market, ANN, 100));
      market.accept(deposit(market, BOB, 100));
      expect(market.refuse(withdraw(ANN, 101), "funds_insufficient").facts).toEqual({ freeMicros: 100 });
      market.accept(withdraw(ANN, 60));
      market.refuse(withdraw(ANN, 60), "funds_insufficient");
    },
  },
  {
    code: "outflow_cap_reached",
    when: "more would leave in an epoch than the terms allow, whoever asks; the next epoch allows again",
    run: () => {
      const market = openSettlement({ outflowCapBps: 2_500 });
      market.accept(deposit(market, ANN, 1_000));
      market.accept(deposit(market, BOB, 1_001));
      // A quarter of 2001, rounded up.
      const { facts } = market.refuse(withdraw(ANN, 502), "outflow_cap_reached");
      expect(facts).toMatchObject({ capMicros: 501, leftMicros: 501 });
      market.accept(withdraw(ANN, 500));
      market.refuse(withdraw(BOB, 2), "outflow_cap_reached");
      market.accept(withdraw(BOB, 1));
      // A deposit makes room at once.
      market.accept(deposit(market, BOB, 4));
      market.accept(withdraw(BOB, 1));
      market.refuse(withdraw(BOB, 1), "outflow_cap_reached");
      market.to((FIRST_SLOT + 8) * 900 + 900);
      // A quarter of 2005 - 502.
      market.refuse(withdraw(BOB, 377), "outflow_cap_reached");
      market.accept(withdraw(BOB, 376));
    },
  },
];
