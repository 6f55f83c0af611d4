// Owns the region that compute is measured on, with nodes as processes of their own. It refuses to outlive its measurement: whoever
// opens one stops it.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ComputeRegion, openComputeRegion, type Trader } from "../clients/local/compute-region.ts";
import type { RegionTerms } from "../clients/local/neighbourhood.ts";
import type { StackOptions } from "../clients/local/stack.ts";
import { PARAMETERS } from "./fleet.ts";

export const COMPUTE_REGION = "polder-compute";
const SEED = "compute measured";
const CLI = join(import.meta.dirname, "../clients/cli/main.ts");

const TERMS: RegionTerms = {
  profile: {
    region: COMPUTE_REGION,
    name: "Polder of machines",
    place: "Flevoland",
    latitude: 52.5,
    longitude: 5.5,
    timeZone: "Europe/Amsterdam",
    jurisdiction: "none",
    terms: "Test money.",
    currency: "EUR",
    tariffs: [{ name: "flat", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 80_000 }],
    isSimulation: true,
  },
  windowSlots: 4,
  epochSlots: 8,
  parameters: PARAMETERS,
};

/** A region whose sellers' nodes are processes. */
export class MeasuredRegion extends ComputeRegion {
  readonly #nodes: ChildProcess[] = [];

  static async open(options: Omit<StackOptions, "stateFolder"> = {}): Promise<MeasuredRegion> {
    return new MeasuredRegion(await openComputeRegion({ ...options, seed: SEED, terms: TERMS }));
  }

  /** Starts a seller's node as a process and waits for its asks. @throws Error where it has none within half a minute */
  async node(seller: Trader, ...more: readonly string[]): Promise<ChildProcess> {
    const args = [
      ...["provider", "start", "--url", this.stack.url, "--region", COMPUTE_REGION, "--price", "0.2"],
      ...["--key-file", seller.keyFile, "--cores", "1", "--modules", join(this.folder, "modules"), ...more],
    ];
    const node = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "ignore", "inherit"] });
    this.#nodes.push(node);
    for (let tries = 0; tries < 300; tries += 1) {
      if ((await this.asksOf(seller.account)) > 0) return node;
      await sleep(100);
    }
    throw new Error("a node did not come to sell");
  }

  /** Buys a lease of an hour from whoever asks least; the number of its obligation. */
  async lease(buyer: Trader, quantityMega: number): Promise<number> {
    await this.client.submit(COMPUTE_REGION, buyer.signer, {
      type: "place_resource_order",
      product: "compute-lease-hour",
      side: "buy",
      quantityMega,
      priceMicrosPerTera: 200_000,
      timeInForce: "fill_or_kill",
      goodTillS: 0,
    });
    const all = await this.obligations(buyer);
    return Math.max(...all.map(({ obligationId }) => obligationId));
  }

  override async stop(): Promise<void> {
    for (const node of this.#nodes) node.kill("SIGKILL");
    await super.stop();
  }
}
