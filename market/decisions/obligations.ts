// Owns the settlement of a trade: what was delivered is paid, what was not goes back. It refuses to pay without evidence that
// the buyer's side agreed to, more than was traded, or anything twice.

import type { CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import { productOf } from "../../protocol/products.ts";
import type { DeliveryFacts, VerifiedSigner } from "../../protocol/verified-facts.ts";
import type { Decision, Occasion } from "../decision.ts";
import { judgeOthers } from "../resources/job-results.ts";
import { type Obligation, obligationAt, openRow, reportAt } from "../resources/obligations.ts";
import { type Job, jobAt, purchaseRow } from "../resources/purchases.ts";
import { Settlements } from "../resources/settlements.ts";
import { addressOf } from "../state.ts";
import { RESOURCE_BITS, SIDE_BITS } from "./sessions.ts";

type Settling = Occasion<CommandOf<"settle_obligation">>;

/** Settles what evidence says was delivered since the last settlement, and closes where nothing more will be. */
export function settleObligation(occasion: Settling): Decision {
  const { state, command, account, evidence } = occasion;
  const { obligations, purchases } = state.tables;
  const { obligationId, deliveredMega, jobDigest, outputHash } = command;
  const row = openRow(obligations, obligationId);
  if (row < 0) return { rejection: rejected("obligation_not_found", { obligationId }) };
  const obligation = obligationAt(obligations, row);
  if (account !== obligation.buyer && account !== obligation.seller)
    return { rejection: rejected("obligation_not_owned", { obligationId }) };
  const job = jobAt(purchases, purchaseRow(purchases, obligation.purchase));
  if (job !== null) return giveUpJob(occasion, row, obligation, job);
  const addedMega = deliveredMega - obligation.deliveredMega;
  if (addedMega < 0 || deliveredMega > obligation.quantityMega)
    return {
      rejection: rejected("delivery_out_of_bounds", {
        settledMega: obligation.deliveredMega,
        tradedMega: obligation.quantityMega,
      }),
    };
  const facts = evidence?.kind === "delivery" ? evidence : null;
  const refusal =
    facts === null
      ? refuseWithout(occasion, obligation, addedMega)
      : refuseFacts(occasion, facts, obligation);
  if (refusal !== null) return { rejection: refusal };
  const isClosed = closes(occasion, obligation);
  const event = new Settlements(purchases).settle(obligation, {
    deliveredMega,
    means: facts === null ? "none" : facts.means,
    jobDigest,
    outputHash,
    isClosed,
    isFailure: isClosed && isFailure(occasion, obligation),
  });
  return { events: [event] };
}

/**
 * Ends what the seller of a job will not run: it is paid for results, and only while there is none may it give up. That may leave
 * the results of others to be judged.
 */
function giveUpJob(
  { state, command, account, evidence, atS }: Settling,
  row: number,
  obligation: Obligation,
  { jobDigest }: Job,
): Decision {
  const { obligations, purchases } = state.tables;
  const { obligationId, deliveredMega, outputHash, isFinal } = command;
  const before = reportAt(obligations, row);
  if (before !== null) return { rejection: rejected("result_reported_before", { ...before }) };
  const givesUp = deliveredMega === 0 && isFinal && account === obligation.seller && evidence === null;
  if (!givesUp) return { rejection: rejected("result_required", { obligationId }) };
  const settlements = new Settlements(purchases);
  const givenUp = settlements.settle(obligation, {
    deliveredMega: 0,
    means: "none",
    jobDigest,
    outputHash,
    isClosed: true,
    isFailure: true,
  });
  return { events: [givenUp, ...judgeOthers(state, row, settlements, atS)] };
}

/** Without evidence nothing is paid: only a seller may then end what it will not deliver. */
function refuseWithout(
  { command, account }: Settling,
  { seller }: Obligation,
  addedMega: number,
): Rejection | null {
  const givesUp = addedMega === 0 && command.isFinal && account === seller;
  return givesUp
    ? null
    : rejected("evidence_malformed", { reason: "no evidence of a delivery was verified" });
}

/** The evidence must be about this delivery, and the buyer must have agreed to it: it is the buyer who pays. */
function refuseFacts(occasion: Settling, facts: DeliveryFacts, obligation: Obligation): Rejection | null {
  const { state, command } = occasion;
  const { obligationId, deliveredMega, jobDigest, outputHash } = command;
  const isSame =
    facts.obligation === obligationId &&
    facts.deliveredMega === deliveredMega &&
    facts.jobDigest === jobDigest &&
    facts.outputHash === outputHash;
  if (!isSame) return rejected("delivery_not_agreed", { differs: "delivery" });
  return facts.agreedBy.some((signer) => isBuyers(occasion, signer, obligation))
    ? null
    : rejected("delivery_not_agreed", { buyer: addressOf(state, obligation.buyer) });
}

/**
 * Whether a signature is the buyer's: its wallet's, the session key's that bought, or another of its keys' that may buy now.
 * The key that bought counts even when it was revoked since: what it promised a seller is not taken back with it.
 */
function isBuyers(
  { state, atS }: Settling,
  signer: VerifiedSigner,
  { buyer, purchase, product }: Obligation,
): boolean {
  if (signer.scheme === "wallet") return signer.address === addressOf(state, buyer);
  const row = state.indexes.sessionByKey.get(signer.key);
  const { purchases, sessions } = state.tables;
  const { columns } = sessions;
  if (row === undefined || columns.account[row] !== buyer) return false;
  if (columns.id[row] === purchases.columns.session[purchaseRow(purchases, purchase)]) return true;
  return (
    columns.revokedFromSlot[row] === 0 &&
    (columns.expiresAtS[row] as number) > atS &&
    ((columns.resources[row] as number) & RESOURCE_BITS[productOf(product).resource]) !== 0 &&
    ((columns.sides[row] as number) & SIDE_BITS.buy) !== 0
  );
}

/**
 * A seller that gives up all of what it was to run has failed, by its own word and not by the buyer's. A lease is there to be used:
 * that nobody used it is no failure.
 */
function isFailure({ command, account }: Settling, { product, seller }: Obligation): boolean {
  return command.deliveredMega === 0 && account === seller && !productOf(product).isLease;
}

/**
 * Whole deliveries close, and so does the only one of a job. A lease ends early when its seller says so: a buyer that could
 * would take back what was set aside for it.
 */
function closes({ command, account }: Settling, { product, quantityMega, seller }: Obligation): boolean {
  if (command.deliveredMega === quantityMega) return true;
  return command.isFinal && (account === seller || !productOf(product).isLease);
}
