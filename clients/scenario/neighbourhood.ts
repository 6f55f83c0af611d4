// Owns the neighbourhood scenario: homes of a data set, or generated ones, through the real HTTP path as fast as this
// machine goes, and what came of it. It refuses to call a run good in which a window was missed or a micro is lost.

import { originFor, parseClock, wallTimeMs } from "../../protocol/clock.ts";
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
/** Wall seconds for opening the region and enrolling a home, before its first window begins. */
const SETUP_SECONDS = 4;
const SETUP_SECONDS_PER_HOME = 0.15;

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
    progress("trying how fast this machine proves");
    const secondsPerProof = await measureProver(prover);
    const wallSeconds = options.secondsPerDay ?? secondsPerDay(dataset.homes.length, secondsPerProof);
    progress(
      `${secondsPerProof.toFixed(2)} s a proof; ${dataset.homes.length} homes, ${days} days at ${wallSeconds.toFixed(1)} s a day`,
    );
    signal.throwIfAborted();
    return await runDays({ options, prover, firstSlot, untilSlot, secondsPerProof, wallSeconds });
  } finally {
    await prover.close();
  }
}

interface Days {
  readonly options: ScenarioOptions;
  readonly prover: WindowProver;
  readonly firstSlot: number;
  readonly untilSlot: number;
  readonly secondsPerProof: number;
  /** Wall seconds of a market day. */
  readonly wallSeconds: number;
}

async function runDays(run: Days): Promise<ScenarioResult> {
  const { options, prover, firstSlot, untilSlot, wallSeconds } = run;
  const { dataset, progress, signal } = options;
  const rate = Math.round(DAY_SECONDS / wallSeconds);
  const setupSeconds = SETUP_SECONDS + dataset.homes.length * SETUP_SECONDS_PER_HOME;
  const origin = originFor(slotStartS(firstSlot), Date.now() + setupSeconds * 1000, rate);
  const clock = parseClock(origin, String(rate), LOCAL_CHAIN_ID);
  const seed = `scenario/${dataset.name}`;
  const operator = operatorWallet(seed).address;
  const stack = await startStack({
    vars: { OPERATOR: operator, CLOCK_ORIGIN: origin, CLOCK_RATE: String(rate) },
    logger: (line, level) => level === "error" && progress(line),
  });
  try {
    const client = new PolderClient(stack.url);
    const agents = await settleIn(client, seed, run);
    if (Date.now() > wallTimeMs(clock, slotStartS(firstSlot))) {
      throw new Error(
        "this machine was too slow to set the neighbourhood up in time; give it more with --pace",
      );
    }
    await trade(client, agents, clock, untilSlot, options);
    signal.throwIfAborted();
    const { secondsPerProof } = run;
    return await summarise({
      client,
      region: REGION,
      agents,
      options,
      firstSlot,
      untilSlot,
      seed,
      secondsPerProof: prover.made === 0 ? secondsPerProof : prover.secondsPerProof,
    });
  } finally {
    await prover.close();
    await stack.stop();
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
): Promise<SettledHome[]> {
  const { dataset, tariff, orders, progress } = options;
  const registry = new RegionRegistry(client, REGION);
  const operator = await openRegion(client, seed, termsOf(options));
  return Promise.all(
    dataset.homes.map(async (home) => {
      const keys = await enrolHousehold(client, REGION, seed, operator, {
        name: home.name,
        creditMicros: CREDIT_MICROS,
      });
      const agent = new HouseholdAgent({
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
        memory: volatileMemory(),
        untilSlot,
        report: progress,
        ...(orders === undefined ? {} : { orders }),
      });
      // Orders stand before the first slot begins, as the household would have posted them the evening before.
      await agent.step(slotStartS(firstSlot) - 1);
      return { home, agent };
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
