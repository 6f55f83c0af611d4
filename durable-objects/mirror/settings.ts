// Owns what a deployment says of its chain, and how it is read. It refuses to begin with values that are missing or malformed,
// or with a single endpoint anywhere but on the local chain.

import { isWalletKey, walletOf } from "../../evidence/wallet-key.ts";
import { address, type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import type { Env } from "../environment.ts";

/** How a chain is read. */
export interface ReadSettings {
  readonly chainId: number;
  readonly settlement: Hex;
  /** The zero address where there is no register. */
  readonly meterRegistry: Hex;
  /** The governed values; the zero address where nothing is voted on. */
  readonly rewardParameters: Hex;
  /** Providers' stakes; the zero address where nobody stakes. */
  readonly providerStake: Hex;
  readonly rpcs: readonly string[];
  /** Block that the contracts were deployed in: nothing is searched for before it. */
  readonly deployedAtBlock: number;
  /** Wall milliseconds from the beginning of a poll to that of the next. */
  readonly pollMs: number;
}

/** How to follow the chain. */
export interface ChainSettings extends ReadSettings {
  readonly key: Hex;
  readonly mirror: Hex;
}

/** Thrown for settings that must not be used; the message names the variable and never its value. */
export class SettingsRefused extends Error {
  override readonly name = "SettingsRefused";
}

type ChainEnv = Pick<
  Env,
  | "CHAIN_ID"
  | "SETTLEMENT"
  | "METER_REGISTRY"
  | "REWARD_PARAMETERS"
  | "PROVIDER_STAKE"
  | "CHAIN_RPC"
  | "CHAIN_DEPLOYED_AT"
  | "CHAIN_POLL_SECONDS"
  | "MIRROR_KEY"
>;

const DEFAULT_POLL_SECONDS = "5";
/** Faster than this only busies the endpoints; slower than this a deposit's owner thinks it lost. */
const LEAST_POLL_SECONDS = 0.05;
const MOST_POLL_SECONDS = 3_600;
/** An endpoint's answer is looked at whole by each of the others. */
const MAX_RPCS = 8;

/** Whether the deployment has a chain to follow. */
export function hasChain({ CHAIN_RPC }: Pick<ChainEnv, "CHAIN_RPC">): boolean {
  return (CHAIN_RPC ?? "").trim() !== "";
}

/** Reads the settings of a deployment that has a chain. @throws SettingsRefused */
export function chainSettings(env: ChainEnv): ChainSettings {
  const key = keyOf(env.MIRROR_KEY, "MIRROR_KEY");
  return { ...readSettings(env), key, mirror: walletOf(key) };
}

/** The part of the settings that needs no key. @throws SettingsRefused */
export function readSettings(env: Omit<ChainEnv, "MIRROR_KEY">): ReadSettings {
  const chainId = Number(env.CHAIN_ID);
  const settlement = addressOf("SETTLEMENT", env.SETTLEMENT);
  if (settlement === NO_ADDRESS) throw new SettingsRefused("SETTLEMENT is the zero address");
  return {
    chainId,
    settlement,
    meterRegistry: registryOf(env),
    rewardParameters: rewardParametersOf(env),
    providerStake: providerStakeOf(env),
    rpcs: endpoints(env.CHAIN_RPC, chainId),
    deployedAtBlock: wholeNumber("CHAIN_DEPLOYED_AT", env.CHAIN_DEPLOYED_AT || "0"),
    pollMs: Math.round(1000 * pollSeconds(env.CHAIN_POLL_SECONDS || DEFAULT_POLL_SECONDS)),
  };
}

/** The register of meters, the zero address where there is none. @throws SettingsRefused */
export function registryOf({ METER_REGISTRY }: Pick<ChainEnv, "METER_REGISTRY">): Hex {
  return addressOf("METER_REGISTRY", METER_REGISTRY || NO_ADDRESS);
}

/** The governed values, the zero address where there are none. @throws SettingsRefused */
export function rewardParametersOf({ REWARD_PARAMETERS }: Pick<ChainEnv, "REWARD_PARAMETERS">): Hex {
  return addressOf("REWARD_PARAMETERS", REWARD_PARAMETERS || NO_ADDRESS);
}

/** Providers' stakes, the zero address where there are none. @throws SettingsRefused */
export function providerStakeOf({ PROVIDER_STAKE }: Pick<ChainEnv, "PROVIDER_STAKE">): Hex {
  return addressOf("PROVIDER_STAKE", PROVIDER_STAKE || NO_ADDRESS);
}

/** The mirror's address, the zero address where the deployment has no chain or its key is none. */
export function mirrorOf(env: ChainEnv): Hex {
  if (!hasChain(env)) return NO_ADDRESS;
  try {
    return walletOf(keyOf(env.MIRROR_KEY, "MIRROR_KEY"));
  } catch (error) {
    if (error instanceof SettingsRefused) return NO_ADDRESS;
    throw error;
  }
}

/** A wallet's key in a secret. @throws SettingsRefused */
export function keyOf(secret: string | undefined, name: string): Hex {
  const key: Hex = `0x${(secret ?? "").trim().toLowerCase()}`;
  if (!/^0x[0-9a-f]{64}$/.test(key) || !isWalletKey(key))
    throw new SettingsRefused(`the secret ${name} is not a wallet's key in 64 hex digits`);
  return key;
}

/** An address in a variable. @throws SettingsRefused */
export function addressOf(name: string, text: string): Hex {
  const decoded = address.safeParse(text);
  if (!decoded.success) throw new SettingsRefused(`${name} is no address`);
  return decoded.data;
}

/** Endpoints on different hosts: two addresses of one machine tell one story. */
function endpoints(text: string, chainId: number): string[] {
  const all = text.trim().split(/\s+/);
  const hosts = all.map((one, place) => {
    const url = URL.canParse(one) ? new URL(one) : null;
    if (url === null || !["http:", "https:"].includes(url.protocol))
      throw new SettingsRefused(`address ${place + 1} in CHAIN_RPC is no http address`);
    return url.host;
  });
  if (new Set(hosts).size !== hosts.length) throw new SettingsRefused("CHAIN_RPC names a host twice");
  if (hosts.length > MAX_RPCS) throw new SettingsRefused(`CHAIN_RPC names more than ${MAX_RPCS} endpoints`);
  if (hosts.length < 2 && chainId !== LOCAL_CHAIN_ID)
    throw new SettingsRefused(
      "CHAIN_RPC names one endpoint: anywhere but on the local chain it takes two to agree",
    );
  return all;
}

function wholeNumber(name: string, text: string): number {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(text)) throw new SettingsRefused(`${name} is no whole number`);
  return Number(text);
}

function pollSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= LEAST_POLL_SECONDS && seconds <= MOST_POLL_SECONDS) return seconds;
  throw new SettingsRefused(
    `CHAIN_POLL_SECONDS is not between ${LEAST_POLL_SECONDS} and ${MOST_POLL_SECONDS}`,
  );
}
