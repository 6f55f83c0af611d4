// Owns how checks start programs of node_modules/.bin, and how what came of them is counted. It refuses to hide a program's
// complaints.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";

/** The project's folder. */
export const ROOT = dirname(import.meta.dirname);

/** What came of a number of checks. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** How a program is started. */
export interface Start {
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Keeps what it prints instead of showing it. */
  readonly isRead?: boolean;
  /** Leaves the machine to whatever else runs: it gets what nobody wants. */
  readonly isPatient?: boolean;
}

/** What a program left. */
export interface Ended {
  readonly exitCode: number;
  /** Its standard output where that was read, else empty. */
  readonly output: string;
}

/** Runs a program in the project's folder; its errors are always shown. */
export function runProgram(command: string, args: readonly string[], start: Start = {}): Promise<Ended> {
  const { environment = {}, isRead = false, isPatient = false } = start;
  return new Promise((resolve, reject) => {
    const child = spawn(isPatient ? "nice" : command, isPatient ? ["-n", "19", command, ...args] : args, {
      cwd: ROOT,
      stdio: ["inherit", isRead ? "pipe" : "inherit", "inherit"],
      env: {
        ...process.env,
        PATH: `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}`,
        // Wrangler and its tests must not report anything to anybody.
        WRANGLER_SEND_METRICS: "false",
        ...environment,
      },
    });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }),
    );
  });
}
