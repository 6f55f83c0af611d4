// Owns how each event changes the state, and nothing else changes it. It refuses to decide: every amount and number
// is in the event, so that recovery gives the same state whatever rules are deployed by then.

import type { EventOf, EventType, MarketEvent } from "../protocol/events.ts";
import { NO_END_SLOT } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import { SLOT_SECONDS } from "../protocol/units.ts";
import { deposit, type Posting, transfer, withdraw } from "./ledger.ts";
import { epochOf, parametersOf } from "./parameters.ts";
import { writeProvider } from "./providers.ts";
import { rootOfWindow, rootsWith, writeNodes } from "./registry.ts";
import { RESOURCE_EVOLVERS } from "./resources/resource-evolve.ts";
import { clearEpoch } from "./resources/resource-rewards.ts";
import {
  createTables,
  indexMeters,
  indexOrder,
  indexOrders,
  indexSessions,
  type RegionState,
} from "./state.ts";
import { findRow, wordHex, writeHex } from "./table.ts";

type Evolvers = { readonly [T in EventType]: (state: RegionState, event: EventOf<T>) => void };

/** Applies one event to the state, in place. */
export function evolve(state: RegionState, event: MarketEvent): void {
  (EVOLVERS[event.type] as (state: RegionState, event: MarketEvent) => void)(state, event);
}

const EVOLVERS: Evolvers = {
  region_opened(state, event) {
    const { header } = state;
    header.opened = event;
    header.windowFirstSlot = event.firstSlot;
    header.nextSlot = event.firstSlot;
    header.parameters = [
      {
        voteVersion: 0,
        version: 1,
        fromEpoch: 0,
        restartsEmission: false,
        parameters: parametersOf(event.parameters),
      },
    ];
    header.emission = event.parameters.emissionPerEpoch;
    const { accounts } = state.tables;
    state.tables = { ...createTables(event.windowSlots), accounts };
    state.tables.sides.append();
  },

  parameters_set(state, event) {
    const { header } = state;
    const { type: _type, voteVersion, ...rest } = event;
    // Entries of earlier rules know of no votes.
    const version = {
      voteVersion: voteVersion ?? 0,
      ...rest,
      parameters: parametersOf(event.parameters),
    };
    header.parameters = [...header.parameters.filter((old) => old.fromEpoch < version.fromEpoch), version];
    // Terms of a chain may come when the epoch that they are for has begun.
    if (version.restartsEmission && version.fromEpoch === epochOf(state, header.windowFirstSlot))
      header.emission = version.parameters.emissionPerEpoch;
  },

  account_opened({ header, tables, indexes }, event) {
    const row = tables.accounts.append();
    if (row !== event.account) throw new Error(`account ${event.account} was opened as row ${row}`);
    writeHex(tables.accounts.columns.address, row, event.address);
    indexes.accountByAddress.set(event.address, row);
    if (header.opened?.treasury === event.address) header.treasuryAccount = row;
    if (header.opened?.gridOperator === event.address) header.gridOperatorAccount = row;
  },

  quote_credited(state, event) {
    deposit(state, event);
  },

  chain_event_mirrored({ header }, { stream, number }) {
    header.mirrored = { ...header.mirrored, [stream]: number };
  },

  deposit_credited(state, event) {
    deposit(state, event);
    state.header.depositsHash = event.depositsHash;
  },

  stake_recorded(state, event) {
    writeProvider(state, event);
  },

  withdrawn(state, event) {
    withdraw(state, event);
  },

  session_authorised({ header, tables, indexes }, event) {
    const row = tables.sessions.append();
    const { columns } = tables.sessions;
    columns.id[row] = event.session;
    columns.account[row] = event.account;
    writeHex(columns.key, row, event.key);
    columns.resources[row] = event.resources;
    columns.sides[row] = event.sides;
    columns.leastAsk[row] = event.leastAskMicrosPerKwh;
    columns.highestBid[row] = event.highestBidMicrosPerKwh;
    columns.dailyWh[row] = event.dailyWh;
    columns.leastAskMicrosPerTera[row] = event.leastAskMicrosPerTera ?? 0;
    columns.highestBidMicrosPerTera[row] = event.highestBidMicrosPerTera ?? 0;
    columns.dailyMega[row] = event.dailyMega ?? 0;
    columns.spendingLimitMicros[row] = event.spendingLimitMicros;
    columns.expiresAtS[row] = event.expiresAtS;
    indexes.sessionByKey.set(event.key, row);
    header.nextSession = event.session + 1;
  },

  session_revoked({ tables }, event) {
    const row = findRow(tables.sessions.columns.id, tables.sessions.rows, event.session);
    tables.sessions.columns.revokedFromSlot[row] = event.fromSlot;
  },

  installers_appointed({ header }, event) {
    header.installers = event.installers;
  },

  meter_enrolled(state, event) {
    const { header, tables, indexes } = state;
    const row = tables.meters.append();
    const { columns } = tables.meters;
    columns.id[row] = event.meter;
    columns.position[row] = event.position;
    writeHex(columns.gateway, row, event.gateway);
    writeHex(columns.connection, row, event.connection);
    writeHex(columns.leaf, row, event.leaf);
    columns.fromSlot[row] = event.fromSlot;
    columns.untilSlot[row] = NO_END_SLOT;
    if (event.replaced > 0)
      columns.untilSlot[findRow(columns.id, tables.meters.rows, event.replaced)] = event.fromSlot;
    indexes.meterByGateway.set(event.gateway, row);
    header.nextMeter = event.meter + 1;
    header.roots = rootsWith(header.roots, event.fromSlot, event.nodes.at(-1) as Hex);
    writeNodes(state, event.position, event.leaf, event.nodes);
  },

  meter_revoked(state, event) {
    const { columns, rows } = state.tables.meters;
    for (const meter of event.meters) columns.untilSlot[findRow(columns.id, rows, meter)] = event.fromSlot;
    state.header.roots = event.roots;
    writeNodes(state, event.position, event.leaf, event.nodes);
  },

  order_placed({ tables, indexes }, event) {
    const row = tables.orders.append();
    indexOrder(indexes, event.account, row);
    const { columns } = tables.orders;
    columns.id[row] = event.order;
    columns.account[row] = event.account;
    columns.session[row] = event.session;
    columns.side[row] = event.side === "buy" ? 1 : 0;
    columns.steps[row] = event.steps.length;
    columns.fromSlot[row] = event.fromSlot;
    columns.untilSlot[row] = event.untilSlot;
    columns.hours[row] = event.hours;
    const width = tables.orders.schema.price.width;
    event.steps.forEach((step, index) => {
      columns.price[row * width + index] = step.limitPriceMicrosPerKwh;
      columns.cap[row * width + index] = step.capWhPerSlot;
    });
  },

  order_ended(state, event) {
    const { columns, rows } = state.tables.orders;
    const row = findRow(columns.id, rows, event.order);
    columns.untilSlot[row] = event.untilSlot;
    if (event.untilSlot <= (columns.fromSlot[row] as number)) state.header.deadOrders += 1;
    dropDeadOrders(state);
  },

  readings_accepted({ header, tables, indexes }, event) {
    const { window, nullifiers, sides } = tables;
    let row = indexes.windowRowByAccount.get(event.account);
    if (row === undefined) {
      row = window.append();
      window.columns.account[row] = event.account;
      indexes.windowRowByAccount.set(event.account, row);
    }
    const slots = event.netWh.length;
    window.columns.evidence[row] = header.entry;
    event.netWh.forEach((wh, index) => {
      const cell = (row as number) * slots + index;
      window.columns.netWh[cell] = (window.columns.netWh[cell] as number) + wh;
      const side = wh > 0 ? sides.columns.surplusWh : sides.columns.needWh;
      side[index] = (side[index] as number) + Math.abs(wh);
    });
    const proof = nullifiers.append();
    writeHex(nullifiers.columns.nullifier, proof, event.nullifier);
    nullifiers.columns.entry[proof] = header.entry;
    indexes.nullifiers.set(event.nullifier, proof);
  },

  slot_cleared(state, event) {
    const { header } = state;
    transfer(state, postingsOf(state, event));
    recordFills(state, event);
    recordSessions(state, event);
    header.epochDeliveredWh += event.tradedWh;
    header.epochFeesMicros += event.feeMicros;
    header.nextSlot = event.slot + 1;
  },

  window_closed(state, event) {
    const { header, tables, indexes } = state;
    const ended = new Set(event.endedOrders);
    if (ended.size > 0) {
      tables.orders.retain((row) => !ended.has(tables.orders.columns.id[row] as number));
      indexOrders(state);
    }
    header.deadOrders = 0;
    header.windowFirstSlot = header.nextSlot;
    const later = header.roots.filter(({ fromSlot }) => fromSlot > header.windowFirstSlot);
    header.roots = [
      { fromSlot: header.windowFirstSlot, root: rootOfWindow(state, header.windowFirstSlot) },
      ...later,
    ];
    const sessionsEnded = new Set(event.endedSessions);
    if (sessionsEnded.size > 0) {
      tables.sessions.retain((row) => !sessionsEnded.has(tables.sessions.columns.id[row] as number));
      indexSessions(state);
    }
    const metersEnded = new Set(event.endedMeters);
    if (metersEnded.size > 0) {
      tables.meters.retain((row) => !metersEnded.has(tables.meters.columns.id[row] as number));
      indexMeters(state);
    }
    tables.window.reset(0);
    tables.nullifiers.reset(0);
    tables.sides.reset(0);
    tables.sides.append();
    indexes.windowRowByAccount.clear();
    indexes.nullifiers.clear();
  },

  epoch_closed(state, event) {
    const { header, tables } = state;
    const { columns } = tables.accounts;
    event.accounts.forEach((account, index) => {
      addReward(columns.rewards, account, BigInt(event.rewards[index] as string));
    });
    for (const { accounts, rewards } of event.resources ?? []) {
      accounts.forEach((account, index) => {
        addReward(columns.rewards, account, BigInt(rewards[index] as string));
      });
    }
    clearEpoch(state);
    columns.epochSoldWh.fill(0);
    columns.epochBoughtWh.fill(0);
    columns.epochFeesMicros.fill(0);
    columns.epochSalesMicros.fill(0);
    columns.epochNetworkMicros.fill(0);
    header.epochDeliveredWh = 0;
    header.epochFeesMicros = 0;
    header.epochWithdrawnMicros = 0;
    header.emission = event.nextEmission;
  },

  certificate_committed({ tables }, event) {
    writeHex(tables.accounts.columns.certificate, event.account, wordHex(event.commitment));
  },

  ...RESOURCE_EVOLVERS,
};

const WORD = 64n;

/** An account's cumulative reward in token base units. */
export function rewardOf(state: RegionState, account: number): bigint {
  const { rewards } = state.tables.accounts.columns;
  return (rewards[account * 2] as bigint) + ((rewards[account * 2 + 1] as bigint) << WORD);
}

function addReward(rewards: BigUint64Array, account: number, amount: bigint): void {
  const sum = (rewards[account * 2] as bigint) + ((rewards[account * 2 + 1] as bigint) << WORD) + amount;
  rewards[account * 2] = BigInt.asUintN(64, sum);
  rewards[account * 2 + 1] = sum >> WORD;
}

/** Every micro of a slot: the traders', the grid operator's and the treasury's. */
function* postingsOf({ header }: RegionState, event: EventOf<"slot_cleared">): Generator<Posting> {
  // Credits first: an account that is also treasury or grid operator never passes through a negative balance.
  yield { account: header.gridOperatorAccount, amountMicros: event.networkMicros };
  yield { account: header.treasuryAccount, amountMicros: event.feeMicros + event.dustMicros };
  for (let index = 0; index < event.accounts.length; index += 1) {
    yield { account: event.accounts[index] as number, amountMicros: event.amountMicros[index] as number };
  }
}

function recordFills({ tables, indexes }: RegionState, event: EventOf<"slot_cleared">): void {
  const { columns } = tables.window;
  const slots = tables.window.schema.netWh.width;
  const offset = event.slot % slots;
  event.accounts.forEach((account, index) => {
    const cell = (indexes.windowRowByAccount.get(account) as number) * slots + offset;
    const filledWh = event.filledWh[index] as number;
    const amountMicros = event.amountMicros[index] as number;
    const chargeMicros = event.chargeMicros[index] as number;
    columns.filledWh[cell] = filledWh;
    columns.amountMicros[cell] = amountMicros;
    columns.chargeMicros[cell] = chargeMicros;
    const sums = tables.accounts.columns;
    if (filledWh <= 0) {
      add(sums.epochBoughtWh, account, -filledWh);
      add(sums.epochNetworkMicros, account, chargeMicros);
      return;
    }
    add(sums.epochSoldWh, account, filledWh);
    add(sums.epochFeesMicros, account, chargeMicros);
    add(sums.epochSalesMicros, account, Math.max(0, amountMicros + chargeMicros));
  });
  for (const account of event.cut) {
    columns.cut[(indexes.windowRowByAccount.get(account) as number) * slots + offset] = 1;
  }
}

function add(sums: Float64Array, row: number, amount: number): void {
  sums[row] = (sums[row] as number) + amount;
}

function recordSessions({ tables }: RegionState, event: EventOf<"slot_cleared">): void {
  const { columns, rows } = tables.sessions;
  const day = Math.floor((event.slot * SLOT_SECONDS) / 86_400);
  event.sessions.forEach((session, index) => {
    const row = findRow(columns.id, rows, session);
    if (columns.day[row] !== day) columns.dayWh[row] = 0;
    columns.day[row] = day;
    columns.dayWh[row] = (columns.dayWh[row] as number) + (event.sessionWh[index] as number);
    columns.spentMicros[row] = (columns.spentMicros[row] as number) + (event.sessionMicros[index] as number);
  });
}

/** Orders that never came to apply leave in bulk once they are a quarter of the book, so each costs little. */
function dropDeadOrders(state: RegionState): void {
  const {
    header,
    tables: { orders },
  } = state;
  if (header.deadOrders < 64 || header.deadOrders * 4 < orders.rows) return;
  const { fromSlot, untilSlot } = orders.columns;
  orders.retain((row) => (untilSlot[row] as number) > (fromSlot[row] as number));
  indexOrders(state);
  header.deadOrders = 0;
}
