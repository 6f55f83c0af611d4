// Owns what must be true of a region after every entry. It refuses nothing and repairs nothing: it names what is
// broken, for tests, the audit and the health page.

import { MAX_REGION_MICROS } from "../protocol/limits.ts";
import { EMPTY_LEAF, nodeHex, nodeKey, TREE_DEPTH } from "../protocol/quad-tree.ts";
import { leavesOfWindow, newestSlot, rootOfWindow } from "./registry.ts";
import { NO_ACCOUNT, type RegionState } from "./state.ts";
import { readHex } from "./table.ts";

/** One thing that must always hold. */
export interface Invariant {
  readonly name: string;
  /** What is wrong, or null. */
  readonly check: (state: RegionState) => string | null;
}

/** Every invariant of a region; docs/INVARIANTS.md explains each by this name. */
export const INVARIANTS: readonly Invariant[] = [
  {
    name: "conservation",
    check: ({ header, tables: { accounts } }) => {
      let held = 0n;
      for (let row = 0; row < accounts.rows; row += 1)
        held += BigInt(accounts.columns.freeMicros[row] as number);
      const owed = BigInt(header.depositedMicros) - BigInt(header.withdrawnMicros);
      return held === owed ? null : `balances hold ${held} micros, deposits minus withdrawals are ${owed}`;
    },
  },
  {
    name: "no-overdraft",
    check: ({ tables: { accounts } }) =>
      firstRow(accounts.rows, (row) => {
        const balance = accounts.columns.freeMicros[row] as number;
        return Number.isSafeInteger(balance) && balance >= 0 && balance <= MAX_REGION_MICROS
          ? null
          : `account ${row} has ${balance}`;
      }),
  },
  {
    name: "withdrawals-counted",
    check: ({ header, tables: { accounts } }) => {
      let asked = 0n;
      for (let row = 0; row < accounts.rows; row += 1)
        asked += BigInt(accounts.columns.withdrawnMicros[row] as number);
      if (asked !== BigInt(header.withdrawnMicros))
        return `accounts have withdrawn ${asked} micros, the region counts ${header.withdrawnMicros}`;
      return header.epochWithdrawnMicros <= header.withdrawnMicros
        ? null
        : `${header.epochWithdrawnMicros} micros of ${header.withdrawnMicros} were withdrawn in one epoch`;
    },
  },
  {
    name: "orders-ascend",
    check: ({ tables: { orders } }) => ascending(orders.columns.id, orders.rows),
  },
  {
    name: "orders-indexed",
    check: ({ tables: { orders }, indexes: { ordersByAccount } }) => {
      let indexed = 0;
      for (const [account, rows] of ordersByAccount) {
        indexed += rows.length;
        const stray = rows.find((row) => row >= orders.rows || orders.columns.account[row] !== account);
        if (stray !== undefined) return `row ${stray} is looked up for account ${account}`;
      }
      return indexed === orders.rows ? null : `${indexed} of ${orders.rows} orders can be looked up`;
    },
  },
  {
    name: "orders-have-accounts",
    check: ({ tables: { orders, accounts } }) =>
      firstRow(orders.rows, (row) =>
        (orders.columns.account[row] as number) < accounts.rows
          ? null
          : `order ${orders.columns.id[row]} has no account`,
      ),
  },
  {
    name: "dead-orders-counted",
    check: ({ header, tables: { orders } }) => {
      let dead = 0;
      for (let row = 0; row < orders.rows; row += 1) {
        if ((orders.columns.untilSlot[row] as number) <= (orders.columns.fromSlot[row] as number)) dead += 1;
      }
      return dead === header.deadOrders ? null : `${dead} orders are dead, ${header.deadOrders} are counted`;
    },
  },
  {
    name: "session-limits",
    check: ({ tables: { sessions } }) =>
      firstRow(sessions.rows, (row) => {
        const spent = sessions.columns.spentMicros[row] as number;
        return spent <= (sessions.columns.spendingLimitMicros[row] as number)
          ? null
          : `session ${sessions.columns.id[row]} spent ${spent}`;
      }),
  },
  {
    name: "remembered-commands-counted",
    check: ({ tables: { accounts, commands }, indexes }) => {
      if (indexes.commands.size !== commands.rows)
        return `${indexes.commands.size} of ${commands.rows} commands can be looked up`;
      const held = new Uint32Array(accounts.rows);
      for (let row = 0; row < commands.rows; row += 1) {
        const owner = commands.columns.account[row] as number;
        if (owner !== NO_ACCOUNT) held[owner] = (held[owner] as number) + 1;
      }
      return firstRow(accounts.rows, (row) =>
        held[row] === accounts.columns.commands[row]
          ? null
          : `account ${row} has ${held[row]} commands remembered`,
      );
    },
  },
  {
    name: "one-live-leaf",
    check: ({ header, tables: { meters } }) => {
      const { position, gateway, connection, fromSlot, untilSlot } = meters.columns;
      for (const { fromSlot: rootSlot } of header.roots) {
        const slot = Math.max(rootSlot, header.windowFirstSlot);
        const held = new Set<string>();
        const problem = firstRow(meters.rows, (row) => {
          if ((fromSlot[row] as number) > slot || (untilSlot[row] as number) <= slot) return null;
          const own = [
            `position ${position[row]}`,
            `gateway ${readHex(gateway, row, 32)}`,
            `connection ${readHex(connection, row, 32)}`,
          ];
          const twice = own.find((name) => held.has(name));
          for (const name of own) held.add(name);
          return twice === undefined ? null : `${twice} has two leaves in slot ${slot}`;
        });
        if (problem !== null) return problem;
      }
      return null;
    },
  },
  {
    name: "registry-is-its-leaves",
    check: (state) => {
      const { indexes } = state;
      const newest = newestSlot(state);
      const leaves = leavesOfWindow(state, newest);
      const { level, index, hash } = state.tables.nodes.columns;
      const stray = firstRow(state.tables.nodes.rows, (row) => {
        const [position, node] = [index[row] as number, readHex(hash, row, 32)];
        if (indexes.nodes.get(nodeKey(level[row] as number, position)) !== row)
          return `node ${level[row]}/${position} cannot be looked up`;
        if (level[row] === TREE_DEPTH)
          return node === rootOfWindow(state, newest) ? null : "the newest tree has not the newest root";
        return level[row] !== 0 || node === (leaves[position] ?? nodeHex(EMPTY_LEAF))
          ? null
          : `leaf ${position} is not its meter's`;
      });
      if (stray !== null) return stray;
      const absent = leaves.findIndex(
        (leaf, position) => leaf !== nodeHex(EMPTY_LEAF) && !indexes.nodes.has(nodeKey(0, position)),
      );
      return absent < 0 ? null : `leaf ${absent} is in no tree`;
    },
  },
  {
    name: "fills-within-readings",
    check: ({ tables: { window } }) => {
      const slots = window.schema.netWh.width;
      return firstRow(window.rows * slots, (cell) => {
        const net = window.columns.netWh[cell] as number;
        const filled = window.columns.filledWh[cell] as number;
        const within =
          filled === 0 || (Math.sign(filled) === Math.sign(net) && Math.abs(filled) <= Math.abs(net));
        return within
          ? null
          : `account ${window.columns.account[Math.floor(cell / slots)]} was filled ${filled} of ${net} Wh`;
      });
    },
  },
  {
    name: "sides-sum-readings",
    check: ({ tables: { window, sides } }) => {
      const slots = window.schema.netWh.width;
      return firstRow(sides.rows * slots, (slot) => {
        let net = 0;
        for (let row = 0; row < window.rows; row += 1)
          net += window.columns.netWh[row * slots + slot] as number;
        const surplus = sides.columns.surplusWh[slot] as number;
        const need = sides.columns.needWh[slot] as number;
        return surplus - need === net
          ? null
          : `slot ${slot} of the window: ${surplus} - ${need} is not ${net} Wh`;
      });
    },
  },
  {
    name: "epoch-totals",
    check: ({ header, tables: { accounts } }) => {
      let sold = 0;
      let bought = 0;
      let fees = 0;
      for (let row = 0; row < accounts.rows; row += 1) {
        sold += accounts.columns.epochSoldWh[row] as number;
        bought += accounts.columns.epochBoughtWh[row] as number;
        fees += accounts.columns.epochFeesMicros[row] as number;
      }
      if (sold !== header.epochDeliveredWh)
        return `accounts sold ${sold} Wh, the epoch counts ${header.epochDeliveredWh}`;
      if (bought !== sold) return `accounts sold ${sold} Wh and bought ${bought}`;
      return fees === header.epochFeesMicros
        ? null
        : `accounts paid ${fees}, the epoch counts ${header.epochFeesMicros} micros`;
    },
  },
  {
    name: "sums-need-trades",
    check: ({ tables: { accounts } }) => {
      const { epochSoldWh, epochBoughtWh, epochSalesMicros, epochNetworkMicros } = accounts.columns;
      return firstRow(accounts.rows, (row) => {
        const isSound = (micros: number, wh: number): boolean =>
          Number.isSafeInteger(micros) && micros >= 0 && (micros === 0 || wh > 0);
        const [sales, network] = [epochSalesMicros[row] as number, epochNetworkMicros[row] as number];
        if (!isSound(sales, epochSoldWh[row] as number)) return `account ${row} has sales of ${sales} micros`;
        return isSound(network, epochBoughtWh[row] as number)
          ? null
          : `account ${row} has network fees of ${network} micros`;
      });
    },
  },
  {
    name: "providers-indexed",
    check: ({ tables: { providers, accounts }, indexes: { providerByAccount, providerByKey } }) => {
      const { account, nodeKey, stakedMicros } = providers.columns;
      if (providerByAccount.size !== providers.rows || providerByKey.size !== providers.rows)
        return `${providers.rows} providers have ${providerByAccount.size} accounts and ${providerByKey.size} keys`;
      return firstRow(providers.rows, (row) => {
        const whose = account[row] as number;
        if (whose >= accounts.rows) return `provider ${row} has no account`;
        if (providerByAccount.get(whose) !== row || providerByKey.get(readHex(nodeKey, row, 32)) !== row)
          return `provider ${row} cannot be looked up`;
        const staked = stakedMicros[row] as number;
        return Number.isSafeInteger(staked) && staked >= 0 ? null : `provider ${row} has staked ${staked}`;
      });
    },
  },
  {
    name: "votes-in-order",
    check: ({ header: { parameters, mirrored } }) => {
      const stray = parameters.find(({ fromEpoch, voteVersion }, index) => {
        const before = parameters[index - 1];
        return (
          voteVersion > mirrored.parameters ||
          (before !== undefined && (before.fromEpoch >= fromEpoch || before.voteVersion > voteVersion))
        );
      });
      return stray === undefined
        ? null
        : `version ${stray.version} from epoch ${stray.fromEpoch} is of vote ${stray.voteVersion}`;
    },
  },
];

/** Names and explains every invariant that does not hold; empty when all do. */
export function violations(state: RegionState): string[] {
  return INVARIANTS.flatMap(({ name, check }) => {
    const problem = check(state);
    return problem === null ? [] : [`${name}: ${problem}`];
  });
}

function firstRow(rows: number, check: (row: number) => string | null): string | null {
  for (let row = 0; row < rows; row += 1) {
    const problem = check(row);
    if (problem !== null) return problem;
  }
  return null;
}

function ascending(ids: Float64Array, rows: number): string | null {
  return firstRow(rows, (row) =>
    row === 0 || (ids[row] as number) > (ids[row - 1] as number) ? null : `row ${row} is out of order`,
  );
}
