// Owns what can be read of those who sell compute: their stakes and their records. It refuses to change anything and to answer with
// more than a page.

import { providerOf } from "../market/providers.ts";
import { countsAt } from "../market/resources/providers.ts";
import { jobRecordAt, rankOf, reputationOf } from "../market/resources/reputation.ts";
import { addressOf, type RegionState } from "../market/state.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_PAGE_ROWS } from "../protocol/limits.ts";
import type { ProviderReputation } from "../protocol/provider-answers.ts";

/** Everybody who has sold compute or put something at stake, the most reliable first; at most a page. */
export function reputationsOf(state: RegionState): ProviderReputation[] {
  const { providerByAccount, stakeByAccount } = state.indexes;
  const accounts = [...new Set([...providerByAccount.keys(), ...stakeByAccount.keys()])];
  const ranked = accounts.map((account) => ({
    account,
    rank: rankOf(jobRecordAt(state.tables.providers, providerByAccount.get(account))),
  }));
  return ranked
    .sort((left, right) => left.rank - right.rank || left.account - right.account)
    .slice(0, MAX_PAGE_ROWS)
    .map(({ account }) => reputationAt(state, account));
}

/** A provider's record; null where the account has none and nothing at stake. */
export function reputationOfAddress(state: RegionState, address: Hex): ProviderReputation | null {
  const { accountByAddress, providerByAccount, stakeByAccount } = state.indexes;
  const account = accountByAddress.get(address);
  if (account === undefined || !(providerByAccount.has(account) || stakeByAccount.has(account))) return null;
  return reputationAt(state, account);
}

function reputationAt(state: RegionState, account: number): ProviderReputation {
  const { providers } = state.tables;
  const row = state.indexes.providerByAccount.get(account);
  const record = jobRecordAt(providers, row);
  const { reportSeconds: _reportSeconds, ...counts } = record;
  return {
    account: addressOf(state, account),
    stake: providerOf(state, account),
    ...counts,
    ...reputationOf(record),
    deliveredMega: String(countsAt(providers, row, "compute").units),
    earnedMicros: String(countsAt(providers, row, "compute").earnedMicros),
    rank: rankOf(record),
  };
}
