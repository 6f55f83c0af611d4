// Owns the operator's decisions about the region itself: opening it, its parameters, test money. It refuses a second
// opening, parameters that contradict the region's window, and test money anywhere but in a test region.

import type { CommandOf, Figures } from "../../protocol/commands.ts";
import { rejected } from "../../protocol/errors.ts";
import type { MarketEvent } from "../../protocol/events.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { MAX_ACCOUNTS_PER_REGION, MAX_REGION_MICROS } from "../../protocol/limits.ts";
import { SLOT_SECONDS, slotAt } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { heldMicros } from "../ledger.ts";
import { epochOf, versionInEpoch } from "../parameters.ts";
import { type ChainTerms, chainTermsOf, figuresOf, scheduled } from "../schedule.ts";
import { type RegionState, termsOf } from "../state.ts";

/** Opens the region; trading begins with the first whole window after the command. */
export function openRegion({ command, atS }: Occasion<CommandOf<"open_region">>): Decision {
  const { type: _type, nonce: _nonce, expiresAtS: _expiresAtS, ...terms } = command;
  if (command.epochSlots % command.windowSlots !== 0) {
    return {
      rejection: rejected("parameters_out_of_bounds", {
        parameter: "epochSlots",
        multipleOf: command.windowSlots,
      }),
    };
  }
  const refusal = refuseFigures(command.parameters, command.windowSlots);
  if (refusal !== null) return refusal;
  // Money comes either from the operator, for play, or from a chain through the mirror.
  if ((command.quote === "settlement") === (command.mirror === NO_ADDRESS))
    return { rejection: rejected("parameters_out_of_bounds", { parameter: "mirror" }) };
  const firstSlot = Math.ceil((slotAt(atS) + 1) / command.windowSlots) * command.windowSlots;
  const events: MarketEvent[] = [{ type: "region_opened", ...terms, firstSlot }];
  const addresses = [...new Set([command.treasury, command.gridOperator])];
  addresses.forEach((address, account) => {
    events.push({ type: "account_opened", account, address });
  });
  return { events };
}

/**
 * Sets the parameters from the next epoch on; a version for the same epoch set before is replaced. Where the terms come
 * from a chain they are not the operator's to set: it repeats those in force. Nor is anything after a vote has been mirrored.
 */
export function setParameters({ state, command, atS }: Occasion<CommandOf<"set_parameters">>): Decision {
  const { windowSlots, quote } = termsOf(state);
  const { parameters } = command;
  const { parameters: voteVersion } = state.header.mirrored;
  if (voteVersion > 0) return { rejection: rejected("governed_by_vote", { voteVersion }) };
  const refusal = refuseFigures(parameters, windowSlots);
  if (refusal !== null) return refusal;
  const fromEpoch = Math.max(epochOf(state, slotAt(atS)), epochOf(state, state.header.nextSlot)) + 1;
  if (quote === "test") return { events: scheduled(state, { fromEpoch, parameters }) };
  const terms = chainTermsOf(versionInEpoch(state.header, fromEpoch).parameters);
  const changed = (Object.keys(terms) as (keyof ChainTerms)[]).find(
    (name) => terms[name] !== parameters[name],
  );
  if (changed !== undefined)
    return { rejection: rejected("parameters_out_of_bounds", { parameter: changed, fixed: terms[changed] }) };
  return { events: scheduled(state, { fromEpoch, figures: figuresOf(parameters) }) };
}

/** Credits test money; exists only in regions marked `quote=test`. */
export function creditTestQuote(occasion: Occasion<CommandOf<"credit_test_quote">>): Decision {
  const { state, command } = occasion;
  if (termsOf(state).quote !== "test") return { rejection: rejected("quote_not_test") };
  if (heldMicros(state) + command.amountMicros > MAX_REGION_MICROS) {
    return { rejection: rejected("region_money_limit", { limitMicros: MAX_REGION_MICROS }) };
  }
  const opening = openAccount(occasion, command.account);
  if ("rejection" in opening) return opening;
  const { account, events } = opening;
  return { events: [...events, { type: "quote_credited", account, amountMicros: command.amountMicros }] };
}

/** Opens an account that has neither money nor a key yet: a household that will only sell. */
export function admitAccount(occasion: Occasion<CommandOf<"admit_account">>): Decision {
  if (occasion.account >= 0) return { rejection: rejected("account_exists") };
  const opening = openAccount(occasion, occasion.command.account);
  return "rejection" in opening ? opening : { events: opening.events };
}

/** The account's number, with the event that opens it where it is new. Only the operator's commands open accounts. */
export function openAccount(
  { state, account }: Pick<Occasion, "state" | "account">,
  address: Hex,
):
  | { readonly account: number; readonly events: readonly MarketEvent[] }
  | { readonly rejection: ReturnType<typeof rejected> } {
  if (account >= 0) return { account, events: [] };
  const next = state.tables.accounts.rows;
  if (next >= MAX_ACCOUNTS_PER_REGION)
    return { rejection: rejected("accounts_exhausted", { limit: MAX_ACCOUNTS_PER_REGION }) };
  return { account: next, events: [{ type: "account_opened", account: next, address }] };
}

/** The first slot of the first window that has not begun: from where enrolments and revocations act. */
export function nextWindowSlot(state: RegionState, atS: number): number {
  const { windowSlots, firstSlot } = termsOf(state);
  return Math.max(firstSlot, Math.ceil((slotAt(atS) + 1) / windowSlots) * windowSlots);
}

/** Evidence may take as long as a window at most, so that never more than one window is open for it. */
export function refuseFigures(figures: Figures, windowSlots: number): Decision | null {
  const limitSeconds = windowSlots * SLOT_SECONDS;
  if (figures.proofDelaySeconds <= limitSeconds) return null;
  return {
    rejection: rejected("parameters_out_of_bounds", { parameter: "proofDelaySeconds", limitSeconds }),
  };
}
