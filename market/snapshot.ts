// Owns the state as bytes: a frozen copy cut into bounded sections for storage, and the canonical stream that is
// hashed. It refuses sections that do not belong to its list.

import { MAX_SECTION_BYTES } from "../protocol/limits.ts";
import { parametersOf } from "./parameters.ts";
import {
  createState,
  createTables,
  type Header,
  type RegionState,
  RULES_VERSION,
  rebuildIndexes,
  type Tables,
} from "./state.ts";

/** One piece of a frozen state. */
export interface Section {
  readonly table: string;
  readonly column: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What a set of sections needs to become a state again; JSON. */
export interface SnapshotHead {
  /** Of the release that took it; none from before this was noted. */
  readonly rules?: number;
  readonly header: Header;
  readonly windowSlots: number;
  readonly rows: Readonly<Record<string, number>>;
}

export interface Frozen {
  readonly head: SnapshotHead;
  readonly sections: readonly Section[];
}

/**
 * Copies the state as it is now; later changes do not reach the copy. The copy is one memory move per column
 * (a few milliseconds for tens of megabytes); what takes time is storing it, and that is done section by section.
 */
export function freeze(state: RegionState): Frozen {
  const sections: Section[] = [];
  const rows: Record<string, number> = {};
  for (const [table, content] of entriesOf(state.tables)) {
    rows[table] = content.rows;
    for (const column of content.names()) {
      const bytes = content.bytesOf(column).slice();
      for (let offset = 0; offset < bytes.length; offset += MAX_SECTION_BYTES) {
        sections.push({ table, column, offset, bytes: bytes.subarray(offset, offset + MAX_SECTION_BYTES) });
      }
    }
  }
  return {
    head: {
      rules: RULES_VERSION,
      header: structuredCopy(state.header),
      windowSlots: windowSlotsOf(state),
      rows,
    },
    sections,
  };
}

/**
 * Makes a state of a snapshot's head and its sections, in any order.
 * @throws Error when a number of rows is none, or the sections are not exactly the bytes of every column
 */
export function thaw(head: SnapshotHead, sections: Iterable<Section>): RegionState {
  const state = createState();
  state.header = headerOf(head);
  state.tables = createTables(head.windowSlots);
  const tables = new Map(entriesOf(state.tables));
  for (const [name, table] of tables) table.reset(rowsOf(head, name));
  const found = new Map<string, Section[]>();
  for (const section of sections) {
    const { table, column } = section;
    if (tables.get(table)?.names().includes(column) !== true)
      throw new Error(`a snapshot section names no column: ${table} ${column}`);
    const name = `${table} ${column}`;
    const others = found.get(name);
    if (others === undefined) found.set(name, [section]);
    else others.push(section);
  }
  for (const [name, table] of tables) {
    for (const column of table.names()) {
      const sections = found.get(`${name} ${column}`);
      if (sections === undefined && isLater(head, `${name} ${column}`)) continue;
      fill(table, column, sections ?? [], name);
    }
  }
  rebuildIndexes(state);
  return state;
}

/** Rules that first had a column which earlier snapshots lack: it then begins with zeroes. */
const COLUMN_RULES: Readonly<Record<string, number>> = {
  "accounts epochSalesMicros": 4,
  "accounts epochNetworkMicros": 4,
  "purchases jobDigest": 5,
  "purchases replicas": 5,
  "obligations reportedMega": 5,
  "obligations reportedHash": 5,
  "obligations payableAtS": 5,
  "obligations isDisputed": 5,
  "providers epochSalesMicros": 5,
  "providers earnedMicros": 5,
  "providers jobs": 5,
  "providers lapses": 5,
  "providers reports": 5,
  "providers reportSeconds": 5,
  "providers disagreements": 5,
  "providers auditsPassed": 5,
  "providers auditsFailed": 5,
};

function isLater({ rules = 3 }: SnapshotHead, column: string): boolean {
  return rules < (COLUMN_RULES[column] ?? 0);
}

/** The header; one of a release before votes, or stakes, has mirrored none. */
function headerOf({ header }: SnapshotHead): Header {
  const copy = structuredCopy(header);
  // What is there already stays where it stands: the order of names is part of the canonical bytes.
  const parameters = copy.parameters.map((version) =>
    Object.assign({ voteVersion: 0 }, version, { parameters: parametersOf(version.parameters) }),
  );
  return { ...copy, parameters, mirrored: { ...createState().header.mirrored, ...copy.mirrored } };
}

/** Rows of a table; none where the snapshot is of a release that did not have it. */
function rowsOf({ rows }: SnapshotHead, table: string): number {
  const count = Object.hasOwn(rows, table) ? (rows[table] as number) : 0;
  if (!Number.isSafeInteger(count) || count < 0)
    throw new Error(`a snapshot says that ${table} has ${count} rows`);
  return count;
}

/** Puts a column together; a section that is lost, or stands twice in another's place, would leave zeroes. */
function fill(table: TableView, column: string, sections: readonly Section[], name: string): void {
  const wanted = table.bytesOf(column).length;
  let end = 0;
  for (const { offset, bytes } of [...sections].sort((left, right) => left.offset - right.offset)) {
    if (offset < end || offset + bytes.length > wanted)
      throw new Error(`a snapshot has too many bytes for ${name} ${column}`);
    if (offset > end) throw new Error(`a snapshot lacks ${offset - end} bytes of ${name} ${column}`);
    table.load(column, offset, bytes);
    end = offset + bytes.length;
  }
  if (end < wanted) throw new Error(`a snapshot lacks ${wanted - end} bytes of ${name} ${column}`);
}

/**
 * The canonical bytes of a state, piece by piece: the header as JSON, then each table's name, rows and columns in
 * schema order, little-endian. Two states are equal exactly when these bytes are; the state hash is SHA-256 over them.
 */
export function* canonicalBytes(state: RegionState): Generator<Uint8Array> {
  yield textBytes(JSON.stringify(state.header));
  for (const [name, table] of entriesOf(state.tables)) {
    yield textBytes(`\n${name} ${table.rows}\n`);
    for (const column of table.names()) yield table.bytesOf(column);
  }
}

type AnyTable = Tables[keyof Tables];
interface TableView {
  readonly rows: number;
  names(): string[];
  bytesOf(column: string): Uint8Array;
  reset(rows: number): void;
  load(column: string, offset: number, bytes: Uint8Array): void;
}

function entriesOf(tables: Tables): [string, TableView][] {
  return Object.entries(tables as unknown as Record<string, AnyTable>) as unknown as [string, TableView][];
}

function windowSlotsOf(state: RegionState): number {
  return state.header.opened?.windowSlots ?? 96;
}

/** The header is JSON by its type, so a round trip is an exact deep copy. */
function structuredCopy(header: Header): Header {
  return JSON.parse(JSON.stringify(header)) as Header;
}

function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
