// Owns what a deployment says of its relay of ballots. It refuses a budget or a minimum that is no number; without a key there is
// no relay, and nothing else changes.

import { walletOf } from "../../evidence/wallet-key.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { Env } from "../environment.ts";
import { keyOf, SettingsRefused } from "../mirror/settings.ts";
import { type VoteSettings, voteSettings } from "./vote-settings.ts";

export interface RelaySettings extends VoteSettings {
  readonly key: Hex;
  readonly account: Hex;
  readonly budgetWei: bigint;
  readonly minimumVotes: bigint;
}

/** Whether the deployment sends ballots for others. */
export function hasRelay({ RELAY_KEY }: Pick<Env, "RELAY_KEY">): boolean {
  return (RELAY_KEY ?? "").trim() !== "";
}

/** @throws SettingsRefused */
export function relaySettings(env: Env): RelaySettings {
  const key = keyOf(env.RELAY_KEY, "RELAY_KEY");
  return {
    ...voteSettings(env),
    ...{ key, account: walletOf(key) },
    budgetWei: amountIn("RELAY_BUDGET_WEI", env.RELAY_BUDGET_WEI),
    minimumVotes: amountIn("RELAY_MINIMUM_VOTES", env.RELAY_MINIMUM_VOTES),
  };
}

function amountIn(name: string, text: string | undefined): bigint {
  if (!/^(0|[1-9][0-9]{0,38})$/.test(text ?? "")) throw new SettingsRefused(`${name} is no whole number`);
  return BigInt(text ?? "");
}
