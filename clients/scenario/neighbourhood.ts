// Owns the neighbourhood scenario: homes of a data set, or generated ones, through the real HTTP path as fast as this
// machine proves, and what came of it. It refuses to call a run good in which a window was missed or a micro is lost.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Parameters } from "../../protocol/commands.ts";
import { slotStartS } from "../../protocol/units.ts";
import { HouseholdAgent } from "../household/agent.ts";
import { type AgentMemory, volatileMemory } from "../household/agent-memory.ts";
import type { DesiredOrder } from "../household/default-orders.ts";
import { seriesSource } from "../household/meter-source.ts";
import { RegionRegistry } from "../household/region-registry.ts";
import { sleep } from "../household/runner.ts";
import type { Tariff } from "../household/tariff.ts";
import { WindowProver } from "../household/window-prover.ts";
import {
  admitHousehold,
  agentSigner,
  enrolHousehold,
  type HouseholdKeys,
  householdMeter,
  openRegion,
  operatorWallet,
  type RegionTerms,
  walletOf,
} from "../local/neighbourhood.ts";
import { type SettledChain, startSettledChain } from "../local/settled-money.ts";
import type { Dataset, DatasetHome } from "./data-set.ts";
import { MarketStage } from "./stage.ts";
import { type ScenarioResult, summarise } from "./summary.ts";
import { emptyRegion } from "./withdrawal.ts";

export interface ScenarioOptions {
  readonly dataset: Dataset;
  readonly days: number;
  readonly tariff: Tariff;
  /** Ladders that every home posts instead of the default. */
  readonly orders?: readonly DesiredOrder[];
  readonly networkFeeMicrosPerKwh: number;
  readonly takeRateBps: number;
  /** Wall seconds a market day takes at least. */
  readonly secondsPerDay?: number;
  /** Money is deposited on a local chain and withdrawn there at the end; else it is test money. */
  readonly isOnChain: boolean;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const REGION = "neighbourhood";
const WINDOW_SLOTS = 96;
const DAY_SECONDS = 86_400;
const CREDIT_MICROS = 10_000_000_000;
/** The market is looked at an hour before a day ends, when the next day's orders are due. */
const BEFORE_S = 3_600;
/** Two processes give a sixth more windows a minute than one, on two cores. */
const PROVING_PROCESSES = 2;
/** Steps of an agent that fail before the scenario does. */
const MOST_FAILURES = 5;

/** Runs the scenario on a deployment of its own and takes it down again. */
export async function runNeighbourhood(options: ScenarioOptions): Promise<ScenarioResult> {
  const { dataset, days, progress, signal } = options;
  const firstSlot = Math.ceil(dataset.startSlot / WINDOW_SLOTS) * WINDOW_SLOTS;
  const untilSlot = firstSlot + days * WINDOW_SLOTS;
  if (untilSlot > dataset.startSlot + dataset.slots) {
    const most = Math.floor((dataset.startSlot + dataset.slots - firstSlot) / WINDOW_SLOTS);
    throw new RangeError(`${dataset.name} has ${most} whole days, not ${days}`);
  }
  progress(`${dataset.homes.length} homes, ${days} days: ${days * dataset.homes.length} windows to prove`);
  const prover = new WindowProver({ processes: PROVING_PROCESSES });
  const seed = `scenario/${dataset.name}`;
  const { address: operator } = operatorWallet(seed);
  const folder = mkdtempSync(join(tmpdir(), "polder-chain-"));
  const settled = options.isOnChain ? await startChain(options, { folder, seed, firstSlot }) : null;
  const stage = new MarketStage({
    operator,
    region: REGION,
    signal,
    complain: progress,
    ...(settled === null
      ? {}
      : { vars: settled.vars, onTime: (marketS: () => number) => settled.chain.follow(marketS) }),
  });
  // Nothing waits for proofs that nobody wants any more.
  signal.addEventListener("abort", () => void prover.close(), { once: true });
  try {
    const agents = await runDays({ options, prover, stage, seed, firstSlot, untilSlot });
    const { secondsPerProof } = prover;
    const wallets = [
      ...agents.map(({ keys }) => keys.wallet),
      walletOf(seed, "grid operator"),
      walletOf(seed, "treasury"),
    ];
    const emptying = { stage, region: REGION, wallets, signal, progress };
    const withdrawal = settled === null ? null : await emptyRegion({ ...emptying, settled });
    const { client } = stage;
    const ended = { client, region: REGION, agents, options, firstSlot, untilSlot, seed, secondsPerProof };
    return await summarise({ ...ended, withdrawal });
  } finally {
    await prover.close();
    await stage.end();
    await settled?.chain.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The chain with the region, and with everybody's deposit and meter, an hour before the first day. */
function startChain(
  options: ScenarioOptions,
  { folder, seed, firstSlot }: { readonly folder: string; readonly seed: string; readonly firstSlot: number },
): Promise<SettledChain> {
  options.progress("depositing on a local chain");
  const homes = options.dataset.homes.map(({ name }) => ({ name, creditMicros: CREDIT_MICROS }));
  const marketS = slotStartS(firstSlot) - BEFORE_S;
  const payees = [walletOf(seed, "grid operator"), walletOf(seed, "treasury")];
  return startSettledChain({ folder, seed, terms: termsOf(options), marketS, homes, payees }, 0);
}

interface Days {
  readonly options: ScenarioOptions;
  readonly prover: WindowProver;
  readonly stage: MarketStage;
  readonly seed: string;
  readonly firstSlot: number;
  readonly untilSlot: number;
}

/**
 * An hour before each day ends, its homes prove the day before and order for the day after; what is due in between the
 * region does when it comes up at the next such hour.
 */
async function runDays(run: Days): Promise<SettledHome[]> {
  const { stage, firstSlot, untilSlot, options } = run;
  const { days, progress, signal, secondsPerDay = 0 } = options;
  await stage.goTo(slotStartS(firstSlot) - BEFORE_S);
  const households = await settleIn(run);
  const homes = households.map((household) => ({ ...household, ...nothingYet() }));
  await Promise.all(homes.map((home) => work(run, home)));
  // Orders of a single day stand already.
  for (let day = days === 1 ? 1 : 0; day <= days; day += 1) {
    const startedMs = Date.now();
    const endSlot = firstSlot + (day + 1) * WINDOW_SLOTS;
    await stage.goTo(slotStartS(endSlot) - BEFORE_S);
    await stage.openFrom(Math.max(firstSlot, endSlot - 2 * WINDOW_SLOTS));
    await Promise.all(homes.map((home) => work(run, home)));
    if (day > 0) progress(`proved ${day} of ${days} days`);
    await sleep(Math.max(0, startedMs + secondsPerDay * 1_000 - Date.now()), signal);
  }
  await stage.goTo(slotStartS(untilSlot + WINDOW_SLOTS) + 1);
  const { entries } = await stage.openFrom(untilSlot);
  progress(`settled ${days} of ${days} days, ${entries} journal entries`);
  return homes;
}

/** A home with its keys and what its agent remembers. */
interface Household {
  readonly home: DatasetHome;
  readonly keys: HouseholdKeys;
  readonly memory: AgentMemory;
}

/** A home, and what its agent has done from the first day to the last. */
export interface SettledHome extends Household {
  orders: number;
  missed: number;
}

const nothingYet = () => ({ orders: 0, missed: 0 });

async function settleIn({ options, stage, seed }: Days): Promise<Household[]> {
  const { client } = stage;
  const { isOnChain } = options;
  const operator = await openRegion(client, seed, termsOf(options));
  return Promise.all(
    options.dataset.homes.map(async (home) => {
      const enrolment = { name: home.name, creditMicros: CREDIT_MICROS };
      const keys = await (isOnChain
        ? admitHousehold(client, REGION, seed, enrolment)
        : enrolHousehold(client, REGION, seed, operator, enrolment));
      return { home, keys, memory: volatileMemory() };
    }),
  );
}

/** A home's agent does what is to do at the time that the stage stands at. @throws what stopped it again and again */
async function work(run: Days, home: SettledHome): Promise<void> {
  const { signal, progress } = run.options;
  const agent = agentOf(run, home);
  for (let failures = 0; ; ) {
    try {
      const atS = await run.stage.client.marketTimeS();
      if ((await agent.step(atS)) > atS + 1) break;
    } catch (error) {
      signal.throwIfAborted();
      failures += 1;
      if (failures === MOST_FAILURES) throw error;
      progress(`${agent.name}: ${String(error)}`);
    }
  }
  home.orders += agent.counts.orders;
  home.missed += agent.counts.missed;
}

function agentOf(
  { options, prover, stage, untilSlot }: Days,
  { home, keys, memory }: Household,
): HouseholdAgent {
  const { dataset, tariff, orders, progress } = options;
  const { client } = stage;
  // Nothing after the last day: it would be proved for nobody.
  const slots = untilSlot - dataset.startSlot;
  const source = seriesSource(dataset.startSlot, slots, (index) => home.netWhBySlot(index));
  return new HouseholdAgent({
    name: home.name,
    client,
    region: REGION,
    signer: agentSigner(keys),
    meters: [householdMeter(keys, source)],
    // Every Wh that can be matched is to settle.
    claims: { stepWh: 1 },
    prover,
    registry: new RegionRegistry(client, REGION),
    tariff,
    memory,
    untilSlot,
    report: progress,
    ...(orders === undefined ? {} : { orders }),
  });
}

function termsOf(options: ScenarioOptions): RegionTerms {
  const { dataset, tariff, networkFeeMicrosPerKwh, takeRateBps, isOnChain } = options;
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
    // Nine tenths an epoch: a region is empty after a dozen.
    outflowCapBps: 9_000,
    rewardPerFee: "1000000000000000000",
    providerMinimumStake: 0,
    auditRateBps: 0,
  };
  return {
    quote: isOnChain ? "settlement" : "test",
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
