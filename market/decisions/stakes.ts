// Owns what a region takes over of providers' stakes on its chain. It refuses a key that another provider signs with: no result
// must ever be two accounts'.

import type { CommandOf } from "../../protocol/commands.ts";
import { rejected } from "../../protocol/errors.ts";
import type { Decision, Occasion } from "../decision.ts";
import { accountOfKey } from "../providers.ts";
import { addressOf } from "../state.ts";
import { openAccount } from "./region.ts";

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
  return {
    events: [...events, { type: "stake_recorded", account, nodeKey, stakedMicros, isUnbonding }],
  };
}
