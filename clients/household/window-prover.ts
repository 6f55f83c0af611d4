// Owns proving off the main thread: a queue of windows before one or more processes that prove them one at a time. It
// refuses to let one window's failure, or a process that dies, stop the others.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { WindowInputs } from "../../circuits/meter-witness.ts";
import type { ProvedWindow } from "../../circuits/prover.ts";
import type { ProvingAnswer, ProvingJob } from "../../circuits/proving-process.ts";

/** No proof exists for the inputs: another try would say the same. */
export class ProofImpossible extends Error {
  override readonly name = "ProofImpossible";
}

/** The prover failed, not the inputs: it may succeed later. */
export class ProverFault extends Error {
  override readonly name = "ProverFault";
}

/** Whoever proves windows for agents. */
export interface Prover {
  /** @throws ProofImpossible, ProverFault */
  prove(inputs: WindowInputs): Promise<ProvedWindow>;
}

export interface ProverOptions {
  /**
   * How many prove at a time; snarkjs takes all cores for one. On two quiet cores a window of 96 slots takes one process
   * 1.24 s and two of them 1.07 s each, at twice the memory (some 330 MB a process).
   */
  readonly processes?: number;
  /** Milliseconds without work after which a process is ended: a household proves once a window. */
  readonly idleMs?: number;
}

const PROGRAM = join(import.meta.dirname, "../../circuits/proving-process.ts");
const IDLE_MS = 30_000;
/** A process that dies under a window twice does so because of it. */
const MOST_TRIES = 2;

interface Waiting {
  readonly inputs: WindowInputs;
  readonly resolve: (proved: ProvedWindow) => void;
  readonly reject: (error: Error) => void;
  tries: number;
}

/** Proves windows for everybody in this process. */
export class WindowProver implements Prover {
  readonly #queue: Waiting[] = [];
  readonly #lanes: Lane[];
  #isClosed = false;
  #made = 0;
  /** When the queue was last empty before there was work, and how long there was work before that. */
  #busySinceMs = 0;
  #busyMs = 0;

  constructor({ processes = 1, idleMs = IDLE_MS }: ProverOptions = {}) {
    this.#lanes = Array.from({ length: processes }, () => new Lane(idleMs));
  }

  /** Processes that live now; none before the first window, and none after a pause. */
  get processIds(): readonly number[] {
    return this.#lanes.flatMap(({ processId }) => processId ?? []);
  }

  /** Windows that wait or are being proved. */
  get pending(): number {
    return this.#queue.length + this.#lanes.filter(({ isBusy }) => isBusy).length;
  }

  /** Proofs made so far. */
  get made(): number {
    return this.#made;
  }

  /** Seconds a proof has taken while there was work, starting the processes included; 0 before the first. */
  get secondsPerProof(): number {
    const runningMs = this.pending === 0 ? 0 : performance.now() - this.#busySinceMs;
    return this.#made === 0 ? 0 : (this.#busyMs + runningMs) / this.#made / 1_000;
  }

  /**
   * Proves a window, after those that were asked for before.
   * @throws ProofImpossible for inputs that no proof exists for; ProverFault when the prover failed or was closed.
   */
  prove(inputs: WindowInputs): Promise<ProvedWindow> {
    if (this.#isClosed) return Promise.reject(new ProverFault("the prover was closed"));
    if (this.pending === 0) this.#busySinceMs = performance.now();
    return new Promise((resolve, reject) => {
      this.#queue.push({ inputs, resolve, reject, tries: 0 });
      this.#next();
    });
  }

  /** Ends every process at once; what was not proved fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#queue.splice(0)) reject(new ProverFault("the prover was closed"));
    await Promise.all(this.#lanes.map((lane) => lane.end()));
  }

  #next(): void {
    for (const lane of this.#lanes) {
      if (lane.isBusy) continue;
      const waiting = this.#queue.shift();
      if (waiting === undefined) return;
      void this.#run(lane, waiting);
    }
  }

  async #run(lane: Lane, waiting: Waiting): Promise<void> {
    waiting.tries += 1;
    try {
      const answer = await lane.ask(waiting.inputs);
      if ("impossible" in answer) waiting.reject(new ProofImpossible(answer.impossible));
      else if ("fault" in answer) waiting.reject(new ProverFault(answer.fault));
      else {
        this.#made += 1;
        waiting.resolve(answer.proved);
      }
    } catch (error) {
      const isLast = this.#isClosed || waiting.tries >= MOST_TRIES;
      if (isLast) waiting.reject(error as Error);
      else this.#queue.unshift(waiting);
    }
    if (this.pending === 0) this.#busyMs += performance.now() - this.#busySinceMs;
    this.#next();
  }
}

/** One process at a time, started with its first window and again after its end. */
class Lane {
  readonly #idleMs: number;
  #child: ChildProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #lastJob = 0;
  isBusy = false;

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws ProverFault when the process ended under it */
  async ask(inputs: WindowInputs): Promise<ProvingAnswer> {
    this.isBusy = true;
    clearTimeout(this.#idle);
    this.#child ??= this.#start();
    const child = this.#child;
    hold(child, true);
    this.#lastJob += 1;
    const job: ProvingJob = { job: this.#lastJob, inputs };
    try {
      return await answerOf(child, job);
    } finally {
      this.isBusy = false;
      hold(child, false);
      this.#idle = setTimeout(() => void this.end(), this.#idleMs).unref();
    }
  }

  async end(): Promise<void> {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    if (child === null || hasEnded(child)) return;
    const ended = once(child, "exit");
    child.ref();
    child.kill("SIGKILL");
    await ended;
  }

  #start(): ChildProcess {
    // Big integers cross the channel by structured clone; the keys in this process's environment do not.
    const child = fork(PROGRAM, [], {
      serialization: "advanced",
      execArgv: [],
      env: {},
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.once("exit", () => {
      if (this.#child === child) this.#child = null;
    });
    // It is listened to once a job; one that could not be started, or cannot be written to, also says so here.
    child.on("error", () => {});
    return child;
  }
}

function answerOf(child: ChildProcess, job: ProvingJob): Promise<ProvingAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      child.off("message", taken);
      child.off("exit", gone);
      child.off("error", failed);
      outcome();
    };
    const taken = (answer: ProvingAnswer) => answer.job === job.job && settle(() => resolve(answer));
    const gone = (code: number | null, signal: string | null) =>
      settle(() => reject(new ProverFault(`the proving process ended (${signal ?? `status ${code}`})`)));
    const failed = (error: Error) => settle(() => reject(new ProverFault(error.message)));
    child.on("message", taken);
    child.once("exit", gone);
    child.once("error", failed);
    child.send(job, (error) => error !== null && failed(error));
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** Only work in progress keeps this process alive. */
function hold(child: ChildProcess, isHeld: boolean): void {
  if (isHeld) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}
