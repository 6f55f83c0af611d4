// Owns keeping a household's leaf of every epoch as soon as the epoch has closed, so that it can leave without anybody's help.
// It refuses regions of test money, where nothing can be left with.

import type { Hex } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import { lastClosedEpoch } from "../chain/account-funds.ts";
import type { Market, PolderClient } from "../sdk/client.ts";
import { PolderProblem } from "../sdk/problem.ts";
import type { AgentMemory } from "./agent-memory.ts";

/** A region keeps its leaves for 45 days; its epochs are an hour or longer. */
const MOST_EPOCHS = 1_100;

export interface EpochLeavesOptions {
  readonly client: PolderClient;
  readonly region: string;
  readonly account: Hex;
  readonly memory: AgentMemory;
}

/** Leaves of one account in one region. */
export class EpochLeaves {
  readonly #options: EpochLeavesOptions;
  #keptEpoch: number | null = null;

  constructor(options: EpochLeavesOptions) {
    this.#options = options;
  }

  /** Keeps what has closed since. @throws PolderProblem, TransportFault; what was kept by then stays kept */
  async step(market: Market): Promise<void> {
    if (market.quote !== "settlement") return;
    const { client, region, account, memory } = this.#options;
    const { chainId, settlement } = await client.deployment();
    const last = lastClosedEpoch(market);
    if (last === null) return;
    const first = Math.floor(market.firstSlot / market.epochSlots);
    this.#keptEpoch ??= this.#lastKept(chainId, settlement) ?? first - 1;
    const from = Math.max(this.#keptEpoch + 1, last - MOST_EPOCHS + 1);
    for (let epoch = from; epoch <= last; epoch += 1) {
      const claim = await client.leaf(region, epoch, account).catch(noLeaf);
      if (claim !== null) memory.rememberLeaf({ chainId, settlement, region, claim });
      this.#keptEpoch = epoch;
    }
  }

  #lastKept(chainId: number, settlement: Hex): number | undefined {
    const { region, account, memory } = this.#options;
    const isOurs = (leaf: ReturnType<AgentMemory["leaves"]>[number]): boolean =>
      leaf.chainId === chainId &&
      leaf.settlement === settlement &&
      leaf.region === region &&
      leaf.claim.leaf.account === account;
    return memory.leaves().findLast(isOurs)?.claim.epoch;
  }
}

/**
 * When the open window closes, and its epoch may with it: there will be a leaf to keep. Null in a region of test money, and
 * before the window has ended. Unix seconds.
 */
export function nextLeafS(
  { quote, windowFirstSlot, windowSlots, parameters }: Market,
  atS: number,
): number | null {
  if (quote !== "settlement") return null;
  const endS = slotStartS(windowFirstSlot + windowSlots);
  if (atS < endS) return null;
  // A moment later: the region closes it at that second, and is not asked in it.
  return Math.max(endS + parameters.proofDelaySeconds, atS) + 1;
}

/** An account that came later has no leaf, and what is older than a region keeps is of no use any more. */
function noLeaf(error: unknown): null {
  const isNone =
    error instanceof PolderProblem &&
    (error.code === "account_not_found" || error.code === "epoch_not_found");
  if (!isNone) throw error;
  return null;
}
