// Owns a region for compute on a local deployment of its own: accounts with money whose session keys trade it, and modules. It
// refuses to outlive its measurement or test: whoever opens one stops it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKeyToAccount } from "viem/accounts";
import { formatApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import type { OpenObligation, ResourceOrder } from "../../protocol/answers.ts";
import { type Hex, LAST_INSTANT_S, type Side } from "../../protocol/fields.ts";
import { PolderClient } from "../sdk/client.ts";
import { uploadModule } from "../sdk/modules.ts";
import { type Signer, sessionSigner, walletSigner } from "../sdk/signer.ts";
import { derivedKey, openRegion, operatorWallet, type RegionTerms } from "./neighbourhood.ts";
import { type Stack, type StackOptions, startStack } from "./stack.ts";

/** Somebody with a session key for compute. */
export interface Trader {
  readonly account: Hex;
  readonly apiKey: string;
  readonly seed: Hex;
  readonly wallet: Signer;
  readonly walletKey: Hex;
  readonly signer: Signer;
  /** A file that holds the API key, for its owner alone. */
  readonly keyFile: string;
}

export interface ComputeRegionOptions extends Omit<StackOptions, "stateFolder"> {
  /** Of all keys: the same seed and name give the same account. */
  readonly seed: string;
  readonly terms: RegionTerms;
}

/** What a region is made of. */
export interface OpenedRegion {
  readonly options: ComputeRegionOptions;
  readonly folder: string;
  readonly stack: Stack;
  readonly client: PolderClient;
  readonly operator: Signer;
}

/** Starts a deployment with a region on it; market time is wall time unless the options say otherwise. */
export async function openComputeRegion(options: ComputeRegionOptions): Promise<OpenedRegion> {
  const { seed, terms, ...stackOptions } = options;
  const folder = mkdtempSync(join(tmpdir(), "polder-compute-"));
  const vars = { OPERATOR: operatorWallet(seed).address, CLOCK_RATE: "1", ...stackOptions.vars };
  const stack = await startStack({ stateFolder: folder, logger: () => {}, ...stackOptions, vars });
  const client = new PolderClient(stack.url);
  const operator = await openRegion(client, seed, terms);
  return { options, folder, stack, client, operator };
}

/** A region for compute, with money of its own. */
export class ComputeRegion {
  readonly folder: string;
  readonly stack: Stack;
  readonly name: string;
  readonly operator: Signer;
  client: PolderClient;
  readonly #seed: string;

  constructor({ options, folder, stack, client, operator }: OpenedRegion) {
    this.folder = folder;
    this.stack = stack;
    this.client = client;
    this.operator = operator;
    this.name = options.terms.profile.region;
    this.#seed = options.seed;
  }

  /** An account with money. */
  async funded(name: string, creditMicros: number): Promise<{ wallet: Signer; walletKey: Hex }> {
    const walletKey = derivedKey(this.#seed, `${name}/wallet`);
    const wallet = walletSigner(privateKeyToAccount(walletKey));
    const credit = {
      type: "credit_test_quote",
      account: wallet.account,
      amountMicros: creditMicros,
    } as const;
    await this.client.submit(this.name, this.operator, credit);
    return { wallet, walletKey };
  }

  /** An account with money whose session key trades compute on some sides. */
  async trader(name: string, sides: readonly Side[], creditMicros = 1_000_000_000): Promise<Trader> {
    const { wallet, walletKey } = await this.funded(name, creditMicros);
    const { account } = wallet;
    const seed = derivedKey(this.#seed, `${name}/session`);
    await this.client.submit(this.name, wallet, {
      type: "authorise_session",
      key: sessionKeyOf(seed),
      resources: ["compute"],
      sides: [...sides],
      leastAskMicrosPerKwh: 0,
      highestBidMicrosPerKwh: 0,
      dailyWh: 0,
      leastAskMicrosPerTera: 0,
      highestBidMicrosPerTera: 10_000_000,
      dailyMega: 1_000_000_000,
      spendingLimitMicros: creditMicros,
      sessionExpiresAtS: LAST_INSTANT_S,
    });
    const keyFile = join(this.folder, `${name}.key`);
    const apiKey = formatApiKey(account, seed);
    writeFileSync(keyFile, `${apiKey}\n`, { mode: 0o600 });
    const signer = sessionSigner(account, seed);
    return { account, apiKey, seed, wallet, walletKey, signer, keyFile };
  }

  upload(bytes: Uint8Array, apiKey: string): Promise<{ module: Hex }> {
    return uploadModule(this.client, this.name, apiKey, bytes);
  }

  /** Orders of an account that rest. */
  async orders(account: Hex): Promise<readonly ResourceOrder[]> {
    const path = `/v1/regions/${this.name}/accounts/${account}/resource-orders`;
    return (await this.client.get<{ orders: ResourceOrder[] }>(path)).orders;
  }

  /** How many of them there are. */
  async asksOf(account: Hex): Promise<number> {
    return (await this.orders(account)).length;
  }

  /** An account's trades that are not settled. */
  async obligations({ account }: Pick<Trader, "account">): Promise<readonly OpenObligation[]> {
    const path = `/v1/regions/${this.name}/accounts/${account}/obligations`;
    return (await this.client.get<{ obligations: OpenObligation[] }>(path)).obligations;
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
