// Owns a household's part in the market: it keeps its standing orders up to date, has each of its meters' windows proved
// when it is over, and keeps its receipts. It refuses orders outside its limits.

import type { Receipt } from "../../evidence/receipt.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotAt, slotStartS } from "../../protocol/units.ts";
import type { Accepted, Market, PolderClient } from "../sdk/client.ts";
import { PolderProblem } from "../sdk/problem.ts";
import type { Signer } from "../sdk/signer.ts";
import type { AgentMemory } from "./agent-memory.ts";
import type { ClaimPolicy } from "./claim-policy.ts";
import { type DesiredOrder, HORIZON_SLOTS, ordersAhead } from "./default-orders.ts";
import { EpochLeaves, nextLeafS } from "./epoch-leaves.ts";
import { type HouseholdMeter, isRefusal, MeterWindows, type WindowCounts } from "./meter-windows.ts";
import type { RegionRegistry } from "./region-registry.ts";
import { standsUntil } from "./standing-orders.ts";
import type { Tariff } from "./tariff.ts";
import type { Prover } from "./window-prover.ts";

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
  /** Each proves its own windows; the region adds them up. */
  readonly meters: readonly HouseholdMeter[];
  /** How much of a window is claimed: who claims everything shows everything. */
  readonly claims: ClaimPolicy;
  /** Shared by all agents of a process. */
  readonly prover: Prover;
  readonly registry: RegionRegistry;
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
export interface AgentCounts extends WindowCounts {
  orders: number;
}

/** One household's agent. */
export class HouseholdAgent {
  readonly counts: AgentCounts = { orders: 0, windows: 0, missed: 0, proofs: 0, pending: 0 };
  readonly #options: AgentOptions;
  readonly #meters: readonly MeterWindows[];
  readonly #leaves: EpochLeaves;
  #coveredUntilSlot = 0;
  #orderedUnder = "";

  constructor(options: AgentOptions) {
    this.#options = options;
    const { meters, name, report = () => {} } = options;
    const keep = (accepted: Accepted): void => this.#keep(accepted);
    this.#leaves = new EpochLeaves({ ...options, account: options.signer.account });
    this.#meters = meters.map((meter, index) => {
      const called = meters.length === 1 ? name : `${name}, meter ${index + 1}`;
      return new MeterWindows({ ...options, name: called, meter, counts: this.counts, keep, report });
    });
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
   * Does what is to do at a market time: orders first, then the windows that are over, then the leaves of closed epochs.
   * @returns market time at which there is something to do again.
   */
  async step(atS: number): Promise<number> {
    const market = await this.#options.client.market(this.#options.region);
    await this.#keepOrders(market, atS);
    const windowEndS = await this.#settleWindows(market, atS);
    await this.#leaves.step(market);
    const isDone = this.#coveredUntilSlot >= (this.#options.untilSlot ?? Number.MAX_SAFE_INTEGER);
    const renewAtS = isDone ? windowEndS : slotStartS(this.#coveredUntilSlot - market.windowSlots);
    return Math.min(windowEndS, nextLeafS(market, atS) ?? windowEndS, Math.max(renewAtS, atS + 1));
  }

  /** @returns when there is something to do for a window again. @throws what stopped one meter, after all had their turn */
  async #settleWindows(market: Market, atS: number): Promise<number> {
    const outcomes = await Promise.allSettled(
      this.#meters.map(async (meter) => {
        const askAgainS = await meter.step(market, atS);
        return askAgainS ?? slotStartS(meter.nextWindow + market.windowSlots);
      }),
    );
    const againS = outcomes.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
    return Math.min(...againS);
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
    if (fromSlot >= endSlot) {
      // Also for an agent that began when all was over.
      this.#coveredUntilSlot = fromSlot;
      return;
    }
    if (this.#orderedUnder === terms && this.#coveredUntilSlot - from >= windowSlots) return;
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

  #keep(accepted: Accepted): void {
    this.#options.memory.rememberReceipt(accepted.receipt);
  }
}
