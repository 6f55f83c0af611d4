// Owns the commands about keys: session keys and API keys, and wallets' keys in encrypted files. It refuses to print a key
// twice, and a wallet's key at all.

import { randomBytes } from "node:crypto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { privateKeyToAddress } from "viem/accounts";
import { formatApiKey, parseApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import { bytes32, type Hex, LAST_INSTANT_S } from "../../protocol/fields.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH, MAX_REGION_MICROS } from "../../protocol/limits.ts";
import { writeKeystore } from "../chain/keystore-file.ts";
import { askNewPassword } from "../chain/password-prompt.ts";
import { walletFrom } from "../chain/wallet-key.ts";
import { type Place, placeOf, signerFromEnvironment, walletFromEnvironment, withPlace } from "./context.ts";
import { OWNER_ONLY, requireAbsent, writeNew } from "./document-files.ts";
import { price, whole } from "./options.ts";

interface KeyOptions extends Place {
  readonly sides: string;
  readonly sell?: readonly Traded[];
  readonly buy?: readonly Traded[];
  readonly leastAsk: number;
  readonly highestBid: number;
  readonly dailyWh: number;
  readonly leastAskTera: number;
  readonly highestBidTera: number;
  readonly dailyMega: number;
  readonly out?: string;
  readonly spend: number;
  readonly days: number;
  readonly keystore?: string;
}

const TRADED = ["energy", "compute"] as const;
type Traded = (typeof TRADED)[number];

/** What a key trades, and how. */
type Trades = Pick<CommandOf<"authorise_session">, "resources" | "sides">;

/** Adds `key create | show | revoke`. */
export function keyCommands(program: Command): void {
  const key = program
    .command("key")
    .description(
      "API keys: scoped session keys, authorised by a wallet; and wallets' keys in encrypted files",
    );
  withPlace(
    key
      .command("create")
      .description(
        "authorise a new API key within limits and print it once; or make a wallet's key (--keystore)",
      ),
  )
    .option(
      "--keystore <file>",
      "make a new wallet's key instead, in an encrypted file, and print its address",
    )
    .addOption(
      new Option("--sides <list>", "of energy: sell, buy or sell,buy")
        .default("sell,buy")
        .conflicts(["sell", "buy"]),
    )
    .option("--sell <list>", "sells energy, compute or energy,compute", traded)
    .option("--buy <list>", "buys energy, compute or energy,compute", traded)
    .option("--least-ask <price>", "sells at no less per kWh", price, -MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--highest-bid <price>", "buys at no more per kWh", price, MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--daily-wh <n>", "trades no more Wh a UTC day", whole(0, Number.MAX_SAFE_INTEGER), 1_000_000)
    .option("--least-ask-tera <price>", "sells compute at no less per terafuel", price, 0)
    .option("--highest-bid-tera <price>", "buys compute at no more per terafuel", price, MAX_REGION_MICROS)
    .option(
      "--daily-mega <n>",
      "trades no more megafuel a UTC day",
      whole(0, MAX_REGION_MICROS),
      1_000_000_000,
    )
    .option("--spend <amount>", "spends no more in all", price, 100_000_000)
    .option("--days <n>", "until it expires, in market time", whole(1, 3650), 365)
    .option("--out <file>", "write it to a new file that only its owner may read, instead of printing it")
    .addHelpText(
      "after",
      "\nkeys: POLDER_WALLET_KEY authorises an API key; POLDER_PASSWORD encrypts a wallet's",
    )
    .action(create);
  key
    .command("show")
    .description("the address of a wallet's key, and nothing else of it")
    .option("--keystore <file>", "its encrypted file; POLDER_KEY without it")
    .action(show);
  withPlace(
    key
      .command("revoke")
      .description("revoke a key and end its orders")
      .argument("<key>", "its public half, or an API key in POLDER_API_KEY with -"),
  ).action(revoke);
}

async function create(options: KeyOptions): Promise<void> {
  if (options.keystore !== undefined) return createWallet(options.keystore);
  const { out } = options;
  const { resources, sides } = tradesOf(options);
  const signer = walletFromEnvironment();
  const { client, region } = await placeOf(options);
  // Before it is authorised: a key that is kept nowhere stays in the region until it expires.
  if (out !== undefined) requireAbsent(out);
  const has = (one: Traded, figure: number): number => (resources.includes(one) ? figure : 0);
  const seed: Hex = `0x${randomBytes(32).toString("hex")}`;
  const apiKey = formatApiKey(signer.account, seed);
  await client.submit(region, signer, {
    type: "authorise_session",
    key: sessionKeyOf(seed),
    resources,
    sides,
    leastAskMicrosPerKwh: has("energy", options.leastAsk),
    highestBidMicrosPerKwh: has("energy", options.highestBid),
    dailyWh: has("energy", options.dailyWh),
    leastAskMicrosPerTera: has("compute", options.leastAskTera),
    highestBidMicrosPerTera: has("compute", options.highestBidTera),
    dailyMega: has("compute", options.dailyMega),
    spendingLimitMicros: options.spend,
    sessionExpiresAtS: Math.min(LAST_INSTANT_S, (await client.marketTimeS()) + options.days * 86_400),
  });
  if (out === undefined) console.log(apiKey);
  else {
    writeNew(out, `${apiKey}\n`, OWNER_ONLY);
    console.log(`${out}: a key of ${signer.account} that ${sides.join(" and ")}s ${resources.join(" and ")}`);
  }
}

/** What is asked for. @throws Error for what one key cannot hold: its sides are the same for all that it trades */
function tradesOf({ sides, sell, buy }: KeyOptions): Trades {
  if (sell === undefined && buy === undefined) {
    const listed = sides.split(",");
    if (!listed.every((side) => side === "sell" || side === "buy"))
      throw new Error("sides are sell, buy or sell,buy");
    return { resources: ["energy"], sides: listed as Trades["sides"] };
  }
  if (sell !== undefined && buy !== undefined && sell.join() !== buy.join())
    throw new Error("one key sells what it buys: make two keys");
  return {
    resources: [...(sell ?? buy ?? [])],
    sides: [...(sell === undefined ? [] : ["sell" as const]), ...(buy === undefined ? [] : ["buy" as const])],
  };
}

/** What a key trades, in its order. */
function traded(text: string): readonly Traded[] {
  const named = text.split(",");
  const known = TRADED.filter((one) => named.includes(one));
  if (known.length === 0 || known.length !== named.length)
    throw new InvalidArgumentError("must be energy, compute or energy,compute");
  return known;
}

/** Draws a wallet's key. It is written once, encrypted, and is nowhere else. */
async function createWallet(file: string): Promise<void> {
  requireAbsent(file);
  const password = await askNewPassword();
  const key: Hex = `0x${randomBytes(32).toString("hex")}`;
  const address = privateKeyToAddress(key);
  writeKeystore(file, key, address.toLowerCase() as Hex, password);
  console.log(address.toLowerCase());
}

async function show({ keystore }: { readonly keystore?: string }): Promise<void> {
  console.log((await walletFrom(keystore)).address.toLowerCase());
}

async function revoke(key: string, options: Place): Promise<void> {
  const signer = signerFromEnvironment();
  const { client, region } = await placeOf(options);
  await client.submit(region, signer, {
    type: "revoke_session",
    key: key === "-" ? ownKey() : bytes32.parse(key.toLowerCase()),
  });
  console.log("revoked; its orders end with the running slot");
}

/** The public half of the API key that signs. @throws Error when a wallet does */
function ownKey(): Hex {
  const own = parseApiKey(process.env.POLDER_API_KEY ?? "");
  if (own === null) throw new Error("set POLDER_API_KEY to the API key that is to be revoked");
  return sessionKeyOf(own.seed);
}
