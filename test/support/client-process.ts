// Owns running the clients' programs as processes: what they print, and how they end. It refuses the test's own keys in
// their environment; a program gets the ones it is given.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const CLIENTS = join(import.meta.dirname, "../../clients");

/** A program that runs. */
export interface Running {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when it has ended: its status, or the signal's name. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** How a program ended. */
export interface Ended {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a program of the clients. */
export function start(file: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(POLDER_|VITEST)/.test(name)),
  );
  const started = spawn(process.execPath, [join(CLIENTS, file), ...args], {
    env: { ...inherited, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    started[stream].setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
    });
  }
  const ended = once(started, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return { process: started, stdout: () => printed.stdout, stderr: () => printed.stderr, ended };
}

/** Runs a program of the clients to its end. */
export async function runToEnd(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const { ended, stdout, stderr } = start(file, args, env);
  return { status: await ended, stdout: stdout(), stderr: stderr() };
}
