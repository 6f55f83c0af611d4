// Owns the local deployment: the Workers and objects of wrangler.toml on workerd, with state on disk and the
// page beside them; refuses a taken port and a state folder that another stack holds.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { BuildOptions, Plugin } from "esbuild";
import { Log, LogLevel, Miniflare, type MiniflareOptions, type Request } from "miniflare";
import { buildWeb } from "../../tools/build-web.ts";
import { keptBundle } from "../../tools/kept.ts";
import { LocalReferee } from "./local-referee.ts";
import { readWorkerConfig, type WorkerConfig } from "./worker-config.ts";
import { readPid, stopOnce, useShim, withoutSignalHandlers } from "./workerd-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface StackOptions {
  /** Port of the API and the page; 0 (the default) takes a free one. */
  port?: number;
  /** Interface to listen on; `127.0.0.1` unless the page must be reached from elsewhere. */
  host?: string;
  /** Folder for objects and archive; without it everything is forgotten at the end. */
  stateFolder?: string;
  /** Values over those of `[vars]` in wrangler.toml, secrets too. */
  vars?: Record<string, string>;
  /** Opens the inspector of workerd on this port, for profiles. */
  inspectorPort?: number;
  /** Receives each line that the Workers log or workerd complains about; the console by default. */
  logger?: (line: string, level: "info" | "error") => void;
  /** Another Worker than wrangler.toml's `main`, with the same exported classes. */
  entryFile?: string;
}

export interface Stack {
  /** Base address without a closing slash. */
  url: string;
  port: number;
  workerdPid: number;
  /** Ends workerd and waits for it, at most two seconds; calling it again is harmless. */
  stop(): Promise<void>;
}

/** Thrown when the stack cannot start for a reason that the person at the keyboard can remove. */
export class StackError extends Error {
  override name = "StackError";
}

/**
 * Starts the deployment of wrangler.toml on this machine and answers once it serves.
 *
 * Requests reach the Worker through a direct socket (some five times the throughput of Miniflare's own
 * port), so `request.cf` is null. workerd dies with this process, also when that is killed; when workerd
 * itself dies it is started again on the same port.
 *
 * @throws StackError when the port is taken or the state folder belongs to another running stack.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { port = 0, host = "127.0.0.1", logger = logToConsole } = options;
  await requireFreePort(port, host);
  const config = await readWorkerConfig("wrangler.toml");
  const entryFile = options.entryFile ?? config.main;
  if (options.stateFolder !== undefined) mkdirSync(options.stateFolder, { recursive: true });

  const [script] = await Promise.all([bundleWorker(entryFile, workerFirst(config.assets)), buildWeb()]);
  const runFolder = mkdtempSync(join(tmpdir(), "polder-run-"));
  const pidFile = join(runFolder, "workerd.pid");
  useShim();
  const referee = new LocalReferee({ logger });
  const runtime = describeRuntime({ ...options, logger, port, host }, config, script, pidFile, referee);
  const miniflare = withoutSignalHandlers(() => new Miniflare(runtime));
  const stopWorkers = stopOnce(miniflare, pidFile, runFolder);
  const stop = async () => {
    await Promise.all([stopWorkers(), referee.stop()]);
  };
  try {
    await miniflare.ready;
    const direct = await miniflare.unsafeGetDirectURL(config.name, DIRECT_ENTRYPOINT);
    return {
      url: direct.origin,
      port: Number(direct.port),
      get workerdPid() {
        return readPid(pidFile);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw explain(error, options);
  }
}

/** The named entrypoint that the direct socket leads to; see `bundleWorker`. */
const DIRECT_ENTRYPOINT = "LocalFront";

type RuntimeOptions = StackOptions & Required<Pick<StackOptions, "port" | "host" | "logger">>;

/** Miniflare's options: the bindings of wrangler.toml, the direct socket, and where state is kept. */
function describeRuntime(
  options: RuntimeOptions,
  { workerOptions, externalWorkers }: WorkerConfig,
  script: string,
  pidFile: string,
  referee: LocalReferee,
): MiniflareOptions {
  const { stateFolder, logger } = options;
  const receiptSeed = { RECEIPT_SEED: keepReceiptSeed(stateFolder) };
  const { modulesRules: _rules, ...bindings } = workerOptions;
  return {
    workers: [
      {
        ...bindings,
        name: "polder",
        modules: [{ type: "ESModule", path: "polder.js", contents: script }],
        bindings: { ...receiptSeed, ...workerOptions.bindings, ...options.vars },
        serviceBindings: {
          ...workerOptions.serviceBindings,
          REFEREE: (request: Request) => referee.fetch(request),
        },
        unsafeDirectSockets: [{ host: options.host, port: options.port, entrypoint: DIRECT_ENTRYPOINT }],
      },
      ...externalWorkers,
    ],
    // Nothing but the direct socket is for the outside; Miniflare insists on a port of its own.
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new LineLog(logger),
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      createInterface(stdout).on("line", (line) => logger(line, "info"));
      createInterface(stderr).on("line", (line) => {
        if (!HARMLESS.test(line)) logger(line, "error");
      });
    },
    unsafeRuntimeEnv: {
      POLDER_PID_FILE: pidFile,
      POLDER_STATE_LOCK: stateFolder === undefined ? "" : join(resolve(stateFolder), "stack.lock"),
    },
    ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
    ...(stateFolder === undefined ? {} : { defaultPersistRoot: resolve(stateFolder) }),
  };
}

/** workerd says so whenever an alarm is set anew while the old one is firing, which is what a region does, or fires late. */
const HARMLESS = /NOSENTRY SQLite alarm (handler canceled|overdue)/;

/** Miniflare's own complaints, handed to the same logger as the Workers' lines. */
class LineLog extends Log {
  #logger: RuntimeOptions["logger"];
  constructor(logger: RuntimeOptions["logger"]) {
    super(LogLevel.ERROR);
    this.#logger = logger;
  }
  override log(message: string): void {
    this.#logger(message, "error");
  }
}

function logToConsole(line: string, level: "info" | "error"): void {
  if (level === "error") console.error(line);
  else console.log(line);
}

/** The seed that signs receipts: made once per state folder, since clients remember its public key. */
function keepReceiptSeed(stateFolder: string | undefined): string {
  const fresh = randomBytes(32).toString("hex");
  if (stateFolder === undefined) return fresh;
  const file = join(stateFolder, "receipt-seed");
  if (!existsSync(file)) writeFileSync(file, fresh, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

/** The paths that go to the Worker without a look at the assets: prefixes end with a star. */
function workerFirst(assets: { run_worker_first?: string[] | boolean } | undefined): string[] {
  const rule = assets?.run_worker_first;
  if (Array.isArray(rule)) return rule.filter((path) => !path.startsWith("!"));
  return rule === true ? ["/*"] : [];
}

/**
 * One ES module of the Worker and a named entrypoint that does what the platform's router does (Worker
 * first on some paths, else the asset, else the Worker). A direct socket to the default entrypoint would
 * pass through Miniflare's proxy and router Workers, three isolates for every request.
 */
async function bundleWorker(entryFile: string, first: string[]): Promise<string> {
  const exact = first.filter((path) => !path.endsWith("*"));
  const prefixes = first.filter((path) => path.endsWith("*")).map((path) => path.slice(0, -1));
  const entry = JSON.stringify(resolve(ROOT, entryFile));
  const contents = `
    import worker from ${entry};
    export * from ${entry};
    export { default } from ${entry};
    const exact = new Set(${JSON.stringify(exact)});
    const prefixes = ${JSON.stringify(prefixes)};
    export const ${DIRECT_ENTRYPOINT} = {
      async fetch(request, env, ctx) {
        const { pathname } = new URL(request.url);
        const reads = request.method === "GET" || request.method === "HEAD";
        if (reads && !exact.has(pathname) && !prefixes.some((prefix) => pathname.startsWith(prefix))) {
          const asset = await env.ASSETS.fetch(request);
          if (asset.status !== 404) return asset;
        }
        return worker.fetch(request, env, ctx);
      },
    };`;
  const options: BuildOptions = {
    stdin: { contents, resolveDir: ROOT, sourcefile: "local-front.js" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["cloudflare:*"],
    plugins: [nodeBuiltins],
    define: { "process.env.NODE_ENV": '"production"' },
    keepNames: true,
    logLevel: "warning",
  };
  const [output] = (await keptBundle("worker", options, import.meta.filename)).files;
  if (output === undefined) throw new Error("the bundler returned no file");
  return output.text;
}

/** Leaves Node's modules to workerd (`nodejs_compat`), also when a CommonJS package requires them. */
const nodeBuiltins: Plugin = {
  name: "node-builtins",
  setup(builder) {
    const names = builtinModules.filter((name) => !name.startsWith("_") && !name.startsWith("node:"));
    const filter = new RegExp(`^(node:.+|${names.join("|")})$`);
    builder.onResolve({ filter }, ({ path, kind }) => {
      const name = path.startsWith("node:") ? path : `node:${path}`;
      return kind === "require-call" ? { path: name, namespace: "required" } : { path: name, external: true };
    });
    builder.onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
      contents: `import whole from ${JSON.stringify(path)}; module.exports = whole;`,
    }));
  },
};

/** workerd tells of a taken port only after half a second of start-up, so ask the system first. */
function requireFreePort(port: number, host: string): Promise<void> {
  if (port === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        new StackError(taken ? portTaken(port) : `port ${port} on ${host} cannot be used: ${error.message}`),
      );
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve()));
  });
}

const portTaken = (port: number) => `port ${port} is in use; stop what listens there or choose another port`;

/** The reason in words a person can act on, where there is one. */
function explain(error: unknown, { port = 0, stateFolder }: StackOptions): unknown {
  const text = String(error);
  if (text.includes("state folder is in use")) {
    return new StackError(`the state folder ${stateFolder} is in use by another running stack`);
  }
  return text.includes("Address already in use") ? new StackError(portTaken(port)) : error;
}
