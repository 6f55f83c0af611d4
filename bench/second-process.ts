// Owns helpers that run in a process of their own: starting one, asking it, ending it. It refuses to hang when the
// process ends instead of answering.

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { LoadOrder, LoadReport } from "./load-generator.ts";

/** A process that answers each message with one message. */
export class SecondProcess<Order, Report> {
  readonly #child: ChildProcess;

  /** @param name the file in bench/ without its ending; it is told its own name as argument. */
  constructor(name: string) {
    const file = join(import.meta.dirname, `${name}.ts`);
    this.#child = fork(file, [name], {
      serialization: "advanced",
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
  }

  ask(order: Order): Promise<Report> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`the second process ended with ${code}`));
      this.#child.once("exit", ended);
      this.#child.once("message", (report: Report & { readonly fault?: string }) => {
        this.#child.off("exit", ended);
        if (report.fault === undefined) resolve(report);
        else reject(new Error(report.fault));
      });
      this.#child.send(order as object);
    });
  }

  stop(): void {
    this.#child.kill();
  }
}

/** The load generator in a process of its own. */
export class LoadProcess extends SecondProcess<LoadOrder, LoadReport> {
  constructor() {
    super("load-generator");
  }

  /** Sends requests that must all be accepted. @throws Error with the first refusal. */
  async expectAccepted(order: LoadOrder): Promise<LoadReport> {
    const report = await this.ask(order);
    if (report.firstRefusal !== null) {
      throw new Error(`refused ${JSON.stringify(report.statuses)}: ${report.firstRefusal}`);
    }
    return report;
  }
}
