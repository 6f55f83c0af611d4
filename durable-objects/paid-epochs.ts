// Owns what a region keeps of closed epochs so that they can be paid once more under other values: each trader's sales, fees and
// network fees, and each provider's sales, packed beside the epoch's record. It refuses to be a source: all of it follows from the
// journal.

import { versionInEpoch } from "../market/parameters.ts";
import type { PaidEpoch, PaidResource } from "../market/previews.ts";
import { deliveriesOf } from "../market/resources/resource-rewards.ts";
import type { RegionState } from "../market/state.ts";
import type { Parameters } from "../protocol/commands.ts";
import { PROMISED_RESOURCES } from "../protocol/products.ts";
import type { EpochRecord } from "./projections.ts";
import type { RegionStore } from "./region-store.ts";

/** A stored epoch on its way to whoever compares: what it was decided by, its record, and its packed sums. */
export interface KeptEpoch {
  readonly epoch: number;
  readonly parametersVersion: number;
  readonly voteVersion: number;
  readonly parameters: Parameters;
  readonly record: string;
  readonly sums: ArrayBuffer;
}

/** Which epochs of a region can be paid once more, ascending, and its shape. */
export interface Payable {
  readonly epochs: readonly number[];
  readonly windowSlots: number;
  readonly epochSlots: number;
}

/** Columns of the traders' packed sums, one after the other: sales, fees, network fees. Providers' sales follow them. */
const COLUMNS = 3;

/** Characters and bytes of one answer; a call may carry eight times as much. */
const PAGE_BYTES = 4_000_000;

/** Packs the sums of the epoch that is about to close: of those that traded or delivered, in the order of the epoch's record. */
export function epochSums(state: RegionState): Uint8Array {
  const { accounts } = state.tables;
  const { epochSoldWh, epochBoughtWh, ...sums } = accounts.columns;
  const traders: number[] = [];
  for (let account = 0; account < accounts.rows; account += 1)
    if (epochSoldWh[account] !== 0 || epochBoughtWh[account] !== 0) traders.push(account);
  const promised = PROMISED_RESOURCES.flatMap((resource) =>
    deliveriesOf(state, resource).map(({ epochSalesMicros: micros }) => micros),
  );
  const packed = new Float64Array(COLUMNS * traders.length + promised.length);
  [sums.epochSalesMicros, sums.epochFeesMicros, sums.epochNetworkMicros].forEach((column, place) => {
    packed.set(
      traders.map((account) => column[account] as number),
      place * traders.length,
    );
  });
  packed.set(promised, COLUMNS * traders.length);
  return new Uint8Array(packed.buffer);
}

/** Epochs of a list, from its beginning: as many as an answer should hold, and at least one. */
export function keptEpochs(state: RegionState, store: RegionStore, epochs: readonly number[]): KeptEpoch[] {
  const kept: KeptEpoch[] = [];
  let bytes = 0;
  for (const epoch of epochs) {
    const found = bytes < PAGE_BYTES ? store.epochWithSums(epoch) : null;
    if (found === null) break;
    const { version, voteVersion, parameters } = versionInEpoch(state.header, epoch);
    const { record, bytes: sums } = found;
    kept.push({ epoch, parametersVersion: version, voteVersion, parameters, record, sums });
    bytes += record.length + sums.byteLength;
  }
  return kept;
}

/**
 * A kept epoch as previews take it. One of a release that did not keep whose the fees and sales of a promised resource were says
 * so, and has energy only.
 * @throws Error where record and sums are not of the same traders
 */
export function paidEpochOf({ record, sums, ...decidedBy }: KeptEpoch): PaidEpoch {
  const { accounts, soldWh, boughtWh, rewards, emission, deliveredWh, resources } = JSON.parse(
    record,
  ) as EpochRecord;
  const packed = new Float64Array(sums);
  const count = accounts.length;
  const ofTraders = COLUMNS * count;
  return {
    ...decidedBy,
    emission: BigInt(emission),
    deliveredWh,
    accounts,
    soldWh,
    boughtWh,
    rewards: rewards.map(BigInt),
    salesMicros: packed.subarray(0, count),
    feesMicros: packed.subarray(count, 2 * count),
    networkMicros: packed.subarray(2 * count, ofTraders),
    ...promisedIn(decidedBy.epoch, resources ?? [], packed.length - ofTraders, packed.subarray(ofTraders)),
  };
}

/** @param more doubles that there are beside those of traders. */
function promisedIn(
  epoch: number,
  resources: NonNullable<EpochRecord["resources"]>,
  more: number,
  sales: Float64Array,
): Pick<PaidEpoch, "promised" | "leftOut"> {
  const promised: PaidResource[] = [];
  const leftOut: PaidEpoch["leftOut"][number][] = [];
  let next = 0;
  for (const { resource, units, accounts, deliveredMega, rewards, providerFeesMicros } of resources) {
    // All of an epoch's sums were kept by one release: whole, or none of a promised resource.
    if (more === 0 || providerFeesMicros === undefined) leftOut.push({ resource, units: BigInt(units) });
    else
      promised.push({
        resource,
        units: BigInt(units),
        accounts,
        deliveredMega,
        rewards: rewards.map(BigInt),
        feesMicros: providerFeesMicros,
        salesMicros: sales.subarray(next, next + accounts.length),
      });
    next += accounts.length;
  }
  if (more !== next && more !== 0) throw new Error(`the sums of epoch ${epoch} are not of its traders`);
  return { promised, leftOut };
}
