// Owns what every command needs: which deployment, which region, which keys. It refuses keys on the command line, where
// other users of the machine could read them; they come from the environment.

import type { Command } from "commander";
import { privateKeyToAccount } from "viem/accounts";
import type { FieldPoint } from "../../evidence/eddsa-poseidon.ts";
import { gatewayIdOf, gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import { parseApiKey } from "../../evidence/session-signature.ts";
import type { Hex } from "../../protocol/fields.ts";
import { PolderClient } from "../sdk/client.ts";
import { type Signer, sessionSigner, walletSigner } from "../sdk/signer.ts";
import { httpAddress } from "./options.ts";

export interface Place {
  readonly url: string;
  readonly region?: string;
}

/** Adds the options that name a deployment and a region. */
export function withPlace(command: Command): Command {
  return command
    .option("--url <url>", "the deployment", httpAddress, process.env.POLDER_URL ?? "http://127.0.0.1:8787")
    .option("--region <id>", "the region; may be left out where there is one");
}

/** The client and the region of a command. @throws Error when the region must be named */
export async function placeOf({
  url,
  region,
}: Place): Promise<{ readonly client: PolderClient; readonly region: string }> {
  const client = new PolderClient(url);
  const named = region ?? process.env.POLDER_REGION;
  if (named !== undefined) return { client, region: named };
  const regions = await client.regions();
  const only = regions[0];
  if (only === undefined) throw new Error(`${url} has no region yet`);
  if (regions.length > 1)
    throw new Error(`name one with --region: ${regions.map((profile) => profile.region).join(", ")}`);
  return { client, region: only.region };
}

/** Signs with POLDER_API_KEY, else with POLDER_WALLET_KEY. @throws Error when neither is set or well formed */
export function signerFromEnvironment(): Signer {
  const { POLDER_API_KEY: token } = process.env;
  if (token === undefined) return walletFromEnvironment();
  const key = parseApiKey(token);
  if (key === null) throw new Error("POLDER_API_KEY is not an API key: polder_<account><seed>");
  return sessionSigner(key.account, key.seed);
}

/** Signs with POLDER_WALLET_KEY. @throws Error when it is not set or well formed */
export function walletFromEnvironment(): Signer {
  const key = process.env.POLDER_WALLET_KEY;
  if (key === undefined)
    throw new Error("set POLDER_API_KEY to an API key or POLDER_WALLET_KEY to a wallet's private key");
  if (!/^0x[0-9a-fA-F]{64}$/.test(key)) throw new Error("POLDER_WALLET_KEY is not 0x and 64 hex digits");
  return walletSigner(privateKeyToAccount(key as Hex));
}

/**
 * The gateway's seed from POLDER_GATEWAY_SEED, or undefined where it is not set.
 * @param key of the gateway that it must be the seed of
 * @throws Error when it is not well formed, or another gateway's
 */
export function gatewaySeedFromEnvironment(key?: FieldPoint): Hex | undefined {
  const seed = process.env.POLDER_GATEWAY_SEED;
  if (seed === undefined) return undefined;
  if (!/^0x[0-9a-f]{64}$/.test(seed))
    throw new Error("POLDER_GATEWAY_SEED is not a gateway's seed: 0x and 64 hex digits");
  if (key !== undefined && gatewayIdOfSeed(seed as Hex) !== gatewayIdOf(key))
    throw new Error(`POLDER_GATEWAY_SEED is the seed of another gateway than ${gatewayIdOf(key)}`);
  return seed as Hex;
}
