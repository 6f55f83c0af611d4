// Owns closed epochs as previews take them, added up from a journal's events alone. It refuses to read a region's own sums, which
// are held against these.

import type { Entry } from "../../market/journal.ts";
import { parametersOf } from "../../market/parameters.ts";
import type { PaidEpoch } from "../../market/previews.ts";
import type { Parameters } from "../../protocol/commands.ts";
import type { SlotCleared } from "../../protocol/events.ts";

interface Sums {
  readonly sales: Map<number, number>;
  readonly fees: Map<number, number>;
  readonly network: Map<number, number>;
}

const none = (): Sums => ({ sales: new Map(), fees: new Map(), network: new Map() });

/** Every epoch that closes in some entries. */
export function paidEpochsOf(entries: readonly Entry[]): PaidEpoch[] {
  const versions = new Map<number, Parameters>();
  const epochs: PaidEpoch[] = [];
  let sums = none();
  for (const { events } of entries)
    for (const event of events) {
      if (event.type === "region_opened") versions.set(1, parametersOf(event.parameters));
      if (event.type === "parameters_set") versions.set(event.version, parametersOf(event.parameters));
      if (event.type === "slot_cleared") addSlot(sums, event);
      if (event.type !== "epoch_closed") continue;
      const { accounts } = event;
      const listed = (column: Map<number, number>) => accounts.map((account) => column.get(account) ?? 0);
      epochs.push({
        epoch: event.epoch,
        parametersVersion: event.parametersVersion,
        voteVersion: event.voteVersion,
        parameters: versions.get(event.parametersVersion) as Parameters,
        emission: BigInt(event.emission),
        deliveredWh: event.deliveredWh,
        accounts,
        soldWh: event.soldWh,
        boughtWh: event.boughtWh,
        rewards: event.rewards.map(BigInt),
        salesMicros: listed(sums.sales),
        feesMicros: listed(sums.fees),
        networkMicros: listed(sums.network),
      });
      sums = none();
    }
  return epochs;
}

function addSlot({ sales, fees, network }: Sums, event: SlotCleared): void {
  for (const [place, account] of event.accounts.entries()) {
    const add = (column: Map<number, number>, micros: number) =>
      column.set(account, (column.get(account) ?? 0) + micros);
    const wh = event.filledWh[place] as number;
    const charge = event.chargeMicros[place] as number;
    if (wh > 0) {
      const sale = Math.floor((wh * (event.priceMicrosPerKwh as number)) / 1_000);
      if (sale > 0) add(sales, sale);
      add(fees, charge);
    } else add(network, charge);
  }
}
