// Owns `npm start`: the whole system on this machine, with a neighbourhood of agents, until Ctrl-C. It refuses to begin
// anew where there is a state; a restart goes on where the market stood.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import colours from "picocolors";
import type { MeterLimits } from "../../evidence/meter-statement.ts";
import { type MarketClock, marketTimeS, originFor, parseClock, wallTimeMs } from "../../protocol/clock.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { SLOT_SECONDS, slotStartS } from "../../protocol/units.ts";
import { whole } from "../cli/options.ts";
import { HouseholdAgent } from "../household/agent.ts";
import { fileMemory } from "../household/agent-memory.ts";
import { WIDEST_LIMITS } from "../household/enrolment-request.ts";
import { createNeighbourhood, type Household } from "../household/generator.ts";
import { generatedSource } from "../household/meter-source.ts";
import { RegionRegistry } from "../household/region-registry.ts";
import { runAgent, sleep } from "../household/runner.ts";
import type { Tariff } from "../household/tariff.ts";
import { WindowProver } from "../household/window-prover.ts";
import { PolderClient } from "../sdk/client.ts";
import { startHomeServer } from "./home-server.ts";
import { type LocalState, readLocalState, writeLocalState } from "./local-state.ts";
import { MarketWatch } from "./market-watch.ts";
import {
  agentSigner,
  enrolHousehold,
  type HouseholdKeys,
  householdMeter,
  openRegion,
  operatorWallet,
  type RegionTerms,
} from "./neighbourhood.ts";
import { StackError, startStack } from "./stack.ts";
import { TerminalBoard } from "./terminal-board.ts";

interface Options {
  readonly port: number;
  readonly state: string;
  readonly households: number;
  readonly rate?: number;
  readonly days?: number;
}

/** How a run goes: options, with the clock's rate chosen. */
interface Run extends Options {
  readonly rate: number;
}

const PLACE = { latitude: 52.5, longitude: 5.5, timeZone: "Europe/Amsterdam" } as const;
const REGION = "polder-one";
const RETAIL_MICROS = 300_000;
const FEED_IN_MICROS = 80_000;
const CREDIT_MICROS = 100_000_000_000;
const WINDOW_SLOTS = 96;
/** The market begins half a day before a midsummer midnight (UTC), so that the homes are ready for its first day. */
const BEGINS_AT_S = Date.UTC(2026, 5, 20, 10) / 1000;
/** Sixteen slots a second: a first day to settle after some ten seconds. */
const FIRST_DAY_RATE = 16 * SLOT_SECONDS;
/** Wall seconds that proving a day's window may take here, beside everything else on two cores. */
const SECONDS_PER_PROOF = 3;
/** Time for evidence besides: answers may be lost, and a home may be late. */
const LEAST_DELAY_S = 7_200;
const DAY_S = WINDOW_SLOTS * SLOT_SECONDS;

const PARAMETERS: Omit<Parameters, "proofDelaySeconds"> = {
  networkFeeMicrosPerKwh: 20_000,
  takeRateBps: 100,
  clearingPriceK: 5_000,
  emissionPerEpoch: "1000000000000000000000",
  emissionDecayBps: 10,
  rewardWeightEnergy: 1,
  rewardWeightCompute: 0,
  rewardWeightBandwidth: 0,
  shareCapBps: 2_000,
  outflowCapBps: 5_000,
  rewardPerFee: "100000000000000000000",
};

const TERMS: Omit<RegionTerms, "parameters"> = {
  profile: {
    region: REGION,
    name: "Polder One",
    place: "Flevoland, Netherlands",
    ...PLACE,
    jurisdiction: "Netherlands",
    terms: "A simulation on one machine: generated homes, test money, no grid operator.",
    currency: "EUR",
    tariffs: [{ name: "flat", retailMicrosPerKwh: RETAIL_MICROS, feedInMicrosPerKwh: FEED_IN_MICROS }],
    isSimulation: true,
  },
  windowSlots: WINDOW_SLOTS,
  epochSlots: WINDOW_SLOTS,
};

const TARIFF: Tariff = {
  name: "flat",
  currency: "EUR",
  feedInMicrosPerKwh: FEED_IN_MICROS,
  retail: { kind: "flat", microsPerKwh: RETAIL_MICROS },
};

/** One of the neighbourhood's homes with its keys. */
interface Home extends HouseholdKeys {
  readonly household: Household;
}

const program = new Command("polder-start")
  .description("the whole market on this machine: region, homes, page")
  .addOption(new Option("--port <n>", "port of page and API").default(8787).argParser(whole(0, 65_535)))
  .option("--state <folder>", "where the state is kept", ".polder")
  .addOption(new Option("--households <n>", "homes that trade").default(12).argParser(whole(2, 200)))
  .addOption(
    new Option(
      "--rate <n>",
      "market seconds a second; a slot a second, or as fast as this many homes' windows can be proved",
    ).argParser(whole(2, 86_400)),
  )
  .addOption(
    new Option("--days <n>", "stop by itself after so many settled days").argParser(whole(1, 10_000)),
  );

async function main(options: Options): Promise<void> {
  const folder = resolve(options.state);
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stopping.abort());
  let state = readLocalState(folder, BEGINS_AT_S);
  writeLocalState(folder, state);
  const households = createNeighbourhood({
    seed: Number.parseInt(state.seed.slice(0, 7), 16),
    count: options.households,
    ...PLACE,
  });
  const fastest = fastestRate(options.households);
  const chosen: Run = { ...options, rate: options.rate ?? Math.min(SLOT_SECONDS, fastest) };
  if (chosen.rate > fastest)
    console.error(
      `at this rate a day lasts ${Math.round(DAY_S / chosen.rate)} s, and proving its ${options.households} windows may take ${Math.round(options.households * SECONDS_PER_PROOF)} s: some may be missed`,
    );
  const provingS = Math.ceil(options.households * SECONDS_PER_PROOF * chosen.rate);
  const delayS = Math.min(DAY_S, LEAST_DELAY_S + provingS);
  const terms: RegionTerms = { ...TERMS, parameters: { ...PARAMETERS, proofDelaySeconds: delayS } };
  if (!state.hasHistory) {
    console.log(
      `${colours.bold("Polder")}: opening a region with ${households.length} homes; its first day passes in a few seconds`,
    );
    await run({ ...chosen, rate: FIRST_DAY_RATE }, { folder, state, households, terms }, stopping.signal);
    if (stopping.signal.aborted) return;
    state = { ...readLocalState(folder, BEGINS_AT_S), hasHistory: true };
    writeLocalState(folder, state);
  }
  await run(chosen, { folder, state, households, terms }, stopping.signal);
}

/** The fastest clock at which a day's windows are proved within the day. */
function fastestRate(households: number): number {
  return Math.floor(DAY_S / (households * SECONDS_PER_PROOF));
}

/** What is brought up. */
interface Market {
  readonly folder: string;
  readonly state: LocalState;
  readonly households: readonly Household[];
  readonly terms: RegionTerms;
}

/**
 * Brings everything up, runs it until the signal or the days are over, and takes it down in order. A market without a
 * history only passes its first day: the windows of it are proved when the clock runs slower.
 */
async function run(options: Run, market: Market, signal: AbortSignal): Promise<void> {
  const { folder, state, households, terms } = market;
  const origin = originFor(state.marketS, Date.now(), options.rate);
  const clock = parseClock(origin, String(options.rate), LOCAL_CHAIN_ID);
  const over = new AbortController();
  signal.addEventListener("abort", () => over.abort(), { once: true });
  const stack = await startStack({
    port: options.port,
    stateFolder: join(folder, "state"),
    vars: {
      OPERATOR: operatorWallet(state.seed).address,
      CLOCK_ORIGIN: origin,
      CLOCK_RATE: String(options.rate),
    },
    logger: (line, level) => level === "error" && console.error(line),
  });
  const prover = new WindowProver();
  const keeper = setInterval(() => keepTime(folder, state, clock), 1000);
  try {
    const client = new PolderClient(stack.url);
    const homes = await enrol(client, state.seed, households, terms);
    const agents = agentsOf(client, folder, homes, prover);
    const running = agents.map((agent) => runAgent(agent, { clock, signal: over.signal }));
    if (state.hasHistory) await watch({ client, stack, homes, clock, folder, options, prover, over });
    else await untilOver(client, clock, over.signal);
    over.abort();
    await prover.close();
    await Promise.all(running);
  } finally {
    clearInterval(keeper);
    keepTime(folder, state, clock);
    await prover.close();
    await stack.stop();
  }
}

async function enrol(
  client: PolderClient,
  seed: string,
  households: readonly Household[],
  terms: RegionTerms,
): Promise<Home[]> {
  const operator = await openRegion(client, seed, terms);
  return Promise.all(
    households.map(async (household) => {
      const enrolment = {
        name: household.name,
        limits: limitsOf(household),
        creditMicros: CREDIT_MICROS,
      };
      return { household, ...(await enrolHousehold(client, REGION, seed, operator, enrolment)) };
    }),
  );
}

function limitsOf({ nameplateWh, connectionWh }: Household): MeterLimits {
  return { ...WIDEST_LIMITS, nameplateWh, connectionWh };
}

function agentsOf(
  client: PolderClient,
  folder: string,
  homes: readonly Home[],
  prover: WindowProver,
): HouseholdAgent[] {
  const registry = new RegionRegistry(client, REGION);
  return homes.map((home) => {
    const { household, account } = home;
    return new HouseholdAgent({
      name: household.name,
      client,
      region: REGION,
      signer: agentSigner(home),
      meters: [householdMeter(home, generatedSource(household), limitsOf(household))],
      // Made-up homes have nothing to hide, and what is not claimed is not settled.
      claims: { stepWh: 1 },
      prover,
      registry,
      tariff: TARIFF,
      memory: fileMemory(join(folder, "agents", `${account}.ndjson`)),
      report: (message) => console.error(message),
    });
  });
}

/** Waits until the first day has passed; what was metered in it is proved afterwards. */
async function untilOver(client: PolderClient, clock: MarketClock, signal: AbortSignal): Promise<void> {
  const { firstSlot } = await client.market(REGION);
  const endS = slotStartS(firstSlot + WINDOW_SLOTS);
  while (!signal.aborted && marketTimeS(clock, Date.now()) < endS)
    await sleep(wallTimeMs(clock, endS) - Date.now(), signal);
}

interface Watched {
  readonly client: PolderClient;
  readonly stack: { readonly url: string; readonly port: number };
  readonly homes: readonly Home[];
  readonly clock: MarketClock;
  readonly folder: string;
  readonly options: Options;
  readonly prover: WindowProver;
  readonly over: AbortController;
}

/** Shows the market until it is over, and serves the homes' own figures to the page meanwhile. */
async function watch({ client, stack, homes, clock, folder, options, prover, over }: Watched): Promise<void> {
  const atS = (): number => marketTimeS(clock, Date.now());
  const homeServer = await startHomeServer(
    homes.map(({ household, account }) => ({
      name: household.name,
      account,
      kind: household.kind,
      region: REGION,
      meter: generatedSource(household),
    })),
    () => Math.floor(atS() / SLOT_SECONDS),
    stack.port + 1,
  );
  const page = `${stack.url}/?region=${REGION}&home=${encodeURIComponent(homeServer.url)}`;
  writeFileSync(
    join(folder, "households.json"),
    `${JSON.stringify(
      homes.map(({ household, account, apiKey }) => ({
        name: household.name,
        kind: household.kind,
        account,
        apiKey,
      })),
      null,
      2,
    )}\n`,
    { mode: 0o600 },
  );
  const footer = guide(stack.url, page, homes[0] as Home, folder);
  if (process.stdout.isTTY !== true) for (const line of footer) console.log(line);
  const board = new TerminalBoard(PLACE.timeZone, "EUR");
  const watched = new MarketWatch({
    client,
    region: REGION,
    households: homes.map(({ household }) => household),
    prover,
    board,
    footer,
  });
  try {
    await watched.run(atS, over.signal, options.days);
  } finally {
    board.done();
    await homeServer.close();
  }
  console.log(`\n${watched.summary()}\nThe state is kept in ${options.state}; npm start goes on from there.`);
}

function guide(url: string, page: string, home: Home, folder: string): string[] {
  const command = (text: string): string => `  ${colours.cyan(text)}`;
  const shownFolder = folder === resolve(".polder") ? ".polder" : folder;
  return [
    `${colours.bold("page")}  ${page}`,
    `${colours.bold("API")}   ${url}/docs`,
    `${colours.bold("try")}   (keys of all homes: ${shownFolder}/households.json)`,
    command(`npm run polder -- bill ${home.account} --url ${url}`),
    command(`npm run polder -- audit --url ${url} --receipts ${shownFolder}/agents`),
    command(
      `curl -X POST ${url}/v1/regions/${REGION}/orders -H 'authorization: Bearer ${home.apiKey}' -d '{"side":"sell","steps":[{"limitPriceMicrosPerKwh":120000,"capWhPerSlot":500}]}'`,
    ),
    "Ctrl-C stops everything.",
  ];
}

function keepTime(folder: string, state: LocalState, clock: MarketClock): void {
  writeLocalState(folder, { ...state, marketS: Math.max(state.marketS, marketTimeS(clock, Date.now())) });
}

try {
  program.parse();
  await main(program.opts<Options>());
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  process.exitCode = 1;
}
