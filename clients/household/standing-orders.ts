// Owns the question whether the orders that stand in a region are the ones that are wished for. It refuses to guess:
// an order counts only with the same side and the same steps, slot by slot.

import type { Order } from "../sdk/client.ts";
import { type DesiredOrder, isInForce } from "./default-orders.ts";

/**
 * The slot from which on the standing orders are no longer what is wished, at least `from` and at most `until`; null
 * where they must be ended and placed anew: nothing of the wish holds at `from`, or some of it stands only later, as
 * after a start that was cut off between two orders.
 */
export function standsUntil(
  standing: readonly Order[],
  wished: readonly DesiredOrder[],
  from: number,
  until: number,
): number | null {
  // A wish without an end is one to the far end of the span.
  const bounded = wished.map((wish) =>
    wish.validUntilS === 0 ? { ...wish, validUntilS: Number.MAX_SAFE_INTEGER } : wish,
  );
  const ours = standing.filter((order) => bounded.some((wish) => isSame(order, wish)));
  let slot = from;
  while (slot < until && bounded.every((wish) => !isInForce(wish, slot) || holds(ours, wish, slot)))
    slot += 1;
  if (slot === from && from < until) return null;
  return slot < until && ours.some(({ untilSlot }) => (untilSlot ?? until) > slot) ? null : slot;
}

function holds(standing: readonly Order[], wish: DesiredOrder, slot: number): boolean {
  const hour = Math.floor(slot / 4) % 24;
  return standing.some(
    (order) =>
      isSame(order, wish) &&
      order.fromSlot <= slot &&
      (order.untilSlot === null || order.untilSlot > slot) &&
      order.hours.includes(hour),
  );
}

function isSame(order: Order, { side, steps }: DesiredOrder): boolean {
  return (
    order.side === side &&
    order.steps.length === steps.length &&
    order.steps.every(({ limitPriceMicrosPerKwh, capWhPerSlot }, index) => {
      const step = steps[index];
      return step?.limitPriceMicrosPerKwh === limitPriceMicrosPerKwh && step.capWhPerSlot === capWhPerSlot;
    })
  );
}
