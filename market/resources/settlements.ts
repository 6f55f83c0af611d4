// Owns what each settlement of an entry moves: cost, fee and what returns. It refuses to judge what is due to whom; settlements
// of one buy order share its rounding, so they are reckoned one after another.

import type { EventOf } from "../../protocol/events.ts";
import { addedCostMicros, addedFeeMicros, worth } from "../continuous/amounts.ts";
import type { Obligation } from "./obligations.ts";
import { escrowMicros, type Purchases, purchaseRow, type Worth, worthOf } from "./purchases.ts";

type Settled = EventOf<"obligation_settled">;

/** What is settled of an obligation, beside the amounts. */
export interface Settlement
  extends Pick<Settled, "means" | "jobDigest" | "outputHash" | "isClosed" | "isFailure"> {
  /** In all since the trade. */
  readonly deliveredMega: number;
  readonly verdict?: NonNullable<Settled["verdict"]>;
}

/** The settlements of one entry, in the order of its events. */
export class Settlements {
  readonly #purchases: Purchases;
  /** What each buy order is worth after those before. */
  readonly #worth = new Map<number, Worth>();

  constructor(purchases: Purchases) {
    this.#purchases = purchases;
  }

  /** Pays what was delivered since the last settlement; one that closes gives back what is left. */
  settle(obligation: Obligation, { deliveredMega, ...said }: Settlement): Settled {
    const { id, purchase, quantityMega, priceMicrosPerTera, takeRateBps } = obligation;
    const held = this.#held(purchase);
    const addedMega = deliveredMega - obligation.deliveredMega;
    const added = worth(addedMega, priceMicrosPerTera);
    const undelivered = said.isClosed ? worth(quantityMega - deliveredMega, priceMicrosPerTera) : 0;
    const paidMicros = addedCostMicros(held.settled, added);
    const after = { ...held, settled: held.settled + added, open: held.open - added - undelivered };
    this.#worth.set(purchase, after);
    const { means, jobDigest, outputHash, isClosed, isFailure, verdict } = said;
    return {
      type: "obligation_settled",
      obligation: id,
      deliveredMega: addedMega,
      means,
      jobDigest,
      outputHash,
      paidMicros,
      feeMicros: addedFeeMicros(obligation.paidMicros, paidMicros, takeRateBps),
      releasedMicros: escrowMicros(held) - paidMicros - escrowMicros(after),
      isClosed,
      isFailure,
      ...(verdict === undefined ? {} : { verdict }),
    };
  }

  /** Micros that come back when nothing more of an obligation will be delivered. */
  lapse({ purchase, quantityMega, deliveredMega, priceMicrosPerTera }: Obligation): number {
    const held = this.#held(purchase);
    const after = { ...held, open: held.open - worth(quantityMega - deliveredMega, priceMicrosPerTera) };
    this.#worth.set(purchase, after);
    return escrowMicros(held) - escrowMicros(after);
  }

  #held(purchase: number): Worth {
    return this.#worth.get(purchase) ?? worthOf(this.#purchases, purchaseRow(this.#purchases, purchase));
  }
}
