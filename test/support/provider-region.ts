// Owns the region in which tests sell and buy compute, and a way to hand runs to a provider's object as a desk does. It refuses to
// outlive its test: whoever starts one stops it.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "@noble/hashes/sha2.js";
import { ComputeRegion, openComputeRegion, type Trader } from "../../clients/local/compute-region.ts";
import { moduleNameOf } from "../../clients/sdk/modules.ts";
import type { DispatchAnswer, RunOrder } from "../../durable-objects/job-calls.ts";
import { hexOf } from "../../evidence/bytes.ts";
import type { Parameters } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type JobDescription, jobDigestOf } from "../../protocol/jobs.ts";
import { REGION, SEED, termsOf, varsOf } from "./client-region.ts";

export type { Trader };

const ENTRY = join(import.meta.dirname, "../durable-objects/provider-worker.ts");

/** What a desk was told, as JSON has it. */
export interface ToldRun {
  readonly obligationId: number;
  readonly outcome?: {
    readonly kind: string;
    readonly reason?: string;
    readonly end?: string;
    readonly exitCode?: number | null;
    readonly fuelUsed?: number;
    readonly entry?: number | null;
    readonly stdout?: { readonly bytes: number[] };
  };
  readonly commitment?: Hex;
}

/** A region for compute. */
export class ProviderRegion extends ComputeRegion {
  #orders = 0;

  /**
   * @param hasDesks runs' ends are told to the accounts' real desks, not written down for the test.
   * @param rate market seconds for a wall second.
   */
  static async open({
    hasDesks = false,
    rate = 1,
    parameters = {},
    vars = {},
  }: {
    readonly hasDesks?: boolean;
    readonly rate?: number;
    readonly parameters?: Partial<Parameters>;
    readonly vars?: Record<string, string>;
  } = {}): Promise<ProviderRegion> {
    const clock = rate === 1 ? { CLOCK_ORIGIN: "2026-01-01T00:00:00.000Z", CLOCK_RATE: "1" } : varsOf(rate);
    return new ProviderRegion(
      await openComputeRegion({
        seed: SEED,
        terms: termsOf(parameters),
        vars: { ...clock, ...vars },
        ...(hasDesks ? {} : { entryFile: ENTRY }),
      }),
    );
  }

  /** Buys the running of a module from the best seller: the run of it, as a desk hands it out. */
  async order(
    buyer: Trader,
    module: Uint8Array,
    more: {
      readonly input?: Uint8Array;
      readonly args?: string[];
      readonly wallSeconds?: number;
      readonly fuelMega?: number;
      readonly commitFirst?: boolean;
    } = {},
  ): Promise<RunOrder> {
    const {
      input = new Uint8Array(0),
      args = [],
      wallSeconds = 10,
      fuelMega = 1_000,
      commitFirst = false,
    } = more;
    this.#orders += 1;
    const description: JobDescription = {
      module: moduleNameOf(module),
      args,
      env: {},
      inputHash: hexOf(sha256(input)),
      limits: { fuelMega, memoryBytes: 16_777_216, outputBytes: 1_000_000, wallSeconds },
      startS: 1_767_225_600,
      salt: `0x${this.#orders.toString(16).padStart(64, "0")}`,
    };
    const jobDigest = jobDigestOf(description);
    const terms = { fuelMega, priceMicrosPerTera: 1_000_000, replicas: 1 };
    await this.client.submit(REGION, buyer.signer, { type: "buy_job", jobDigest, ...terms });
    const bought = (await this.obligations(buyer)).find(({ job }) => job?.jobDigest === jobDigest);
    if (bought === undefined) throw new Error("nothing was bought");
    const { obligationId, deadlineS, priceMicrosPerTera } = bought;
    return {
      ...{ region: REGION, obligationId, jobDigest, desk: "a desk", description, input, commitFirst },
      ...{ deadlineS, fuelMega, priceMicrosPerTera, buyer: buyer.account },
    };
  }

  dispatch(seller: Hex, order: RunOrder): Promise<DispatchAnswer> {
    const argument = { ...order, input: { bytes: [...order.input] } };
    return this.#call(seller, "dispatch", argument);
  }

  reveal(seller: Hex, obligationId: number): Promise<unknown> {
    return this.#call(seller, "reveal", obligationId);
  }

  isConnected(seller: Hex): Promise<boolean> {
    return this.#call(seller, "isConnected");
  }

  async told(seller: Hex): Promise<ToldRun[]> {
    return (await this.#call<string[]>(seller, "told")).map((text) => JSON.parse(text) as ToldRun);
  }

  /** Kills workerd; Miniflare starts it anew on the same port, from what is on disk. */
  killObjects(): void {
    process.kill(this.stack.workerdPid, "SIGKILL");
  }

  async #call<T>(seller: Hex, call: string, argument?: unknown): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const response = await fetch(`${this.stack.url}/v1/provider-calls`, {
        method: "POST",
        body: JSON.stringify({ name: `${REGION}/${seller}`, call, argument }),
      }).catch(() => null);
      if (response?.ok) return (await response.json()) as T;
      // Killed objects are back within seconds, and every call may be made twice.
      if (tries > 50) throw new Error(`no answer to ${call}: ${await response?.text()}`);
      await sleep(100);
    }
  }
}
