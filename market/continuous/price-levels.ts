// Owns the prices of one side of a book from worst to best, each with the first and last row of its queue. It refuses to
// know what is queued; a price whose queue is empty leaves at once.

const FIRST_CAPACITY = 16;

/** Prices of one side in two parallel arrays, best last: what comes and goes there moves little. */
export class PriceLevels {
  /** +1 where the highest price is best, −1 where the lowest is. */
  readonly #sign: 1 | -1;
  /** sign · price by rank, ascending: rank 0 is the worst. */
  #keys = new Float64Array(FIRST_CAPACITY);
  /** Slot by rank. A slot keeps its queue's place for as long as there is a queue. */
  #slots = new Int32Array(FIRST_CAPACITY);
  /** sign · price by slot. */
  #keyOf = new Float64Array(FIRST_CAPACITY);
  /** Slots that no price has: above `count` of all that were made. */
  readonly #free: number[] = [];
  #made = 0;
  count = 0;
  /** First and last row by slot. */
  heads = new Int32Array(FIRST_CAPACITY);
  tails = new Int32Array(FIRST_CAPACITY);

  constructor(isHighestBest: boolean) {
    this.#sign = isHighestBest ? 1 : -1;
  }

  /** The price at a rank. */
  priceAt(rank: number): number {
    return this.#sign * (this.#keys[rank] as number);
  }

  /** The slot at a rank. */
  slotAt(rank: number): number {
    return this.#slots[rank] as number;
  }

  /** The rank that a price has or would have. */
  rankOf(price: number): number {
    return this.#rankOfKey(this.#sign * price);
  }

  /** True where the price at `rank` is `price`. */
  isAt(rank: number, price: number): boolean {
    return rank < this.count && this.#keys[rank] === this.#sign * price;
  }

  /** Opens a queue of one row for a price that has none, at its rank; answers its slot. */
  open(rank: number, price: number, row: number): number {
    if (this.count === this.#keys.length) this.#grow();
    const slot = this.#free.pop() ?? this.#made++;
    if (rank < this.count) {
      this.#keys.copyWithin(rank + 1, rank, this.count);
      this.#slots.copyWithin(rank + 1, rank, this.count);
    }
    this.#keys[rank] = this.#sign * price;
    this.#slots[rank] = slot;
    this.#keyOf[slot] = this.#sign * price;
    this.heads[slot] = row;
    this.tails[slot] = row;
    this.count += 1;
    return slot;
  }

  /** Takes away a price whose queue is empty. */
  close(slot: number): void {
    const rank = this.#rankOfKey(this.#keyOf[slot] as number);
    if (rank < this.count - 1) {
      this.#keys.copyWithin(rank, rank + 1, this.count);
      this.#slots.copyWithin(rank, rank + 1, this.count);
    }
    this.#free.push(slot);
    this.count -= 1;
  }

  /** Gives every row its new number. */
  renumber(moved: Int32Array): void {
    for (let rank = 0; rank < this.count; rank += 1) {
      const slot = this.#slots[rank] as number;
      this.heads[slot] = moved[this.heads[slot] as number] as number;
      this.tails[slot] = moved[this.tails[slot] as number] as number;
    }
  }

  /** Number of keys below `key`: from the best in growing strides, because most orders are near it. */
  #rankOfKey(key: number): number {
    const keys = this.#keys;
    let high = this.count;
    let low = high - 1;
    let stride = 1;
    while (low >= 0 && (keys[low] as number) >= key) {
      high = low;
      low -= stride;
      stride *= 2;
    }
    low = low < 0 ? 0 : low + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const capacity = this.#keys.length * 2;
    this.#keys = grown(this.#keys, new Float64Array(capacity));
    this.#slots = grown(this.#slots, new Int32Array(capacity));
    this.#keyOf = grown(this.#keyOf, new Float64Array(capacity));
    this.heads = grown(this.heads, new Int32Array(capacity));
    this.tails = grown(this.tails, new Int32Array(capacity));
  }
}

function grown<A extends Float64Array | Int32Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
