// Owns what a region takes over of providers' stakes on its chain. It refuses a key that another provider signs with: no result
// must ever be two accounts'.

import type { CommandOf } from "../../protocol/commands.ts";
import { rejected } from "../../protocol/errors.ts";
import { slotAt } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { parametersAtSlot } from "../parameters.ts";
import { accountOfKey } from "../providers.ts";
import { addressOf, termsOf } from "../state.ts";
import { openAccount } from "./region.ts";
import { endAsksOf } from "./resource-orders.ts";

/** Takes over how a provider stands, and opens its account where that is new: it will be paid there. */
export function recordStake(occasion: Occasion<CommandOf<"record_stake">>): Decision {
  const { state, command } = occasion;
  const { nodeKey, stakedMicros, isUnbonding } = command;
  // It has left before the region heard of it.
  if (occasion.account < 0 && stakedMicros === 0) return { events: [] };
  const opening = openAccount(occasion, command.account);
  if ("rejection" in opening) return opening;
  const { account, events } = opening;
  const holder = accountOfKey(state, nodeKey);
  if (holder !== null && holder !== account)
    return { rejection: rejected("node_key_taken", { nodeKey, account: addressOf(state, holder) }) };
  const { providerMinimumStake } = parametersAtSlot(state, slotAt(occasion.atS));
  // Nobody is to buy of it what it could no longer answer for.
  const isOut = isUnbonding || stakedMicros < providerMinimumStake;
  const isOperator = command.account === termsOf(state).operator;
  const ended = isOut && !isOperator ? endAsksOf(state, account) : [];
  return {
    events: [...events, { type: "stake_recorded", account, nodeKey, stakedMicros, isUnbonding }, ...ended],
  };
}
