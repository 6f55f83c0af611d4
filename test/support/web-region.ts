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
import { marketTimeS, originFor, parseClock, wallTimeMs } from "../../protocol/clock.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { slotAt, slotStartS } from "../../protocol/units.ts";
import { showWindow } from "./client-proving.ts";

export const SEED = "web test";
export const REGION = "heron-lane";
const WINDOW_SLOTS = 4;
/** A window takes six seconds and so does its time for evidence, in which all homes prove; a day lasts longer than the test. */
const RATE = 600;
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
      for (let settled = 0; settled < windows; ) {
        const { windowFirstSlot, nextDueS } = await client.market(REGION);
        await untilS(slotStartS(windowFirstSlot + WINDOW_SLOTS));
        const wereInTime = await Promise.all(homes.map((proving) => prove(client, proving, windowFirstSlot)));
        if (wereInTime.every(Boolean)) settled += 1;
        await untilS(nextDueS + 1);
        while ((await client.market(REGION)).windowFirstSlot === windowFirstSlot) await untilS(nextDueS + 60);
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
      proofDelaySeconds: 3_600,
      emissionPerEpoch: "0",
      emissionDecayBps: 0,
      rewardWeightEnergy: 1,
      rewardWeightCompute: 0,
      rewardWeightBandwidth: 0,
      shareCapBps: 10_000,
      rewardPerFee: "0",
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

/** Proves a home's window; false where its time for evidence was already over on a slow machine. */
async function prove(client: PolderClient, home: WebHome, firstSlot: number): Promise<boolean> {
  const measured = Array.from({ length: WINDOW_SLOTS }, () => home.generationWh - home.loadWh);
  try {
    const shown = await showWindow({ client, region: REGION, keys: home, firstSlot, netWh: measured });
    if (shown === null) return false;
    const { netWh, evidence } = shown;
    const draft = { type: "submit_readings" as const, firstSlot, netWh: [...netWh] };
    await client.submit(REGION, agentSigner(home), draft, evidence);
    return true;
  } catch (error) {
    if (error instanceof PolderProblem && ["window_closed", "registry_not_found"].includes(error.code))
      return false;
    throw error;
  }
}
