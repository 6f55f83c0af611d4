// Owns the command line as a test types it: what must succeed, what must fail and with which words. It refuses a stack
// trace in place of an explanation.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Ended, runToEnd } from "./client-process.ts";

/** A command that must fail: its arguments, what it says, and its environment. */
export type BadCommand = readonly [string[], RegExp, Record<string, string>?];

/** The `polder` command, towards one deployment, with a folder for its files. */
export class CommandLine {
  readonly #url: string;
  readonly #folder: string;

  constructor(url: string, folder: string) {
    this.#url = url;
    this.#folder = folder;
  }

  run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
    return runToEnd("cli/main.ts", args, { POLDER_URL: this.#url, ...env });
  }

  /** A command that must succeed; answers what it printed. */
  async good(args: string[], env: Record<string, string> = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(args, env);
    expect({ status, stderr }, args.join(" ")).toEqual({ status: 0, stderr: "" });
    return stdout;
  }

  /** Commands that must fail with a status, saying why on standard error and nothing else. */
  async bad(cases: readonly BadCommand[], status = 1): Promise<void> {
    // A few at a time: each is a process of its own.
    for (let index = 0; index < cases.length; index += 3) {
      await Promise.all(
        cases.slice(index, index + 3).map(async ([args, reason, env = {}]) => {
          const { stdout, stderr, ...ended } = await this.run(args, env);
          expect({ status: ended.status, stdout }, args.join(" ")).toEqual({ status, stdout: "" });
          expect(stderr, args.join(" ")).toMatch(reason);
          expect(stderr, "no stack trace").not.toMatch(/\n\s+at .*\.ts:/);
        }),
      );
    }
  }

  file(name: string): string {
    return join(this.#folder, name);
  }

  /** Writes a file, as JSON where it is not text, and answers its path. */
  write(name: string, content: unknown): string {
    writeFileSync(this.file(name), typeof content === "string" ? content : JSON.stringify(content));
    return this.file(name);
  }
}
