// Owns the clearing of one slot: book, auction, and who pays and receives what, as one event. It refuses to move money
// itself; every micro of the slot is in the event and adds up.

import type { Parameters } from "../protocol/commands.ts";
import type { SlotCleared } from "../protocol/events.ts";
import { clearAuction } from "./auction/auction.ts";
import type { AuctionResult, Steps } from "./auction/book.ts";
import { buyerPays, networkShare, saleMicros, sellerFee } from "./auction/settlement.ts";
import { type SlotBook, slotBook } from "./ladder.ts";
import { versionAtSlot } from "./parameters.ts";
import type { RegionState } from "./state.ts";

/** Clears a slot at the parameters in force when it started. Reads the state only. */
export function clearSlot(state: RegionState, slot: number): SlotCleared {
  const { version, voteVersion, parameters } = versionAtSlot(state, slot);
  const book = slotBook(state, slot, parameters);
  const result = clearAuction(book.book, parameters.clearingPriceK);
  const settlement = settle(state, book, result, parameters);
  return {
    type: "slot_cleared",
    slot,
    parametersVersion: version,
    voteVersion,
    priceMicrosPerKwh: result.priceMicros,
    surplusWh: book.surplusWh,
    needWh: book.needWh,
    offeredWh: sumOf(book.book.asks),
    askedWh: sumOf(book.book.bids),
    tradedWh: result.tradedWh,
    ...settlement,
    cut: [...book.cut],
  };
}

type Settlement = Pick<
  SlotCleared,
  | "networkMicros"
  | "feeMicros"
  | "dustMicros"
  | "accounts"
  | "filledWh"
  | "amountMicros"
  | "chargeMicros"
  | "sessions"
  | "sessionWh"
  | "sessionMicros"
>;

/** Settles per account and slot; what rounding leaves over is dust and goes to the treasury. */
function settle(
  state: RegionState,
  book: SlotBook,
  result: AuctionResult,
  parameters: Parameters,
): Settlement {
  const settled: Settlement = {
    networkMicros: 0,
    feeMicros: 0,
    dustMicros: 0,
    accounts: [],
    filledWh: [],
    amountMicros: [],
    chargeMicros: [],
    sessions: [],
    sessionWh: [],
    sessionMicros: [],
  };
  const price = result.priceMicros;
  if (price === null) return settled;
  const { accounts } = state.tables;
  const filled = new Int32Array(accounts.rows);
  addFills(state, filled, book.askOrders, result.askFilledWh, 1);
  addFills(state, filled, book.bidOrders, result.bidFilledWh, -1);
  for (let account = 0; account < filled.length; account += 1) {
    const wh = filled[account] as number;
    if (wh === 0) continue;
    const { amount, charge } = wh > 0 ? sold(wh, price, parameters) : bought(-wh, price, parameters);
    settled.accounts.push(account);
    settled.filledWh.push(wh);
    settled.amountMicros.push(amount);
    settled.chargeMicros.push(charge);
    if (wh > 0) settled.feeMicros += charge;
    else settled.networkMicros += charge;
    settled.dustMicros -= amount;
  }
  settled.dustMicros -= settled.feeMicros + settled.networkMicros;
  if (settled.dustMicros < 0) throw new Error(`a slot's dust is ${settled.dustMicros} micros`);
  settleSessions(state, book, result, price + parameters.networkFeeMicrosPerKwh, price, settled);
  return settled;
}

function sold(wh: number, price: number, { takeRateBps }: Parameters): { amount: number; charge: number } {
  const sale = saleMicros(wh, price);
  const charge = sellerFee(sale, takeRateBps);
  return { amount: sale - charge, charge };
}

function bought(
  wh: number,
  price: number,
  { networkFeeMicrosPerKwh }: Parameters,
): { amount: number; charge: number } {
  return {
    amount: 0 - buyerPays(wh, price, networkFeeMicrosPerKwh),
    charge: networkShare(wh, networkFeeMicrosPerKwh),
  };
}

function addFills(
  state: RegionState,
  filled: Int32Array,
  orders: Int32Array,
  wh: Int32Array,
  sign: 1 | -1,
): void {
  const { account } = state.tables.orders.columns;
  for (let index = 0; index < orders.length; index += 1) {
    const owner = account[orders[index] as number] as number;
    filled[owner] = (filled[owner] as number) + sign * (wh[index] as number);
  }
}

/** Counts Wh and money against the session keys whose orders traded: at most what the account itself paid. */
function settleSessions(
  state: RegionState,
  book: SlotBook,
  result: AuctionResult,
  buyPrice: number,
  sellPrice: number,
  settled: Settlement,
): void {
  const { session } = state.tables.orders.columns;
  const traded = new Map<number, { bought: number; sold: number }>();
  const add = (orders: Int32Array, filled: Int32Array, side: "bought" | "sold"): void => {
    for (let index = 0; index < orders.length; index += 1) {
      const key = session[orders[index] as number] as number;
      const wh = filled[index] as number;
      if (key === 0 || wh === 0) continue;
      const sums = traded.get(key) ?? { bought: 0, sold: 0 };
      sums[side] += wh;
      traded.set(key, sums);
    }
  };
  add(book.bidOrders, result.bidFilledWh, "bought");
  add(book.askOrders, result.askFilledWh, "sold");
  for (const key of [...traded.keys()].sort((left, right) => left - right)) {
    const sums = traded.get(key) as { bought: number; sold: number };
    settled.sessions.push(key);
    settled.sessionWh.push(sums.bought + sums.sold);
    const paid = buyerPays(sums.bought, buyPrice, 0) - saleMicros(sums.sold, sellPrice);
    settled.sessionMicros.push(Math.max(0, paid));
  }
}

function sumOf({ count, quantityWh }: Steps): number {
  let sum = 0;
  for (let index = 0; index < count; index += 1) sum += quantityWh[index] as number;
  return sum;
}
