// Owns the commands of a region's operator: opening it, its installers and accounts, test money, parameters. It refuses
// files with unknown fields; the operator's key comes from POLDER_WALLET_KEY.

import type { Command } from "commander";
import { z } from "zod";
import { commandSchemas, parametersSchema } from "../../protocol/commands.ts";
import { address as addressField, type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { profileSchema } from "../../protocol/profile.ts";
import { authoriseEdge } from "../provider/edge-session.ts";
import { PolderClient } from "../sdk/client.ts";
import { type Place, placeOf, walletFromEnvironment, withPlace } from "./context.ts";
import { readJson } from "./document-files.ts";
import { address, price } from "./options.ts";

/** What `region open` reads: the profile without its operator, and the terms that hold for the region's life. */
const openingSchema = z.strictObject({
  profile: profileSchema.omit({ operator: true }),
  windowSlots: commandSchemas.open_region.shape.windowSlots,
  epochSlots: commandSchemas.open_region.shape.epochSlots,
  quote: commandSchemas.open_region.shape.quote,
  gridOperator: addressField,
  treasury: addressField,
  /** Only where the money is a chain's. */
  mirror: addressField.default(NO_ADDRESS),
  parameters: parametersSchema,
});

/** Adds `region open | credit | parameters | installers | admit | edge`. */
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
  withPlace(
    region
      .command("installers")
      .description("name all installers of the region; whoever is not named is none any more (operator)")
      .argument("[address...]", "their wallets"),
  )
    .option("--none", "nobody may enrol meters")
    .action(appoint);
  withPlace(
    region
      .command("admit")
      .description("open an account that has no money yet (operator)")
      .argument("<address>", "the account", address),
  ).action(admit);
  withPlace(
    region
      .command("edge")
      .description("let the deployment itself sell compute on your account, at its EDGE_PRICE (operator)"),
  ).action(edge);
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

async function appoint(wallets: string[], options: Place & { readonly none?: boolean }): Promise<void> {
  if ((wallets.length === 0) !== (options.none === true))
    throw new Error("name the installers' wallets, or nobody with --none");
  const installers = [...new Set(wallets.map(address))].sort();
  const { client, region } = await placeOf(options);
  await client.submit(region, walletFromEnvironment(), { type: "appoint_installers", installers });
  console.log(installers.length === 0 ? "nobody may enrol meters" : installers.join("\n"));
}

async function admit(account: Hex, options: Place): Promise<void> {
  const { client, region } = await placeOf(options);
  await client.submit(region, walletFromEnvironment(), { type: "admit_account", account });
  console.log(`${account} is open`);
}

async function edge(options: Place): Promise<void> {
  const { client, region } = await placeOf(options);
  const operator = walletFromEnvironment();
  await authoriseEdge(client, region, operator);
  console.log(`the deployment may sell compute for ${operator.account}`);
}
