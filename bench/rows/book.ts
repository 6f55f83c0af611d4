// Owns the row `book`: orders a second through the continuous book against an order book of npm, on one random mix that both
// must trade alike. It refuses a mix in which nothing trades or nothing is left, and a volume that differs.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { OrderBook as PeerBook, type Side } from "nodejs-order-book";
import { type BookOrder, BUY, place, SELL } from "../../market/continuous/book.ts";
import { ColumnBook } from "../../market/continuous/column-book.ts";
import { createRestingOrders } from "../../market/continuous/resting-orders.ts";
import { median } from "../median.ts";
import { compared, type Measurement } from "../row.ts";

const ORDERS = 200_000;
const ROUNDS = 15;
const CANCELS = 0.3;
const MIDDLE = 100_000;

/** A mix: prices on each side are spread evenly from `over` beyond the middle to `spread` less that before it. */
interface Terms {
  readonly spread: number;
  readonly over: number;
}
/** Like a market: most orders wait away from the middle, and a book of some fifty thousand builds up. */
const DEEP: Terms = { spread: 500, over: 60 };
/** Bids and asks over the same prices: nearly everything trades or is cancelled and the book stays almost empty. */
const SHALLOW: Terms = { spread: 500, over: 250 };

interface PeerOrder {
  readonly id: string;
  readonly side: Side;
  readonly size: number;
  readonly price: number;
}

/** The last book of each: a place that trades always has one, and without any the engine forgets what it compiled for it. */
const kept: { ours?: ColumnBook; peer?: PeerBook } = {};

/** The same steps for both; a bare number or text cancels that order. */
interface Mix {
  readonly ours: (BookOrder | number)[];
  readonly peers: (PeerOrder | string)[];
  readonly tradedMega: number;
  readonly resting: number;
}

function newBook(): ColumnBook {
  const table = createRestingOrders();
  return new ColumnBook(() => table);
}

/** A stream of numbers in [0, 1) that is the same every time (a 32-bit linear congruence). */
function stream(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Takes a random order out of `live` that still rests; 0 where there is none. */
function pickLive(book: ColumnBook, live: number[], next: () => number): number {
  while (live.length > 0) {
    const place = Math.floor(next() * live.length);
    const id = live[place] as number;
    live[place] = live.at(-1) as number;
    live.pop();
    if (book.find(id) !== null) return id;
  }
  return 0;
}

/** Every cancel is of an order that rests then. Nobody is on both sides: how self-trade is prevented differs. */
function mixOf({ spread, over }: Terms): Mix {
  const next = stream(7);
  const mix = { ours: [] as Mix["ours"], peers: [] as Mix["peers"] };
  const book = newBook();
  const live: number[] = [];
  let tradedMega = 0;
  for (let id = 1; id <= ORDERS; id += 1) {
    const cancelled = next() < CANCELS ? pickLive(book, live, next) : 0;
    if (cancelled > 0) {
      book.remove(cancelled);
      mix.ours.push(cancelled);
      mix.peers.push(String(cancelled));
      continue;
    }
    const side = next() < 0.5 ? SELL : BUY;
    const quantityMega = 1 + Math.floor(next() * 100);
    const away = Math.floor(next() * spread) - over;
    const priceMicrosPerTera = side === SELL ? MIDDLE + away : MIDDLE - away;
    const order: BookOrder = {
      id,
      account: 2 * Math.floor(next() * 500) + side,
      session: 0,
      product: 0,
      side,
      quantityMega,
      priceMicrosPerTera,
      timeInForce: "good_till_time",
      goodTillS: 1_000_000 + Math.floor(next() * 1_000_000),
      placedAtS: Math.floor(id / 1_000),
      rank: 0,
    };
    tradedMega += place(book, order).filledMega;
    live.push(id);
    mix.ours.push(order);
    mix.peers.push({
      id: String(id),
      side: (side === SELL ? "sell" : "buy") as Side,
      size: quantityMega,
      price: priceMicrosPerTera,
    });
  }
  if (tradedMega === 0 || book.size === 0)
    throw new Error("a mix in which nothing trades or nothing is left");
  return { ...mix, tradedMega, resting: book.size };
}

function runOurs({ ours }: Mix): number {
  const book = newBook();
  kept.ours = book;
  let tradedMega = 0;
  for (const step of ours) {
    if (typeof step === "number") book.remove(step);
    else tradedMega += place(book, step).filledMega;
  }
  return tradedMega;
}

function runPeer({ peers }: Mix): number {
  const book = new PeerBook();
  kept.peer = book;
  let tradedMega = 0;
  for (const step of peers) {
    if (typeof step === "string") book.cancel(step);
    else tradedMega += step.size - book.limit(step).quantityLeft;
  }
  return tradedMega;
}

/** What one run leaves for the collector must not be paid by the next. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function ordersPerSecond(work: () => number, mix: Mix): number {
  const started = performance.now();
  const tradedMega = work();
  const seconds = (performance.now() - started) / 1_000;
  if (tradedMega !== mix.tradedMega) throw new Error(`${tradedMega} was traded, not ${mix.tradedMega}`);
  return ORDERS / seconds;
}

function measureMix(terms: Terms): { ours: number; peer: number; resting: number } {
  const mix = mixOf(terms);
  const collect = collector();
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = -3; round < ROUNDS; round += 1) {
    collect();
    const oursNow = ordersPerSecond(() => runOurs(mix), mix);
    collect();
    const peerNow = ordersPerSecond(() => runPeer(mix), mix);
    if (round < 0) continue;
    ours.push(oursNow);
    peer.push(peerNow);
  }
  return { ours: median(ours), peer: median(peer), resting: mix.resting };
}

/** Measures the row. */
export const measure: Measurement = async (say) => {
  const deep = measureMix(DEEP);
  say(`${deep.resting} left resting: ours ${rate(deep.ours)}, nodejs-order-book ${rate(deep.peer)}`);
  const shallow = measureMix(SHALLOW);
  say(`${shallow.resting} left resting: ours ${rate(shallow.ours)}, nodejs-order-book ${rate(shallow.peer)}`);
  return [
    {
      ...compared({
        name: "book",
        ours: deep.ours,
        peer: deep.peer,
        unit: "orders/s",
        higherIsBetter: true,
        limit: "at least 10 times nodejs-order-book",
        note:
          `${ORDERS} steps on an empty book, 30 % cancels of resting orders, the others limit orders spread over ${DEEP.spread} prices a side of which ${DEEP.over} cross; ` +
          `${deep.resting} orders rest at the end; nodejs-order-book 10.1.1 on the same steps, the same volume traded; medians of ${ROUNDS} alternating rounds on Node. ` +
          `Where both sides spread over the same prices and ${shallow.resting} orders are left: ${rate(shallow.ours)} against ${rate(shallow.peer)}, ${(shallow.ours / shallow.peer).toFixed(1)} times`,
      }),
      isWithinLimit: deep.ours / deep.peer >= 10,
    },
  ];
};

function rate(perSecond: number): string {
  return `${Math.round(perSecond / 1_000)},000/s`;
}
