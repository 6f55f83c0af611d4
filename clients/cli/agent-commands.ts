// Owns the commands that run a household's agent. It refuses to start without a gateway's key, and to forget: receipts
// and signed windows are kept in a file.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { exactBytes } from "../../evidence/bytes.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH } from "../../protocol/limits.ts";
import { HouseholdAgent } from "../household/agent.ts";
import { fileMemory } from "../household/agent-memory.ts";
import { parseLadders } from "../household/ladder-file.ts";
import { runAgent } from "../household/runner.ts";
import { parseTariff, type Tariff } from "../household/tariff.ts";
import { METER_FORMS, openMeter } from "../meter/meter-kinds.ts";
import { fileBoundaries } from "../meter/slot-boundaries.ts";
import { type Place, placeOf, signerFromEnvironment, withPlace } from "./context.ts";
import { price } from "./options.ts";

interface AgentOptions extends Place {
  readonly meter: string;
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
    agent.command("start").description("keep the orders, sign each window, keep the receipts, until Ctrl-C"),
  )
    .addOption(new Option("--meter <source>", METER_FORMS).makeOptionMandatory())
    .option("--tariff <file>", "the household's own tariff as JSON; the region's reference tariff without it")
    .option("--orders <file>", "ladders of your own instead of the default")
    .option("--memory <file>", "where receipts and signed windows are kept", "polder-agent.ndjson")
    .option("--name <name>", "how the agent calls itself", "agent")
    .option("--least-ask <price>", "never sell below", price, -MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--highest-bid <price>", "never buy above", price, MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .addHelpText(
      "after",
      "\nkeys: POLDER_API_KEY for orders and readings, POLDER_GATEWAY_SEED for the gateway's signature,\nPOLDER_HOME_ASSISTANT_TOKEN for a homeassistant: meter",
    )
    .action(start);
  agent
    .command("gateway")
    .description(
      "make a software gateway's key, for local chains; prints its seed and what the operator enrols",
    )
    .action(makeGateway);
}

async function start(options: AgentOptions): Promise<void> {
  const gatewaySeed = gatewayFromEnvironment();
  const signer = signerFromEnvironment();
  const { client, region } = await placeOf(options);
  const { profile } = await client.region(region);
  const reference = profile.tariffs[0];
  const tariff: Tariff =
    options.tariff !== undefined
      ? parseTariff(JSON.parse(readFileSync(options.tariff, "utf8")))
      : {
          name: reference?.name ?? "none",
          currency: profile.currency,
          feedInMicrosPerKwh: reference?.feedInMicrosPerKwh ?? 0,
          retail: { kind: "flat", microsPerKwh: reference?.retailMicrosPerKwh ?? 0 },
        };
  const ladders =
    options.orders === undefined ? undefined : parseLadders(JSON.parse(readFileSync(options.orders, "utf8")));
  const memory = fileMemory(options.memory);
  const { clock } = await client.deployment();
  const report = (message: string): void => console.error(message);
  const ofMeter = (message: string): void => report(`${options.name}: meter: ${message}`);
  // Last, because a live one runs from here on.
  const { source, span, remarks, stop } = await openMeter(options.meter, profile, {
    clock,
    openBoundaries: () => fileBoundaries(`${options.memory}.meter`),
    report: ofMeter,
  });
  console.log(`${options.name}: meter: ${span}`);
  for (const remark of remarks) ofMeter(remark);
  const agent = new HouseholdAgent({
    name: options.name,
    client,
    region,
    signer,
    gatewaySeed,
    meter: source,
    tariff,
    memory,
    limits: { leastAskMicrosPerKwh: options.leastAsk, highestBidMicrosPerKwh: options.highestBid },
    report,
    ...(ladders === undefined ? {} : { orders: ladders }),
  });
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stopping.abort());
  console.log(
    `${options.name} trades for ${signer.account} in ${region} with gateway ${gatewayIdOfSeed(gatewaySeed)}`,
  );
  await runAgent(agent, {
    clock,
    signal: stopping.signal,
    failed: (_agent, error) => report(String(error)),
  });
  await stop?.();
  const { orders, windows, missed } = agent.counts;
  console.log(
    `${orders} orders placed, ${windows} windows proved, ${missed} missed, ${agent.receipts.length} receipts in ${options.memory}`,
  );
}

function gatewayFromEnvironment(): Hex {
  const seed = process.env.POLDER_GATEWAY_SEED;
  if (seed === undefined || !/^0x[0-9a-f]{64}$/.test(seed)) {
    throw new Error(
      "set POLDER_GATEWAY_SEED to the gateway's seed: 0x and 64 hex digits (polder agent gateway makes one)",
    );
  }
  return seed as Hex;
}

function makeGateway(): void {
  const seed = randomBytes(32);
  const [gatewayX, gatewayY] = poseidonKeyOf(exactBytes(new Uint8Array(seed), 32, "seed"));
  console.log(`POLDER_GATEWAY_SEED=0x${seed.toString("hex")}`);
  console.log(JSON.stringify({ gatewayX: gatewayX.toString(), gatewayY: gatewayY.toString() }));
}
