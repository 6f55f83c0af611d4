// Owns what a chain brings into a region and what leaves for it: deposits, terms, votes, withdrawals. It refuses a deposit that
// does not follow from those before, terms that come too late, and a withdrawal above what is free or may leave in an epoch.

import type { CommandOf } from "../../protocol/commands.ts";
import { rejected } from "../../protocol/errors.ts";
import { slotAt } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { freeMicros, heldMicros } from "../ledger.ts";
import { epochOf, versionInEpoch } from "../parameters.ts";
import { scheduled } from "../schedule.ts";
import { type RegionState, termsOf } from "../state.ts";
import { openAccount, refuseFigures } from "./region.ts";

/** Hundredths of a percent in a whole. */
const BASIS_POINTS = 10_000n;

/** Credits a deposit that was made on the chain, and opens its account where that is new. */
export function creditDeposit(occasion: Occasion<CommandOf<"credit_deposit">>): Decision {
  const { state, command, evidence } = occasion;
  if (evidence?.kind !== "deposit-chain") throw new Error("a deposit comes without its hash");
  const { depositsHash } = state.header;
  if (command.previousHash !== depositsHash)
    return {
      rejection: rejected("deposit_hash_wrong", { expected: depositsHash, got: command.previousHash }),
    };
  const opening = openAccount(occasion, command.account);
  if ("rejection" in opening) return opening;
  const { account, events } = opening;
  const { amountMicros } = command;
  return {
    events: [
      ...events,
      { type: "deposit_credited", account, amountMicros, depositsHash: evidence.depositsHash },
    ],
  };
}

/** Takes over terms that were scheduled on the chain; at the latest while their first epoch runs. */
export function scheduleTerms({ state, command }: Occasion<CommandOf<"schedule_terms">>): Decision {
  const runningEpoch = epochOf(state, state.header.windowFirstSlot);
  const { fromEpoch } = command;
  if (fromEpoch < runningEpoch) return { rejection: rejected("terms_too_late", { fromEpoch, runningEpoch }) };
  const { outflowCapBps, emissionPerEpoch, emissionDecayBps } = command;
  const terms = { outflowCapBps, emissionPerEpoch, emissionDecayBps };
  return { events: scheduled(state, { fromEpoch, terms }) };
}

/**
 * Takes over what a vote has set: from the epoch that the chain names, and where that has begun already from the next one on,
 * so that a late mirror neither loses a vote nor reaches back.
 */
export function scheduleParameters({
  state,
  command,
  atS,
}: Occasion<CommandOf<"schedule_parameters">>): Decision {
  const { nonce: voteVersion, figures } = command;
  const refusal = refuseFigures(figures, termsOf(state).windowSlots);
  if (refusal !== null) return refusal;
  const fromEpoch = Math.max(command.fromEpoch, epochOf(state, slotAt(atS)) + 1);
  return { events: scheduled(state, { fromEpoch, figures, voteVersion }) };
}

/** Moves free money out of the ledger, for the chain to pay. */
export function withdraw({ state, command, account }: Occasion<CommandOf<"withdraw">>): Decision {
  if (termsOf(state).quote !== "settlement") return { rejection: rejected("quote_not_settlement") };
  const { amountMicros } = command;
  const free = freeMicros(state, account);
  if (amountMicros > free) return { rejection: rejected("funds_insufficient", { freeMicros: free }) };
  const { epoch, capMicros, leftMicros } = outflowOf(state);
  if (amountMicros > leftMicros)
    return { rejection: rejected("outflow_cap_reached", { epoch, capMicros, leftMicros }) };
  return { events: [{ type: "withdrawn", account, amountMicros }] };
}

/** What may leave the region in the epoch that closes next. */
export interface Outflow {
  readonly epoch: number;
  readonly capMicros: number;
  readonly leftMicros: number;
}

/**
 * The cap as the contract will judge the report of the epoch: a share of the deposits less what was withdrawn before it,
 * rounded up, so that a region can be emptied to the last micro. Deposits that are credited later only raise it.
 */
export function outflowOf(state: RegionState): Outflow {
  const { epochWithdrawnMicros, windowFirstSlot } = state.header;
  const epoch = epochOf(state, windowFirstSlot);
  const { outflowCapBps } = versionInEpoch(state.header, epoch).parameters;
  const baseMicros = BigInt(heldMicros(state) + epochWithdrawnMicros);
  const capMicros = Number((baseMicros * BigInt(outflowCapBps) + BASIS_POINTS - 1n) / BASIS_POINTS);
  return { epoch, capMicros, leftMicros: Math.max(0, capMicros - epochWithdrawnMicros) };
}
