// Owns the neighbourhood scenario: homes of a data set, or generated ones, through the real HTTP path as fast as this
// machine goes, and what came of it. It refuses to call a run good in which a window was missed or a micro is lost.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { originFor, parseClock } from "../../protocol/clock.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { slotStartS } from "../../protocol/units.ts";
import { HouseholdAgent } from "../household/agent.ts";
import { volatileMemory } from "../household/agent-memory.ts";
import type { DesiredOrder } from "../household/default-orders.ts";
import { seriesSource } from "../household/meter-source.ts";
import { RegionRegistry } from "../household/region-registry.ts";
import { runAgent, sleep } from "../household/runner.ts";
import type { Tariff } from "../household/tariff.ts";
import { WindowProver } from "../household/window-prover.ts";
import {
  agentSigner,
  enrolHousehold,
  householdMeter,
  openRegion,
  operatorWallet,
  type RegionTerms,
} from "../local/neighbourhood.ts";
import { startStack } from "../local/stack.ts";
import { PolderClient } from "../sdk/client.ts";
import type { Dataset, DatasetHome } from "./data-set.ts";
import { measureProver, PROVING_PROCESSES, secondsPerDay } from "./pace.ts";
import { type ScenarioResult, summarise } from "./summary.ts";

export interface ScenarioOptions {
  readonly dataset: Dataset;
  readonly days: number;
  readonly tariff: Tariff;
  /** Ladders that every home posts instead of the default. */
  readonly orders?: readonly DesiredOrder[];
  readonly networkFeeMicrosPerKwh: number;
  readonly takeRateBps: number;
  /** Wall seconds a market day takes; without it, as many as this machine needs to prove a day's windows. */
  readonly secondsPerDay?: number;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const REGION = "neighbourhood";
const WINDOW_SLOTS = 96;
const DAY_SECONDS = 86_400;
const CREDIT_MICROS = 10_000_000_000;
/** Everybody settles in within the six hours before the first window, which take three. (A clock of rate 1 is wall time.) */
const EVENING_SECONDS = 6 * 3_600;
const EVENING_RATE = 2;
/** The days begin a minute of market time before the first window. */
const DAWN_SECONDS = 60;

/** Runs the scenario on a deployment of its own and takes it down again. */
export async function runNeighbourhood(options: ScenarioOptions): Promise<ScenarioResult> {
  const { dataset, days, progress, signal } = options;
  const firstSlot = Math.ceil(dataset.startSlot / WINDOW_SLOTS) * WINDOW_SLOTS;
  const untilSlot = firstSlot + days * WINDOW_SLOTS;
  if (untilSlot > dataset.startSlot + dataset.slots) {
    const most = Math.floor((dataset.startSlot + dataset.slots - firstSlot) / WINDOW_SLOTS);
    throw new RangeError(`${dataset.name} has ${most} whole days, not ${days}`);
  }
  const prover = new WindowProver({ processes: PROVING_PROCESSES });
  try {
    const wallSeconds = options.secondsPerDay ?? (await paceOf(options, prover));
    progress(`${dataset.homes.length} homes, ${days} days at ${wallSeconds.toFixed(1)} s a day`);
    signal.throwIfAborted();
    return await runDays({ options, prover, firstSlot, untilSlot, wallSeconds });
  } finally {
    await prover.close();
  }
}

/** Wall seconds of a day, found by proving a little. */
async function paceOf({ dataset, progress }: ScenarioOptions, prover: WindowProver): Promise<number> {
  progress("trying how fast this machine proves");
  const secondsPerProof = await measureProver(prover);
  progress(`${secondsPerProof.toFixed(2)} s a proof`);
  return secondsPerDay(dataset.homes.length, secondsPerProof);
}

interface Days {
  readonly options: ScenarioOptions;
  readonly prover: WindowProver;
  readonly firstSlot: number;
  readonly untilSlot: number;
  /** Wall seconds of a market day. */
  readonly wallSeconds: number;
}

async function runDays(run: Days): Promise<ScenarioResult> {
  const { options, prover, firstSlot, untilSlot, wallSeconds } = run;
  const { dataset, progress, signal } = options;
  const seed = `scenario/${dataset.name}`;
  const stateFolder = mkdtempSync(join(tmpdir(), "polder-scenario-"));
  const deploymentAt = (marketS: number, rate: number) => {
    const origin = originFor(marketS, Date.now(), rate);
    const vars = {
      OPERATOR: operatorWallet(seed).address,
      CLOCK_ORIGIN: origin,
      CLOCK_RATE: String(rate),
    };
    const logger = (line: string, level: string): unknown => level === "error" && progress(line);
    return {
      clock: parseClock(origin, String(rate), LOCAL_CHAIN_ID),
      options: { stateFolder, vars, logger },
    };
  };
  // The evening before passes slowly, however long everybody takes to settle in.
  let stack = await startStack(deploymentAt(slotStartS(firstSlot) - EVENING_SECONDS, EVENING_RATE).options);
  try {
    const homes = await settleIn(new PolderClient(stack.url), seed, run);
    await stack.stop();
    const fast = deploymentAt(slotStartS(firstSlot) - DAWN_SECONDS, Math.round(DAY_SECONDS / wallSeconds));
    stack = await startStack(fast.options);
    const client = new PolderClient(stack.url);
    const registry = new RegionRegistry(client, REGION);
    const agents = homes.map(({ home, agentFor }) => ({ home, agent: agentFor(client, registry) }));
    await trade(client, agents, fast.clock, untilSlot, options);
    signal.throwIfAborted();
    const { secondsPerProof } = prover;
    return await summarise({
      client,
      region: REGION,
      agents,
      options,
      firstSlot,
      untilSlot,
      seed,
      secondsPerProof,
    });
  } finally {
    await prover.close();
    await stack.stop();
    rmSync(stateFolder, { recursive: true, force: true });
  }
}

/** A home with the agent that trades for it. */
export interface SettledHome {
  readonly home: DatasetHome;
  readonly agent: HouseholdAgent;
}

async function settleIn(
  client: PolderClient,
  seed: string,
  { options, prover, firstSlot, untilSlot }: Days,
): Promise<
  { home: DatasetHome; agentFor: (client: PolderClient, registry: RegionRegistry) => HouseholdAgent }[]
> {
  const { dataset, tariff, orders, progress } = options;
  const registry = new RegionRegistry(client, REGION);
  const operator = await openRegion(client, seed, termsOf(options));
  return Promise.all(
    dataset.homes.map(async (home) => {
      const keys = await enrolHousehold(client, REGION, seed, operator, {
        name: home.name,
        creditMicros: CREDIT_MICROS,
      });
      const memory = volatileMemory();
      const agentFor = (client: PolderClient, registry: RegionRegistry) =>
        new HouseholdAgent({
          name: home.name,
          client,
          region: REGION,
          signer: agentSigner(keys),
          meters: [
            householdMeter(
              keys,
              // Nothing after the last day: it would be proved for nobody.
              seriesSource(dataset.startSlot, untilSlot - dataset.startSlot, (index) =>
                home.netWhBySlot(index),
              ),
            ),
          ],
          // Every Wh that can be matched is to settle.
          claims: { stepWh: 1 },
          prover,
          registry,
          tariff,
          memory,
          untilSlot,
          report: progress,
          ...(orders === undefined ? {} : { orders }),
        });
      // Orders stand before the first slot begins, as the household would have posted them the evening before.
      await agentFor(client, registry).step(slotStartS(firstSlot) - 1);
      return { home, agentFor };
    }),
  );
}

/** Lets the agents run until the last window is settled. */
async function trade(
  client: PolderClient,
  homes: readonly SettledHome[],
  clock: ReturnType<typeof parseClock>,
  untilSlot: number,
  { days, signal, progress }: ScenarioOptions,
): Promise<void> {
  const over = new AbortController();
  signal.addEventListener("abort", () => over.abort(), { once: true });
  const failed = (agent: HouseholdAgent, error: unknown): void => progress(`${agent.name}: ${String(error)}`);
  const running = homes.map(({ agent }) => runAgent(agent, { clock, signal: over.signal, failed }));
  let shown = -1;
  while (!over.signal.aborted) {
    const market = await client.market(REGION);
    const settledDays = days - Math.ceil((untilSlot - market.windowFirstSlot) / WINDOW_SLOTS);
    if (settledDays !== shown && settledDays >= 0)
      progress(`settled ${settledDays} of ${days} days, ${market.entries} journal entries`);
    shown = settledDays;
    if (market.windowFirstSlot >= untilSlot) over.abort();
    else await sleep(200, over.signal);
  }
  await Promise.all(running);
}

function termsOf({ dataset, tariff, networkFeeMicrosPerKwh, takeRateBps }: ScenarioOptions): RegionTerms {
  const parameters: Parameters = {
    networkFeeMicrosPerKwh,
    takeRateBps,
    clearingPriceK: 5_000,
    // A whole day for evidence: nothing may be lost because this machine was busy for a moment.
    proofDelaySeconds: DAY_SECONDS,
    emissionPerEpoch: "1000000000000000000000",
    emissionDecayBps: 0,
    rewardWeightEnergy: 1,
    rewardWeightCompute: 0,
    rewardWeightBandwidth: 0,
    shareCapBps: 2_000,
    rewardPerFee: "1000000000000000000",
  };
  return {
    profile: {
      region: REGION,
      name: `Neighbourhood of ${dataset.name}`,
      place: dataset.timeZone,
      latitude: 0,
      longitude: 0,
      timeZone: dataset.timeZone,
      jurisdiction: "none",
      terms: "A scenario on one machine.",
      currency: dataset.currency,
      tariffs: [
        {
          name: tariff.name.slice(0, 64),
          retailMicrosPerKwh: 0,
          feedInMicrosPerKwh: tariff.feedInMicrosPerKwh,
        },
      ],
      isSimulation: true,
    },
    windowSlots: WINDOW_SLOTS,
    epochSlots: WINDOW_SLOTS,
    parameters,
  };
}
