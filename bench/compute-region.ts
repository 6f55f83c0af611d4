// Owns a region for measuring compute on a local deployment: accounts whose session keys trade it, modules, nodes as processes. It
// refuses to outlive its measurement: whoever opens one stops it.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { privateKeyToAccount } from "viem/accounts";
import { derivedKey, openRegion, operatorWallet, type RegionTerms } from "../clients/local/neighbourhood.ts";
import { type Stack, type StackOptions, startStack } from "../clients/local/stack.ts";
import { PolderClient } from "../clients/sdk/client.ts";
import { uploadModule } from "../clients/sdk/modules.ts";
import { type Signer, sessionSigner, walletSigner } from "../clients/sdk/signer.ts";
import { formatApiKey, sessionKeyOf } from "../evidence/session-signature.ts";
import type { OpenObligation } from "../protocol/answers.ts";
import type { Hex, Side } from "../protocol/fields.ts";
import { PARAMETERS } from "./fleet.ts";

export const COMPUTE_REGION = "polder-compute";
const SEED = "compute measured";
const CLI = join(import.meta.dirname, "../clients/cli/main.ts");

const TERMS: RegionTerms = {
  profile: {
    region: COMPUTE_REGION,
    name: "Polder of machines",
    place: "Flevoland",
    latitude: 52.5,
    longitude: 5.5,
    timeZone: "Europe/Amsterdam",
    jurisdiction: "none",
    terms: "Test money.",
    currency: "EUR",
    tariffs: [{ name: "flat", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 80_000 }],
    isSimulation: true,
  },
  windowSlots: 4,
  epochSlots: 8,
  parameters: PARAMETERS,
};

/** Somebody with a session key for compute. */
export interface Trader {
  readonly account: Hex;
  readonly apiKey: string;
  readonly seed: Hex;
  readonly signer: Signer;
  /** A file that holds the API key, for its owner alone. */
  readonly keyFile: string;
}

/** A region for compute, with money of its own. */
export class ComputeRegion {
  readonly folder: string;
  readonly client: PolderClient;
  readonly stack: Stack;
  readonly #operator: Signer;
  readonly #nodes: ChildProcess[] = [];

  private constructor(folder: string, stack: Stack, client: PolderClient, operator: Signer) {
    this.folder = folder;
    this.stack = stack;
    this.client = client;
    this.#operator = operator;
  }

  /** Starts a deployment with the region on it; market time is wall time. */
  static async open(options: StackOptions = {}): Promise<ComputeRegion> {
    const folder = mkdtempSync(join(tmpdir(), "polder-compute-"));
    const vars = { OPERATOR: operatorWallet(SEED).address, CLOCK_RATE: "1" };
    const stack = await startStack({ stateFolder: folder, logger: () => {}, vars, ...options });
    const client = new PolderClient(stack.url);
    const operator = await openRegion(client, SEED, TERMS);
    return new ComputeRegion(folder, stack, client, operator);
  }

  /** An account with money whose session key trades compute on some sides. */
  async trader(name: string, sides: readonly Side[], creditMicros = 1_000_000_000): Promise<Trader> {
    const wallet = privateKeyToAccount(derivedKey(SEED, `${name}/wallet`));
    const account = wallet.address.toLowerCase() as Hex;
    const seed = derivedKey(SEED, `${name}/session`);
    const credit = { type: "credit_test_quote", account, amountMicros: creditMicros } as const;
    await this.client.submit(COMPUTE_REGION, this.#operator, credit);
    await this.client.submit(COMPUTE_REGION, walletSigner(wallet), {
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
      sessionExpiresAtS: (await this.client.marketTimeS()) + 86_400,
    });
    const keyFile = join(this.folder, `${name}.key`);
    const apiKey = formatApiKey(account, seed);
    writeFileSync(keyFile, `${apiKey}\n`, { mode: 0o600 });
    return { account, apiKey, seed, signer: sessionSigner(account, seed), keyFile };
  }

  upload(bytes: Uint8Array, apiKey: string): Promise<{ module: Hex }> {
    return uploadModule(this.client, COMPUTE_REGION, apiKey, bytes);
  }

  /** Starts a seller's node as a process and waits for its asks. @throws Error where it has none within half a minute */
  async node(seller: Trader, ...more: readonly string[]): Promise<ChildProcess> {
    const args = [
      ...["provider", "start", "--url", this.stack.url, "--region", COMPUTE_REGION, "--price", "0.2"],
      ...["--key-file", seller.keyFile, "--cores", "1", "--modules", join(this.folder, "modules"), ...more],
    ];
    const node = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "ignore", "inherit"] });
    this.#nodes.push(node);
    for (let tries = 0; tries < 300; tries += 1) {
      if ((await this.asksOf(seller.account)) > 0) return node;
      await sleep(100);
    }
    throw new Error("a node did not come to sell");
  }

  /** Orders of an account that rest. */
  async asksOf(account: Hex): Promise<number> {
    const path = `/v1/regions/${COMPUTE_REGION}/accounts/${account}/resource-orders`;
    return (await this.client.get<{ orders: readonly unknown[] }>(path)).orders.length;
  }

  /** Buys a lease of an hour from whoever asks least; the number of its obligation. */
  async lease(buyer: Trader, quantityMega: number): Promise<number> {
    await this.client.submit(COMPUTE_REGION, buyer.signer, {
      type: "place_resource_order",
      product: "compute-lease-hour",
      side: "buy",
      quantityMega,
      priceMicrosPerTera: 200_000,
      timeInForce: "fill_or_kill",
      goodTillS: 0,
    });
    const all = await this.obligations(buyer);
    return Math.max(...all.map(({ obligationId }) => obligationId));
  }

  /** An account's trades that are not settled. */
  async obligations({ account }: Trader): Promise<readonly OpenObligation[]> {
    const path = `/v1/regions/${COMPUTE_REGION}/accounts/${account}/obligations`;
    return (await this.client.get<{ obligations: OpenObligation[] }>(path)).obligations;
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) node.kill("SIGKILL");
    await this.stack.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
