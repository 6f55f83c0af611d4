// Owns which row ends first: a binary heap of rows by their end and then their number. It refuses to look for a row in the
// middle; one that died, or ends at another time now, leaves when it comes to the top or when rows are renumbered.

/** Rows of a table by when they end. */
export class ExpiryHeap {
  readonly #isLive: (row: number, endS: number) => boolean;
  #rows = new Int32Array(64);
  /** The end of each entry beside it: a comparison leaves the heap's own memory for nothing. */
  #ends = new Float64Array(64);
  #size = 0;

  /** @param isLive whether a row has not died since it was pushed, and still ends then */
  constructor(isLive: (row: number, endS: number) => boolean) {
    this.#isLive = isLive;
  }

  /** Adds a row that ends at `endS`. */
  push(row: number, endS: number): void {
    if (this.#size === this.#rows.length) this.#grow();
    this.#size += 1;
    let place = this.#size - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.#isBelow(above, endS, row)) break;
      this.#rows[place] = this.#rows[above] as number;
      this.#ends[place] = this.#ends[above] as number;
      place = above;
    }
    this.#rows[place] = row;
    this.#ends[place] = endS;
  }

  /** When the first live row ends, or null where there is none. */
  firstEndS(): number | null {
    while (this.#size > 0 && !this.#isLive(this.#rows[0] as number, this.#ends[0] as number)) this.#pop();
    return this.#size === 0 ? null : (this.#ends[0] as number);
  }

  /** Live rows that end at `atS` or before, first to end first; at most `limit`. They stay. */
  ending(atS: number, limit: number): number[] {
    const rows: number[] = [];
    const ends: number[] = [];
    while (rows.length < limit) {
      const endS = this.firstEndS();
      if (endS === null || endS > atS) break;
      const row = this.#rows[0] as number;
      this.#pop();
      // One whose end was moved away and back stands here twice, one after the other.
      if (row === rows.at(-1)) continue;
      rows.push(row);
      ends.push(endS);
    }
    rows.forEach((row, index) => {
      this.push(row, ends[index] as number);
    });
    return rows;
  }

  /** Live rows, in no particular order. */
  rows(): number[] {
    const entries = [...this.#rows.subarray(0, this.#size)];
    return [...new Set(entries.filter((row, place) => this.#isLive(row, this.#ends[place] as number)))];
  }

  /** Gives every live row its new number and forgets the others, whose number is negative. */
  renumber(moved: Int32Array): void {
    const rows = this.#rows.slice(0, this.#size);
    const ends = this.#ends.slice(0, this.#size);
    this.#size = 0;
    rows.forEach((row, index) => {
      const next = moved[row] as number;
      if (next >= 0) this.push(next, ends[index] as number);
    });
  }

  clear(): void {
    this.#size = 0;
  }

  #pop(): void {
    this.#size -= 1;
    const endS = this.#ends[this.#size] as number;
    const row = this.#rows[this.#size] as number;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#size) break;
      const other = below + 1;
      if (
        other < this.#size &&
        this.#isBelow(below, this.#ends[other] as number, this.#rows[other] as number)
      )
        below = other;
      if (this.#isBelow(below, endS, row)) break;
      this.#rows[place] = this.#rows[below] as number;
      this.#ends[place] = this.#ends[below] as number;
      place = below;
    }
    this.#rows[place] = row;
    this.#ends[place] = endS;
  }

  /** True when the entry at a place comes after (end, row). */
  #isBelow(place: number, endS: number, row: number): boolean {
    const end = this.#ends[place] as number;
    return end > endS || (end === endS && (this.#rows[place] as number) > row);
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    const ends = new Float64Array(this.#ends.length * 2);
    rows.set(this.#rows);
    ends.set(this.#ends);
    this.#rows = rows;
    this.#ends = ends;
  }
}
