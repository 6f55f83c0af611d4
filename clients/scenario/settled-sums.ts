// Owns the sums over a journal's events: what traded, for how much, and how much of it rests on proofs. It refuses to take
// a Wh for proved that no claim of its account and slot covers.

import type { EventOf, MarketEvent } from "../../protocol/events.ts";

/** Adds up a journal, event by event. */
export class SettledSums {
  tradedWh = 0;
  feesMicros = 0;
  networkMicros = 0;
  dustMicros = 0;
  /** What buyers paid in all. */
  settledMicros = 0;
  claimedSurplusWh = 0;
  claimedNeedWh = 0;
  /** Traded Wh whose seller and buyer both proved them. */
  provedWh = 0;
  /** Claims of slots not cleared yet, by slot and account. */
  readonly #claims = new Map<number, Map<number, number>>();

  add(event: MarketEvent): void {
    if (event.type === "readings_accepted") this.#claimed(event);
    else if (event.type === "slot_cleared") this.#cleared(event);
  }

  #claimed({ account, firstSlot, netWh }: EventOf<"readings_accepted">): void {
    netWh.forEach((wh, index) => {
      const slot = firstSlot + index;
      const claims = this.#claims.get(slot) ?? new Map<number, number>();
      this.#claims.set(slot, claims.set(account, (claims.get(account) ?? 0) + wh));
      if (wh > 0) this.claimedSurplusWh += wh;
      else this.claimedNeedWh -= wh;
    });
  }

  #cleared(event: EventOf<"slot_cleared">): void {
    this.tradedWh += event.tradedWh;
    this.feesMicros += event.feeMicros;
    this.networkMicros += event.networkMicros;
    this.dustMicros += event.dustMicros;
    const claims = this.#claims.get(event.slot);
    this.#claims.delete(event.slot);
    const proved = { sold: 0, bought: 0 };
    event.accounts.forEach((account, index) => {
      const filledWh = event.filledWh[index] as number;
      const claimedWh = claims?.get(account) ?? 0;
      if (filledWh > 0) proved.sold += Math.max(0, Math.min(filledWh, claimedWh));
      else proved.bought += Math.max(0, Math.min(-filledWh, -claimedWh));
      if (filledWh < 0) this.settledMicros -= event.amountMicros[index] as number;
    });
    this.provedWh += Math.min(proved.sold, proved.bought);
  }
}
