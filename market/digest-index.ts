// Owns the look-up of rows by a 32-byte digest: open addressing over row numbers, four bytes a slot. It refuses to hold
// digests itself; they are in the table's column, so that half a million remembered commands stay small.

import { readHex } from "./table.ts";

/** Row numbers by digest. Rows are added in order and removed only all at once. */
export class DigestIndex {
  readonly #digests: () => Uint8Array;
  #slots = new Int32Array(64).fill(-1);
  #used = 0;

  /** @param digests the column that holds 32 bytes a row; asked for anew each time, because a table may grow. */
  constructor(digests: () => Uint8Array) {
    this.#digests = digests;
  }

  get size(): number {
    return this.#used;
  }

  /** The row of a digest given as 0x hex, or undefined. */
  get(digest: string): number | undefined {
    const wanted = bytesOf(digest);
    const digests = this.#digests();
    for (let slot = this.#slotOf(wanted, 0); ; slot = (slot + 1) & (this.#slots.length - 1)) {
      const row = this.#slots[slot] as number;
      if (row < 0) return undefined;
      if (isSame(digests, row * DIGEST_BYTES, wanted)) return row;
    }
  }

  has(digest: string): boolean {
    return this.get(digest) !== undefined;
  }

  /** Adds a row whose digest is in the column already. */
  add(row: number): void {
    if (this.#used * 2 >= this.#slots.length) this.#grow();
    this.#put(row);
    this.#used += 1;
  }

  /** Forgets every row. */
  clear(): void {
    this.rebuild(0);
  }

  /** Every digest with its row, in no particular order. */
  *[Symbol.iterator](): Generator<[string, number]> {
    for (const row of this.#slots) if (row >= 0) yield [readHex(this.#digests(), row, DIGEST_BYTES), row];
  }

  /** Makes the index again of the first `rows` rows of the column. */
  rebuild(rows: number): void {
    let size = 64;
    while (size < rows * 2 + 2) size *= 2;
    this.#slots = new Int32Array(size).fill(-1);
    this.#used = rows;
    for (let row = 0; row < rows; row += 1) this.#put(row);
  }

  #put(row: number): void {
    let slot = this.#slotOf(this.#digests(), row * DIGEST_BYTES);
    while ((this.#slots[slot] as number) >= 0) slot = (slot + 1) & (this.#slots.length - 1);
    this.#slots[slot] = row;
  }

  #grow(): void {
    const rows = this.#slots.filter((row) => row >= 0);
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (const row of rows) this.#put(row);
  }

  /** Digests are uniform, so their first bytes are a hash; crowding them on purpose is bounded by the limit per account. */
  #slotOf(bytes: Uint8Array, at: number): number {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    return (word >>> 0) & (this.#slots.length - 1);
  }
}

const DIGEST_BYTES = 32;

function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(DIGEST_BYTES);
  for (let index = 0; index < DIGEST_BYTES; index += 1) {
    bytes[index] = Number.parseInt(hex.slice(2 + 2 * index, 4 + 2 * index), 16);
  }
  return bytes;
}

function isSame(digests: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < DIGEST_BYTES; index += 1)
    if (digests[at + index] !== wanted[index]) return false;
  return true;
}
