// Owns what a scenario reports: sums over the settled slots, the audit, and what each household gained against its
// tariff alone. It refuses to trust the region's own totals where the audit can derive them.

import { costUnderTariffMicros } from "../../market/tariff-cost.ts";
import type { Hex } from "../../protocol/fields.ts";
import { audit } from "../audit/audit.ts";
import { feedInAt, retailAt, type Tariff } from "../household/tariff.ts";
import { accountOf } from "../local/neighbourhood.ts";
import type { BillLine, PolderClient } from "../sdk/client.ts";
import type { ScenarioOptions, SettledHome } from "./neighbourhood.ts";
import { SettledSums } from "./settled-sums.ts";
import type { WithdrawalResult } from "./withdrawal.ts";

/** One household's outcome, in micros of the quote asset. */
export interface HouseholdResult {
  readonly name: string;
  readonly account: Hex;
  readonly soldWh: number;
  readonly boughtWh: number;
  /** What its energy would have cost under the tariff alone. */
  readonly tariffCostMicros: number;
  /** What it cost with the market: trades, and the rest under the tariff. */
  readonly costMicros: number;
  readonly gainMicros: number;
  /** Slots in which it was worse off than under the tariff alone. */
  readonly worseSlots: number;
}

export interface ScenarioResult {
  readonly scenario: "neighbourhood";
  readonly dataset: string;
  readonly homes: number;
  readonly days: number;
  readonly orders: number;
  readonly meteredSurplusWh: number;
  readonly meteredNeedWh: number;
  /** Per slot the smaller of surplus and need, summed. */
  readonly matchableWh: number;
  readonly tradedWh: number;
  readonly tradedShare: number;
  /** Proofs of meters in the journal, each verified by the audit. */
  readonly proofs: number;
  /** What those proofs claim. */
  readonly claimedSurplusWh: number;
  readonly claimedNeedWh: number;
  /** Of what traded, the Wh for which both sides showed proofs: all of it. */
  readonly provedWh: number;
  /** Wall seconds a proof took, several at a time. */
  readonly secondsPerProof: number;
  /** What buyers paid in all. */
  readonly settledMicros: number;
  readonly feesMicros: number;
  readonly networkMicros: number;
  readonly dustMicros: number;
  /** Money in all accounts and withdrawn from them, minus money credited. */
  readonly conservationDriftMicros: number;
  /** What everybody got back on the chain, or null where the money was test money. */
  readonly withdrawal: WithdrawalResult | null;
  readonly auditOk: boolean;
  readonly auditFailure: string | null;
  readonly entries: number;
  readonly receipts: number;
  readonly missedWindows: number;
  readonly households: readonly HouseholdResult[];
}

interface Ended {
  readonly client: PolderClient;
  readonly region: string;
  readonly agents: readonly SettledHome[];
  readonly options: ScenarioOptions;
  readonly firstSlot: number;
  readonly untilSlot: number;
  readonly seed: string;
  readonly secondsPerProof: number;
  readonly withdrawal: WithdrawalResult | null;
}

/** Reads everything back over HTTP, audits it, and adds it up. */
export async function summarise(ended: Ended): Promise<ScenarioResult> {
  const { client, region, agents, options, firstSlot, untilSlot } = ended;
  const { dataset, progress, days } = options;
  progress("reading the market back");
  const sums = new SettledSums();
  progress("auditing the journal");
  const receipts = agents.flatMap(({ memory }) => memory.receipts());
  const report = await audit(await client.deployment(), client.journal(region), {
    receipts,
    observe: ({ events }) => {
      for (const event of events) sums.add(event);
    },
  });
  const metered = meteredTotals(ended);
  const households = await Promise.all(
    agents.map(({ home, keys }) => householdResult(ended, home.name, keys.account)),
  );
  return {
    scenario: "neighbourhood",
    dataset: dataset.name,
    homes: agents.length,
    days,
    orders: agents.reduce((sum, { orders }) => sum + orders, 0),
    ...metered,
    tradedWh: sums.tradedWh,
    tradedShare: metered.matchableWh === 0 ? 1 : sums.tradedWh / metered.matchableWh,
    proofs: report.proofs,
    claimedSurplusWh: sums.claimedSurplusWh,
    claimedNeedWh: sums.claimedNeedWh,
    provedWh: sums.provedWh,
    secondsPerProof: Math.round(ended.secondsPerProof * 1_000) / 1_000,
    settledMicros: sums.settledMicros,
    feesMicros: sums.feesMicros,
    networkMicros: sums.networkMicros,
    dustMicros: sums.dustMicros,
    conservationDriftMicros: await drift(ended),
    withdrawal: ended.withdrawal,
    auditOk: report.auditOk,
    auditFailure: report.failure === null ? null : `entry ${report.failure.entry}: ${report.failure.reason}`,
    entries: report.entries,
    receipts: report.receipts,
    missedWindows: agents.reduce((sum, { missed }) => sum + missed, 0),
    households,
  };

  function meteredTotals({ agents: homes }: Ended) {
    const totals = { meteredSurplusWh: 0, meteredNeedWh: 0, matchableWh: 0 };
    for (let slot = firstSlot; slot < untilSlot; slot += 1) {
      let surplus = 0;
      let need = 0;
      for (const { home } of homes) {
        const wh = home.netWhBySlot(slot - dataset.startSlot);
        if (wh > 0) surplus += wh;
        else need -= wh;
      }
      totals.meteredSurplusWh += surplus;
      totals.meteredNeedWh += need;
      totals.matchableWh += Math.min(surplus, need);
    }
    return totals;
  }
}

/** Money in every account of the region, and what left it, minus everything that was credited. */
async function drift({ client, region, agents, seed }: Ended): Promise<number> {
  const accounts = new Set([
    ...agents.map(({ keys }) => keys.account),
    accountOf(seed, "treasury"),
    accountOf(seed, "grid operator"),
  ]);
  let held = 0;
  for (const account of accounts) {
    const { freeMicros, escrowMicros, withdrawnMicros } = await client.account(region, account);
    held += freeMicros + escrowMicros + withdrawnMicros;
  }
  return held - (await client.market(region)).depositedMicros;
}

async function householdResult(ended: Ended, name: string, account: Hex): Promise<HouseholdResult> {
  const { client, region, firstSlot, untilSlot, options } = ended;
  const result = {
    name,
    account,
    soldWh: 0,
    boughtWh: 0,
    tariffCostMicros: 0,
    costMicros: 0,
    gainMicros: 0,
    worseSlots: 0,
  };
  for await (const { lines } of client.billPages(region, account, { from: firstSlot, until: untilSlot }))
    for (const line of lines) add(result, line, options.tariff);
  result.gainMicros = result.tariffCostMicros - result.costMicros;
  return result;
}

function add(
  result: { -readonly [K in keyof HouseholdResult]: HouseholdResult[K] },
  line: BillLine,
  tariff: Tariff,
): void {
  const { slot, meteredWh, tradedWh, amountMicros } = line;
  const retail = retailAt(tariff, slot);
  const feedIn = feedInAt(tariff, slot);
  const alone = costUnderTariffMicros(meteredWh, retail, feedIn);
  const together = costUnderTariffMicros(meteredWh - tradedWh, retail, feedIn) - amountMicros;
  result.soldWh += Math.max(0, tradedWh);
  result.boughtWh += Math.max(0, -tradedWh);
  result.tariffCostMicros += alone;
  result.costMicros += together;
  if (together > alone) result.worseSlots += 1;
}
