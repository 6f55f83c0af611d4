// Owns an account's asks in the continuous books: one of each product its node sells, renewed before it ends or is used up, with the will
// that takes it out again. It refuses to have any in the book while the node is full or not connected.

import type { ResourceOrder } from "../../protocol/answers.ts";
import type { ProductName } from "../../protocol/products.ts";
import type { SignedCancel } from "../../protocol/provider-frames.ts";
import type { PolderClient } from "../sdk/client.ts";
import { PolderProblem } from "../sdk/problem.ts";
import type { Signer } from "../sdk/signer.ts";
import type { NodeKey } from "./node-key.ts";

/** What a node sells. */
export interface Offer {
  readonly product: ProductName;
  readonly quantityMega: number;
  readonly priceMicrosPerTera: number;
}

export interface KeeperPorts {
  readonly client: PolderClient;
  readonly signer: Signer;
  readonly key: NodeKey;
  readonly offers: readonly Offer[];
  /** Market seconds for a wall second. */
  readonly rate: number;
  /** Whether asks may be in the book now. */
  readonly isOpen: () => boolean;
  readonly leaveWill: (cancels: readonly SignedCancel[]) => void;
  readonly report: (line: string) => void;
}

/** Market seconds that an ask rests: an hour, and no less than some wall minutes where the clock runs fast. */
const REST_SECONDS = 3_600;
const LEAST_REST_WALL_SECONDS = 240;
/** No command lives longer, and a will is one. */
const MOST_REST_SECONDS = 47 * 3_600;

/** Keeps one account's asks. */
export class AskKeeper {
  readonly #ports: KeeperPorts;
  #working: Promise<void> | null = null;
  #isAgain = false;
  #posted = "";
  #fault = "";

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
  }

  /** Makes the book what it should be. Asked for while it works, it does so once more. Never throws. */
  keep(): Promise<void> {
    this.#isAgain = this.#working !== null;
    this.#working ??= this.#run().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  /** Takes all asks out of the book. */
  async withdraw(): Promise<void> {
    await this.#working;
    for (const { orderId } of await this.#resting()) await this.#cancel(orderId);
    this.#ports.leaveWill([]);
  }

  /** The object has forgotten what it was told: it is another connection, or has carried the will out. */
  forgetWill(): void {
    this.#posted = "";
  }

  async #run(): Promise<void> {
    do {
      this.#isAgain = false;
      try {
        await this.#once();
        this.#tell("");
      } catch (error) {
        this.#tell(`asks could not be kept: ${error instanceof Error ? error.message : error}`);
      }
    } while (this.#isAgain);
  }

  /** Says what is wrong once, however often it is tried again, and when it is not wrong any more. */
  #tell(fault: string): void {
    if (fault === this.#fault) return;
    this.#ports.report(fault === "" ? "asks can be kept again" : fault);
    this.#fault = fault;
  }

  async #once(): Promise<void> {
    const { offers, isOpen } = this.#ports;
    if (!isOpen()) return;
    const resting = await this.#resting();
    const offered = new Set<string>(offers.map(({ product }) => product));
    // A node that was here before sold more: nobody would serve it any more when this one is gone.
    const stale = resting.filter(({ product }) => !offered.has(product));
    for (const offer of offers) {
      const own = resting.filter(({ product }) => product === offer.product);
      const fresh = own.filter((order) => this.#isFresh(order, offer));
      stale.push(...own.filter((order) => order !== fresh[0]));
      if (fresh.length === 0 && isOpen()) await this.#place(offer);
    }
    this.#leaveWill(await this.#resting());
    // Last: between two asks there is rather one too many than none.
    for (const { orderId } of stale) await this.#cancel(orderId);
    if (stale.length > 0) this.#leaveWill(await this.#resting());
  }

  #isFresh(order: ResourceOrder, offer: Offer): boolean {
    const { atS } = this.#ports.key.identity;
    return (
      order.priceMicrosPerTera === offer.priceMicrosPerTera &&
      order.restingMega >= offer.quantityMega / 2 &&
      order.restingMega <= offer.quantityMega &&
      order.goodTillS - atS() > this.#restSeconds() / 3
    );
  }

  async #place({ product, quantityMega, priceMicrosPerTera }: Offer): Promise<void> {
    const { client, signer, key } = this.#ports;
    const { region, atS } = key.identity;
    await client.submit(region, signer, {
      type: "place_resource_order",
      product,
      side: "sell",
      quantityMega,
      priceMicrosPerTera,
      timeInForce: "good_till_time",
      goodTillS: atS() + this.#restSeconds(),
    });
  }

  async #cancel(orderId: number): Promise<void> {
    const { client, signer, key } = this.#ports;
    try {
      await client.submit(key.identity.region, signer, { type: "cancel_resource_order", orderId });
    } catch (error) {
      // Sold or ended in between.
      if (!(error instanceof PolderProblem && error.code === "order_not_found")) throw error;
    }
  }

  async #resting(): Promise<readonly ResourceOrder[]> {
    const { client, key } = this.#ports;
    const { region, account } = key.identity;
    const { orders } = await client.get<{ orders: readonly ResourceOrder[] }>(
      `/v1/regions/${region}/accounts/${account}/resource-orders`,
    );
    return orders.filter(({ side }) => side === "sell");
  }

  /** Tells the object once of the asks there are. */
  #leaveWill(resting: readonly ResourceOrder[]): void {
    const { key, leaveWill } = this.#ports;
    const posted = resting.map(({ orderId }) => orderId).join();
    if (posted === this.#posted) return;
    this.#posted = posted;
    leaveWill(resting.map(({ orderId, goodTillS }) => key.cancel(orderId, goodTillS + 60)));
  }

  #restSeconds(): number {
    return Math.min(
      MOST_REST_SECONDS,
      Math.max(REST_SECONDS, Math.ceil(LEAST_REST_WALL_SECONDS * this.#ports.rate)),
    );
  }
}
