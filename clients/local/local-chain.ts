// Owns the local deployment's chain: blocks at market time, and a state on disk that is never behind what a region was told
// is final. It refuses to make a block before the one before it is written down.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type CustomTransport, createTestClient, custom, type Hex, http, type TestClient } from "viem";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { type ChainConnection, openChain } from "../chain/chain-connection.ts";
import { writeWhole } from "../household/whole-file.ts";
import { type ChainProcess, startChainProcess } from "./chain-process.ts";
import { StackError } from "./stack.ts";

/** How often a block is wished for. Wall time. */
const TICK_MS = 1_000;
/** Without transactions, ticks between two blocks: they only carry the time, and each one makes the state larger. */
const IDLE_TICKS = 5;
/** Blocks on top of one until it is final. */
const FINALITY_BLOCKS = 2;
const STATE = "chain-state.gz";
const BEGINNING = "chain-begins-at";
/** Half an ether's fees are more than a household ever needs here. */
const FUNDED_WEI = 10n ** 20n;

export interface LocalChainOptions {
  readonly folder: string;
  /** A free one where it is 0 or taken. */
  readonly port: number;
  /** What the market's clock shows. Unix seconds. */
  readonly marketS: () => number;
  /** Told of what goes wrong in the background. */
  readonly report: (message: string) => void;
}

/** A chain that runs. */
export interface LocalChain {
  /** Its RPC. */
  readonly url: string;
  /** A way to it whose transactions are in a block as soon as they are sent. */
  readonly connection: ChainConnection;
  /** Gives wallets ether for fees. */
  fund(accounts: readonly Hex[]): Promise<void>;
  /** Makes what was sent final at once, for whoever must not wait. */
  finalise(): Promise<void>;
  /** From now on the chain follows another clock. */
  follow(marketS: () => number): void;
  stop(): Promise<void>;
}

/** Starts the chain of a folder, where it stood. @throws StackError where it cannot */
export async function startLocalChain(options: LocalChainOptions): Promise<LocalChain> {
  const { folder, port, marketS } = options;
  mkdirSync(folder, { recursive: true });
  const state = readState(folder);
  const unpacked = join(folder, "chain-state.json");
  if (state !== null) writeFileSync(unpacked, state, { mode: 0o600 });
  const started = await startChainProcess({
    folder,
    port,
    beginsAtS: keepBeginning(folder, marketS()),
    ...(state === null ? {} : { stateFile: unpacked }),
  }).finally(() => rmSync(unpacked, { force: true }));
  const miner = new Miner(started, options);
  const connection = await openChain(started.url, LOCAL_CHAIN_ID, miner.transport());
  await miner.begin();
  return {
    url: started.url,
    connection,
    fund: (accounts) => miner.fund(accounts),
    finalise: () => miner.mine(FINALITY_BLOCKS),
    follow: (clock) => miner.follow(clock),
    stop: () => miner.stop(),
  };
}

/** When the folder's chain began: its first block has that time, and another hash at any other. Unix seconds. */
function keepBeginning(folder: string, nowS: number): number {
  const file = join(folder, BEGINNING);
  if (!existsSync(file)) writeWhole(file, Buffer.from(`${nowS}\n`));
  return Number(readFileSync(file, "utf8"));
}

/** What anvil_dumpState answered, unpacked, or null for a new chain. @throws StackError for a broken file */
function readState(folder: string): Buffer | null {
  const file = join(folder, STATE);
  if (!existsSync(file)) return null;
  try {
    return gunzipSync(readFileSync(file));
  } catch (cause) {
    throw new StackError(`${file} is not a chain's state`, { cause });
  }
}

/** Makes the blocks of one chain, one after the other. */
class Miner {
  readonly #process: ChainProcess;
  readonly #options: LocalChainOptions;
  readonly #client: TestClient;
  #marketS: () => number;
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #idleTicks = 0;
  /** Blocks that are still to be made so that the last transaction is final. */
  #owed = FINALITY_BLOCKS;

  constructor(process: ChainProcess, options: LocalChainOptions) {
    this.#process = process;
    this.#options = options;
    this.#marketS = options.marketS;
    this.#client = createTestClient({ mode: "anvil", transport: http(process.url) });
  }

  async begin(): Promise<void> {
    await this.mine(1);
    void this.#process.ended.then(() => {
      clearTimeout(this.#timer);
      if (!this.#isStopping) this.#options.report("the local chain has ended: stop, and start again");
    });
    this.#later();
  }

  follow(marketS: () => number): void {
    this.#marketS = marketS;
  }

  async fund(accounts: readonly Hex[]): Promise<void> {
    await this.#alone(async () => {
      for (const address of accounts) await this.#client.setBalance({ address, value: FUNDED_WEI });
    });
    await this.mine(1);
  }

  /** Makes blocks. When it returns they are on disk, and each was before the next one was made. */
  mine(blocks: number): Promise<void> {
    return this.#alone(async () => {
      for (let made = 0; made < blocks; made += 1) await this.#mineOne();
    });
  }

  /** Sends everything on, and follows a transaction with its block. */
  transport(): CustomTransport {
    const send = async ({ method, params }: { method: string; params?: unknown }): Promise<unknown> => {
      const answer = await this.#client.request({ method, params } as never);
      if (method === "eth_sendRawTransaction") {
        await this.mine(1);
        this.#owed = FINALITY_BLOCKS;
      }
      return answer;
    };
    return custom({ request: send }, { retryCount: 0 });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#last.catch(() => {});
    await this.#process.stop();
  }

  async #mineOne(): Promise<void> {
    const latest = await this.#client.request({
      method: "eth_getBlockByNumber",
      params: ["latest", false],
    } as never);
    const lastS = Number((latest as { timestamp: Hex }).timestamp);
    // After a kill the clock may stand a moment before the last block.
    const timestamp = BigInt(Math.max(this.#marketS(), lastS + 1));
    await this.#client.setNextBlockTimestamp({ timestamp });
    await this.#client.mine({ blocks: 1 });
    const state = (await this.#client.request({ method: "anvil_dumpState", params: [] } as never)) as Hex;
    writeWhole(join(this.#options.folder, STATE), Buffer.from(state.slice(2), "hex"));
  }

  #later(): void {
    if (this.#isStopping) return;
    this.#timer = setTimeout(() => void this.#tick().finally(() => this.#later()), TICK_MS);
  }

  async #tick(): Promise<void> {
    try {
      const { pending } = await this.#client.getTxpoolStatus();
      this.#idleTicks += 1;
      if (pending > 0) this.#owed = FINALITY_BLOCKS + 1;
      if (this.#owed === 0 && this.#idleTicks < IDLE_TICKS) return;
      await this.mine(1);
      this.#owed = Math.max(0, this.#owed - 1);
      this.#idleTicks = 0;
    } catch (error) {
      if (!this.#isStopping) this.#options.report(`the local chain: ${String(error)}`);
    }
  }

  /** One at a time: two blocks at once would share a timestamp, and a state be written by halves. */
  #alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#last.catch(() => {}).then(act);
    this.#last = done;
    return done;
  }
}
