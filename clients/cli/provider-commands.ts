// Owns the commands of whoever sells a machine's time: estimate, start, status, stake, service. It refuses keys on the command line:
// the session key is in a file that only its owner may read.

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ApiKey, parseApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Book, OpenObligation, ResourceOrder } from "../../protocol/answers.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { MAX_NODE_ROOM, MAX_REGION_MICROS } from "../../protocol/limits.ts";
import { PRODUCT_NAMES, type ProductName } from "../../protocol/products.ts";
import type { ProviderReputation } from "../../protocol/provider-answers.ts";
import { CLOSE_REPLACED } from "../../protocol/provider-frames.ts";
import { openChain } from "../chain/chain-connection.ts";
import type { Offer } from "../provider/ask-keeper.ts";
import { bestOf, DEFAULT_FOLDER, dailyMicros, measureFuelRate } from "../provider/fuel-rate.ts";
import { ProviderNode } from "../provider/provider-node.ts";
import { type ServiceForm, serviceFile } from "../provider/service-files.ts";
import { stakeFor } from "../provider/stake.ts";
import type { PolderClient } from "../sdk/client.ts";
import { PolderProblem } from "../sdk/problem.ts";
import { type ChainPlace, rpcOf, walletOf, withRpc, withWallet } from "./chain-context.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import { money, table } from "./figures.ts";
import { type Amount, amount, price, whole } from "./options.ts";

interface MachineOptions extends Place {
  readonly cores: number;
  readonly price: number;
}

interface StartOptions extends MachineOptions {
  readonly keyFile: string;
  readonly offer: number;
  readonly lease: readonly ProductName[];
  readonly room?: number;
  readonly modules: string;
}

interface ServiceOptions extends StartOptions {
  readonly form: ServiceForm;
  readonly out?: string;
}

const LEASES = PRODUCT_NAMES.filter((name) => name !== "compute-job");

/** Adds `provider estimate | start | status | stake | service`. */
export function providerCommands(program: Command): void {
  const provider = program.command("provider").description("sell a machine's time to the region's apps");
  withMachine(provider.command("estimate"))
    .description("what this machine would earn: measures it, joins nothing")
    .action(estimate);
  withNode(provider.command("start"))
    .description("take runs and keep asks in the book, until Ctrl-C")
    .action(start);
  withPlace(provider.command("status"))
    .description("what a provider has earned, sells and owes")
    .requiredOption("--key-file <file>", "its session key")
    .action(status);
  withWallet(withRpc(withPlace(provider.command("stake"))))
    .description("stake the wallet's money on the node's results")
    .requiredOption("--key-file <file>", "the session key that signs them")
    .requiredOption("--amount <amount>", "in the quote asset", amount)
    .action(stake);
  withNode(provider.command("service"))
    .description("a service that starts the node with the machine")
    .addOption(
      new Option("--form <form>", "of which system").choices(["systemd", "launchd"]).default("systemd"),
    )
    .option("--out <file>", "write it there instead of printing it")
    .action(service);
}

function withMachine(command: Command): Command {
  return withPlace(command)
    .requiredOption("--price <price>", "for a terafuel (about 100 s of a core), in the quote asset", price)
    .option(
      "--cores <n>",
      "runs at a time",
      whole(1, MAX_NODE_ROOM),
      Math.max(1, availableParallelism() - 1),
    );
}

function withNode(command: Command): Command {
  return withMachine(command)
    .requiredOption("--key-file <file>", "an API key that may sell compute, as polder key create printed it")
    .option("--offer <megafuel>", "how much one ask offers", whole(1, MAX_REGION_MICROS), 1_000_000)
    .option(
      "--lease <product>",
      `offer leases of this product too; may be given again (${LEASES.join(", ")})`,
      lease,
      [],
    )
    .option("--room <n>", "runs taken at once, those beyond the cores wait", whole(1, MAX_NODE_ROOM))
    .option("--modules <folder>", "where modules are kept", DEFAULT_FOLDER);
}

async function estimate(options: MachineOptions): Promise<void> {
  const { client, region } = await placeOf(options);
  const book = await client.get<Book>(`/v1/regions/${region}/books/compute-job`);
  const rate = await measureFuelRate(options.cores);
  const { ask, bid } = bestOf(book);
  const row = (name: string, micros: number | null) =>
    micros === null ? [name, "nobody", ""] : [name, money(micros), money(dailyMicros(rate, micros), 2)];
  console.log(
    `${Math.round(rate.megaPerSecond)} megafuel a second with ${rate.threads} ${rate.threads === 1 ? "thread" : "threads"}`,
  );
  console.log(
    table(
      ["", "per terafuel", "a day, all sold"],
      [row("your price", options.price), row("best ask", ask), row("best bid", bid)],
    ),
  );
}

async function start(options: StartOptions): Promise<void> {
  const key = keyIn(options.keyFile);
  const { client, region } = await placeOf(options);
  const products: readonly ProductName[] = ["compute-job", ...options.lease];
  const offers: Offer[] = products.map((product) => ({
    product,
    quantityMega: options.offer,
    priceMicrosPerTera: options.price,
  }));
  const node = await ProviderNode.start({
    client,
    region,
    key,
    offers,
    cores: options.cores,
    folder: options.modules,
    report: (line) => console.error(line),
    ...(options.room === undefined ? {} : { room: options.room }),
  });
  console.log(
    `${key.account} joins ${region} with ${options.cores} ${options.cores === 1 ? "core" : "cores"}; Ctrl-C leaves`,
  );
  const stopped = new Promise<null>((stop) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop(null));
  });
  const why = await Promise.race([stopped, node.ended]);
  if (why === null) return node.stop();
  await node.kill();
  if (!why.startsWith(String(CLOSE_REPLACED))) throw new Error(`the region will not have this node: ${why}`);
  // In good order, or two services with one key would take turns for ever.
  console.error("another node with a key of this account has taken this one's place: an account has one");
}

async function status(options: Place & { readonly keyFile: string }): Promise<void> {
  const { account } = keyIn(options.keyFile);
  const { client, region } = await placeOf(options);
  const path = `/v1/regions/${region}/accounts/${account}`;
  const [known, record, { orders }, { obligations }] = await Promise.all([
    client.account(region, account),
    recordOf(client, region, account),
    client.get<{ orders: readonly ResourceOrder[] }>(`${path}/resource-orders`),
    client.get<{ obligations: readonly OpenObligation[] }>(`${path}/obligations`),
  ]);
  const owed = obligations.filter(({ seller }) => seller === account);
  const asks = orders.filter(({ side }) => side === "sell");
  console.log(
    table(
      [],
      [
        ["account", account],
        ["free", money(known.freeMicros)],
        ["rewards", known.rewards],
        ["at stake", known.provider === null ? "nothing" : money(known.provider.stakedMicros)],
        [
          "asks",
          asks.map(({ product, restingMega }) => `${product} ${restingMega} Mfuel`).join(", ") || "none",
        ],
        [
          "under way",
          `${owed.length} trades, paid so far ${money(sum(owed.map(({ paidMicros }) => paidMicros)))}`,
        ],
        ["pending", `${money(sum(owed.map(pendingMicros)))} for results that can still be challenged`],
        ...(record === null ? [["record", "none yet"]] : recordRows(record)),
      ],
    ),
  );
}

const sum = (figures: readonly number[]): number => figures.reduce((all, one) => all + one, 0);

/** What a reported result comes to when nobody shows it to be wrong, after the fee. Micros. */
function pendingMicros({ result, priceMicrosPerTera, takeRateBps }: OpenObligation): number {
  if (result === null) return 0;
  const paid = Math.ceil((result.fuelMega * priceMicrosPerTera) / 1e6);
  return paid - Math.ceil((paid * takeRateBps) / 10_000);
}

/** A provider's record; null before its first trade. */
async function recordOf(
  client: PolderClient,
  region: string,
  account: Hex,
): Promise<ProviderReputation | null> {
  try {
    return await client.get<ProviderReputation>(`/v1/regions/${region}/providers/${account}`);
  } catch (error) {
    if (error instanceof PolderProblem && error.code === "account_not_found") return null;
    throw error;
  }
}

function recordRows(record: ProviderReputation): string[][] {
  const share = (bps: number | null) => (bps === null ? "nothing yet" : `${bps / 100} %`);
  const {
    jobs,
    failures,
    earnedMicros,
    deliveredMega,
    deliveredBps,
    answeredBps,
    auditsPassed,
    auditsFailed,
  } = record;
  return [
    ["earned", `${money(Number(earnedMicros))} for ${deliveredMega} Mfuel`],
    ["jobs", `${jobs} paid, ${failures} failed`],
    ["delivered of what was sold", share(deliveredBps)],
    ["answered in time", share(answeredBps)],
    ["audits", `${auditsPassed} passed, ${auditsFailed} failed`],
    ["mean seconds to a report", record.meanSeconds === null ? "nothing yet" : String(record.meanSeconds)],
    ["rank", `${record.rank} (of equal asks the lowest goes first)`],
  ];
}

async function stake(
  options: ChainPlace & { readonly keyFile: string; readonly amount: Amount },
): Promise<void> {
  const { seed } = keyIn(options.keyFile);
  const { client, region } = await placeOf(options);
  const { chainId, providerStake } = await client.get<{ chainId: number; providerStake: typeof NO_ADDRESS }>(
    "/v1/deployment",
  );
  if (providerStake === NO_ADDRESS) throw new Error("this deployment has no contract of stakes");
  const [connection, wallet] = await Promise.all([openChain(rpcOf(options), chainId), walletOf(options)]);
  const hash = await stakeFor(connection, providerStake, wallet, {
    region,
    nodeKey: sessionKeyOf(seed),
    amountMicros: BigInt(options.amount.micros),
  });
  console.log(options.json ? JSON.stringify({ hash }) : `staked ${money(options.amount.micros)}: ${hash}`);
}

async function service(options: ServiceOptions): Promise<void> {
  keyIn(options.keyFile);
  const { region } = await placeOf(options);
  const main = resolve(import.meta.dirname, "main.ts");
  const given: [string, string | number | undefined][] = [
    ["--url", options.url],
    ["--region", region],
    ["--key-file", resolve(options.keyFile)],
    ["--price", money(options.price)],
    ["--cores", options.cores],
    ["--offer", options.offer],
    ["--room", options.room],
    ["--modules", resolve(options.modules)],
    ...options.lease.map((product): [string, string] => ["--lease", product]),
  ];
  const words = given.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
  const text = serviceFile(options.form, {
    command: [process.execPath, main, "provider", "start", ...words],
    workingFolder: dirname(resolve(options.keyFile)),
  });
  if (options.out === undefined) console.log(text);
  else writeFileSync(options.out, text, { mode: 0o644 });
}

/** One more product that is leased. A parser of an option's own takes the place of its choices, so they are looked at here. */
function lease(text: string, before: readonly ProductName[]): readonly ProductName[] {
  const product = LEASES.find((name) => name === text);
  if (product === undefined) throw new InvalidArgumentError(`must be one of ${LEASES.join(", ")}`);
  return [...before, product];
}

/** The API key in a file. @throws Error where others may read it, or it holds none */
function keyIn(file: string): ApiKey {
  if (!existsSync(file))
    throw new Error(`there is no ${file}; make it: polder key create --sell compute --out ${file}`);
  if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0)
    throw new Error(`${file} can be read by others: chmod 600 it`);
  const [token = ""] = /polder_[0-9a-f]+/.exec(readFileSync(file, "utf8")) ?? [];
  const key = parseApiKey(token);
  if (key === null) throw new Error(`${file} holds no API key: polder_<account><seed>`);
  return key;
}
