// Owns what a region keeps of closed epochs so that they can be paid once more under other values: each trader's sales, fees and
// network fees, packed beside the epoch's record. It refuses to be a source: all of it follows from the journal.

import { versionInEpoch } from "../market/parameters.ts";
import type { PaidEpoch } from "../market/previews.ts";
import type { RegionState } from "../market/state.ts";
import type { Parameters } from "../protocol/commands.ts";
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

/** Columns of the packed sums, one after the other: sales, fees, network fees. */
const COLUMNS = 3;

/** Characters and bytes of one answer; a call may carry eight times as much. */
const PAGE_BYTES = 4_000_000;

/** Packs the sums of the epoch that is about to close: of those that traded, in the order of the epoch's record. */
export function epochSums({ tables: { accounts } }: RegionState): Uint8Array {
  const { epochSoldWh, epochBoughtWh, ...sums } = accounts.columns;
  const traders: number[] = [];
  for (let account = 0; account < accounts.rows; account += 1)
    if (epochSoldWh[account] !== 0 || epochBoughtWh[account] !== 0) traders.push(account);
  const packed = new Float64Array(COLUMNS * traders.length);
  [sums.epochSalesMicros, sums.epochFeesMicros, sums.epochNetworkMicros].forEach((column, place) => {
    packed.set(
      traders.map((account) => column[account] as number),
      place * traders.length,
    );
  });
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

/** A kept epoch as previews take it. @throws Error where record and sums are not of the same traders */
export function paidEpochOf({ record, sums, ...decidedBy }: KeptEpoch): PaidEpoch {
  const { accounts, soldWh, boughtWh, rewards, emission, deliveredWh } = JSON.parse(record) as EpochRecord;
  const packed = new Float64Array(sums);
  const count = accounts.length;
  if (packed.length !== COLUMNS * count)
    throw new Error(`the sums of epoch ${decidedBy.epoch} are not of its traders`);
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
    networkMicros: packed.subarray(2 * count),
  };
}
