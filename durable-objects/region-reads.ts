// Owns what can be read from a region: balances, orders, bills, slots, as plain values. It refuses to change anything
// and to answer with more than a page.

import { outflowOf } from "../market/decisions/chain.ts";
import { countOrders } from "../market/decisions/orders.ts";
import { nextWindowSlot } from "../market/decisions/region.ts";
import { nextDueS } from "../market/due.ts";
import { rewardOf } from "../market/evolve.ts";
import { violations } from "../market/invariants.ts";
import { epochOf, versionAtSlot, windowOf } from "../market/parameters.ts";
import { providerOf } from "../market/providers.ts";
import { leavesOfWindow, rootOfWindow } from "../market/registry.ts";
import { addressOf, type RegionState, termsOf } from "../market/state.ts";
import { findRow, isSet, readHex } from "../market/table.ts";
import type { Account, ClearedSlot, Market, Order, Registry, SettledLine } from "../protocol/answers.ts";
import { NO_END_SLOT } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_LADDER_STEPS, MAX_PAGE_ROWS } from "../protocol/limits.ts";
import { slotAt, slotStartS } from "../protocol/units.ts";
import { type BillRecord, type EpochRecord, slotFrom } from "./projections.ts";
import type { RegionStore } from "./region-store.ts";

/** What the region is and where it stands; null before it is opened. */
export function marketNow(state: RegionState, store: RegionStore, atS: number): Market | null {
  if (state.header.opened === null) return null;
  const { header, tables } = state;
  const terms = termsOf(state);
  const slot = slotAt(atS);
  const { version, voteVersion, parameters } = versionAtSlot(state, slot);
  const [last] = store.slots(header.nextSlot - 1, header.nextSlot, 1);
  return {
    region: terms.region,
    atS,
    slot,
    windowFirstSlot: header.windowFirstSlot,
    windowSlots: terms.windowSlots,
    epochSlots: terms.epochSlots,
    firstSlot: terms.firstSlot,
    nextSlot: header.nextSlot,
    nextDueS: nextDueS(state) as number,
    parametersVersion: version,
    voteVersion,
    parameters,
    entries: header.entry,
    accounts: tables.accounts.rows,
    liveOrders: liveOrders(state, slot),
    meters: tables.meters.rows,
    provedAccounts: tables.window.rows,
    quote: terms.quote,
    depositedMicros: header.depositedMicros,
    withdrawnMicros: header.withdrawnMicros,
    outflow: terms.quote === "settlement" ? outflowOf(state) : null,
    lastCleared: last === undefined ? null : slotFrom(last.record),
  };
}

/** An account by address, or null. */
export function accountNow(state: RegionState, address: Hex, atS: number): Account | null {
  const account = state.indexes.accountByAddress.get(address);
  if (account === undefined) return null;
  const { columns } = state.tables.accounts;
  return {
    account: address,
    number: account,
    freeMicros: columns.freeMicros[account] as number,
    // Energy is settled at once; escrow belongs to resources that are matched before they are delivered.
    escrowMicros: 0,
    withdrawnMicros: columns.withdrawnMicros[account] as number,
    rewards: rewardOf(state, account).toString(),
    liveOrders: countOrders(state, account, slotAt(atS) + 1).live,
    epochSoldWh: columns.epochSoldWh[account] as number,
    epochBoughtWh: columns.epochBoughtWh[account] as number,
    epochFeesMicros: columns.epochFeesMicros[account] as number,
    certificate: commitmentOf(state, account),
    provider: providerOf(state, account),
    sessions: sessionsOf(state, account),
  };
}

/** What a mirror must know of a region. */
export interface Mirrored {
  readonly quote: "test" | "settlement";
  /** Wallet whose commands carry what the chain says. */
  readonly mirror: Hex;
  /** Number of the last event of each stream that was taken. */
  readonly deposits: number;
  readonly registryEvents: number;
  readonly termsVersion: number;
  readonly stakeEvents: number;
  /** The last version of voted parameters. */
  readonly voteVersion: number;
  /** The newest of the region's own versions, whoever set it. */
  readonly parametersVersion: number;
  /** Hash of all deposits credited. */
  readonly depositsHash: Hex;
  readonly windowSlots: 4 | 96;
  readonly epochSlots: number;
  /** The epoch that the region's first slot is in. */
  readonly firstEpoch: number;
  readonly lastClosedEpoch: number | null;
}

/** How far the chain has been mirrored; null before the region is opened. */
export function mirroredNow(state: RegionState, store: RegionStore): Mirrored | null {
  const { opened, mirrored, depositsHash } = state.header;
  if (opened === null) return null;
  const { quote, mirror, windowSlots, epochSlots, firstSlot } = opened;
  return {
    quote,
    mirror,
    deposits: mirrored.deposits,
    registryEvents: mirrored.registry,
    termsVersion: mirrored.terms,
    stakeEvents: mirrored.stakes,
    voteVersion: mirrored.parameters,
    parametersVersion: state.header.parameters.at(-1)?.version ?? 0,
    depositsHash,
    windowSlots,
    epochSlots,
    firstEpoch: epochOf(state, firstSlot),
    lastClosedEpoch: store.newestReport(),
  };
}

/** The registry of a window whose proofs may be made now or soon: open, running or next; null for any other. */
export function registryOf(state: RegionState, firstSlot: number, atS: number): Registry | null {
  if (state.header.opened === null || windowOf(state, firstSlot) !== firstSlot) return null;
  const { windowFirstSlot } = state.header;
  if (firstSlot < windowFirstSlot || firstSlot > nextWindowSlot(state, atS)) return null;
  return {
    firstSlot,
    root: rootOfWindow(state, firstSlot),
    leaves: leavesOfWindow(state, firstSlot),
  };
}

/** An account's commitment to its certificates' secret as a decimal, or null. */
function commitmentOf({ tables }: RegionState, account: number): string | null {
  const { certificate } = tables.accounts.columns;
  return isSet(certificate, account, 32) ? BigInt(readHex(certificate, account, 32)).toString() : null;
}

/** An order of the book by its number, or null. */
export function orderNow(state: RegionState, orderId: number, atS: number): Order | null {
  const { columns, rows } = state.tables.orders;
  const row = findRow(columns.id, rows, orderId);
  return row < 0 ? null : orderAt(state, row, slotAt(atS));
}

/** An account's orders that have not left the book, ascending. */
export function ordersOf(state: RegionState, address: Hex, atS: number): Order[] {
  const account = state.indexes.accountByAddress.get(address);
  const { columns, rows } = state.tables.orders;
  const found: Order[] = [];
  for (let row = 0; row < rows; row += 1) {
    const isDead = (columns.untilSlot[row] as number) <= (columns.fromSlot[row] as number);
    if (columns.account[row] === account && !isDead) found.push(orderAt(state, row, slotAt(atS)));
  }
  return found;
}

/** An account's settled slots in [from, until), ascending, at most a page. */
export function billOf(
  state: RegionState,
  store: RegionStore,
  address: Hex,
  from: number,
  until: number,
): SettledLine[] | null {
  const account = state.indexes.accountByAddress.get(address);
  if (account === undefined) return null;
  const { windowSlots, epochSlots } = termsOf(state);
  const windows = store.bills(
    account,
    from - windowSlots + 1,
    until,
    Math.ceil(MAX_PAGE_ROWS / windowSlots) + 2,
  );
  const rewards = new EpochRewards(store, account, epochSlots);
  const lines: SettledLine[] = [];
  for (const { firstSlot, record } of windows) {
    const bill = JSON.parse(record) as BillRecord;
    const prices = pricesOf(store, firstSlot, windowSlots);
    for (let index = 0; index < windowSlots && lines.length < MAX_PAGE_ROWS; index += 1) {
      const slot = firstSlot + index;
      if (slot < from || slot >= until) continue;
      const tradedWh = bill.filledWh[index] as number;
      const charge = bill.chargeMicros[index] as number;
      lines.push({
        slot,
        startS: slotStartS(slot),
        meteredWh: bill.netWh[index] as number,
        tradedWh,
        priceMicrosPerKwh: prices.get(slot) ?? null,
        amountMicros: bill.amountMicros[index] as number,
        feeMicros: tradedWh > 0 ? charge : 0,
        networkMicros: tradedWh < 0 ? charge : 0,
        reward: rewards.shareOf(slot, tradedWh),
        evidence: bill.evidence,
        wasCut: bill.cut[index] === 1,
      });
    }
  }
  return lines;
}

/** Prices of a window's cleared slots. By window: an account that proves seldom has windows far apart. */
function pricesOf(store: RegionStore, firstSlot: number, windowSlots: number): Map<number, number | null> {
  return new Map(
    store
      .slots(firstSlot, firstSlot + windowSlots, windowSlots)
      .map(({ slot, record }) => [slot, (JSON.parse(record) as ClearedSlot).priceMicrosPerKwh]),
  );
}

/** Splits an account's epoch reward over the slots it sold in, by the Wh sold, rounded down. */
class EpochRewards {
  readonly #store: RegionStore;
  readonly #account: number;
  readonly #epochSlots: number;
  readonly #epochs = new Map<number, { reward: bigint; soldWh: bigint } | null>();

  constructor(store: RegionStore, account: number, epochSlots: number) {
    this.#store = store;
    this.#account = account;
    this.#epochSlots = epochSlots;
  }

  shareOf(slot: number, tradedWh: number): string | null {
    const epoch = Math.floor(slot / this.#epochSlots);
    let totals = this.#epochs.get(epoch);
    if (totals === undefined) {
      totals = this.#read(epoch);
      this.#epochs.set(epoch, totals);
    }
    if (totals === null) return null;
    if (tradedWh <= 0 || totals.soldWh === 0n) return "0";
    return ((totals.reward * BigInt(tradedWh)) / totals.soldWh).toString();
  }

  #read(epoch: number): { reward: bigint; soldWh: bigint } | null {
    const [found] = this.#store.epochs(epoch, epoch + 1);
    if (found === undefined) return null;
    const record = JSON.parse(found.record) as EpochRecord;
    const index = record.accounts.indexOf(this.#account);
    if (index < 0) return { reward: 0n, soldWh: 0n };
    return {
      reward: BigInt(record.rewards[index] as string),
      soldWh: BigInt(record.soldWh[index] as number),
    };
  }
}

/** What an operator and a monitor want to know; `violations` is empty in a sound region. */
export function healthOf(
  state: RegionState,
  store: RegionStore,
): {
  readonly entry: number;
  readonly violations: readonly string[];
  readonly databaseBytes: number;
  readonly archivedSegments: number;
  readonly rememberedCommands: number;
} {
  return {
    entry: state.header.entry,
    violations: violations(state),
    databaseBytes: store.bytes,
    archivedSegments: store.segments().length,
    rememberedCommands: state.tables.commands.rows,
  };
}

function liveOrders(state: RegionState, slot: number): number {
  const { columns, rows } = state.tables.orders;
  let live = 0;
  for (let row = 0; row < rows; row += 1) if ((columns.untilSlot[row] as number) > slot + 1) live += 1;
  return live;
}

function orderAt(state: RegionState, row: number, slot: number): Order {
  const { columns } = state.tables.orders;
  const untilSlot = columns.untilSlot[row] as number;
  const bits = columns.hours[row] as number;
  const steps = Array.from({ length: columns.steps[row] as number }, (_, step) => ({
    limitPriceMicrosPerKwh: columns.price[row * MAX_LADDER_STEPS + step] as number,
    capWhPerSlot: columns.cap[row * MAX_LADDER_STEPS + step] as number,
  }));
  return {
    orderId: columns.id[row] as number,
    account: addressOf(state, columns.account[row] as number),
    side: columns.side[row] === 1 ? "buy" : "sell",
    steps,
    fromSlot: columns.fromSlot[row] as number,
    untilSlot: untilSlot === NO_END_SLOT ? null : untilSlot,
    hours: Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => ((bits >>> hour) & 1) === 1),
    session: columns.session[row] as number,
    isLive: untilSlot > slot + 1,
  };
}

function sessionsOf(state: RegionState, account: number): Account["sessions"] {
  const { columns, rows } = state.tables.sessions;
  const found: Account["sessions"] = [];
  for (let row = 0; row < rows; row += 1) {
    if (columns.account[row] !== account) continue;
    const sides = columns.sides[row] as number;
    found.push({
      session: columns.id[row] as number,
      key: readHex(columns.key, row, 32),
      sides: [
        ...((sides & 1) === 1 ? (["sell"] as const) : []),
        ...((sides & 2) === 2 ? (["buy"] as const) : []),
      ],
      leastAskMicrosPerKwh: columns.leastAsk[row] as number,
      highestBidMicrosPerKwh: columns.highestBid[row] as number,
      dailyWh: columns.dailyWh[row] as number,
      spendingLimitMicros: columns.spendingLimitMicros[row] as number,
      spentMicros: columns.spentMicros[row] as number,
      expiresAtS: columns.expiresAtS[row] as number,
      isRevoked: columns.revokedFromSlot[row] !== 0,
    });
  }
  return found;
}
