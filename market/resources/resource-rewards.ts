// Owns the promised resources' part of a closing epoch: what each provider delivered, and its share by the resource's weight.
// It refuses to mint what a rule does not reach; the rule is in rewards.ts.

import type { EpochClosed } from "../../protocol/events.ts";
import { PROMISED_RESOURCES, type PromisedResource } from "../../protocol/products.ts";
import type { RegionState } from "../state.ts";
import { cellOf, countsAt, type ProviderCounts } from "./providers.ts";

export type ResourceShares = NonNullable<EpochClosed["resources"]>[number];

/** How a share is made of what one provider delivered, where everybody delivered `totalUnits`. */
export type ShareRule = (
  resource: PromisedResource,
  totalUnits: bigint,
) => (units: bigint, feesMicros: bigint) => bigint;

/** What a provider delivered of a resource in the running epoch. */
export interface Delivered extends ProviderCounts {
  readonly account: number;
}

/** Everybody who delivered a resource in the running epoch, by ascending account. */
export function deliveriesOf(
  { tables: { providers } }: RegionState,
  resource: PromisedResource,
): Delivered[] {
  return Array.from({ length: providers.rows }, (_, row) => ({
    account: providers.columns.account[row] as number,
    ...countsAt(providers, row, resource),
  }))
    .filter(({ epochUnits }) => epochUnits > 0)
    .sort((left, right) => left.account - right.account);
}

/** Everybody's deliveries of the epoch and their shares, for each resource that was delivered at all. */
export function resourceShares(state: RegionState, rule: ShareRule): ResourceShares[] {
  return PROMISED_RESOURCES.flatMap((resource) => {
    const delivered = deliveriesOf(state, resource);
    if (delivered.length === 0) return [];
    const units = delivered.reduce((sum, { epochUnits }) => sum + BigInt(epochUnits), 0n);
    const share = rule(resource, units);
    return [
      {
        resource,
        units: units.toString(),
        feesMicros: delivered.reduce((sum, { epochFeesMicros }) => sum + epochFeesMicros, 0),
        accounts: delivered.map(({ account }) => account),
        deliveredMega: delivered.map(({ epochUnits }) => epochUnits),
        rewards: delivered.map(({ epochUnits, epochFeesMicros }) =>
          share(BigInt(epochUnits), BigInt(epochFeesMicros)).toString(),
        ),
        providerFeesMicros: delivered.map(({ epochFeesMicros }) => epochFeesMicros),
      },
    ];
  });
}

/** Begins to count anew. */
export function clearEpoch({ tables: { providers } }: RegionState): void {
  const cells = cellOf(providers.rows, PROMISED_RESOURCES[0]);
  providers.columns.epochUnits.fill(0, 0, cells);
  providers.columns.epochFeesMicros.fill(0, 0, cells);
  providers.columns.epochSalesMicros.fill(0, 0, cells);
}
