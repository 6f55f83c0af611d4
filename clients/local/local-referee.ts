// Owns the referee of a local deployment: in a workerd of its own, which is replaced when a run takes longer than it may, because a
// looping isolate freezes the whole process. It refuses a run that overran, and more runs than may wait.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";
import { Miniflare, type MiniflareOptions, type Request, Response } from "miniflare";
import { MAX_REFEREE_WALL_SECONDS } from "../../protocol/limits.ts";
import { isolateModule } from "../../tools/build-referee.ts";
import { keptBundle } from "../../tools/kept.ts";
import { readWorkerConfig, type WorkerConfig } from "./worker-config.ts";
import { readPid, stopOnce, useShim, withoutSignalHandlers } from "./workerd-process.ts";

/** Runs that may wait for the ones before them. */
const MOST_WAITING = 16;

const IDLE_MS = 15_000;

export interface LocalRefereeOptions {
  /** Milliseconds that a run may take. */
  readonly wallMs?: number;
  /** Milliseconds after which a process that nobody asks is ended; the next run starts one. */
  readonly idleMs?: number;
  readonly logger?: (line: string, level: "info" | "error") => void;
}

/** A workerd that runs jobs. */
interface Running {
  readonly miniflare: Miniflare;
  readonly pidFile: string;
  readonly stop: () => Promise<void>;
}

/** Runs jobs one after the other: they would share one thread anyway, and so each has its time to itself. */
export class LocalReferee {
  /** Processes that were started so far. */
  starts = 0;
  readonly #wallMs: number;
  readonly #idleMs: number;
  readonly #logger: (line: string, level: "info" | "error") => void;
  #running: Running | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #idle: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: LocalRefereeOptions = {}) {
    const { wallMs = MAX_REFEREE_WALL_SECONDS * 1000, idleMs = IDLE_MS, logger = () => {} } = options;
    this.#wallMs = wallMs;
    this.#idleMs = idleMs;
    this.#logger = logger;
  }

  /** Id of the process, or null while there is none. */
  get workerdPid(): number | null {
    return this.#running === null ? null : readPid(this.#running.pidFile);
  }

  /** Hands a request of the service binding over, and answers for the referee where it cannot. */
  async fetch(request: Request): Promise<Response> {
    const body = Buffer.from(await request.arrayBuffer());
    if (this.#waiting >= MOST_WAITING) return refusal("not_run");
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#run(request.url, body));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Ends the process, and whatever it runs; one that is being started is ended as soon as it is there. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#end();
    await this.#last;
  }

  async #run(url: string, body: Buffer): Promise<Response> {
    clearTimeout(this.#idle);
    if (this.#isStopped) return refusal("not_run");
    try {
      const { miniflare } = await this.#started();
      if (this.#isStopped) throw new Error("stopped while it started");
      const answer = await this.#inTime(ask(miniflare, url, body));
      if (answer !== null) return new Response(answer.body, { status: answer.status });
      this.#logger("a run of the referee took too long; its process is replaced", "error");
      await this.#end();
      return refusal("overran");
    } catch (fault) {
      // The process died, or is stopped.
      this.#logger(`the referee ran nothing: ${String(fault)}`, "error");
      await this.#end();
      return refusal("not_run");
    } finally {
      if (this.#running !== null) this.#idle = setTimeout(() => void this.#end(), this.#idleMs);
    }
  }

  /** What came, or null when the time is over. */
  async #inTime<T>(work: Promise<T>): Promise<T | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, this.#wallMs, null);
    });
    // What comes of it later is nobody's any more.
    work.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #started(): Promise<Running> {
    this.#running ??= await this.#start();
    return this.#running;
  }

  async #start(): Promise<Running> {
    const config = await readWorkerConfig("wrangler.referee.toml");
    const script = await bundled(config.main);
    const folder = mkdtempSync(join(tmpdir(), "polder-referee-"));
    const pidFile = join(folder, "workerd.pid");
    useShim();
    const miniflare = withoutSignalHandlers(() => new Miniflare(describeRuntime(config, script, pidFile)));
    const running = { miniflare, pidFile, stop: stopOnce(miniflare, pidFile, folder) };
    this.starts += 1;
    try {
      await miniflare.ready;
      return running;
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const running = this.#running;
    this.#running = null;
    await running?.stop();
  }
}

/** A whole answer: its time counts until its last byte. */
async function ask(
  miniflare: Miniflare,
  url: string,
  body: Buffer,
): Promise<{ readonly status: number; readonly body: ArrayBuffer }> {
  const answer = await miniflare.dispatchFetch(url, { method: "POST", body });
  return { status: answer.status, body: await answer.arrayBuffer() };
}

function refusal(reason: "overran" | "not_run"): Response {
  return Response.json({ reason }, { status: REFUSED_STATUS });
}

/** The status with which a local referee says in JSON that it has no result. */
const REFUSED_STATUS = 503;

/** The Worker of wrangler.referee.toml as one module. */
async function bundled(main: string): Promise<string> {
  const isolate = await isolateModule();
  const options: BuildOptions = {
    entryPoints: [main],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*"],
    plugins: [isolateOf(isolate)],
    logLevel: "warning",
  };
  const [output] = (await keptBundle("referee", options, import.meta.filename, isolate)).files;
  if (output === undefined) throw new Error("the bundler returned no file");
  return output.text;
}

/** Stands for the file that `wrangler deploy` builds. */
function isolateOf(contents: string): Plugin {
  return {
    name: "job-isolate",
    setup(builder) {
      const filter = /^polder-job-isolate$/;
      builder.onResolve({ filter }, ({ path }) => ({ path, namespace: "built" }));
      builder.onLoad({ filter, namespace: "built" }, () => ({ contents, loader: "js" }));
    },
  };
}

function describeRuntime(
  { workerOptions }: WorkerConfig,
  contents: string,
  pidFile: string,
): MiniflareOptions {
  const { compatibilityDate, compatibilityFlags, workerLoaders } = workerOptions;
  return {
    ...(compatibilityDate === undefined ? {} : { compatibilityDate }),
    ...(compatibilityFlags === undefined ? {} : { compatibilityFlags }),
    modules: [{ type: "ESModule", path: "referee.js", contents }],
    ...(workerLoaders === undefined ? {} : { workerLoaders }),
    host: "127.0.0.1",
    port: 0,
    cf: false,
    unsafeRuntimeEnv: { POLDER_PID_FILE: pidFile, POLDER_STATE_LOCK: "" },
  };
}
