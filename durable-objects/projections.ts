// Owns what is kept for readers beside the audited state: settled slots with their curves, bills by account and window,
// closed epochs. It refuses to be a source: everything in it follows from the journal.

import { type EpochCertificate, epochCertificates } from "../evidence/certificate-tree.ts";
import { aggregateCurve } from "../market/auction/curve.ts";
import { isEpochCleared, isWindowCleared, isWindowNext } from "../market/due.ts";
import type { Entry } from "../market/journal.ts";
import { slotBook } from "../market/ladder.ts";
import { parametersAtSlot, versionInEpoch } from "../market/parameters.ts";
import { addressOf, type RegionState } from "../market/state.ts";
import type { ClearedSlot, Curve, Epoch } from "../protocol/answers.ts";
import type { EpochClosed, SlotCleared } from "../protocol/events.ts";
import { epochSums } from "./paid-epochs.ts";
import type { RegionStore } from "./region-store.ts";

/** One account's settled window; arrays by slot. */
export interface BillRecord {
  /** Entry that holds the evidence. */
  readonly evidence: number;
  readonly netWh: readonly number[];
  readonly filledWh: readonly number[];
  readonly amountMicros: readonly number[];
  readonly chargeMicros: readonly number[];
  /** 1 where the balance or a session's limit cut what was asked for. */
  readonly cut: readonly number[];
}

/** What must be read from the state before the next due step changes it. */
export interface BeforeStep {
  readonly curve: Curve | null;
  /** Of the epoch that the step closes. */
  readonly sums: Uint8Array | null;
  readonly bills: readonly {
    readonly account: number;
    readonly firstSlot: number;
    readonly record: BillRecord;
  }[];
}

/**
 * Reads what the next due step will consume: the book of a slot, or the fills of a window that closes; null where it is
 * about neither.
 */
export function beforeStep(state: RegionState): BeforeStep | null {
  if (!isWindowNext(state)) return null;
  const { nextSlot } = state.header;
  if (isWindowCleared(state)) {
    const sums = isEpochCleared(state) ? epochSums(state) : null;
    return { curve: null, sums, bills: [...billsOf(state)] };
  }
  const book = slotBook(state, nextSlot, parametersAtSlot(state, nextSlot)).book;
  return { curve: aggregateCurve(book), sums: null, bills: [] };
}

/** Writes what a command brought for readers, in the transaction of its journal row. */
export function projectCommand(store: RegionStore, entry: Entry): void {
  for (const event of entry.events) {
    if (event.type === "certificate_committed")
      store.putCommitment(event.account, entry.number, event.commitment);
  }
  store.results.keep(entry);
}

/** Writes what a due step brought for readers, in the transaction of its journal row. */
export function project(store: RegionStore, entry: Entry, before: BeforeStep): void {
  for (const { account, firstSlot, record } of before.bills)
    store.putBill(account, firstSlot, JSON.stringify(record));
  for (const event of entry.events) {
    if (event.type === "slot_cleared" && before.curve !== null) {
      store.putSlot(event.slot, JSON.stringify(slotRecord(event, entry.number, before.curve)));
    }
    if (event.type === "window_closed") store.forgetFailedProofs(event.firstSlot + 1);
    if (event.type === "epoch_closed") {
      store.putEpoch(event.epoch, JSON.stringify(epochRecord(event, entry.number)));
      if (before.sums !== null) store.putEpochSums(event.epoch, before.sums);
    }
  }
}

function slotRecord(event: SlotCleared, entry: number, curve: Curve): ClearedSlot {
  const { type: _type, accounts, filledWh, amountMicros, chargeMicros: _c, cut: _x, ...rest } = event;
  const { sessions: _s, sessionWh: _w, sessionMicros: _m, ...totals } = rest;
  const settledMicros = amountMicros.reduce(
    (sum, amount, index) => ((filledWh[index] as number) < 0 ? sum - amount : sum),
    0,
  );
  return { ...totals, entry, traders: accounts.length, settledMicros, curve };
}

/** A stored slot as readers get it; of rules before votes there was none in force. */
export function slotFrom(record: string): ClearedSlot {
  return { voteVersion: 0, ...(JSON.parse(record) as Omit<ClearedSlot, "voteVersion">) };
}

/** A closed epoch as it is stored: by account number, or the record of a large region would not fit a row. */
export type EpochRecord = Omit<EpochClosed, "type"> & {
  /** The entry that closed it. */
  readonly entry: number;
};

function epochRecord({ type: _type, ...record }: EpochClosed, entry: number): EpochRecord {
  return { ...record, entry };
}

/** A stored epoch as readers get it: by address. */
export function epochFrom(state: RegionState, record: EpochRecord): Epoch {
  const { accounts, soldWh, boughtWh, rewards, certified, resources = [], ...totals } = record;
  const byAddress = <T>(values: readonly T[], whose: readonly number[] = accounts): Record<string, T> =>
    Object.fromEntries(whose.map((account, index) => [addressOf(state, account), values[index] as T]));
  // Epochs that closed before this was noted: their versions are still in the schedule.
  const { version, voteVersion } = versionInEpoch(state.header, record.epoch);
  return {
    ...{ parametersVersion: version, voteVersion },
    ...totals,
    soldWh: byAddress(soldWh),
    boughtWh: byAddress(boughtWh),
    rewards: byAddress(rewards),
    resources: resources.map(({ resource, units, feesMicros, ...delivered }) => ({
      resource,
      units,
      feesMicros,
      deliveredMega: byAddress(delivered.deliveredMega, delivered.accounts),
      rewards: byAddress(delivered.rewards, delivered.accounts),
      providerFeesMicros:
        delivered.providerFeesMicros === undefined
          ? {}
          : byAddress(delivered.providerFeesMicros, delivered.accounts),
    })),
    certificates: accounts
      .filter((_, row) => certified[row] === 1)
      .map((account) => addressOf(state, account)),
  };
}

/** What an epoch's certificate tree is made of, in the order of its leaves; null when the epoch has not closed. */
export function certificatesOf(store: RegionStore, epoch: number): EpochCertificate[] | null {
  const [found] = store.epochs(epoch, epoch + 1);
  if (found === undefined) return null;
  const record = JSON.parse(found.record) as EpochRecord;
  const commitments = new Map(
    store.commitmentsAt(record.entry).map(({ account, commitment }) => [account, commitment]),
  );
  return epochCertificates(record, (account) => commitments.get(account) as string);
}

function* billsOf(state: RegionState): Generator<BeforeStep["bills"][number]> {
  const { window } = state.tables;
  const { columns } = window;
  const slots = window.schema.netWh.width;
  for (let row = 0; row < window.rows; row += 1) {
    const cells = (array: { slice(from: number, until: number): ArrayLike<number> }): number[] =>
      Array.from(array.slice(row * slots, (row + 1) * slots));
    yield {
      account: columns.account[row] as number,
      firstSlot: state.header.windowFirstSlot,
      record: {
        evidence: columns.evidence[row] as number,
        netWh: cells(columns.netWh),
        filledWh: cells(columns.filledWh),
        amountMicros: cells(columns.amountMicros),
        chargeMicros: cells(columns.chargeMicros),
        cut: cells(columns.cut),
      },
    };
  }
}
