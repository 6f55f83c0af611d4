// Owns which vote a deployment shows, by its variables. It refuses a governor without a chain to read it on.

import type { VoteRoots } from "../../governance/proposals/vote-contracts.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import type { Env } from "../environment.ts";
import { addressOf, hasChain, type ReadSettings, readSettings } from "../mirror/settings.ts";

/** A chain, and where the search for a vote's contracts begins. */
export interface VoteSettings extends ReadSettings {
  readonly roots: VoteRoots;
}

/** Whether the deployment shows votes. */
export function hasVotes(env: Env): boolean {
  return hasChain(env) && (env.GOVERNOR || NO_ADDRESS) !== NO_ADDRESS;
}

/** The governor; the zero address where the deployment shows no votes. @throws SettingsRefused */
export function governorOf(env: Env): Hex {
  return hasVotes(env) ? addressOf("GOVERNOR", env.GOVERNOR) : NO_ADDRESS;
}

/** @throws SettingsRefused */
export function voteSettings(env: Env): VoteSettings {
  const settings = readSettings(env);
  const { settlement, meterRegistry, providerStake } = settings;
  return { ...settings, roots: { governor: governorOf(env), settlement, meterRegistry, providerStake } };
}
