// Owns a household's part in the market: it keeps its standing orders up to date, signs each window once when it is
// over, and keeps its receipts. It refuses orders outside its limits, and to sign a window twice differently.

import type { Receipt } from "../../evidence/receipt.ts";
import type { Hex } from "../../protocol/fields.ts";
import { divDown, divUp, slotAt, slotStartS } from "../../protocol/units.ts";
import type { Accepted, Market, PolderClient } from "../sdk/client.ts";
import { PolderProblem } from "../sdk/problem.ts";
import type { Signer } from "../sdk/signer.ts";
import type { AgentMemory } from "./agent-memory.ts";
import { type DesiredOrder, HORIZON_SLOTS, ordersAhead } from "./default-orders.ts";
import type { MeterSource } from "./meter-source.ts";
import { type Signing, signOnce } from "./software-gateway.ts";
import { standsUntil } from "./standing-orders.ts";
import type { Tariff } from "./tariff.ts";

/** The owner's own bounds, over whatever ladder or default is in force. */
export interface AgentLimits {
  readonly leastAskMicrosPerKwh: number;
  readonly highestBidMicrosPerKwh: number;
}

export interface AgentOptions {
  readonly name: string;
  readonly client: PolderClient;
  readonly region: string;
  readonly signer: Signer;
  /** Seed of the gateway's key (EdDSA over Baby Jubjub). */
  readonly gatewaySeed: Hex;
  readonly meter: MeterSource;
  readonly tariff: Tariff;
  readonly memory: AgentMemory;
  readonly limits?: AgentLimits;
  /** The owner's ladders instead of the default of the tariff. */
  readonly orders?: readonly DesiredOrder[];
  /** Slot from which the agent orders nothing more; without it, it never ends. */
  readonly untilSlot?: number;
  /** Told of everything worth telling. */
  readonly report?: (message: string) => void;
}

/** What an agent has done so far. */
export interface AgentCounts {
  orders: number;
  windows: number;
  /** Windows whose time for evidence was over before the readings arrived. */
  missed: number;
}

/** How often a live meter is asked for its last boundary in the time for evidence: every 18 s of an hour. */
const QUESTIONS_PER_DELAY = 200;

/** One household's agent. */
export class HouseholdAgent {
  readonly counts: AgentCounts = { orders: 0, windows: 0, missed: 0 };
  readonly #options: AgentOptions;
  #coveredUntilSlot = 0;
  #orderedUnder = "";
  #nextWindow = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get account(): Hex {
    return this.#options.signer.account;
  }

  /** Receipts of everything this agent was answered. */
  get receipts(): readonly Receipt[] {
    return this.#options.memory.receipts();
  }

  /**
   * Does what is to do at a market time: orders first, then the windows that are over.
   * @returns market time at which there is something to do again.
   */
  async step(atS: number): Promise<number> {
    const market = await this.#options.client.market(this.#options.region);
    await this.#keepOrders(market, atS);
    const askAgainS = await this.#proveWindows(market, atS);
    const windowEndS = askAgainS ?? slotStartS(this.#nextWindow + market.windowSlots);
    const isDone = this.#coveredUntilSlot >= (this.#options.untilSlot ?? Number.MAX_SAFE_INTEGER);
    const renewAtS = isDone ? windowEndS : slotStartS(this.#coveredUntilSlot - market.windowSlots);
    return Math.min(windowEndS, Math.max(renewAtS, atS + 1));
  }

  async #keepOrders(market: Market, atS: number): Promise<void> {
    const { parameters, windowSlots } = market;
    const terms = JSON.stringify([parameters.networkFeeMicrosPerKwh, parameters.takeRateBps]);
    const from = Math.max(slotAt(atS) + 1, market.firstSlot);
    if (this.#orderedUnder === "") await this.#adopt(market, terms, from);
    if (this.#orderedUnder !== terms) {
      await this.#cancelAll();
      this.#coveredUntilSlot = 0;
      this.#orderedUnder = "";
    }
    const { untilSlot: endSlot = Number.MAX_SAFE_INTEGER } = this.#options;
    const fromSlot = Math.max(from, this.#coveredUntilSlot);
    if (fromSlot >= endSlot || (this.#orderedUnder === terms && this.#coveredUntilSlot - from >= windowSlots))
      return;
    const { orders, untilSlot } = this.#desired(market, fromSlot);
    // Cut off between two orders, the next step looks at what stands.
    this.#orderedUnder = "";
    for (const order of orders) await this.#place(order);
    this.#coveredUntilSlot = untilSlot;
    this.#orderedUnder = terms;
  }

  /** After a restart: orders of an earlier run stand as far as they are what is wished now. */
  async #adopt(market: Market, terms: string, from: number): Promise<void> {
    const { client, region } = this.#options;
    const live = (await client.orders(region, this.account)).filter(({ isLive }) => isLive);
    if (live.length === 0) return;
    const { orders, untilSlot } = this.#desired(market, from);
    const wished = orders.filter((order) => !this.#isBeyondLimits(order));
    const until = Math.min(untilSlot, from + HORIZON_SLOTS);
    const covered = standsUntil(live, wished, from, until);
    if (covered === null) return;
    this.#coveredUntilSlot = covered === until ? untilSlot : covered;
    this.#orderedUnder = terms;
  }

  #desired({ parameters }: Market, fromSlot: number): { orders: readonly DesiredOrder[]; untilSlot: number } {
    const { orders: own, tariff, untilSlot: endSlot = Number.MAX_SAFE_INTEGER } = this.#options;
    if (own !== undefined) return { orders: own, untilSlot: Number.MAX_SAFE_INTEGER };
    return ordersAhead({ tariff, ...parameters }, fromSlot, endSlot);
  }

  async #place(order: DesiredOrder): Promise<void> {
    const { client, region, signer, report } = this.#options;
    if (this.#isBeyondLimits(order)) {
      report?.(`${this.name}: a ${order.side} order is outside its owner's limits and was not sent`);
      return;
    }
    try {
      this.#keep(
        await client.submit(region, signer, {
          type: "place_order",
          ...order,
          steps: [...order.steps],
          hours: [...order.hours],
          replaces: 0,
        }),
      );
      this.counts.orders += 1;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Its slots began while it was on its way: the rest of the ladder still stands.
      if (error.code === "slot_already_started") return;
      // What a key may not do it never may; the other side, and the windows, must not wait for it.
      report?.(`${this.name}: a ${order.side} order was refused: ${error.message}`);
    }
  }

  #isBeyondLimits({ side, steps }: DesiredOrder): boolean {
    const { limits } = this.#options;
    if (limits === undefined) return false;
    return steps.some(({ limitPriceMicrosPerKwh: price }) =>
      side === "sell" ? price < limits.leastAskMicrosPerKwh : price > limits.highestBidMicrosPerKwh,
    );
  }

  async #cancelAll(): Promise<void> {
    const { client, region, signer } = this.#options;
    for (const { orderId, isLive } of await client.orders(region, this.account)) {
      if (!isLive) continue;
      try {
        this.#keep(await client.submit(region, signer, { type: "cancel_order", orderId }));
      } catch (error) {
        if (!(error instanceof PolderProblem && error.code === "order_not_found")) throw error;
      }
    }
  }

  /** @returns when to ask the meter again for a window it does not know yet; null when all that are over are done. */
  async #proveWindows(market: Market, atS: number): Promise<number | null> {
    const { windowSlots, windowFirstSlot, nextSlot } = market;
    const open = nextSlot > windowFirstSlot ? windowFirstSlot + windowSlots : windowFirstSlot;
    // Windows that closed while this agent was not asked.
    for (let gone = this.#nextWindow; gone > 0 && gone < open; gone += windowSlots)
      this.#miss(gone, windowSlots, "its time for evidence is over");
    let next = Math.max(this.#nextWindow, open);
    for (; slotStartS(next + windowSlots) <= atS; next += windowSlots) {
      this.#nextWindow = next;
      const askAgainS = await this.#proveWindow(market, next, atS);
      if (askAgainS !== null) return askAgainS;
    }
    this.#nextWindow = next;
    return null;
  }

  #miss(firstSlot: number, windowSlots: 4 | 96, reason: string): void {
    const { meter, report } = this.#options;
    let isEmpty = true;
    for (let slot = firstSlot; slot < firstSlot + windowSlots; slot += 1)
      isEmpty &&= (meter.read(slot)?.netWh ?? 0) === 0;
    if (isEmpty) return;
    this.counts.missed += 1;
    report?.(`${this.name}: window ${firstSlot} was missed: ${reason}`);
  }

  /** @returns when to ask the meter again, or null when the window is done, one way or the other. */
  async #proveWindow(market: Market, firstSlot: number, atS: number): Promise<number | null> {
    const { client, region, signer, meter, memory } = this.#options;
    const { windowSlots, parameters } = market;
    const { proofDelaySeconds } = parameters;
    // What is not known when half of the time for evidence is over is left out: late is worse than less.
    const lastS = slotStartS(firstSlot + windowSlots) + divDown(proofDelaySeconds, 2);
    const askAgainS = Math.min(lastS, atS + divUp(proofDelaySeconds, QUESTIONS_PER_DELAY));
    const isKnown = (meter.knownUntilSlot?.() ?? Number.MAX_SAFE_INTEGER) >= firstSlot + windowSlots;
    if (!isKnown && atS < lastS && memory.signedWindow(firstSlot) === undefined) return askAgainS;
    const signing = await this.#sign(firstSlot, windowSlots);
    if (!signing.ok) {
      if (signing.mayHeal && atS < lastS) return askAgainS;
      this.#miss(firstSlot, windowSlots, `its gateway did not sign it: ${signing.reason}`);
      return null;
    }
    const { netWh, evidence } = signing.window;
    if (netWh.every((wh) => wh === 0)) return null;
    try {
      this.#keep(
        await client.submit(
          region,
          signer,
          { type: "submit_readings", firstSlot, netWh: [...netWh] },
          evidence,
        ),
      );
      this.counts.windows += 1;
    } catch (error) {
      // The clocks of home and region differ a little, or the region is busy: the window is still open.
      if (!isRefusal(error)) throw error;
      // It arrived before its answer was lost, or in an earlier run.
      if (error.code === "window_already_proved") return null;
      // The enrolment acts from a later window on: nothing is lost.
      if (error.code === "meter_not_active") return null;
      this.#miss(firstSlot, windowSlots, error.message);
    }
    return null;
  }

  async #sign(firstSlot: number, windowSlots: 4 | 96): Promise<Signing> {
    const { client, region, gatewaySeed, meter, memory } = this.#options;
    const { chainId, settlement, clock } = await client.deployment();
    const wish = { chainId, settlement, regionId: region, firstSlot, windowSlots, clockRate: clock.rate };
    return signOnce(gatewaySeed, meter, memory, wish);
  }

  #keep(accepted: Accepted): void {
    this.#options.memory.rememberReceipt(accepted.receipt);
  }
}

/** A refusal that trying again cannot change; one signed too long ago is signed anew. */
function isRefusal(error: unknown): error is PolderProblem {
  return error instanceof PolderProblem && !error.transient && error.code !== "command_expired";
}
