// Owns a continuous book as the definitions say it, a list that is sorted anew for every question: slow and obvious, to
// judge the real one. It refuses cleverness.

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

/** A book kept as a plain list. */
export class NaiveBook implements ContinuousBook {
  #resting: RestingOrder[] = [];
  #newestId = 0;

  get size(): number {
    return this.#resting.length;
  }

  match(order: BookOrder): Outcome {
    assertOrder(order);
    const met = this.#meets(order);
    let left = order.quantityMega;
    let stopped: "self_trade" | "sweep_limit" | null = null;
    const fills: { id: number; quantityMega: number; priceMicrosPerTera: number }[] = [];
    for (const { id, account, restingMega, priceMicrosPerTera } of met) {
      if (left === 0) break;
      if (account === order.account) stopped = "self_trade";
      else if (isSweepFull(fills.length)) stopped = "sweep_limit";
      if (stopped !== null) break;
      const quantityMega = Math.min(left, restingMega);
      fills.push({ id, quantityMega, priceMicrosPerTera });
      left -= quantityMega;
    }
    const reachedMega = order.quantityMega - left;
    const shortfall = shortfallOf(order, reachedMega, stopped);
    const kept = isVoid(order, shortfall) ? [] : fills;
    const filledMega = kept.reduce((sum, fill) => sum + fill.quantityMega, 0);
    const rest = order.quantityMega - filledMega;
    return {
      orders: kept.map(({ id }) => id),
      quantityMega: kept.map((fill) => fill.quantityMega),
      priceMicrosPerTera: kept.map((fill) => fill.priceMicrosPerTera),
      filledMega,
      restingMega: shortfall === null ? rest : 0,
      unfilledMega: shortfall === null ? 0 : rest,
      shortfall,
      reachedMega,
    };
  }

  rest(order: BookOrder, restingMega: number): void {
    assertRest(order, restingMega, this.#newestId);
    const { quantityMega: _quantity, timeInForce: _timeInForce, ...kept } = order;
    this.#resting.push({ ...kept, restingMega });
    this.#newestId = order.id;
  }

  fill(id: number, quantityMega: number): void {
    const order = this.#get(id);
    assertFill(id, order.restingMega, quantityMega);
    const left = { ...order, restingMega: order.restingMega - quantityMega };
    this.#resting = this.#resting
      .map((one) => (one.id === id ? left : one))
      .filter(({ restingMega }) => restingMega > 0);
  }

  remove(id: number): void {
    this.#get(id);
    this.#resting = this.#resting.filter((one) => one.id !== id);
  }

  find(id: number): RestingOrder | null {
    return this.#resting.find((one) => one.id === id) ?? null;
  }

  orders(product: number, side: BookSide): RestingOrder[] {
    const better = side === BUY ? -1 : 1;
    return this.#resting
      .filter((one) => one.product === product && one.side === side)
      .sort(
        (a, b) =>
          better * (a.priceMicrosPerTera - b.priceMicrosPerTera) ||
          a.placedAtS - b.placedAtS ||
          a.rank - b.rank ||
          a.id - b.id,
      );
  }

  nextExpiryS(): number | null {
    return this.#resting.length === 0 ? null : Math.min(...this.#resting.map(({ goodTillS }) => goodTillS));
  }

  expired(atS: number, limit: number): number[] {
    return this.#resting
      .filter(({ goodTillS }) => goodTillS <= atS)
      .sort((a, b) => a.goodTillS - b.goodTillS || a.id - b.id)
      .slice(0, limit)
      .map(({ id }) => id);
  }

  check(): string | null {
    const empty = this.#resting.find(({ restingMega }) => restingMega < 1);
    if (empty !== undefined) return `order ${empty.id} rests with nothing left`;
    const twice = this.#resting.find(
      (one, index) => this.#resting.findIndex(({ id }) => id === one.id) !== index,
    );
    return twice === undefined ? null : `order ${twice.id} rests twice`;
  }

  #meets({ product, side, priceMicrosPerTera: limit }: BookOrder): RestingOrder[] {
    const asks = side === BUY;
    return this.orders(product, asks ? SELL : BUY).filter(({ priceMicrosPerTera }) =>
      asks ? priceMicrosPerTera <= limit : priceMicrosPerTera >= limit,
    );
  }

  #get(id: number): RestingOrder {
    const order = this.find(id);
    if (order === null) throw new RangeError(`order ${id} does not rest`);
    return order;
  }
}
