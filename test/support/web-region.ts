// Owns a small region that trades for a few seconds, for looking at it from outside: three homes, four-slot windows, a
// fast clock, and the homes' own agent. It refuses to be a simulation; figures are fixed, so that a test can name them.

import { startHomeServer } from "../../clients/local/home-server.ts";
import {
  agentSigner,
  enrolHousehold,
  type HouseholdKeys,
  openRegion,
  operatorWallet,
} from "../../clients/local/neighbourhood.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { PolderProblem } from "../../clients/sdk/problem.ts";
import type { Signer } from "../../clients/sdk/signer.ts";
import type { ShownWindow } from "../../evidence/meter-proof.ts";
import { marketTimeS, originFor, parseClock, wallTimeMs } from "../../protocol/clock.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { slotAt, slotStartS } from "../../protocol/units.ts";
import { showWindow } from "./client-proving.ts";

export const SEED = "web test";
export const REGION = "heron-lane";
const WINDOW_SLOTS = 4;
/** A window takes four seconds and so does its time for evidence, which is for handing in what was proved before. */
const RATE = 900;
const PROOF_DELAY_S = 3_600;
/** Of a proof that is made while others wait, on a machine that grows busier. */
const SLACK = 1.3;
const BEGINS_AT_S = Date.UTC(2026, 5, 19, 22, 20) / 1000;

/** A home with what it generates and uses in every quarter-hour. Wh. */
export interface WebHome extends HouseholdKeys {
  readonly name: string;
  readonly kind: string;
  readonly generationWh: number;
  readonly loadWh: number;
}

const HOMES = [
  { name: "Heron", kind: "solar", generationWh: 900, loadWh: 200, creditMicros: 50_000_000 },
  { name: "Lark", kind: "flat", generationWh: 0, loadWh: 300, creditMicros: 50_000_000 },
  // Its balance bears some 80 Wh: the bill has something to mark.
  { name: "Wren & Co <b>", kind: "flat", generationWh: 0, loadWh: 600, creditMicros: 20_000 },
] as const;

export interface WebRegion {
  readonly url: string;
  readonly homeUrl: string;
  readonly client: PolderClient;
  readonly homes: readonly WebHome[];
  /** Opens the region; before it, the directory is empty. */
  open(): Promise<void>;
  /** Trades windows until so many have been settled. */
  trade(windows: number): Promise<void>;
  stop(): Promise<void>;
}

/** Brings up a deployment without a region. */
export async function startWebRegion(): Promise<WebRegion> {
  const origin = originFor(BEGINS_AT_S, Date.now(), RATE);
  const clock = parseClock(origin, String(RATE), LOCAL_CHAIN_ID);
  const stack: Stack = await startStack({
    vars: { OPERATOR: operatorWallet(SEED).address, CLOCK_ORIGIN: origin, CLOCK_RATE: String(RATE) },
    logger: (line, level) => level === "error" && console.error(line),
  });
  const client = new PolderClient(stack.url);
  const homes: WebHome[] = [];
  const served: Parameters<typeof startHomeServer>[0][number][] = [];
  const home = await startHomeServer(served, () => slotAt(marketTimeS(clock, Date.now())));
  const untilS = async (atS: number): Promise<void> => {
    const waitMs = wallTimeMs(clock, atS) - Date.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  };
  return {
    url: stack.url,
    homeUrl: home.url,
    client,
    homes,
    async open() {
      const operator = await openTestRegion(client);
      for (const opened of await openHomes(client, operator)) {
        homes.push(opened);
        const { name, account, kind, generationWh, loadWh } = opened;
        const reading = { netWh: generationWh - loadWh, generationWh, loadWh };
        served.push({ name, account, kind, region: REGION, meter: { read: () => reading } });
      }
    },
    async trade(windows) {
      const windowAfter = (waitMs: number): number => {
        const slot = slotAt(marketTimeS(clock, Date.now() + waitMs));
        return slot - (slot % WINDOW_SLOTS) + WINDOW_SLOTS;
      };
      // Nobody knows how busy the machine is, so one home's proofs are first timed.
      let startedMs = Date.now();
      await proveWindows(client, homes.slice(0, 1), windowAfter(0), windows);
      let leadMs = SLACK * homes.length * (Date.now() - startedMs);
      for (;;) {
        const firstSlot = windowAfter(leadMs);
        startedMs = Date.now();
        const proofs = await proveWindows(client, homes, firstSlot, windows);
        leadMs = SLACK * (Date.now() - startedMs);
        if (await handIn(client, homes, firstSlot, proofs, untilS)) return;
      }
    },
    async stop() {
      await home.close();
      await stack.stop();
    },
  };
}

/** Opens the region, named like its street. */
export function openTestRegion(client: PolderClient): Promise<Signer> {
  return openRegion(client, SEED, {
    profile: {
      region: REGION,
      name: "Heron Lane",
      place: "Flevoland, Netherlands",
      latitude: 52.5,
      longitude: 5.5,
      timeZone: "Europe/Amsterdam",
      jurisdiction: "Netherlands",
      terms: "A test.",
      currency: "EUR",
      tariffs: [{ name: "flat", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 80_000 }],
      isSimulation: true,
    },
    windowSlots: WINDOW_SLOTS,
    epochSlots: 96,
    parameters: {
      networkFeeMicrosPerKwh: 20_000,
      takeRateBps: 100,
      clearingPriceK: 5_000,
      proofDelaySeconds: PROOF_DELAY_S,
      emissionPerEpoch: "0",
      emissionDecayBps: 0,
      rewardWeightEnergy: 1,
      rewardWeightCompute: 0,
      rewardWeightBandwidth: 0,
      shareCapBps: 10_000,
      outflowCapBps: 5_000,
      rewardPerFee: "0",
      providerMinimumStake: 0,
      auditRateBps: 0,
    },
  });
}

/** Enrols every home and posts its standing order, which applies from the next slot on. */
function openHomes(client: PolderClient, operator: Signer): Promise<WebHome[]> {
  return Promise.all(
    HOMES.map(async ({ creditMicros, ...home }) => {
      const keys = await enrolHousehold(client, REGION, SEED, operator, { name: home.name, creditMicros });
      const isSeller = home.generationWh > home.loadWh;
      await client.submit(REGION, agentSigner(keys), {
        type: "place_order",
        side: isSeller ? "sell" : "buy",
        steps: [{ limitPriceMicrosPerKwh: isSeller ? 130_000 : 250_000, capWhPerSlot: 10_000 }],
        validFromS: 0,
        validUntilS: 0,
        hours: [],
        replaces: 0,
      });
      return { ...home, ...keys };
    }),
  );
}

/** Windows of every home, one after another: what will be measured is known, so they are proved before they begin. */
async function proveWindows(
  client: PolderClient,
  homes: readonly WebHome[],
  firstSlot: number,
  windows: number,
): Promise<readonly (readonly ShownWindow[])[]> {
  const registryOf = await enrolledWindow(client);
  return Promise.all(
    Array.from({ length: windows }, (_, index) =>
      Promise.all(
        homes.map(async (home) => {
          const netWh = Array.from({ length: WINDOW_SLOTS }, () => home.generationWh - home.loadWh);
          const window = { firstSlot: firstSlot + index * WINDOW_SLOTS, netWh, registryOf };
          const shown = await showWindow({ client, region: REGION, keys: home, ...window });
          if (shown === null) throw new Error(`${home.name} is not in the registry of window ${registryOf}`);
          return shown;
        }),
      ),
    ),
  );
}

/** A window whose registry can be asked for and has every home; later ones have the same. */
async function enrolledWindow(client: PolderClient): Promise<number> {
  for (;;) {
    const firstSlot = (await client.market(REGION)).windowFirstSlot + WINDOW_SLOTS;
    try {
      if ((await client.registry(REGION, firstSlot)).leaves.length === HOMES.length) return firstSlot;
    } catch (error) {
      if (!(error instanceof PolderProblem && error.code === "registry_not_found")) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Hands in every window when it is over, until all are settled; false where one came too late. */
async function handIn(
  client: PolderClient,
  homes: readonly WebHome[],
  firstSlot: number,
  proofs: readonly (readonly ShownWindow[])[],
  untilS: (atS: number) => Promise<void>,
): Promise<boolean> {
  for (const [index, shown] of proofs.entries()) {
    const window = firstSlot + index * WINDOW_SLOTS;
    const endsAtS = slotStartS(window + WINDOW_SLOTS);
    await untilS(endsAtS + 1);
    try {
      await Promise.all(
        shown.map(({ netWh, evidence }, home) => {
          const draft = { type: "submit_readings" as const, firstSlot: window, netWh: [...netWh] };
          return client.submit(REGION, agentSigner(homes[home] as WebHome), draft, evidence);
        }),
      );
    } catch (error) {
      if (error instanceof PolderProblem && error.code === "window_closed") return false;
      throw error;
    }
    await untilS(endsAtS + PROOF_DELAY_S);
    while ((await client.market(REGION)).windowFirstSlot <= window)
      await untilS(endsAtS + PROOF_DELAY_S + 60);
  }
  return true;
}
