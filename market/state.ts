// Owns the state of a region: a small header and a handful of tables, with the look-ups derived from them. It refuses
// to decide anything; what may change it is in evolve.ts.

import type { Parameters } from "../protocol/commands.ts";
import type { EventOf, RegistryRoot } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_LADDER_STEPS } from "../protocol/limits.ts";
import { nodeKey } from "../protocol/quad-tree.ts";
import { DigestIndex } from "./digest-index.ts";
import {
  createProviderIndexes,
  createProviderTables,
  indexProviders,
  type ProviderIndexes,
  type ProviderTables,
} from "./providers.ts";
import {
  createResourceIndexes,
  createResourceTables,
  indexResources,
  type ResourceIndexes,
  type ResourceTables,
} from "./resources/resource-state.ts";
import { column, readHex, Table } from "./table.ts";

/** The rules this code decides by; an entry decided by other rules is audited with the release that had them. */
export const RULES_VERSION = 6;

export interface ParametersVersion {
  readonly version: number;
  readonly fromEpoch: number;
  /** The emission begins anew with that epoch. */
  readonly restartsEmission: boolean;
  /** The chain's version that the figures are of; 0 before a vote has changed any. */
  readonly voteVersion: number;
  readonly parameters: Parameters;
}

/** What there is one of. Everything in it is JSON. */
export interface Header {
  opened: EventOf<"region_opened"> | null;
  /** Ascending by `fromEpoch`; the first holds from the beginning. */
  parameters: ParametersVersion[];
  /** Number of the last journal entry applied. */
  entry: number;
  /** Market time of that entry. */
  atS: number;
  /** The window whose evidence is awaited or whose slots are clearing. */
  windowFirstSlot: number;
  /** The next slot to clear: in that window, or just past it before the window closes. */
  nextSlot: number;
  nextSession: number;
  nextMeter: number;
  /** Wallets that may enrol and revoke meters, ascending. */
  installers: Hex[];
  /** Roots of the registry that hold from a slot on, ascending; those of closed windows are dropped. */
  roots: RegistryRoot[];
  /** How far each stream of the chain's events has been mirrored: the number of the last one. */
  mirrored: Record<"deposits" | "registry" | "terms" | "parameters" | "stakes", number>;
  /** Hash of all deposits of the chain that were credited. */
  depositsHash: Hex;
  depositedMicros: number;
  withdrawnMicros: number;
  /** Of that, since the last epoch closed. */
  epochWithdrawnMicros: number;
  treasuryAccount: number;
  gridOperatorAccount: number;
  /** Orders in the table that apply to no slot any more. */
  deadOrders: number;
  epochDeliveredWh: number;
  epochFeesMicros: number;
  /** Number that the next trade of a promised resource gets. */
  nextObligation: number;
  /** What the running epoch may emit at most, token base units as a decimal string. */
  emission: string;
}

const ACCOUNTS = {
  address: column("u8", 20),
  freeMicros: column("f64"),
  /** What its buy orders and unsettled trades hold. */
  escrowMicros: column("f64"),
  /** Asked for since the region began, whether the chain has paid it or not. */
  withdrawnMicros: column("f64"),
  epochSoldWh: column("f64"),
  epochBoughtWh: column("f64"),
  epochFeesMicros: column("f64"),
  /** Commitment to the certificates' secret, big-endian; zero where the account has none. */
  certificate: column("u8", 32),
  /** Cumulative reward in token base units: low and high 64 bits. */
  rewards: column("u64", 2),
  /** How many of its commands are remembered. */
  commands: column("u32"),
  /** What its sales of the epoch brought before the fee, at prices above zero: what the take rate is a share of. */
  epochSalesMicros: column("f64"),
  /** Network fees inside of what its purchases of the epoch cost. */
  epochNetworkMicros: column("f64"),
};

const ORDERS = {
  id: column("f64"),
  account: column("u32"),
  session: column("u32"),
  /** 0 sell, 1 buy. */
  side: column("u8"),
  steps: column("u8"),
  fromSlot: column("u32"),
  untilSlot: column("u32"),
  hours: column("u32"),
  price: column("i32", MAX_LADDER_STEPS),
  cap: column("u32", MAX_LADDER_STEPS),
};

const SESSIONS = {
  id: column("f64"),
  account: column("u32"),
  key: column("u8", 32),
  resources: column("u8"),
  sides: column("u8"),
  leastAsk: column("i32"),
  highestBid: column("i32"),
  dailyWh: column("f64"),
  leastAskMicrosPerTera: column("f64"),
  highestBidMicrosPerTera: column("f64"),
  dailyMega: column("f64"),
  spendingLimitMicros: column("f64"),
  spentMicros: column("f64"),
  /** UTC day the Wh of `dayWh` were traded on. */
  day: column("u32"),
  dayWh: column("f64"),
  /** UTC day on which the orders of `dayMega` were placed. */
  megaDay: column("u32"),
  dayMega: column("f64"),
  expiresAtS: column("f64"),
  /** Slot from which the key is void; 0 while it is not revoked. */
  revokedFromSlot: column("u32"),
};

const METERS = {
  id: column("f64"),
  /** Where its leaf stands in the registry's tree. */
  position: column("u32"),
  gateway: column("u8", 32),
  connection: column("u8", 32),
  leaf: column("u8", 32),
  fromSlot: column("u32"),
  untilSlot: column("u32"),
};

/** Nodes of the registry's newest tree, leaves at level 0; what has no row is empty. Kept: hashing them takes long. */
const NODES = { level: column("u8"), index: column("u32"), hash: column("u8", 32) };

/** One row per account that proved readings for the open window; what each slot brought it is kept until it closes. */
const windowSchema = (slots: number) => ({
  account: column("u32"),
  /** Entry of the last evidence. */
  evidence: column("f64"),
  netWh: column("i32", slots),
  filledWh: column("i32", slots),
  amountMicros: column("f64", slots),
  chargeMicros: column("u32", slots),
  cut: column("u8", slots),
});

const NULLIFIERS = { nullifier: column("u8", 32), entry: column("f64") };

/** Sum of all meters' exports and imports per slot of the open window; a single row. */
const sidesSchema = (slots: number) => ({ surplusWh: column("f64", slots), needWh: column("f64", slots) });

/** Commands accepted and not yet expired: sent again they get their first answer. */
const COMMANDS = {
  id: column("u8", 32),
  /** Whose it was; `NO_ACCOUNT` for the operator's. */
  account: column("u32"),
  entry: column("f64"),
  expiresAtS: column("f64"),
};

/** Stands for nobody where a column names an account. */
export const NO_ACCOUNT = 2 ** 32 - 1;

export interface Tables extends ProviderTables, ResourceTables {
  accounts: Table<typeof ACCOUNTS>;
  orders: Table<typeof ORDERS>;
  sessions: Table<typeof SESSIONS>;
  meters: Table<typeof METERS>;
  nodes: Table<typeof NODES>;
  window: Table<ReturnType<typeof windowSchema>>;
  nullifiers: Table<typeof NULLIFIERS>;
  sides: Table<ReturnType<typeof sidesSchema>>;
  commands: Table<typeof COMMANDS>;
}

/** Look-ups that can be made again from the tables at any time; never stored. */
export interface Indexes extends ProviderIndexes, ResourceIndexes {
  readonly accountByAddress: Map<Hex, number>;
  readonly sessionByKey: Map<Hex, number>;
  /** Rows of an account's orders, ended ones included until they leave; few, because orders per account are bounded. */
  readonly ordersByAccount: Map<number, number[]>;
  /** The newest row of each gateway. */
  readonly meterByGateway: Map<Hex, number>;
  /** Rows of the registry's nodes by `nodeKey`. */
  readonly nodes: Map<number, number>;
  readonly windowRowByAccount: Map<number, number>;
  readonly nullifiers: Map<Hex, number>;
  readonly commands: DigestIndex;
}

export interface RegionState {
  header: Header;
  tables: Tables;
  indexes: Indexes;
}

/** The state before a region is opened. */
export function createState(): RegionState {
  const state: Omit<RegionState, "indexes"> = {
    header: {
      opened: null,
      parameters: [],
      entry: 0,
      atS: 0,
      windowFirstSlot: 0,
      nextSlot: 0,
      nextSession: 1,
      nextMeter: 1,
      installers: [],
      roots: [],
      mirrored: { deposits: 0, registry: 0, terms: 0, parameters: 0, stakes: 0 },
      depositsHash: `0x${"00".repeat(32)}`,
      depositedMicros: 0,
      withdrawnMicros: 0,
      epochWithdrawnMicros: 0,
      treasuryAccount: 0,
      gridOperatorAccount: 0,
      deadOrders: 0,
      epochDeliveredWh: 0,
      epochFeesMicros: 0,
      nextObligation: 1,
      emission: "0",
    },
    tables: createTables(96),
  };
  return Object.assign(state, { indexes: createIndexes(state) });
}

/** Empty tables for a region whose windows have `windowSlots` slots. */
export function createTables(windowSlots: number): Tables {
  return {
    accounts: new Table(ACCOUNTS),
    orders: new Table(ORDERS),
    sessions: new Table(SESSIONS),
    meters: new Table(METERS),
    nodes: new Table(NODES),
    window: new Table(windowSchema(windowSlots)),
    nullifiers: new Table(NULLIFIERS),
    sides: new Table(sidesSchema(windowSlots)),
    commands: new Table(COMMANDS),
    ...createProviderTables(),
    ...createResourceTables(),
  };
}

/** Makes the look-ups again from the tables. */
export function rebuildIndexes(state: RegionState): void {
  const { tables } = state;
  state.indexes = createIndexes(state);
  const { indexes } = state;
  for (let row = 0; row < tables.accounts.rows; row += 1) {
    indexes.accountByAddress.set(addressOf(state, row), row);
  }
  indexOrders(state);
  indexSessions(state);
  indexMeters(state);
  const { level, index } = tables.nodes.columns;
  for (let row = 0; row < tables.nodes.rows; row += 1) {
    indexes.nodes.set(nodeKey(level[row] as number, index[row] as number), row);
  }
  for (let row = 0; row < tables.window.rows; row += 1) {
    indexes.windowRowByAccount.set(tables.window.columns.account[row] as number, row);
  }
  for (let row = 0; row < tables.nullifiers.rows; row += 1) {
    indexes.nullifiers.set(readHex(tables.nullifiers.columns.nullifier, row, 32), row);
  }
  indexCommands(state);
  indexProviders(tables, indexes);
  indexResources(tables, indexes);
}

/** Makes the look-up of order rows again after rows moved. */
export function indexOrders({ tables, indexes }: RegionState): void {
  indexes.ordersByAccount.clear();
  for (let row = 0; row < tables.orders.rows; row += 1)
    indexOrder(indexes, tables.orders.columns.account[row] as number, row);
}

/** Adds the row of a new order to its account's. */
export function indexOrder({ ordersByAccount }: Indexes, account: number, row: number): void {
  const rows = ordersByAccount.get(account);
  if (rows === undefined) ordersByAccount.set(account, [row]);
  else rows.push(row);
}

/** Makes the look-up of session rows again after rows moved. */
export function indexSessions({ tables, indexes }: RegionState): void {
  indexes.sessionByKey.clear();
  for (let row = 0; row < tables.sessions.rows; row += 1) {
    indexes.sessionByKey.set(readHex(tables.sessions.columns.key, row, 32), row);
  }
}

/** Makes the look-up of meter rows again after rows moved. */
export function indexMeters({ tables, indexes }: RegionState): void {
  indexes.meterByGateway.clear();
  for (let row = 0; row < tables.meters.rows; row += 1) {
    indexes.meterByGateway.set(readHex(tables.meters.columns.gateway, row, 32), row);
  }
}

/** Makes the look-up of remembered commands again after rows moved. */
export function indexCommands({ tables, indexes }: RegionState): void {
  indexes.commands.rebuild(tables.commands.rows);
}

/** The address of an account number. */
export function addressOf(state: RegionState, account: number): Hex {
  return readHex(state.tables.accounts.columns.address, account, 20);
}

/** The terms of an opened region; asserts that it is open. */
export function termsOf(state: RegionState): EventOf<"region_opened"> {
  const { opened } = state.header;
  if (opened === null) throw new Error("the region is not open");
  return opened;
}

function createIndexes(state: Pick<RegionState, "tables">): Indexes {
  return {
    accountByAddress: new Map(),
    sessionByKey: new Map(),
    ordersByAccount: new Map(),
    meterByGateway: new Map(),
    nodes: new Map(),
    windowRowByAccount: new Map(),
    nullifiers: new Map(),
    commands: new DigestIndex(() => state.tables.commands.columns.id),
    ...createProviderIndexes(),
    ...createResourceIndexes(() => state.tables),
  };
}
