// Owns the operator's asks in the book: that so much is asked for at its price, and nothing else of the deployment's. It refuses to
// touch orders that another key placed.

import type { SellerKey } from "../../evidence/seller-key.ts";
import type { Account, ResourceOrder } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { EdgeSettings } from "./edge-settings.ts";

/** Market seconds that an ask rests; it is renewed at half of them. A deployment that is gone leaves none for long. */
export const ASK_LIFE_S = 6 * 3_600;

export interface EdgeBook {
  account(address: Hex): Promise<Account | null>;
  resourceOrders(address: Hex): Promise<ResourceOrder[]>;
}

/** Commands that bring the book to what it shall be, in their order; null where the key may not sell (yet). */
export async function askCommands(
  book: EdgeBook,
  settings: EdgeSettings,
  key: SellerKey,
  atS: number,
  isFull: boolean,
): Promise<(ReturnType<SellerKey["ask"]> | ReturnType<SellerKey["cancel"]>)[] | null> {
  const session = (await book.account(settings.account))?.sessions.find((one) => one.key === key.key);
  if (session === undefined || session.isRevoked || session.expiresAtS <= atS) return null;
  const own = (await book.resourceOrders(settings.account)).filter(
    (order) => order.session === session.session && order.product === "compute-job" && order.side === "sell",
  );
  const wanted = isFull ? [] : [...settings.asksMega];
  const goodTillS = Math.min(atS + ASK_LIFE_S, session.expiresAtS);
  const cancels: ResourceOrder[] = [];
  for (const order of own) {
    const isGood =
      order.priceMicrosPerTera === settings.priceMicrosPerTera && order.goodTillS > atS + ASK_LIFE_S / 2;
    // What was half bought stands for its whole: the rest is asked for again when there is less of it.
    const place = wanted.findIndex((mega) => order.restingMega <= mega && 2 * order.restingMega > mega);
    if (isGood && place >= 0) wanted.splice(place, 1);
    else cancels.push(order);
  }
  return [
    ...cancels.map(({ orderId }) => key.cancel(orderId)),
    ...wanted.map((mega) => key.ask(mega, settings.priceMicrosPerTera, goodTillS)),
  ];
}
