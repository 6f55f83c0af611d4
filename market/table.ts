// Owns tables of typed columns: the only shape in which a region keeps many things of a kind. It refuses objects and
// strings; a column is a run of bytes, so copying, hashing and storing a table never looks at what it means.

interface ColumnArrays {
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  i32: Int32Array;
  f64: Float64Array;
  u64: BigUint64Array;
}

type Kind = keyof ColumnArrays;

export interface Column<K extends Kind = Kind> {
  readonly kind: K;
  /** Elements per row. */
  readonly width: number;
}

export type Schema = Readonly<Record<string, Column>>;
type Columns<S extends Schema> = { [N in keyof S]: ColumnArrays[S[N]["kind"]] };

/** Describes a column of `width` elements of `kind` a row. */
export function column<K extends Kind>(kind: K, width = 1): Column<K> {
  return { kind, width };
}

const CONSTRUCTORS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f64: Float64Array,
  u64: BigUint64Array,
} as const;

const FIRST_CAPACITY = 16;

/** Rows of typed columns. Rows keep their order; a row's index changes only when rows before it are removed. */
export class Table<S extends Schema> {
  readonly schema: S;
  rows = 0;
  columns: Columns<S>;
  #capacity = 0;

  constructor(schema: S) {
    this.schema = schema;
    this.columns = {} as Columns<S>;
    this.#resize(FIRST_CAPACITY);
  }

  /** Rows there is room for before the columns are replaced by longer ones. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Adds a row of zeroes and returns its index. */
  append(): number {
    const row = this.extend();
    for (const name of this.names()) {
      const { width } = this.#column(name);
      (this.columns[name] as Uint8Array).fill(
        zero(this.#column(name).kind) as number,
        row * width,
        (row + 1) * width,
      );
    }
    return row;
  }

  /** Adds a row whose cells may hold anything, for a caller that writes every one of them; returns its index. */
  extend(): number {
    if (this.rows === this.#capacity) this.#resize(this.#capacity * 2);
    this.rows += 1;
    return this.rows - 1;
  }

  /** Removes the rows for which `keep` is false, in place, keeping the order of the others. */
  retain(keep: (row: number) => boolean): void {
    const kept = new Int32Array(this.rows);
    let count = 0;
    for (let row = 0; row < this.rows; row += 1) {
      if (!keep(row)) continue;
      kept[count] = row;
      count += 1;
    }
    if (count === this.rows) return;
    for (const name of this.names()) gather(this.columns[name], this.#column(name).width, kept, count);
    this.rows = count;
  }

  /** The names of the columns, in the order of the schema. */
  names(): (keyof S & string)[] {
    return Object.keys(this.schema);
  }

  /** The bytes of a column's rows, little-endian, as a view: valid until the next change. */
  bytesOf(name: keyof S & string): Uint8Array {
    const array = this.columns[name] as Uint8Array;
    return new Uint8Array(array.buffer, 0, this.rows * this.#column(name).width * array.BYTES_PER_ELEMENT);
  }

  /** Makes room for exactly `rows` rows, whose bytes `load` then fills in. */
  reset(rows: number): void {
    this.rows = 0;
    this.#resize(Math.max(FIRST_CAPACITY, rows));
    this.rows = rows;
  }

  /** Writes bytes of a column, beginning `offset` bytes into it. The table must have been `reset` to its rows. */
  load(name: keyof S & string, offset: number, bytes: Uint8Array): void {
    const array = this.columns[name] as Uint8Array;
    new Uint8Array(array.buffer).set(bytes, offset);
  }

  #column(name: keyof S): Column {
    return this.schema[name] as Column;
  }

  #resize(capacity: number): void {
    for (const name of this.names()) {
      const { kind, width } = this.#column(name);
      const grown = new CONSTRUCTORS[kind](capacity * width) as Uint8Array;
      const old = this.columns[name] as Uint8Array | undefined;
      if (old !== undefined) grown.set(old.subarray(0, this.rows * width));
      (this.columns as Record<string, unknown>)[name] = grown;
    }
    this.#capacity = capacity;
  }
}

/**
 * Moves the rows `kept[0]`, `kept[1]`, … of a column to its front, in place. All kinds go through two views, words and
 * bytes, so that the loops stay of one type; as floats some bit patterns would not survive a copy.
 */
function gather(column: ColumnArrays[Kind], width: number, kept: Int32Array, count: number): void {
  const bytes = width * column.BYTES_PER_ELEMENT;
  if (bytes % 4 === 0) gatherWords(new Uint32Array(column.buffer), bytes / 4, kept, count);
  else gatherBytes(new Uint8Array(column.buffer), bytes, kept, count);
}

function gatherWords(words: Uint32Array, width: number, kept: Int32Array, count: number): void {
  for (let row = 0; row < count; row += 1) {
    const from = (kept[row] as number) * width;
    const to = row * width;
    for (let index = 0; index < width; index += 1) words[to + index] = words[from + index] as number;
  }
}

function gatherBytes(bytes: Uint8Array, width: number, kept: Int32Array, count: number): void {
  for (let row = 0; row < count; row += 1) {
    const from = (kept[row] as number) * width;
    const to = row * width;
    for (let index = 0; index < width; index += 1) bytes[to + index] = bytes[from + index] as number;
  }
}

function zero(kind: Kind): number | bigint {
  return kind === "u64" ? 0n : 0;
}

/** Row whose ascending `ids` value is `id`, or −1; binary search over the table's first `rows` rows. */
export function findRow(ids: Float64Array, rows: number, id: number): number {
  let low = 0;
  let high = rows - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = ids[middle] as number;
    if (value === id) return middle;
    if (value < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Writes the digits of a 0x hex string into a u8 column of its width. */
export function writeHex(bytes: Uint8Array, row: number, hex: string): void {
  const width = (hex.length - 2) / 2;
  for (let index = 0; index < width; index += 1) {
    bytes[row * width + index] = Number.parseInt(hex.slice(2 + 2 * index, 4 + 2 * index), 16);
  }
}

/** Reads one row of a u8 column as lower-case 0x hex. */
export function readHex(bytes: Uint8Array, row: number, width: number): `0x${string}` {
  let hex = "";
  for (let index = row * width; index < (row + 1) * width; index += 1)
    hex += HEX_BYTES[bytes[index] as number];
  return `0x${hex}`;
}

/** A decimal below 2²⁵⁶ as 32 bytes of hex. */
export function wordHex(decimal: string): `0x${string}` {
  return `0x${BigInt(decimal).toString(16).padStart(64, "0")}`;
}

/** True where a row of a u8 column is not all zeroes. */
export function isSet(bytes: Uint8Array, row: number, width: number): boolean {
  for (let index = row * width; index < (row + 1) * width; index += 1) if (bytes[index] !== 0) return true;
  return false;
}

const HEX_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);
