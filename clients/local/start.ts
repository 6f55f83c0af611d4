// Owns `npm start`: the whole system on this machine, with a neighbourhood of agents, until Ctrl-C. It refuses to begin
// anew where there is a state; a restart goes on where the market stood.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import colours from "picocolors";
import { type MarketClock, marketTimeS, originFor, parseClock } from "../../protocol/clock.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { whole } from "../cli/options.ts";
import { HouseholdAgent } from "../household/agent.ts";
import { fileMemory } from "../household/agent-memory.ts";
import { createNeighbourhood, type Household } from "../household/generator.ts";
import { generatedSource } from "../household/meter-source.ts";
import { runAgent, sleep } from "../household/runner.ts";
import type { Tariff } from "../household/tariff.ts";
import { PolderClient } from "../sdk/client.ts";
import { startHomeServer } from "./home-server.ts";
import { type LocalState, readLocalState, writeLocalState } from "./local-state.ts";
import { MarketWatch } from "./market-watch.ts";
import {
  agentSigner,
  enrolHousehold,
  type HouseholdKeys,
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
  readonly rate: number;
  readonly days?: number;
}

const PLACE = { latitude: 52.5, longitude: 5.5, timeZone: "Europe/Amsterdam" } as const;
const REGION = "polder-one";
const RETAIL_MICROS = 300_000;
const FEED_IN_MICROS = 80_000;
const CREDIT_MICROS = 100_000_000_000;
const WINDOW_SLOTS = 96;
/** The market begins half a day before a midsummer midnight (UTC), so that the homes are ready for its first day. */
const BEGINS_AT_S = Date.UTC(2026, 5, 20, 10) / 1000;
/** Sixteen slots a second: a first day to look at after some ten seconds. */
const FIRST_DAY_RATE = 16 * SLOT_SECONDS;

const PARAMETERS: Parameters = {
  networkFeeMicrosPerKwh: 20_000,
  takeRateBps: 100,
  clearingPriceK: 5_000,
  proofDelaySeconds: 7_200,
  emissionPerEpoch: "1000000000000000000000",
  emissionDecayBps: 10,
  rewardWeightEnergy: 1,
  rewardWeightCompute: 0,
  rewardWeightBandwidth: 0,
  shareCapBps: 2_000,
  rewardPerFee: "100000000000000000000",
};

const TERMS: RegionTerms = {
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
  parameters: PARAMETERS,
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
    new Option("--rate <n>", "market seconds a second").default(SLOT_SECONDS).argParser(whole(2, 86_400)),
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
  if (!state.hasHistory) {
    console.log(
      `${colours.bold("Polder")}: opening a region with ${households.length} homes; its first day passes in a few seconds`,
    );
    await run(
      { ...options, days: 1, rate: FIRST_DAY_RATE },
      folder,
      state,
      households,
      stopping.signal,
      true,
    );
    if (stopping.signal.aborted) return;
    state = { ...readLocalState(folder, BEGINS_AT_S), hasHistory: true };
    writeLocalState(folder, state);
  }
  await run(options, folder, state, households, stopping.signal, false);
}

/** Brings everything up, runs it until the signal or the days are over, and takes it down in order. */
async function run(
  options: Options,
  folder: string,
  state: LocalState,
  households: readonly Household[],
  signal: AbortSignal,
  isQuiet: boolean,
): Promise<void> {
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
  const keeper = setInterval(() => keepTime(folder, state, clock), 1000);
  try {
    const client = new PolderClient(stack.url);
    const homes = await enrol(client, state.seed, households);
    const agents = homes.map((home) => agentOf(client, folder, home));
    const running = agents.map((agent) => runAgent(agent, { clock, signal: over.signal }));
    if (isQuiet) await untilSettled(client, options.days ?? 1, over);
    else await watch({ client, stack, homes, clock, folder, options, over });
    over.abort();
    await Promise.all(running);
  } finally {
    clearInterval(keeper);
    keepTime(folder, state, clock);
    await stack.stop();
  }
}

async function enrol(client: PolderClient, seed: string, households: readonly Household[]): Promise<Home[]> {
  const operator = await openRegion(client, seed, TERMS);
  return Promise.all(
    households.map(async (household) => {
      const { name, nameplateWh, connectionWh } = household;
      const enrolment = { name, nameplateWh, connectionWh, creditMicros: CREDIT_MICROS };
      return { household, ...(await enrolHousehold(client, REGION, seed, operator, enrolment)) };
    }),
  );
}

function agentOf(client: PolderClient, folder: string, home: Home): HouseholdAgent {
  const { household, account, gatewaySeed } = home;
  return new HouseholdAgent({
    name: household.name,
    client,
    region: REGION,
    signer: agentSigner(home),
    gatewaySeed,
    meter: generatedSource(household),
    tariff: TARIFF,
    memory: fileMemory(join(folder, "agents", `${account}.ndjson`)),
    report: (message) => console.error(message),
  });
}

async function untilSettled(client: PolderClient, days: number, over: AbortController): Promise<void> {
  while (!over.signal.aborted) {
    const { windowFirstSlot, firstSlot } = await client.market(REGION);
    if (windowFirstSlot >= firstSlot + days * WINDOW_SLOTS) return;
    await sleep(250, over.signal);
  }
}

interface Watched {
  readonly client: PolderClient;
  readonly stack: { readonly url: string; readonly port: number };
  readonly homes: readonly Home[];
  readonly clock: MarketClock;
  readonly folder: string;
  readonly options: Options;
  readonly over: AbortController;
}

/** Shows the market until it is over, and serves the homes' own figures to the page meanwhile. */
async function watch({ client, stack, homes, clock, folder, options, over }: Watched): Promise<void> {
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
  const watched = new MarketWatch(
    client,
    REGION,
    homes.map(({ household }) => household),
    board,
    footer,
  );
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
