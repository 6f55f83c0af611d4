// Owns the commands about jobs: run one like a program of this machine, ask its price, look at jobs, cancel one. It refuses to
// print anything of its own to standard output while a job's output goes there; the API key comes from POLDER_API_KEY.

import { existsSync, readFileSync, statSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { parseApiKey } from "../../evidence/session-signature.ts";
import type { Hex } from "../../protocol/fields.ts";
import { DEFAULT_LIMITS } from "../../protocol/job-request.ts";
import {
  MAX_JOB_FUEL_MEGA,
  MAX_JOB_INPUT_BYTES,
  MAX_JOB_OUTPUT_BYTES,
  MAX_JOB_PATIENCE_SECONDS,
  MAX_JOB_REPLICAS,
  MAX_JOB_WALL_SECONDS,
  MAX_MEMORY_PAGES,
  MAX_MODULE_BYTES,
} from "../../protocol/limits.ts";
import { type JobAnswer, JobClient, type JobQuoteAnswer, type JobRequest } from "../sdk/jobs.ts";
import { problemText } from "../sdk/problem.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import { money, table } from "./figures.ts";
import { type Amount, amount, whole, word } from "./options.ts";

interface JsonOption {
  readonly json?: boolean;
}

interface JobOptions extends Place, JsonOption {
  readonly input?: string;
  readonly arg: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly most: Amount;
  readonly fuel: number;
  readonly memory: number;
  readonly output: number;
  readonly seconds: number;
  readonly patience: number;
  readonly webhook?: string;
}

/** Statuses of `job run` that are no exit code of the job's: it was not run; it was, and did not exit by itself. */
export const NOT_RUN = 125;
export const NOT_EXITED = 126;

const JOB = ["<job>", "its digest, 0x and 64 hex digits", word] as const;

/** Adds `job run | quote | show | list | cancel`. */
export function jobCommands(program: Command): void {
  const job = program.command("job").description("run WebAssembly jobs (key: POLDER_API_KEY)");
  const own = job
    .command("run")
    .description("have a module run; its output and exit code become this command's")
    // A wrong flag is no exit code of the job's either.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : NOT_RUN));
  withTerms(own)
    .addHelpText(
      "after",
      `\nstatus: the job's, or ${NOT_RUN} (not run), ${NOT_EXITED} (did not exit by itself)`,
    )
    .action(run);
  withTerms(job.command("quote").description("what a job would cost now")).action(quote);
  withJson(
    withPlace(
      job
        .command("show")
        .description("how a job stands")
        .argument(...JOB),
    ),
  ).action(show);
  withJson(withPlace(job.command("list").description("the account's jobs, the newest first"))).action(list);
  withJson(
    withPlace(
      job
        .command("cancel")
        .description("cancel a job that waits for providers")
        .argument(...JOB),
    ),
  ).action(cancel);
}

function withJson(command: Command): Command {
  return command.option("--json", "as JSON");
}

function withTerms(command: Command): Command {
  return withJson(withPlace(command))
    .argument("<module>", "a WASI command: a file, or the SHA-256 of one that was uploaded")
    .option("--input <file>", "standard input; - for this command's own")
    .option("--arg <text>", "an argument; repeat it for more", gather, [])
    .option("--env <NAME=value>", "a variable; repeat it for more", gatherVariable, {})
    .option("--replicas <n>", "providers that run it; most must agree", whole(1, MAX_JOB_REPLICAS), 1)
    .requiredOption("--most <amount>", "the most to pay, all replicas together, such as 0.01", amount)
    .option(
      "--fuel <megafuel>",
      "the most fuel; 10000 are about a second",
      whole(1, MAX_JOB_FUEL_MEGA),
      DEFAULT_LIMITS.fuelMega,
    )
    .option(
      "--memory <MiB>",
      "the most memory",
      whole(1, MAX_MEMORY_PAGES / 16),
      DEFAULT_LIMITS.memoryBytes / 2 ** 20,
    )
    .option("--output <bytes>", "the most output", whole(0, MAX_JOB_OUTPUT_BYTES), DEFAULT_LIMITS.outputBytes)
    .option("--seconds <n>", "the most wall time", whole(1, MAX_JOB_WALL_SECONDS), DEFAULT_LIMITS.wallSeconds)
    .option("--patience <seconds>", "wait so long for providers", whole(0, MAX_JOB_PATIENCE_SECONDS), 0)
    .option("--webhook <url>", "https address that is told of its end");
}

async function run(module: string, options: JobOptions): Promise<void> {
  // Whatever goes wrong before the job has an exit code of its own.
  process.exitCode = NOT_RUN;
  const jobs = await clientOf(options);
  const { job, exitCode, stdout, stderr } = await jobs.run(await requestOf(module, options));
  if (options.json) console.log(JSON.stringify(job));
  else {
    process.stderr.write(stderr);
    process.stdout.write(stdout);
    const { end = "", trap = null } = job.result ?? {};
    if (end !== "exited") console.error(`the job ended: ${end}${trap === null ? "" : ` (${trap})`}`);
  }
  process.exitCode = exitCode === null ? NOT_EXITED : statusOf(exitCode);
}

/** A status has eight bits; what is not zero must not become it. */
function statusOf(exitCode: number): number {
  return exitCode % 256 || (exitCode === 0 ? 0 : 1);
}

async function quote(module: string, options: JobOptions): Promise<void> {
  const jobs = await clientOf(options);
  const answer = await jobs.quote(await requestOf(module, options));
  if (options.json) console.log(JSON.stringify(answer));
  else console.log(quoteText(answer));
  if (answer.problem !== null) process.exitCode = 1;
}

function quoteText({ asks, costMicros, problem }: JobQuoteAnswer): string {
  if (problem !== null) return `would be refused: ${problemText(problem)}`;
  const rows = asks.map((ask) => [ask.seller, money(ask.priceMicrosPerTera), money(ask.costMicros)]);
  return `${table(["provider", "per terafuel", "at most"], rows)}\nat most ${money(costMicros)} together`;
}

async function show(job: Hex, options: Place & JsonOption): Promise<void> {
  print(await (await clientOf(options)).get(job), options);
}

async function cancel(job: Hex, options: Place & JsonOption): Promise<void> {
  print(await (await clientOf(options)).cancel(job), options);
}

async function list(options: Place & JsonOption): Promise<void> {
  const jobs = [];
  for await (const job of (await clientOf(options)).list()) jobs.push(job);
  if (options.json) console.log(JSON.stringify(jobs));
  else {
    const rows = jobs.map((one) => [one.job, one.status, one.replicas, money(one.mostMicros)]);
    console.log(table(["job", "status", "replicas", "at most"], rows));
  }
}

function print(job: JobAnswer, { json }: JsonOption): void {
  if (json) {
    console.log(JSON.stringify(job));
    return;
  }
  const { result, owedMicros, problem, runs } = job;
  const rows: string[][] = [
    ["job", job.job],
    ["status", job.status],
    ["module", job.module],
  ];
  if (result !== null)
    rows.push(
      ["end", `${result.end}${result.exitCode === null ? "" : ` ${result.exitCode}`}`],
      ["fuel", `${result.fuelUsed} of ${job.fuelMega} million`],
      ["output", `${result.stdoutBytes} bytes, ${result.stderrBytes} of errors, hash ${result.outputHash}`],
      ["owed", money(owedMicros ?? 0)],
    );
  if (problem !== null) rows.push(["why", problemText(problem)]);
  for (const one of runs) rows.push([`run ${one.obligation}`, `${one.provider} ${one.state}`]);
  console.log(table([], rows));
}

async function clientOf(place: Place): Promise<JobClient> {
  const token = process.env.POLDER_API_KEY;
  if (token === undefined || parseApiKey(token) === null)
    throw new Error("set POLDER_API_KEY to an API key: polder_<account><seed>");
  const { client, region } = await placeOf(place);
  return new JobClient(client, region, token);
}

async function requestOf(module: string, options: JobOptions): Promise<JobRequest> {
  const { arg, env, replicas, most, patience, webhook } = options;
  return {
    module: moduleOf(module),
    ...(options.input === undefined ? {} : { input: await inputOf(options.input) }),
    args: [...arg],
    env: { ...env },
    limits: {
      fuelMega: options.fuel,
      memoryBytes: options.memory * 2 ** 20,
      outputBytes: options.output,
      wallSeconds: options.seconds,
    },
    mostMicros: most.micros,
    replicas,
    patienceSeconds: patience,
    ...(webhook === undefined ? {} : { webhook }),
  };
}

function moduleOf(text: string): Hex | Uint8Array {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as Hex;
  if (!existsSync(text)) throw new Error(`${text} is neither a file nor a module's SHA-256`);
  if (statSync(text).size > MAX_MODULE_BYTES)
    throw new Error(`${text} is larger than a module may be (${MAX_MODULE_BYTES} bytes)`);
  return new Uint8Array(readFileSync(text));
}

async function inputOf(file: string): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  if (file !== "-" && statSync(file).isFile()) {
    if (statSync(file).size > MAX_JOB_INPUT_BYTES) throw tooLarge(file);
    return new Uint8Array(readFileSync(file));
  }
  if (file !== "-") throw new Error(`${file} is no file`);
  for await (const piece of process.stdin) {
    bytes += (piece as Buffer).length;
    if (bytes > MAX_JOB_INPUT_BYTES) throw tooLarge("standard input");
    pieces.push(piece as Buffer);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

function tooLarge(what: string): Error {
  return new Error(`${what} is larger than a job's input may be (${MAX_JOB_INPUT_BYTES} bytes)`);
}

function gather(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function gatherVariable(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("must be NAME=value");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
