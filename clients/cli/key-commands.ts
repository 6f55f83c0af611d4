// Owns the commands about keys: session keys and API keys, and wallets' keys in encrypted files. It refuses to print a key
// twice, and a wallet's key at all.

import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { privateKeyToAddress } from "viem/accounts";
import { formatApiKey, parseApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import { bytes32, type Hex, LAST_INSTANT_S } from "../../protocol/fields.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH } from "../../protocol/limits.ts";
import { writeKeystore } from "../chain/keystore-file.ts";
import { askNewPassword } from "../chain/password-prompt.ts";
import { walletFrom } from "../chain/wallet-key.ts";
import { type Place, placeOf, signerFromEnvironment, walletFromEnvironment, withPlace } from "./context.ts";
import { requireAbsent } from "./document-files.ts";
import { price, whole } from "./options.ts";

interface KeyOptions extends Place {
  readonly sides: string;
  readonly leastAsk: number;
  readonly highestBid: number;
  readonly dailyWh: number;
  readonly spend: number;
  readonly days: number;
  readonly keystore?: string;
}

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
    .option("--sides <list>", "sell, buy or sell,buy", "sell,buy")
    .option("--least-ask <price>", "sells at no less per kWh", price, -MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--highest-bid <price>", "buys at no more per kWh", price, MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--daily-wh <n>", "trades no more Wh a UTC day", whole(0, Number.MAX_SAFE_INTEGER), 1_000_000)
    .option("--spend <amount>", "spends no more in all", price, 100_000_000)
    .option("--days <n>", "until it expires, in market time", whole(1, 3650), 365)
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
  const signer = walletFromEnvironment();
  const { client, region } = await placeOf(options);
  const seed: Hex = `0x${randomBytes(32).toString("hex")}`;
  const sides = options.sides.split(",");
  if (!sides.every((side) => side === "sell" || side === "buy"))
    throw new Error("sides are sell, buy or sell,buy");
  await client.submit(region, signer, {
    type: "authorise_session",
    key: sessionKeyOf(seed),
    resources: ["energy"],
    sides: sides as ("sell" | "buy")[],
    leastAskMicrosPerKwh: options.leastAsk,
    highestBidMicrosPerKwh: options.highestBid,
    dailyWh: options.dailyWh,
    leastAskMicrosPerTera: 0,
    highestBidMicrosPerTera: 0,
    dailyMega: 0,
    spendingLimitMicros: options.spend,
    sessionExpiresAtS: Math.min(LAST_INSTANT_S, (await client.marketTimeS()) + options.days * 86_400),
  });
  console.log(formatApiKey(signer.account, seed));
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
