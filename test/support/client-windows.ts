// Owns a region whose windows pass when a test says so: before one, over, settled. It refuses to hurry a proof; while a
// test looks, market time goes slowly.

import type { HouseholdAgent } from "../../clients/household/agent.ts";
import type { MeterSource } from "../../clients/household/meter-source.ts";
import type { Entry } from "../../market/journal.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import { eventually, type OpenRegion, openRegionAt, REGION } from "./client-region.ts";

/** A window of an hour takes a minute: longer than anything a test does in it. */
const RATE = 60;
const WINDOW_SLOTS = 4;
/** Ten seconds in which orders are placed. */
const BEFORE_S = 600;

/** A region of windows of four slots, each with as long for its evidence. */
export class Windows {
  readonly region: OpenRegion;

  private constructor(region: OpenRegion) {
    this.region = region;
  }

  static async open(): Promise<Windows> {
    return new Windows(await openRegionAt(RATE));
  }

  /** Goes to a little before a window that every meter enrolled by now is in; answers its first slot. */
  async next(): Promise<number> {
    const { slot } = await this.region.client.market(REGION);
    const firstSlot = (Math.floor(slot / WINDOW_SLOTS) + 2) * WINDOW_SLOTS;
    await this.region.jumpTo(slotStartS(firstSlot) - BEFORE_S);
    await this.#closed(firstSlot - 3 * WINDOW_SLOTS);
    return firstSlot;
  }

  /** Goes to where a window is over, so that its evidence may come; seconds after its end. */
  async over(firstSlot: number, afterS = 1): Promise<void> {
    await this.region.jumpTo(slotStartS(firstSlot + WINDOW_SLOTS) + afterS);
    await this.#closed(firstSlot - WINDOW_SLOTS);
  }

  /** Goes to where a window has been settled. */
  async settled(firstSlot: number): Promise<void> {
    await this.region.jumpTo(slotStartS(firstSlot + 2 * WINDOW_SLOTS) + 1);
    await this.#closed(firstSlot);
  }

  /** A region that comes up again has to close what became due meanwhile. */
  async #closed(firstSlot: number): Promise<void> {
    const isClosed = async () => (await this.region.client.market(REGION)).windowFirstSlot > firstSlot;
    if (!(await eventually(isClosed))) throw new Error(`window ${firstSlot} is not settled`);
  }

  /** The agents do what is to do now. */
  async step(...agents: readonly HouseholdAgent[]): Promise<void> {
    const atS = await this.region.client.marketTimeS();
    for (const agent of agents) await agent.step(atS);
  }

  async journal(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const line of this.region.client.journal(REGION))
      entries.push((JSON.parse(line) as { entry: Entry }).entry);
    return entries;
  }

  /** What an account claimed, window by window. */
  async claimedBy(account: Hex): Promise<{ firstSlot: number; netWh: readonly number[] }[]> {
    return (await this.journal()).flatMap(({ command }) =>
      command?.type === "submit_readings" && command.account === account
        ? [{ firstSlot: command.firstSlot, netWh: command.netWh }]
        : [],
    );
  }

  stop(): Promise<void> {
    return this.region.stop();
  }
}

/** A meter that measures the same in every slot from one on until another, and nothing before and after. */
export function steadyFrom(
  fromSlot: number,
  netWh: number,
  untilSlot: number = Number.MAX_SAFE_INTEGER,
): MeterSource {
  return {
    read: (slot) => ({
      netWh: slot < fromSlot || slot >= untilSlot ? 0 : netWh,
      generationWh: null,
      loadWh: null,
    }),
  };
}
