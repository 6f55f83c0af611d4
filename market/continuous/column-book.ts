// Owns the continuous book that the region trades in: resting orders in columns, and an index over them by price and by end
// that is never stored. It refuses to touch an order whose turn it is not: the best price's oldest is always at hand.

import { MAX_ORDER_FILLS } from "../../protocol/limits.ts";
import {
  assertFill,
  assertOrder,
  assertRest,
  type BookOrder,
  type BookSide,
  BUY,
  type ContinuousBook,
  isSweepFull,
  isVoid,
  type Outcome,
  type RestingOrder,
  SELL,
  shortfallOf,
} from "./book.ts";
import { ExpiryHeap } from "./expiry-heap.ts";
import { PriceLevels } from "./price-levels.ts";
import { appendOrder, isCrowded, liveRow, orderAt, type RestingOrders } from "./resting-orders.ts";

const NOTHING: readonly number[] = [];

/** Cells of a row's links. */
const LINKS = 4;
const NEXT = 0;
const PREVIOUS = 1;
const SLOT = 2;
const SIDE = 3;

/** A book over a table of resting orders. */
export class ColumnBook implements ContinuousBook {
  readonly #table: () => RestingOrders;
  /** By product and side: `2 · product + side`. */
  #levels: PriceLevels[] = [];
  /** Where each row waits: `NEXT` and `PREVIOUS` in its queue (−1 at the ends), the queue and its side. One cache line. */
  #links = new Int32Array(0);
  readonly #ends: ExpiryHeap;
  #dead = 0;
  /** Rows that the last order met. Only a guess at where an order is that is filled next: its id decides. */
  readonly #met = new Int32Array(MAX_ORDER_FILLS);
  readonly #metPrices = new Float64Array(MAX_ORDER_FILLS);
  #nextMet = 0;

  /** @param table the rows; asked for anew each time, because a region's tables may be replaced. */
  constructor(table: () => RestingOrders) {
    this.#table = table;
    this.#ends = new ExpiryHeap((row) => (this.#table().columns.restingMega[row] as number) > 0);
    this.rebuild();
  }

  get size(): number {
    return this.#table().rows - this.#dead;
  }

  /** Makes the index again from the rows. */
  rebuild(): void {
    const table = this.#table();
    this.#levels = [];
    this.#ends.clear();
    this.#dead = 0;
    this.#makeRoom(table.capacity);
    for (let row = 0; row < table.rows; row += 1) {
      if ((table.columns.restingMega[row] as number) > 0) this.#link(table, row);
      else this.#dead += 1;
    }
  }

  match(order: BookOrder): Outcome {
    assertOrder(order);
    const { columns } = this.#table();
    const { account: owners, restingMega: rests } = columns;
    const { account, quantityMega, priceMicrosPerTera: limit, side } = order;
    const levels = this.#side(order.product * 2 + (side === BUY ? SELL : BUY));
    const links = this.#links;
    let left = quantityMega;
    let stopped: "self_trade" | "sweep_limit" | null = null;
    let fills = 0;
    walk: for (let rank = levels.count - 1; rank >= 0; rank -= 1) {
      const price = levels.priceAt(rank);
      if (side === BUY ? price > limit : price < limit) break;
      let row = levels.heads[levels.slotAt(rank)] as number;
      for (; row >= 0; row = links[row * LINKS + NEXT] as number) {
        if (owners[row] === account) stopped = "self_trade";
        else if (isSweepFull(fills)) stopped = "sweep_limit";
        if (stopped !== null) break walk;
        this.#met[fills] = row;
        this.#metPrices[fills] = price;
        fills += 1;
        left -= rests[row] as number;
        if (left <= 0) break walk;
      }
    }
    const overMega = left < 0 ? 0 - left : 0;
    const reachedMega = quantityMega - left - overMega;
    const shortfall = shortfallOf(order, reachedMega, stopped);
    this.#nextMet = 0;
    if (fills === 0 || isVoid(order, shortfall)) return unfilled(quantityMega, reachedMega, shortfall);
    return this.#filled(order, fills, overMega, reachedMega, shortfall);
  }

  rest(order: BookOrder, restingMega: number): void {
    const table = this.#table();
    assertRest(order, restingMega, table.rows === 0 ? 0 : (table.columns.id[table.rows - 1] as number));
    const row = appendOrder(table, order, restingMega);
    if (this.#links.length < table.capacity * LINKS) this.#makeRoom(table.capacity);
    this.#link(table, row);
  }

  fill(id: number, quantityMega: number): void {
    const table = this.#table();
    const rests = table.columns.restingMega;
    const guess = this.#met[this.#nextMet] as number;
    const isMet = guess < table.rows && table.columns.id[guess] === id && (rests[guess] as number) > 0;
    const row = isMet ? guess : this.#rowOf(table, id);
    if (isMet) this.#nextMet += 1;
    const left = (rests[row] as number) - quantityMega;
    assertFill(id, rests[row] as number, quantityMega);
    rests[row] = left;
    if (left === 0) this.#unlink(table, row);
  }

  remove(id: number): void {
    const table = this.#table();
    const row = this.#rowOf(table, id);
    table.columns.restingMega[row] = 0;
    this.#unlink(table, row);
  }

  find(id: number): RestingOrder | null {
    const table = this.#table();
    const row = liveRow(table, id);
    return row < 0 ? null : orderAt(table, row);
  }

  *orders(product: number, side: BookSide): Generator<RestingOrder> {
    const table = this.#table();
    const levels = this.#side(product * 2 + side);
    for (let rank = levels.count - 1; rank >= 0; rank -= 1) {
      let row = levels.heads[levels.slotAt(rank)] as number;
      for (; row >= 0; row = this.#links[row * LINKS + NEXT] as number) yield orderAt(table, row);
    }
  }

  nextExpiryS(): number | null {
    return this.#ends.firstEndS();
  }

  expired(atS: number, limit: number): number[] {
    const { id } = this.#table().columns;
    return this.#ends.ending(atS, limit).map((row) => id[row] as number);
  }

  check(): string | null {
    const table = this.#table();
    let linked = 0;
    for (const [index, levels] of this.#levels.entries()) {
      for (let rank = 0; rank < levels.count; rank += 1) {
        const problem =
          rank > 0 && !isBetter(index, levels, rank) ? `price ${rank} of ${index} is out of order` : null;
        if (problem !== null) return problem;
        const queue = this.#checkQueue(table, index, levels, rank);
        if (typeof queue === "string") return queue;
        linked += queue;
      }
    }
    return linked === this.size ? null : `${linked} of ${this.size} orders can be met`;
  }

  /** Length of a queue, or what is wrong with it. */
  #checkQueue(table: RestingOrders, index: number, levels: PriceLevels, rank: number): number | string {
    const { columns, rows } = table;
    const slot = levels.slotAt(rank);
    let length = 0;
    let last = -1;
    for (let row = levels.heads[slot] as number; row >= 0; row = this.#links[row * LINKS + NEXT] as number) {
      const name = `order ${columns.id[row]}`;
      if (row >= rows || length > rows) return `the queue at ${levels.priceAt(rank)} has no end`;
      if ((columns.restingMega[row] as number) < 1) return `${name} rests with nothing left`;
      if (columns.priceMicrosPerTera[row] !== levels.priceAt(rank)) return `${name} waits at another price`;
      if ((columns.product[row] as number) * 2 + (columns.side[row] as number) !== index)
        return `${name} waits on another side`;
      if (this.#links[row * LINKS + SLOT] !== slot || this.#links[row * LINKS + SIDE] !== index)
        return `${name} does not know its queue`;
      if (this.#links[row * LINKS + PREVIOUS] !== last) return `${name} has lost who is before it`;
      if (last >= 0 && !isEarlier(table, last, row)) return `${name} waits behind a younger one`;
      last = row;
      length += 1;
    }
    if (length === 0) return `nobody waits at ${levels.priceAt(rank)}`;
    return levels.tails[slot] === last ? length : `the queue at ${levels.priceAt(rank)} has another end`;
  }

  #filled(
    order: BookOrder,
    count: number,
    overMega: number,
    filledMega: number,
    shortfall: Outcome["shortfall"],
  ): Outcome {
    const { id, restingMega } = this.#table().columns;
    const rows = this.#met;
    if (count === 1) {
      // The common case, without filling arrays.
      const row = rows[0] as number;
      return outcomeOf(
        order,
        [id[row] as number],
        [filledMega],
        [this.#metPrices[0] as number],
        filledMega,
        shortfall,
      );
    }
    const orders = new Array<number>(count);
    const quantityMega = new Array<number>(count);
    const prices = new Array<number>(count);
    for (let index = 0; index < count; index += 1) {
      const row = rows[index] as number;
      orders[index] = id[row] as number;
      quantityMega[index] = restingMega[row] as number;
      prices[index] = this.#metPrices[index] as number;
    }
    quantityMega[count - 1] = (quantityMega[count - 1] as number) - overMega;
    return outcomeOf(order, orders, quantityMega, prices, filledMega, shortfall);
  }

  #side(index: number): PriceLevels {
    while (this.#levels.length <= index) this.#levels.push(new PriceLevels(this.#levels.length % 2 === BUY));
    return this.#levels[index] as PriceLevels;
  }

  /** The row of a resting order. */
  #rowOf(table: RestingOrders, id: number): number {
    const row = liveRow(table, id);
    if (row < 0) throw new RangeError(`order ${id} does not rest`);
    return row;
  }

  /** Puts a row where its turn is: mostly last, before those of its own second that rank behind it. */
  #link(table: RestingOrders, row: number): void {
    const { product, side, priceMicrosPerTera, goodTillS } = table.columns;
    const index = (product[row] as number) * 2 + (side[row] as number);
    const price = priceMicrosPerTera[row] as number;
    const levels = this.#side(index);
    const links = this.#links;
    this.#ends.push(row, goodTillS[row] as number);
    const rank = levels.rankOf(price);
    let slot: number;
    let before = -1;
    let after = -1;
    if (!levels.isAt(rank, price)) slot = levels.open(rank, price, row);
    else {
      slot = levels.slotAt(rank);
      before = levels.tails[slot] as number;
      while (before >= 0 && !isEarlier(table, before, row))
        before = links[before * LINKS + PREVIOUS] as number;
      after = before < 0 ? (levels.heads[slot] as number) : (links[before * LINKS + NEXT] as number);
      if (before < 0) levels.heads[slot] = row;
      else links[before * LINKS + NEXT] = row;
      if (after < 0) levels.tails[slot] = row;
      else links[after * LINKS + PREVIOUS] = row;
    }
    links[row * LINKS + NEXT] = after;
    links[row * LINKS + PREVIOUS] = before;
    links[row * LINKS + SLOT] = slot;
    links[row * LINKS + SIDE] = index;
  }

  /** Takes a dead row out of its queue; the dead leave the table in bulk, so that each costs little. */
  #unlink(table: RestingOrders, row: number): void {
    const links = this.#links;
    const at = row * LINKS;
    const before = links[at + PREVIOUS] as number;
    const after = links[at + NEXT] as number;
    if (before >= 0) links[before * LINKS + NEXT] = after;
    if (after >= 0) links[after * LINKS + PREVIOUS] = before;
    if (before < 0 || after < 0) {
      const levels = this.#side(links[at + SIDE] as number);
      const slot = links[at + SLOT] as number;
      if (before < 0 && after < 0) levels.close(slot);
      else if (before < 0) levels.heads[slot] = after;
      else levels.tails[slot] = before;
    }
    this.#dead += 1;
    if (isCrowded(table.rows, this.#dead)) this.#dropDead(table);
  }

  #dropDead(table: RestingOrders): void {
    const { restingMega } = table.columns;
    const links = this.#links;
    const moved = new Int32Array(table.rows).fill(-1);
    let count = 0;
    for (let row = 0; row < table.rows; row += 1) {
      if ((restingMega[row] as number) === 0) continue;
      moved[row] = count;
      count += 1;
    }
    for (const levels of this.#levels) levels.renumber(moved);
    this.#ends.renumber(moved);
    // A row only moves down, so nothing is written over before it is read.
    for (let row = 0; row < table.rows; row += 1) {
      const to = (moved[row] as number) * LINKS;
      if (to < 0) continue;
      const at = row * LINKS;
      const after = links[at + NEXT] as number;
      const before = links[at + PREVIOUS] as number;
      links[to + NEXT] = after < 0 ? -1 : (moved[after] as number);
      links[to + PREVIOUS] = before < 0 ? -1 : (moved[before] as number);
      links[to + SLOT] = links[at + SLOT] as number;
      links[to + SIDE] = links[at + SIDE] as number;
    }
    table.retain((row) => (restingMega[row] as number) > 0);
    this.#dead = 0;
  }

  #makeRoom(rows: number): void {
    const links = new Int32Array(rows * LINKS);
    links.set(this.#links.subarray(0, rows * LINKS));
    this.#links = links;
  }
}

function outcomeOf(
  order: BookOrder,
  orders: readonly number[],
  quantityMega: readonly number[],
  priceMicrosPerTera: readonly number[],
  filledMega: number,
  shortfall: Outcome["shortfall"],
): Outcome {
  const rest = order.quantityMega - filledMega;
  return {
    orders,
    quantityMega,
    priceMicrosPerTera,
    filledMega,
    restingMega: shortfall === null ? rest : 0,
    unfilledMega: shortfall === null ? 0 : rest,
    shortfall,
    reachedMega: filledMega,
  };
}

function unfilled(quantityMega: number, reachedMega: number, shortfall: Outcome["shortfall"]): Outcome {
  return {
    orders: NOTHING,
    quantityMega: NOTHING,
    priceMicrosPerTera: NOTHING,
    filledMega: 0,
    restingMega: shortfall === null ? quantityMega : 0,
    unfilledMega: shortfall === null ? 0 : quantityMega,
    shortfall,
    reachedMega,
  };
}

/** True when of two rows at one price the first goes first. */
function isEarlier({ columns }: RestingOrders, first: number, second: number): boolean {
  const seconds = (columns.placedAtS[first] as number) - (columns.placedAtS[second] as number);
  if (seconds !== 0) return seconds < 0;
  const ranks = (columns.rank[first] as number) - (columns.rank[second] as number);
  return ranks === 0 ? first < second : ranks < 0;
}

function isBetter(index: number, levels: PriceLevels, rank: number): boolean {
  const [worse, better] = [levels.priceAt(rank - 1), levels.priceAt(rank)];
  return index % 2 === BUY ? better > worse : better < worse;
}
