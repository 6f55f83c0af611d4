// Owns `npm start`: the whole system on this machine, with a neighbourhood of agents, until Ctrl-C. It refuses to begin
// anew where there is a state; a restart goes on where the market stood.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import colours from "picocolors";
import type { MeterLimits } from "../../evidence/meter-statement.ts";
import { type MarketClock, marketTimeS, originFor, parseClock, wallTimeMs } from "../../protocol/clock.ts";
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
import { authoriseEdge } from "../provider/edge-session.ts";
import { PolderClient } from "../sdk/client.ts";
import { walletSigner } from "../sdk/signer.ts";
import { hasAnvil } from "./chain-process.ts";
import { guide } from "./guide.ts";
import { startHomeServer } from "./home-server.ts";
import { type LocalState, readLocalState, writeLocalState } from "./local-state.ts";
import { APP, type Machines, STAKES, startMachines } from "./machines.ts";
import { MarketWatch } from "./market-watch.ts";
import {
  admitHousehold,
  agentSigner,
  type Enrolment,
  enrolHousehold,
  type HouseholdKeys,
  householdMeter,
  openRegion,
  operatorWallet,
  type RegionTerms,
} from "./neighbourhood.ts";
import { LOCAL_PARAMETERS } from "./region-parameters.ts";
import { type SettledChain, startSettledChain } from "./settled-money.ts";
import { StackError, startStack } from "./stack.ts";
import { TerminalBoard } from "./terminal-board.ts";

/** What the deployment asks for a job, in micros per 10^12 fuel: more than a neighbour's machine would. */
const EDGE_PRICE = "2000";

interface Options {
  readonly port: number;
  readonly state: string;
  readonly households: number;
  readonly rate?: number;
  readonly days?: number;
  readonly chain: boolean;
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
/** The market begins nearly a day before a midsummer midnight (UTC), so that the homes are ready for its first day. */
const BEGINS_AT_S = Date.UTC(2026, 5, 20, 0, 30) / 1000;
/** Sixteen slots a second: a first day to settle after some ten seconds. */
const FIRST_DAY_RATE = 16 * SLOT_SECONDS;
/** Wall seconds that proving a day's window may take here, beside everything else on two cores. */
const SECONDS_PER_PROOF = 3;
/** Time for evidence besides: answers may be lost, and a home may be late. */
const LEAST_DELAY_S = 7_200;
const DAY_S = WINDOW_SLOTS * SLOT_SECONDS;

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
  )
  .option("--no-chain", "a new market on test money, and not on a local chain's");

async function main(options: Options): Promise<void> {
  const folder = resolve(options.state);
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stopping.abort());
  let state = readLocalState(folder, BEGINS_AT_S, options.chain && hasAnvil());
  if (!options.chain && state.hasChain)
    throw new StackError(
      `the market in ${options.state} has its money on a chain: --no-chain is for a new one`,
    );
  if (options.chain && !state.hasChain) console.log(NO_CHAIN);
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
  const terms: RegionTerms = {
    ...TERMS,
    quote: state.hasChain ? "settlement" : "test",
    parameters: { ...LOCAL_PARAMETERS, proofDelaySeconds: delayS },
  };
  if (!state.hasHistory) {
    console.log(
      `${colours.bold("Polder")}: opening a region with ${households.length} homes; its first day passes in a few seconds`,
    );
    await run({ ...chosen, rate: FIRST_DAY_RATE }, { folder, state, households, terms }, stopping.signal);
    if (stopping.signal.aborted) return;
    state = { ...readLocalState(folder, BEGINS_AT_S, state.hasChain), hasHistory: true };
    writeLocalState(folder, state);
  }
  await run(chosen, { folder, state, households, terms }, stopping.signal);
}

/** Where npm has no chain for this machine, and in a market that began without one. */
const NO_CHAIN = "this market is on test money: there is no deposit, no withdrawal and no report";

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
  const chained = market.state.hasChain ? await startChained(options.port, market) : null;
  try {
    if (!signal.aborted) await runStack(options, market, chained, signal);
  } finally {
    await chained?.chain.stop();
  }
}

/** Brings onto the chain, before the market's clock runs, what must be there. */
function startChained(port: number, { folder, state, households, terms }: Market): Promise<SettledChain> {
  const { seed, marketS } = state;
  const homes = households.map(enrolmentOf);
  const others = { traders: [APP], stakes: STAKES };
  // Its port is next to the page's and the homes' own figures'.
  return startSettledChain({ folder, seed, terms, marketS, homes, ...others }, port === 0 ? 0 : port + 2);
}

async function runStack(
  options: Run,
  market: Market,
  chained: SettledChain | null,
  signal: AbortSignal,
): Promise<void> {
  const { folder, state, households, terms } = market;
  const origin = originFor(state.marketS, Date.now(), options.rate);
  const clock = parseClock(origin, String(options.rate), LOCAL_CHAIN_ID);
  const nowS = (): number => marketTimeS(clock, Date.now());
  chained?.chain.follow(nowS);
  const over = new AbortController();
  signal.addEventListener("abort", () => over.abort(), { once: true });
  const stack = await startStack({
    port: options.port,
    stateFolder: join(folder, "state"),
    vars: {
      OPERATOR: operatorWallet(state.seed).address,
      CLOCK_ORIGIN: origin,
      CLOCK_RATE: String(options.rate),
      EDGE_PRICE_MICROS_PER_TERA: EDGE_PRICE,
      ...chained?.vars,
    },
    logger: (line, level) => level === "error" && console.error(line),
  });
  const prover = new WindowProver();
  const keeper = setInterval(() => keepTime(folder, state, nowS()), 1000);
  try {
    const client = new PolderClient(stack.url);
    const homes = await enrol(client, state, households, terms);
    const agents = agentsOf(client, folder, homes, prover);
    const running = agents.map((agent) => runAgent(agent, { clock, signal: over.signal }));
    const chainUrl = chained?.chain.url ?? null;
    if (state.hasHistory) {
      const machines = await machinesOf(client, folder, state);
      const { app } = machines;
      await watch({ client, stack, chainUrl, homes, app, clock, folder, options, prover, over });
      await machines.stop();
    } else await untilOver(client, clock, over.signal);
    over.abort();
    await prover.close();
    await Promise.all(running);
  } finally {
    clearInterval(keeper);
    keepTime(folder, state, nowS());
    await prover.close();
    await stack.stop();
  }
}

async function enrol(
  client: PolderClient,
  { seed, hasChain }: LocalState,
  households: readonly Household[],
  terms: RegionTerms,
): Promise<Home[]> {
  const operator = await openRegion(client, seed, terms);
  await authoriseEdge(client, REGION, operator);
  return Promise.all(
    households.map(async (household) => {
      const enrolment = enrolmentOf(household);
      const keys = hasChain
        ? await admitHousehold(client, REGION, seed, enrolment)
        : await enrolHousehold(client, REGION, seed, operator, enrolment);
      return { household, ...keys };
    }),
  );
}

function enrolmentOf(household: Household): Enrolment {
  return { name: household.name, limits: limitsOf(household), creditMicros: CREDIT_MICROS };
}

function limitsOf({ nameplateWh, connectionWh }: Household): MeterLimits {
  return { ...WIDEST_LIMITS, nameplateWh, connectionWh };
}

/** The machines that sell compute; a market that only passes its first day has none. */
function machinesOf(client: PolderClient, folder: string, { seed, hasChain }: LocalState): Promise<Machines> {
  const operator = hasChain ? null : walletSigner(operatorWallet(seed));
  const report = (message: string) => process.env.DEBUG !== undefined && console.error(message);
  return startMachines({ client, region: REGION, seed, operator, folder, report });
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
  /** The chain's RPC; null on test money. */
  readonly chainUrl: string | null;
  readonly homes: readonly Home[];
  /** Buys compute. */
  readonly app: HouseholdKeys;
  readonly clock: MarketClock;
  readonly folder: string;
  readonly options: Options;
  readonly prover: WindowProver;
  readonly over: AbortController;
}

/** Shows the market until it is over, and serves the homes' own figures to the page meanwhile. */
async function watch(watched: Watched): Promise<void> {
  const { client, stack, chainUrl, homes, app, clock, folder, options, prover, over } = watched;
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
      homes.map(({ household, account, apiKey, walletKey }) => ({
        name: household.name,
        kind: household.kind,
        account,
        apiKey,
        walletKey,
      })),
      null,
      2,
    )}\n`,
    { mode: 0o600 },
  );
  const home = homes[0] as Home;
  const footer = guide({ url: stack.url, region: REGION, page, chainUrl, home, app, folder });
  if (process.stdout.isTTY !== true) for (const line of footer) console.log(line);
  const board = new TerminalBoard(PLACE.timeZone, "EUR");
  const market = new MarketWatch({
    client,
    region: REGION,
    households: homes.map(({ household }) => household),
    prover,
    board,
    footer,
  });
  try {
    await market.run(atS, over.signal, options.days);
  } finally {
    board.done();
    await homeServer.close();
  }
  console.log(`\n${market.summary()}\nThe state is kept in ${options.state}; npm start goes on from there.`);
}

function keepTime(folder: string, state: LocalState, atS: number): void {
  writeLocalState(folder, { ...state, marketS: Math.max(state.marketS, atS) });
}

try {
  program.parse();
  await main(program.opts<Options>());
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  process.exitCode = 1;
}
