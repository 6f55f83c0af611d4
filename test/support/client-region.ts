// Owns a region on a real local deployment for the clients' tests: short windows, a fast clock, households with keys,
// meters and money. It refuses to outlive its test: whoever starts one stops it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WIDEST_LIMITS } from "../../clients/household/enrolment-request.ts";
import {
  agentSigner,
  enrolHousehold,
  type HouseholdKeys,
  openRegion,
  operatorWallet,
  type RegionTerms,
} from "../../clients/local/neighbourhood.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { type ClientOptions, PolderClient } from "../../clients/sdk/client.ts";
import type { Signer } from "../../clients/sdk/signer.ts";
import type { MeterLimits } from "../../evidence/meter-statement.ts";
import { originFor } from "../../protocol/clock.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { PARAMETERS } from "./market.ts";

export const REGION = "polder-clients";
export const SEED = "clients under test";
/** When the market of every test begins: a midnight before a spring day, so that hours and windows are aligned. */
export const BEGINS_AT_S = Date.UTC(2026, 3, 1) / 1000;
export const RETAIL = 300_000;
export const FEED_IN = 80_000;

/** What `startStack` needs to serve a clock that stands at `marketS` now and runs at `rate`. */
export function varsOf(rate: number, marketS = BEGINS_AT_S): Record<string, string> {
  return {
    OPERATOR: operatorWallet(SEED).address,
    CLOCK_ORIGIN: originFor(marketS, Date.now(), rate),
    CLOCK_RATE: String(rate),
  };
}

export function termsOf(parameters: Partial<Parameters> = {}, windowSlots: 4 | 96 = 4): RegionTerms {
  return {
    profile: {
      region: REGION,
      name: "Polder of the clients",
      place: "Flevoland",
      latitude: 52.5,
      longitude: 5.5,
      timeZone: "Europe/Amsterdam",
      jurisdiction: "none",
      terms: "A test.",
      currency: "EUR",
      tariffs: [{ name: "flat", retailMicrosPerKwh: RETAIL, feedInMicrosPerKwh: FEED_IN }],
      isSimulation: true,
    },
    windowSlots,
    epochSlots: windowSlots * 2,
    parameters: {
      ...PARAMETERS,
      networkFeeMicrosPerKwh: 20_000,
      takeRateBps: 100,
      proofDelaySeconds: windowSlots * 900,
      ...parameters,
    },
  };
}

/** A region that is open, and how to reach it. */
export interface OpenRegion {
  readonly stack: Stack;
  readonly client: PolderClient;
  readonly operator: Signer;
  readonly stateFolder: string;
  /** Enrols a household with money; the same name gives the same keys. */
  household(
    name: string,
    creditMicros?: number,
    limits?: MeterLimits,
  ): Promise<HouseholdKeys & { readonly signer: Signer }>;
  /**
   * Takes the deployment down and up again, on the same port, with its clock further on. Its client is another one then:
   * the old one knows the old clock. A test whose windows pass like this need not prove faster than they do.
   */
  jumpTo(marketS: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a deployment at a clock rate and opens the region on it. */
export async function openRegionAt(
  rate: number,
  {
    parameters = {},
    client: clientOptions = {},
  }: { parameters?: Partial<Parameters>; client?: ClientOptions } = {},
): Promise<OpenRegion> {
  const stateFolder = mkdtempSync(join(tmpdir(), "polder-clients-"));
  const options = { stateFolder, logger: () => {} };
  let stack = await startStack({ ...options, vars: varsOf(rate) });
  let client = new PolderClient(stack.url, clientOptions);
  const operator = await openRegion(client, SEED, termsOf(parameters));
  return {
    get stack() {
      return stack;
    },
    get client() {
      return client;
    },
    operator,
    stateFolder,
    async household(name, creditMicros = 1_000_000_000, limits = WIDEST_LIMITS) {
      const keys = await enrolHousehold(client, REGION, SEED, operator, { name, creditMicros, limits });
      return { ...keys, signer: agentSigner(keys) };
    },
    async jumpTo(marketS) {
      const { port } = stack;
      await stack.stop();
      stack = await startStack({ ...options, port, vars: varsOf(rate, marketS) });
      client = new PolderClient(stack.url, clientOptions);
    },
    async stop() {
      await stack.stop();
      rmSync(stateFolder, { recursive: true, force: true });
    },
  };
}

/** True while a process lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for what happens in its own time; answers whether it did. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  milliseconds = 20_000,
): Promise<boolean> {
  for (const endMs = Date.now() + milliseconds; ; await sleep(40)) {
    if (await condition()) return true;
    if (Date.now() > endMs) return false;
  }
}
