// Owns the commands about session keys and API keys. It refuses to print a key twice: what is made here is shown once
// and kept nowhere.

import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { formatApiKey, parseApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import { bytes32, type Hex, LAST_INSTANT_S } from "../../protocol/fields.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH } from "../../protocol/limits.ts";
import { type Place, placeOf, signerFromEnvironment, walletFromEnvironment, withPlace } from "./context.ts";
import { price, whole } from "./options.ts";

interface KeyOptions extends Place {
  readonly sides: string;
  readonly leastAsk: number;
  readonly highestBid: number;
  readonly dailyWh: number;
  readonly spend: number;
  readonly days: number;
}

/** Adds `key create | revoke`. */
export function keyCommands(program: Command): void {
  const key = program
    .command("key")
    .description("API keys: scoped session keys, authorised by POLDER_WALLET_KEY");
  withPlace(key.command("create").description("authorise a new key within limits and print it once"))
    .option("--sides <list>", "sell, buy or sell,buy", "sell,buy")
    .option("--least-ask <price>", "sells at no less per kWh", price, -MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--highest-bid <price>", "buys at no more per kWh", price, MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)
    .option("--daily-wh <n>", "trades no more Wh a UTC day", whole(0, Number.MAX_SAFE_INTEGER), 1_000_000)
    .option("--spend <amount>", "spends no more in all", price, 100_000_000)
    .option("--days <n>", "until it expires, in market time", whole(1, 3650), 365)
    .action(create);
  withPlace(
    key
      .command("revoke")
      .description("revoke a key and end its orders")
      .argument("<key>", "its public half, or an API key in POLDER_API_KEY with -"),
  ).action(revoke);
}

async function create(options: KeyOptions): Promise<void> {
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
    spendingLimitMicros: options.spend,
    sessionExpiresAtS: Math.min(LAST_INSTANT_S, (await client.marketTimeS()) + options.days * 86_400),
  });
  console.log(formatApiKey(signer.account, seed));
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
