// Owns closed epochs as previews take them, added up from a journal's events alone. It refuses to read a region's own sums, which
// are held against these.

import type { Entry } from "../../market/journal.ts";
import { parametersOf } from "../../market/parameters.ts";
import type { PaidEpoch, PaidResource } from "../../market/previews.ts";
import type { Parameters } from "../../protocol/commands.ts";
import type { EpochClosed, MarketEvent, SlotCleared } from "../../protocol/events.ts";

interface Sums {
  readonly sales: Map<number, number>;
  readonly fees: Map<number, number>;
  readonly network: Map<number, number>;
  /** What deliveries of compute, the only promised resource that has products, brought. */
  readonly compute: Map<number, number>;
}

const none = (): Sums => ({ sales: new Map(), fees: new Map(), network: new Map(), compute: new Map() });

/** Every epoch that closes in some entries. */
export function paidEpochsOf(entries: readonly Entry[]): PaidEpoch[] {
  const versions = new Map<number, Parameters>();
  const epochs: PaidEpoch[] = [];
  const sellers = new Sellers();
  let sums = none();
  for (const { events } of entries)
    for (const event of events) {
      if (event.type === "region_opened") versions.set(1, parametersOf(event.parameters));
      if (event.type === "parameters_set") versions.set(event.version, parametersOf(event.parameters));
      if (event.type === "slot_cleared") addSlot(sums, event);
      sellers.take(event);
      if (event.type === "obligation_settled" && event.deliveredMega > 0)
        addTo(sums.compute, sellers.of(event.obligation), event.paidMicros);
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
        promised: promisedOf(event, sums.compute),
        leftOut: [],
      });
      sums = none();
    }
  return epochs;
}

function promisedOf({ resources = [] }: EpochClosed, sales: Map<number, number>): PaidResource[] {
  return resources.map(({ resource, units, accounts, deliveredMega, rewards, providerFeesMicros }) => ({
    ...{ resource, units: BigInt(units), accounts, deliveredMega },
    rewards: rewards.map(BigInt),
    feesMicros: providerFeesMicros as number[],
    salesMicros: accounts.map((account) => sales.get(account) as number),
  }));
}

/** Who owes each obligation. */
class Sellers {
  readonly #orders = new Map<number, number>();
  readonly #obligations = new Map<number, number>();

  take(event: MarketEvent): void {
    if (event.type === "resource_order_placed") this.#orders.set(event.order, event.account);
    if (event.type !== "resource_traded") return;
    for (const [index, order] of event.orders.entries()) {
      const seller = event.side === "sell" ? event.account : (this.#orders.get(order) as number);
      this.#obligations.set(event.firstObligation + index, seller);
    }
  }

  of(obligation: number): number {
    return this.#obligations.get(obligation) as number;
  }
}

const addTo = (column: Map<number, number>, account: number, micros: number) =>
  column.set(account, (column.get(account) ?? 0) + micros);

function addSlot({ sales, fees, network }: Sums, event: SlotCleared): void {
  for (const [place, account] of event.accounts.entries()) {
    const wh = event.filledWh[place] as number;
    const charge = event.chargeMicros[place] as number;
    if (wh > 0) {
      const sale = Math.floor((wh * (event.priceMicrosPerKwh as number)) / 1_000);
      if (sale > 0) addTo(sales, account, sale);
      addTo(fees, account, charge);
    } else addTo(network, account, charge);
  }
}
