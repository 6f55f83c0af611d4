// Owns a case for every refusal of jobs' results and of their audits, in the order of the error table. It refuses a case that needs
// more than the market.

import { expect } from "vitest";
import type { Hex } from "../../../protocol/fields.ts";
import { deposit, openSettlement, stake } from "../chain-money.ts";
import { address, authorise, credit, type Market, openMarket, session, wallet, word } from "../market.ts";
import {
  audited,
  buyJob,
  commitAudits,
  delivered,
  givenUp,
  order,
  result,
  revealAudits,
} from "../resource-drafts.ts";
import type { RejectionCase } from "./rejection-case.ts";
import { asking, running } from "./resources.ts";

const [ANN, BOB, CAI] = [address(1), address(2), address(3)] as [Hex, Hex, Hex];
const SECRET = word(0x5ec2e7);

/** Epochs of two hours. */
const epochNow = (market: Market): number => Math.floor(market.atS / 7_200);

export const jobCases: readonly RejectionCase[] = [
  {
    code: "result_required",
    when: "a job is settled on a voucher, or given up by its buyer",
    run: () => {
      const market = running();
      market.refuse(delivered(ANN, 1, 5, CAI), "result_required");
      market.refuse(delivered(ANN, 1, 0, CAI, { isFinal: true }), "result_required");
      market.refuse(delivered(ANN, 1, 0, CAI, { agreedBy: null }), "result_required");
      market.refuse(delivered(CAI, 1, 0, CAI, { isFinal: true, agreedBy: null }), "result_required");
    },
  },
  {
    code: "result_of_other_job",
    when: "the obligation is for another job, or for none in particular",
    run: () => {
      const market = running();
      const { facts } = market.refuse(result(ANN, 1, 5, { jobDigest: word(1) }), "result_of_other_job");
      expect(facts).toEqual({ jobDigest: word(0x10b) });
      market.accept(order(market, CAI, "buy", 1, 100));
      for (const jobDigest of [word(0x10b), word(0)])
        market.refuse(result(ANN, 2, 1, { jobDigest }), "result_of_other_job");
    },
  },
  {
    code: "result_reported_before",
    when: "a seller changes its mind, or gives up what it has reported",
    run: () => {
      const market = running();
      market.accept(result(ANN, 1, 4));
      expect(market.refuse(result(ANN, 1, 5), "result_reported_before").facts).toEqual({
        fuelMega: 4,
        outputHash: word(0x0a7),
      });
      market.refuse(result(ANN, 1, 4), "result_reported_before");
      market.refuse(givenUp(ANN, 1), "result_reported_before");
    },
  },
  {
    code: "result_not_attested",
    when: "the region's key does not bear out that this result was delivered",
    run: () => {
      const market = running();
      for (const attested of [null, { deliveredMega: 4 }, { agreedBy: [wallet(ANN)] }])
        expect(market.refuse(result(ANN, 1, 5, { attested }), "result_not_attested").facts).toEqual({
          obligationId: 1,
        });
    },
  },
  {
    code: "result_not_by_node_key",
    when: "a provider with a stake reports under another key than its node's",
    run: () => {
      const market = openSettlement();
      market.accept(stake(market, ANN, { nodeKey: word(0x5e1) }));
      market.accept(deposit(market, CAI, 1_000_000));
      for (const key of [word(0x5e1), word(0x5e2)])
        market.accept(authorise(ANN, key, { resources: ["compute"] }));
      market.accept(order(market, ANN, "sell", 10, 100));
      market.accept(buyJob(CAI, 10, 100));
      for (const signer of [wallet(ANN), session(word(0x5e2))])
        expect(market.refuse(result(ANN, 1, 5, { signer }), "result_not_by_node_key").facts).toEqual({
          nodeKey: word(0x5e1),
        });
      market.accept(result(ANN, 1, 5, { signer: session(word(0x5e1)) }));
    },
  },
  {
    code: "result_not_awaited",
    when: "what is audited has no result yet, or another seller of the same job has none",
    run: () => {
      const market = asking();
      market.accept(order(market, BOB, "sell", 10, 100));
      market.accept(commitAudits(epochNow(market), SECRET));
      market.accept(buyJob(CAI, 5, 100, { replicas: 2 }));
      market.refuse(audited(3, 5), "obligation_not_found");
      market.refuse(audited(1, 5), "result_not_awaited");
      market.accept(result(ANN, 1, 5));
      market.refuse(audited(1, 5), "result_not_awaited");
    },
  },
  {
    code: "audit_epoch_out_of_bounds",
    when: "the audits of a past epoch or of a distant one are bound",
    run: () => {
      const market = openMarket();
      const epoch = epochNow(market);
      for (const other of [epoch - 1, epoch + 2])
        expect(market.refuse(commitAudits(other, SECRET), "audit_epoch_out_of_bounds").facts).toMatchObject({
          least: epoch,
          most: epoch + 1,
        });
    },
  },
  {
    code: "audits_committed_before",
    when: "an epoch's audits are bound again, or after a later epoch's",
    run: () => {
      const market = openMarket();
      const epoch = epochNow(market);
      market.accept(commitAudits(epoch, SECRET));
      market.refuse(commitAudits(epoch, word(2)), "audits_committed_before");
      const other = openMarket();
      other.accept(commitAudits(epoch + 1, SECRET));
      other.refuse(commitAudits(epoch, word(2)), "audits_committed_before");
    },
  },
  {
    code: "audits_not_committed",
    when: "a result is audited whose epoch was bound after it was sold, or a secret is shown of an epoch that has none",
    run: () => {
      const market = running();
      const epoch = epochNow(market);
      market.refuse(revealAudits(epoch, SECRET), "audits_not_committed");
      market.accept(result(ANN, 1, 5));
      market.refuse(audited(1, 5), "audits_not_committed");
      market.to(market.atS + 1);
      market.accept(commitAudits(epoch, SECRET));
      market.refuse(audited(1, 5), "audits_not_committed");
    },
  },
  {
    code: "audits_not_bound",
    when: "a job is bought where results are drawn, before the epoch's draw is bound",
    run: () => {
      const market = openMarket({ parameters: { auditRateBps: 1 } });
      for (const account of [ANN, CAI]) market.accept(credit(account, 1_000_000));
      market.accept(order(market, ANN, "sell", 10, 100));
      const epoch = epochNow(market);
      market.accept(commitAudits(epoch + 1, SECRET));
      expect(market.refuse(buyJob(CAI, 5, 100), "audits_not_bound").facts).toEqual({ epoch });
      market.to((epoch + 1) * 7_200);
      market.accept(order(market, ANN, "sell", 10, 100));
      market.accept(buyJob(CAI, 5, 100));
    },
  },
  {
    code: "audits_not_over",
    when: "a secret is shown while something of its epoch may still be reported",
    run: () => {
      const market = openMarket();
      const epoch = epochNow(market);
      market.accept(commitAudits(epoch, SECRET));
      const fromS = (epoch + 1) * 7_200 + 3_600;
      market.to(fromS - 1);
      expect(market.refuse(revealAudits(epoch, SECRET), "audits_not_over").facts.fromS).toBe(fromS);
      market.to(fromS);
      market.accept(revealAudits(epoch, SECRET));
    },
  },
  {
    code: "audits_revealed_before",
    when: "a secret is shown twice",
    run: () => {
      const market = openMarket();
      const epoch = epochNow(market);
      market.accept(commitAudits(epoch, SECRET));
      market.to((epoch + 3) * 7_200);
      market.accept(revealAudits(epoch, SECRET));
      market.refuse(revealAudits(epoch, SECRET), "audits_revealed_before");
    },
  },
  {
    code: "audit_secret_wrong",
    when: "another secret is shown than the epoch was bound to",
    run: () => {
      const market = openMarket();
      const epoch = epochNow(market);
      market.accept(commitAudits(epoch, SECRET));
      market.to((epoch + 3) * 7_200);
      market.refuse(revealAudits(epoch, word(0x5ec2e8)), "audit_secret_wrong");
    },
  },
];
