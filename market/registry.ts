// Owns the region's registry of meters as a tree: a leaf's change up to the root, and the roots that windows have. It
// refuses to know what a leaf stands for; a meter's account is in no leaf's open part and in no table here.

import type { RegistryRoot } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import {
  EMPTY_LEAF,
  EMPTY_ROOTS,
  hashNode,
  nodeHex,
  nodeKey,
  TREE_DEPTH,
  TREE_LEAVES,
} from "../protocol/quad-tree.ts";
import type { RegionState } from "./state.ts";
import { readHex, writeHex } from "./table.ts";

/** The nodes above a leaf if it were changed in the newest tree, lowest first; the last is the root. */
export function nodesAfter(state: RegionState, position: number, leaf: bigint): Hex[] {
  return rehash(state, new Map([[position, leaf]])).map((nodes, below) =>
    nodeHex(nodes.get(position >> (2 * (below + 1))) as bigint),
  );
}

/** The root of a window: the one of the last change that acts from its first slot or before. */
export function rootOfWindow({ header }: RegionState, firstSlot: number): Hex {
  let found: Hex = nodeHex(EMPTY_ROOTS[TREE_DEPTH] as bigint);
  for (const { fromSlot, root } of header.roots) if (fromSlot <= firstSlot) found = root;
  return found;
}

/** The leaves of a window by position, empty ones in between included. */
export function leavesOfWindow(state: RegionState, firstSlot: number): Hex[] {
  const { columns, rows } = state.tables.meters;
  const leaves: Hex[] = [];
  for (let row = 0; row < rows; row += 1) {
    if (!isLiveAt(state, row, firstSlot)) continue;
    const position = columns.position[row] as number;
    while (leaves.length < position) leaves.push(nodeHex(EMPTY_LEAF));
    leaves[position] = readHex(columns.leaf, row, 32);
  }
  return leaves;
}

/** The leaf at a position in the tree of the window that begins at `slot`. */
export function leafAt(state: RegionState, position: number, slot: number): bigint {
  const { columns, rows } = state.tables.meters;
  for (let row = 0; row < rows; row += 1) {
    if (columns.position[row] === position && isLiveAt(state, row, slot))
      return BigInt(readHex(columns.leaf, row, 32));
  }
  return EMPTY_LEAF;
}

/** True when a meter's leaf is in the tree of the window that begins at `slot`. */
export function isLiveAt({ tables: { meters } }: RegionState, row: number, slot: number): boolean {
  const { fromSlot, untilSlot } = meters.columns;
  return (fromSlot[row] as number) <= slot && (untilSlot[row] as number) > slot;
}

/** The lowest position that no meter of a window still to close stands at, or null when the tree is full. */
export function freePosition({ tables: { meters } }: RegionState): number | null {
  const { position } = meters.columns;
  const isTaken = new Uint8Array(meters.rows + 1);
  for (let row = 0; row < meters.rows; row += 1) {
    if ((position[row] as number) < isTaken.length) isTaken[position[row] as number] = 1;
  }
  const free = isTaken.indexOf(0);
  return free < TREE_LEAVES ? free : null;
}

/** The roots with one more for the windows from `fromSlot` on. */
export function rootsWith(roots: readonly RegistryRoot[], fromSlot: number, root: Hex): RegistryRoot[] {
  return [...roots.filter((old) => old.fromSlot < fromSlot), { fromSlot, root }];
}

/** The roots of all windows not closed yet, each without some meters: what an emergency leaves. */
export function rootsWithout(state: RegionState, gone: ReadonlySet<number>): RegistryRoot[] {
  const { roots, windowFirstSlot } = state.header;
  return roots.map(({ fromSlot }) => {
    const leaves = differencesWithout(state, gone, Math.max(fromSlot, windowFirstSlot));
    return { fromSlot, root: nodeHex(rehash(state, leaves).at(-1)?.get(0) as bigint) };
  });
}

/** Writes a leaf and the nodes above it into the newest tree. */
export function writeNodes(state: RegionState, position: number, leaf: Hex, nodes: readonly Hex[]): void {
  [leaf, ...nodes].forEach((hash, level) => {
    const index = position >> (2 * level);
    const { nodes: table } = state.tables;
    let row = state.indexes.nodes.get(nodeKey(level, index));
    if (row === undefined) {
      row = table.append();
      table.columns.level[row] = level;
      table.columns.index[row] = index;
      state.indexes.nodes.set(nodeKey(level, index), row);
    }
    writeHex(table.columns.hash, row, hash);
  });
}

/** The first slot of the windows that the newest tree is for. */
export function newestSlot({ header }: RegionState): number {
  return Math.max(header.windowFirstSlot, header.roots.at(-1)?.fromSlot ?? 0);
}

/** Leaves of a window's tree that may differ from the newest tree's, with some meters taken out. */
function differencesWithout(
  state: RegionState,
  gone: ReadonlySet<number>,
  slot: number,
): Map<number, bigint> {
  const { columns, rows } = state.tables.meters;
  const newest = newestSlot(state);
  const leaves = new Map<number, bigint>();
  for (let row = 0; row < rows; row += 1) {
    const differs = isLiveAt(state, row, slot) !== isLiveAt(state, row, newest);
    if (differs || gone.has(row)) leaves.set(columns.position[row] as number, EMPTY_LEAF);
  }
  for (let row = 0; row < rows; row += 1) {
    const position = columns.position[row] as number;
    if (!gone.has(row) && leaves.has(position) && isLiveAt(state, row, slot))
      leaves.set(position, BigInt(readHex(columns.leaf, row, 32)));
  }
  return leaves;
}

/** Hashes changed leaves of the newest tree up to the root: for each level above the leaves, its changed nodes. */
function rehash(state: RegionState, leaves: ReadonlyMap<number, bigint>): Map<number, bigint>[] {
  const levels: Map<number, bigint>[] = [];
  let below = leaves;
  for (let level = 1; level <= TREE_DEPTH; level += 1) {
    const nodes = new Map<number, bigint>();
    for (const child of below.keys()) {
      const index = child >> 2;
      if (nodes.has(index)) continue;
      const children = [0, 1, 2, 3].map(
        (k) => below.get(4 * index + k) ?? nodeOf(state, level - 1, 4 * index + k),
      );
      nodes.set(index, hashNode(children));
    }
    levels.push(nodes);
    below = nodes;
  }
  return levels;
}

function nodeOf({ tables, indexes }: RegionState, level: number, index: number): bigint {
  const row = indexes.nodes.get(nodeKey(level, index));
  return row === undefined
    ? (EMPTY_ROOTS[level] as bigint)
    : BigInt(readHex(tables.nodes.columns.hash, row, 32));
}
