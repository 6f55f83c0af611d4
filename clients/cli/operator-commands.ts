// Owns the commands of a region's operator: opening it, enrolling meters, test money, parameters. It refuses files with
// unknown fields; the operator's key comes from POLDER_WALLET_KEY.

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { z } from "zod";
import { commandSchemas, parametersSchema } from "../../protocol/commands.ts";
import { address as addressField, bytes32, type Hex } from "../../protocol/fields.ts";
import { MAX_READING_WH, MAX_WINDOW_CAP_WH } from "../../protocol/limits.ts";
import { profileSchema } from "../../protocol/profile.ts";
import { PolderClient } from "../sdk/client.ts";
import { type Place, placeOf, walletFromEnvironment, withPlace } from "./context.ts";
import { address, price, whole } from "./options.ts";

/** What `region open` reads: the profile without its operator, and the terms that hold for the region's life. */
const openingSchema = z.strictObject({
  profile: profileSchema.omit({ operator: true }),
  windowSlots: commandSchemas.open_region.shape.windowSlots,
  epochSlots: commandSchemas.open_region.shape.epochSlots,
  quote: commandSchemas.open_region.shape.quote,
  gridOperator: addressField,
  treasury: addressField,
  parameters: parametersSchema,
});

interface EnrolOptions extends Place {
  readonly gatewayX: string;
  readonly gatewayY: string;
  readonly connection: string;
  readonly nameplateWh: number;
  readonly connectionWh: number;
}

/** Adds `region open | credit | parameters` and `meter enrol | revoke`. */
export function operatorCommands(program: Command): void {
  const region = program.commands.find((command) => command.name() === "region") as Command;
  withPlace(
    region
      .command("open")
      .description("register and open a region (operator)")
      .argument("<file>", "profile and terms as JSON"),
  ).action(open);
  withPlace(
    region
      .command("credit")
      .description("credit test money to an account (operator)")
      .argument("<address>", "the account", address)
      .argument("<amount>", "in the quote asset, e.g. 100", price),
  ).action(credit);
  withPlace(
    region
      .command("parameters")
      .description("set the parameters from the next epoch on (operator)")
      .argument("<file>", "all of them as JSON"),
  ).action(setParameters);

  const meter = program.command("meter").description("gateways and their enrolments");
  withPlace(
    meter
      .command("enrol")
      .description("enrol a gateway for an account (operator)")
      .argument("<address>", "the account", address),
  )
    .requiredOption("--gateway-x <decimal>", "of the gateway's public key")
    .requiredOption("--gateway-y <decimal>", "of the gateway's public key")
    .requiredOption("--connection <hex>", "the registrar's keyed tag of the grid connection, 32 bytes")
    .option("--nameplate-wh <n>", "most Wh a slot can export", whole(0, MAX_READING_WH), MAX_READING_WH)
    .option("--connection-wh <n>", "most Wh a slot can import", whole(0, MAX_READING_WH), MAX_READING_WH)
    .action(enrol);
  withPlace(
    meter
      .command("revoke")
      .description("revoke a gateway from the next window on (operator)")
      .argument("<address>", "the account", address)
      .argument("<gateway>", "its id"),
  ).action(revoke);
}

async function open(file: string, { url }: Place): Promise<void> {
  const operator = walletFromEnvironment();
  const { profile, ...terms } = openingSchema.parse(readJson(file));
  const client = new PolderClient(url);
  const whole = { ...profile, operator: operator.account };
  const draft = {
    type: "open_region",
    timeZone: profile.timeZone,
    operator: operator.account,
    ...terms,
  } as const;
  const { entry } = await client.openRegion(operator, whole, draft);
  console.log(`${profile.region} is open (entry ${entry}); trading begins with the next whole window`);
}

async function credit(account: Hex, amountMicros: number, options: Place): Promise<void> {
  const { client, region } = await placeOf(options);
  await client.submit(region, walletFromEnvironment(), { type: "credit_test_quote", account, amountMicros });
  console.log(`credited ${amountMicros} micros to ${account}`);
}

async function setParameters(file: string, options: Place): Promise<void> {
  const { client, region } = await placeOf(options);
  const parameters = parametersSchema.parse(readJson(file));
  const { events } = await client.submit(region, walletFromEnvironment(), {
    type: "set_parameters",
    parameters,
  });
  for (const event of events) {
    if (event.type === "parameters_set")
      console.log(`version ${event.version} holds from epoch ${event.fromEpoch} on`);
  }
}

async function enrol(account: Hex, options: EnrolOptions): Promise<void> {
  const { client, region } = await placeOf(options);
  const { gatewayX, gatewayY, nameplateWh, connectionWh } = options;
  const { events } = await client.submit(region, walletFromEnvironment(), {
    type: "enrol_meter",
    account,
    gatewayX,
    gatewayY,
    connection: bytes32.parse(options.connection),
    nameplateWh,
    connectionWh,
    saleCapWh: MAX_WINDOW_CAP_WH,
    purchaseCapWh: MAX_WINDOW_CAP_WH,
  });
  for (const event of events) {
    if (event.type === "meter_enrolled")
      console.log(`gateway ${event.gateway} measures for ${account} from slot ${event.fromSlot} on`);
  }
}

async function revoke(account: Hex, gateway: string, options: Place): Promise<void> {
  const { client, region } = await placeOf(options);
  await client.submit(region, walletFromEnvironment(), {
    type: "revoke_meter",
    account,
    gateway: bytes32.parse(gateway),
  });
  console.log("revoked from the next window on; the running one still counts");
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
