// Owns a local chain's process: anvil on loopback, which dies with its launcher. It refuses a state folder whose chain still
// runs, and to make a block by itself: its time is the market's.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { StackError } from "./stack.ts";
import { SHIM } from "./workerd-process.ts";

const ANVIL = resolve(import.meta.dirname, "../../node_modules/.bin/anvil");
const STOP_LIMIT_MS = 2_000;

/** False where npm has no anvil for this machine. */
export const hasAnvil = (): boolean => process.platform !== "win32" && existsSync(ANVIL);

/** How a chain is started. */
export interface ChainProcessOptions {
  /** The lock is here: one chain a folder. */
  readonly folder: string;
  /** A free one where it is 0 or taken. */
  readonly port: number;
  /** Time of the first block of a new chain. Unix seconds. */
  readonly beginsAtS: number;
  /** What anvil_dumpState answered, unpacked, in a file; a new chain without it. */
  readonly stateFile?: string;
}

/** A chain that runs. */
export interface ChainProcess {
  /** Its RPC, without a closing slash. */
  readonly url: string;
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a chain. @throws StackError where there is none for this machine, or the folder's still runs */
export async function startChainProcess(options: ChainProcessOptions): Promise<ChainProcess> {
  if (!hasAnvil())
    throw new StackError("there is no local chain for this machine: start with --no-chain, on test money");
  try {
    return await startOn(options.port, options);
  } catch (error) {
    if (options.port === 0 || !isPortTaken(error)) throw error;
    return startOn(0, options);
  }
}

async function startOn(port: number, options: ChainProcessOptions): Promise<ChainProcess> {
  const { folder, beginsAtS, stateFile } = options;
  const args = [
    ...["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(LOCAL_CHAIN_ID)],
    // Final after two more blocks, and no accounts whose keys everybody has.
    ...["--no-mining", "--slots-in-an-epoch", "1", "--accounts", "0"],
    ...["--timestamp", String(beginsAtS)],
    ...(stateFile === undefined ? [] : ["--load-state", stateFile]),
  ];
  const child = spawn(SHIM, args, {
    stdio: ["ignore", "pipe", "pipe"],
    // A signal to the terminal's whole group is the launcher's to handle: it keeps the state first.
    detached: true,
    env: {
      ...process.env,
      POLDER_PROGRAM: ANVIL,
      POLDER_STATE_LOCK: join(folder, "chain.lock"),
      POLDER_PID_FILE: "",
    },
  });
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  const url = await addressOf(child, folder);
  return { url, ended, stop: () => stopChild(child, ended) };
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  await ended;
  clearTimeout(late);
}

/** What anvil says it listens on. @throws StackError with what it said instead */
function addressOf(child: ChildProcess, folder: string): Promise<string> {
  return new Promise((done, fail) => {
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        // Once it listens it logs every call, for nobody.
        if (printed.length < 10_000) printed += text;
        const address = /Listening on (\S+)/.exec(printed)?.[1];
        if (address !== undefined) done(`http://${address}`);
      });
    child.once("error", fail);
    child.once("close", () => {
      const isHeld = printed.includes("in use by another running stack");
      fail(
        new StackError(
          isHeld ? `the chain of ${folder} still runs` : `the local chain did not start: ${printed.trim()}`,
        ),
      );
    });
  });
}

function isPortTaken(error: unknown): boolean {
  return error instanceof StackError && /address already in use/i.test(error.message);
}
