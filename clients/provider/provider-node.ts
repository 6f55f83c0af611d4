// Owns a provider's node: its connection, its threads, its modules, its runs and its asks, put together. It refuses to run more
// than it has room for, and to sell while nobody could run what is sold.

import type { Job, JobResult } from "../../compute/host/job.ts";
import type { ApiKey } from "../../evidence/session-signature.ts";
import { marketTimeS } from "../../protocol/clock.ts";
import type { JobDescription } from "../../protocol/jobs.ts";
import type { ObjectFrame, Parts } from "../../protocol/provider-frames.ts";
import type { PolderClient } from "../sdk/client.ts";
import { readModule } from "../sdk/modules.ts";
import { sessionSigner } from "../sdk/signer.ts";
import { AskKeeper, type Offer } from "./ask-keeper.ts";
import { JobPool } from "./job-pool.ts";
import { ModuleCache } from "./module-cache.ts";
import { NodeConnection } from "./node-connection.ts";
import { NodeKey } from "./node-key.ts";
import { NodeLeases } from "./node-leases.ts";
import { NodeRuns } from "./node-runs.ts";
import { RegionSales } from "./sold-work.ts";

/** How often a node looks at its asks when nothing happens. Milliseconds. */
const KEEP_EVERY_MS = 10_000;

export interface ProviderOptions {
  readonly client: PolderClient;
  readonly region: string;
  /** The session key that sells for the account. */
  readonly key: ApiKey;
  readonly offers: readonly Offer[];
  /** Threads, each running one job at a time. */
  readonly cores: number;
  /** Runs taken at once; those beyond the threads wait. As many as threads unless it is said. */
  readonly room?: number;
  /** Where rewritten modules are kept. */
  readonly folder: string;
  readonly report?: (line: string) => void;
}

/** A running node. */
export class ProviderNode {
  readonly #keeper: AskKeeper;
  readonly #pool: JobPool;
  readonly #modules: ModuleCache;
  readonly #runs: NodeRuns;
  readonly #leases: NodeLeases;
  readonly #connection: NodeConnection;
  readonly #report: (line: string) => void;
  readonly #ended: Promise<string>;
  #timer: NodeJS.Timeout | null = null;

  private constructor(options: ProviderOptions, key: NodeKey, rate: number) {
    const { client, cores, folder, offers, report = () => {} } = options;
    const room = options.room ?? cores;
    this.#report = report;
    this.#pool = new JobPool(cores);
    this.#modules = new ModuleCache(folder, (module) => readModule(client, module));
    const sold = new RegionSales(client, options.region, key.identity.account);
    this.#runs = new NodeRuns({
      key,
      sold,
      room,
      run: (description, job) => this.#run(description, job),
      send: (frame, parts) => this.#connection.send(frame, parts),
      changed: () => void this.#keeper.keep(),
      report,
    });
    this.#leases = new NodeLeases({
      key,
      sold,
      run: (description, job) => this.#run(description, job),
      send: (frame, parts) => this.#connection.send(frame, parts),
      report,
    });
    let ended: (why: string) => void = () => {};
    this.#ended = new Promise((resolve) => {
      ended = resolve;
    });
    this.#connection = new NodeConnection({
      url: client.url,
      key,
      room,
      holds: () => this.#runs.holds(),
      welcomed: () => this.#welcomed(),
      heard: (frame, parts) => this.#heard(frame, parts),
      broken: (why) => report(`the connection broke (${why}); connecting again`),
      ended,
    });
    this.#keeper = new AskKeeper({
      client,
      signer: sessionSigner(key.identity.account, key.identity.seed),
      key,
      offers,
      rate,
      isOpen: () => this.#connection.isWelcome && this.#runs.hasRoom,
      leaveWill: (cancels) => this.#connection.send({ type: "will", cancels: [...cancels] }),
      report,
    });
  }

  /** Starts a node. @throws PolderProblem, TransportFault where the deployment cannot be asked */
  static async start(options: ProviderOptions): Promise<ProviderNode> {
    const { clock, chainId, settlement } = await options.client.deployment();
    const { account, seed } = options.key;
    const key = new NodeKey({
      account,
      seed,
      region: options.region,
      domain: { chainId, settlement },
      atS: () => marketTimeS(clock, Date.now()),
    });
    const node = new ProviderNode(options, key, clock.rate);
    node.#connection.open();
    node.#timer = setInterval(() => void node.#keeper.keep(), KEEP_EVERY_MS);
    return node;
  }

  /** Resolves when the object will not have this node any more: with why. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  get isConnected(): boolean {
    return this.#connection.isWelcome;
  }

  /** Takes the asks out of the book, waits for what is running, and ends. */
  async stop(waitMs = 10_000): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#keeper.withdraw().catch((error) => this.#report(`asks stay in the book: ${error}`));
    for (const endMs = Date.now() + waitMs; this.#runs.holds().length > 0 && Date.now() < endMs; )
      await new Promise((resolve) => setTimeout(resolve, 50));
    await this.kill();
  }

  /** Ends at once; what runs is given to the next node of the account. */
  async kill(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#connection.close();
    await this.#pool.close();
  }

  #welcomed(): void {
    this.#report("connected");
    this.#keeper.forgetWill();
    this.#leases.connected();
    this.#runs.sayAll();
    void this.#keeper.keep();
  }

  #heard(frame: ObjectFrame, parts: Parts): void {
    switch (frame.type) {
      case "run":
        this.#runs.take(frame, parts);
        return;
      case "reveal":
        this.#runs.reveal(frame.obligationId);
        return;
      case "over":
        this.#runs.over(frame.obligationId);
        return;
      case "lease_job":
        this.#leases.prepare(frame);
        return;
      case "lease_run":
        this.#leases.run(frame, parts);
        return;
      case "lease_voucher":
        this.#leases.voucher(frame);
        return;
      case "withdrawn":
        this.#keeper.forgetWill();
        void this.#keeper.keep();
        return;
    }
  }

  async #run(description: JobDescription, job: Job): Promise<JobResult> {
    const module = await this.#modules.get(description.module);
    return this.#pool.run(description.module, module, job, description.limits.wallSeconds * 1_000);
  }
}
