// Owns the commands that run a household's agent. It refuses to start without a meter's file and a gateway's key, and to
// forget: receipts, signed windows and proofs are kept in a file.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { exactBytes } from "../../evidence/bytes.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import type { MarketClock } from "../../protocol/clock.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH, MAX_READING_WH } from "../../protocol/limits.ts";
import type { Profile } from "../../protocol/profile.ts";
import { HouseholdAgent } from "../household/agent.ts";
import { fileMemory } from "../household/agent-memory.ts";
import { type ClaimPolicy, DEFAULT_CLAIM_STEP_WH } from "../household/claim-policy.ts";
import { parseLadders } from "../household/ladder-file.ts";
import type { HouseholdMeter } from "../household/meter-windows.ts";
import { RegionRegistry } from "../household/region-registry.ts";
import { runAgent } from "../household/runner.ts";
import { parseTariff, type Tariff } from "../household/tariff.ts";
import { WindowProver } from "../household/window-prover.ts";
import { METER_FORMS, type OpenedMeter, openMeter } from "../meter/meter-kinds.ts";
import { fileBoundaries } from "../meter/slot-boundaries.ts";
import { type Place, placeOf, signerFromEnvironment, withPlace } from "./context.ts";
import { gatewaySeedOf, readMeterFile, requireSameRegion } from "./document-files.ts";
import { price, whole } from "./options.ts";

interface AgentOptions extends Place {
  readonly meter: readonly string[];
  readonly meterFile: readonly string[];
  readonly claimStepWh: number;
  readonly claimMostWh?: number;
  readonly tariff?: string;
  readonly orders?: string;
  readonly memory: string;
  readonly name: string;
  readonly leastAsk: number;
  readonly highestBid: number;
}

/** Adds `agent start | gateway`. */
export function agentCommands(program: Command): void {
  const agent = program.command("agent").description("a household's agent");
  withPlace(
    agent
      .command("start")
      .description("keep the orders, sign, claim and prove each window, keep the receipts, until Ctrl-C"),
  )
    .addOption(new Option("--meter <source>", METER_FORMS).argParser(collected).makeOptionMandatory())
    .addOption(
      new Option(
        "--meter-file <file>",
        "secret and limits of the meter, as polder meter prepare wrote them; one for each --meter, in their order",
      )
        .argParser(collected)
        .makeOptionMandatory(),
    )
    .option(
      "--claim-step-wh <n>",
      "claim a slot in steps of so many Wh, rounded down: who claims everything shows everything; 1 does",
      whole(1, MAX_READING_WH),
      DEFAULT_CLAIM_STEP_WH,
    )
    .option("--claim-most-wh <n>", "claim no more Wh of a slot", whole(0, MAX_READING_WH))
    .option("--tariff <file>", "the household's own tariff as JSON; the region's reference tariff without it")
    .option("--orders <file>", "ladders of your own instead of the default")
    .option("--memory <file>", "where receipts, signed windows and proofs are kept", "polder-agent.ndjson")
    .option("--name <name>", "how the agent calls itself", "agent")
    .option("--least-ask <price>", "never sell below", price, -MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--highest-bid <price>", "never buy above", price, MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .addHelpText(
      "after",
      "\nkeys: POLDER_API_KEY for orders and readings, POLDER_GATEWAY_SEED where a meter's file has no seed,\nPOLDER_HOME_ASSISTANT_TOKEN for a homeassistant: meter",
    )
    .action(start);
  agent
    .command("gateway")
    .description("make a software gateway's key, for local chains; prints its seed and its public key")
    .action(makeGateway);
}

/** Options that may be given again. */
function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

async function start(options: AgentOptions): Promise<void> {
  if (options.meter.length !== options.meterFile.length)
    throw new Error("give as many --meter-file as --meter: each meter's own, in the same order");
  const signer = signerFromEnvironment();
  const { client, region } = await placeOf(options);
  const { profile } = await client.region(region);
  const { clock, chainId, settlement } = await client.deployment();
  const known = options.meterFile.map((file) => knownMeter(file, { chainId, settlement, regionId: region }));
  const tariff = tariffOf(options, profile);
  const ladders =
    options.orders === undefined ? undefined : parseLadders(JSON.parse(readFileSync(options.orders, "utf8")));
  const memory = fileMemory(options.memory);
  const report = (message: string): void => console.error(message);
  const stops: (() => Promise<void>)[] = [];
  const prover = new WindowProver();
  try {
    const meters: HouseholdMeter[] = [];
    // Last, because a live one runs from here on.
    for (const [index, meter] of known.entries()) {
      const opened = await openNamed(options, index, profile, clock);
      if (opened.stop !== undefined) stops.push(opened.stop);
      meters.push({ ...meter, source: opened.source });
    }
    const agent = new HouseholdAgent({
      name: options.name,
      client,
      region,
      signer,
      meters,
      claims: policyOf(options),
      prover,
      registry: new RegionRegistry(client, region),
      tariff,
      memory,
      limits: { leastAskMicrosPerKwh: options.leastAsk, highestBidMicrosPerKwh: options.highestBid },
      report,
      ...(ladders === undefined ? {} : { orders: ladders }),
    });
    const stopping = new AbortController();
    // What is being proved then is proved again the next time.
    stopping.signal.addEventListener("abort", () => void prover.close());
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stopping.abort());
    console.log(greeting(options, signer.account, region, meters));
    await runAgent(agent, {
      clock,
      signal: stopping.signal,
      failed: (_agent, error) => report(String(error)),
    });
    const { orders, windows, proofs, missed } = agent.counts;
    console.log(
      `${orders} orders placed, ${proofs} proofs made, ${windows} windows claimed, ${missed} missed, ${agent.receipts.length} receipts in ${options.memory}`,
    );
  } finally {
    await prover.close();
    for (const stop of stops) await stop();
  }
}

/** What a meter's file and the environment say of a meter. @throws Error that names the file */
function knownMeter(
  file: string,
  here: Parameters<typeof requireSameRegion>[2],
): Omit<HouseholdMeter, "source"> {
  const document = readMeterFile(file);
  requireSameRegion(file, { ...document, regionId: document.region }, here);
  const { secret, limits } = document;
  return { gatewaySeed: gatewaySeedOf(file, document), secret, limits };
}

function tariffOf(options: AgentOptions, profile: Profile): Tariff {
  if (options.tariff !== undefined) return parseTariff(JSON.parse(readFileSync(options.tariff, "utf8")));
  const reference = profile.tariffs[0];
  return {
    name: reference?.name ?? "none",
    currency: profile.currency,
    feedInMicrosPerKwh: reference?.feedInMicrosPerKwh ?? 0,
    retail: { kind: "flat", microsPerKwh: reference?.retailMicrosPerKwh ?? 0 },
  };
}

function policyOf({ claimStepWh, claimMostWh }: AgentOptions): ClaimPolicy {
  return { stepWh: claimStepWh, ...(claimMostWh === undefined ? {} : { mostWh: claimMostWh }) };
}

/** Opens one of the meters and says what it is. The first one's boundaries are where they were when there was one. */
async function openNamed(
  options: AgentOptions,
  index: number,
  profile: Profile,
  clock: MarketClock,
): Promise<OpenedMeter> {
  const called = options.meter.length === 1 ? "meter" : `meter ${index + 1}`;
  const ofMeter = (message: string): void => console.error(`${options.name}: ${called}: ${message}`);
  const boundaries = `${options.memory}.meter${index === 0 ? "" : index + 1}`;
  const opened = await openMeter(options.meter[index] as string, profile, {
    clock,
    openBoundaries: () => fileBoundaries(boundaries),
    report: ofMeter,
  });
  console.log(`${options.name}: ${called}: ${opened.span}`);
  for (const remark of opened.remarks) ofMeter(remark);
  return opened;
}

function greeting(
  options: AgentOptions,
  account: Hex,
  region: string,
  meters: readonly HouseholdMeter[],
): string {
  const gateways = meters.map(({ gatewaySeed }) => gatewayIdOfSeed(gatewaySeed)).join(" and ");
  const step = options.claimStepWh;
  const claims =
    step === 1
      ? "claims are to the Wh: the market sees what it measures"
      : `claims are rounded down to ${step} Wh a slot, so that less of the home is seen (--claim-step-wh)`;
  return `${options.name} trades for ${account} in ${region} with gateway ${gateways}; ${claims}`;
}

function makeGateway(): void {
  const seed = randomBytes(32);
  const [gatewayX, gatewayY] = poseidonKeyOf(exactBytes(new Uint8Array(seed), 32, "seed"));
  console.log(`POLDER_GATEWAY_SEED=0x${seed.toString("hex")}`);
  console.log(JSON.stringify({ gatewayX: gatewayX.toString(), gatewayY: gatewayY.toString() }));
}
