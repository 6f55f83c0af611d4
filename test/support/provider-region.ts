// Owns a region on a real local deployment with accounts that may sell and buy compute, and a way to hand runs to a provider's
// object as a desk does. It refuses to outlive its test: whoever starts one stops it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "@noble/hashes/sha2.js";
import { privateKeyToAccount } from "viem/accounts";
import { derivedKey, openRegion, operatorWallet } from "../../clients/local/neighbourhood.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { moduleNameOf, uploadModule } from "../../clients/sdk/modules.ts";
import { type Signer, sessionSigner, walletSigner } from "../../clients/sdk/signer.ts";
import type { DispatchAnswer, RunOrder } from "../../durable-objects/job-calls.ts";
import { hexOf } from "../../evidence/bytes.ts";
import { formatApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Hex, Side } from "../../protocol/fields.ts";
import { type JobDescription, jobDigestOf } from "../../protocol/jobs.ts";
import { REGION, SEED, termsOf } from "./client-region.ts";

const ENTRY = join(import.meta.dirname, "../durable-objects/provider-worker.ts");

/** Somebody with a session key for compute. */
export interface Trader {
  readonly account: Hex;
  readonly apiKey: string;
  readonly seed: Hex;
  readonly wallet: Signer;
  readonly signer: Signer;
  /** A file that holds the API key, for its owner alone. */
  readonly keyFile: string;
}

/** What a desk was told, as JSON has it. */
export interface ToldRun {
  readonly obligationId: number;
  readonly outcome?: {
    readonly kind: string;
    readonly reason?: string;
    readonly end?: string;
    readonly exitCode?: number | null;
    readonly fuelUsed?: number;
    readonly entry?: number | null;
    readonly stdout?: { readonly bytes: number[] };
  };
  readonly commitment?: Hex;
}

/** A region for compute. */
export class ProviderRegion {
  readonly folder: string;
  client: PolderClient;
  stack: Stack;
  readonly #operator: Signer;

  private constructor(folder: string, stack: Stack, client: PolderClient, operator: Signer) {
    this.folder = folder;
    this.stack = stack;
    this.client = client;
    this.#operator = operator;
  }

  /** @param hasDesks runs' ends are told to the accounts' real desks, not written down for the test. */
  static async open({ hasDesks = false } = {}): Promise<ProviderRegion> {
    const folder = mkdtempSync(join(tmpdir(), "polder-provider-"));
    const stack = await startStack({ ...optionsOf(folder), ...(hasDesks ? {} : { entryFile: ENTRY }) });
    const client = new PolderClient(stack.url);
    const operator = await openRegion(client, SEED, termsOf());
    return new ProviderRegion(folder, stack, client, operator);
  }

  /** An account with money whose session key trades compute on some sides. */
  async trader(name: string, sides: readonly Side[], creditMicros = 1_000_000_000): Promise<Trader> {
    const walletAccount = privateKeyToAccount(derivedKey(SEED, `${name}/wallet`));
    const account = walletAccount.address.toLowerCase() as Hex;
    const seed = derivedKey(SEED, `${name}/session`);
    const wallet = walletSigner(walletAccount);
    await this.client.submit(REGION, this.#operator, {
      type: "credit_test_quote",
      account,
      amountMicros: creditMicros,
    });
    await this.client.submit(REGION, wallet, {
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
    return { account, apiKey, seed, wallet, signer: sessionSigner(account, seed), keyFile };
  }

  upload(bytes: Uint8Array, apiKey: string): Promise<{ module: Hex }> {
    return uploadModule(this.client, REGION, apiKey, bytes);
  }

  /** A run for an obligation's number, of a module. */
  async order(
    obligationId: number,
    module: Uint8Array,
    more: {
      readonly input?: Uint8Array;
      readonly args?: string[];
      readonly wallSeconds?: number;
      readonly fuelMega?: number;
      readonly commitFirst?: boolean;
    } = {},
  ): Promise<RunOrder> {
    const {
      input = new Uint8Array(0),
      args = [],
      wallSeconds = 10,
      fuelMega = 1_000,
      commitFirst = false,
    } = more;
    const description: JobDescription = {
      module: moduleNameOf(module),
      args,
      env: {},
      inputHash: hexOf(sha256(input)),
      limits: { fuelMega, memoryBytes: 16_777_216, outputBytes: 1_000_000, wallSeconds },
      startS: 1_767_225_600,
      salt: `0x${obligationId.toString(16).padStart(64, "0")}`,
    };
    return {
      region: REGION,
      obligationId,
      jobDigest: jobDigestOf(description),
      desk: "a desk",
      description,
      input,
      commitFirst,
      deadlineS: (await this.client.marketTimeS()) + 3_600,
      fuelMega,
      priceMicrosPerTera: 200_000,
      buyer: `0x${"0b".repeat(20)}`,
    };
  }

  dispatch(seller: Hex, order: RunOrder): Promise<DispatchAnswer> {
    const argument = { ...order, input: { bytes: [...order.input] } };
    return this.#call(seller, "dispatch", argument);
  }

  reveal(seller: Hex, obligationId: number): Promise<unknown> {
    return this.#call(seller, "reveal", obligationId);
  }

  isConnected(seller: Hex): Promise<boolean> {
    return this.#call(seller, "isConnected");
  }

  async told(seller: Hex): Promise<ToldRun[]> {
    return (await this.#call<string[]>(seller, "told")).map((text) => JSON.parse(text) as ToldRun);
  }

  /** Orders of an account that rest. */
  async asksOf(account: Hex): Promise<number> {
    const path = `/v1/regions/${REGION}/accounts/${account}/resource-orders`;
    return (await this.client.get<{ orders: readonly unknown[] }>(path)).orders.length;
  }

  /** Kills workerd; Miniflare starts it anew on the same port, from what is on disk. */
  killObjects(): void {
    process.kill(this.stack.workerdPid, "SIGKILL");
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #call<T>(seller: Hex, call: string, argument?: unknown): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const response = await fetch(`${this.stack.url}/v1/provider-calls`, {
        method: "POST",
        body: JSON.stringify({ name: `${REGION}/${seller}`, call, argument }),
      }).catch(() => null);
      if (response?.ok) return (await response.json()) as T;
      // Killed objects are back within seconds, and every call may be made twice.
      if (tries > 50) throw new Error(`no answer to ${call}: ${await response?.text()}`);
      await sleep(100);
    }
  }
}

function optionsOf(stateFolder: string) {
  const vars = {
    OPERATOR: operatorWallet(SEED).address,
    CLOCK_ORIGIN: "2026-01-01T00:00:00.000Z",
    CLOCK_RATE: "1",
  };
  return { stateFolder, logger: () => {}, vars };
}
