// Owns the runs that a node has taken: each is run once, its result kept until the object has heard of it, whatever happens to the
// connection. It refuses runs beyond its room, and those whose input or description is not what they are named by.

import { sha256 } from "@noble/hashes/sha2.js";
import { describedJob } from "../../compute/described-job.ts";
import type { Job, JobResult } from "../../compute/host/job.ts";
import { hexOf } from "../../evidence/bytes.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type JobDescription, jobDigestOf } from "../../protocol/jobs.ts";
import type { NodeFrame, ObjectFrame, Parts } from "../../protocol/provider-frames.ts";
import { commitmentOf, fuelMegaOf } from "../../protocol/run-results.ts";
import type { NodeKey } from "./node-key.ts";
import type { SoldWork } from "./sold-work.ts";

type RunFrame = Extract<ObjectFrame, { type: "run" }>;

/** Runs a job of a description. @throws Error whose message says why there is no result */
export type RunJob = (description: JobDescription, job: Job) => Promise<JobResult>;

interface Held {
  readonly order: RunFrame;
  result: JobResult | null;
  failure: string | null;
  isRevealed: boolean;
}

export interface NodeRunPorts {
  readonly key: NodeKey;
  readonly sold: SoldWork;
  readonly room: number;
  readonly run: RunJob;
  readonly send: (frame: NodeFrame, parts?: Parts) => void;
  /** A run has ended, or was refused for want of room. */
  readonly changed: (change: "ended" | "full") => void;
  readonly report: (line: string) => void;
}

/** The runs of one node. */
export class NodeRuns {
  readonly #ports: NodeRunPorts;
  readonly #held = new Map<number, Held>();
  #working = 0;

  constructor(ports: NodeRunPorts) {
    this.#ports = ports;
  }

  /** Obligations whose end the object has not confirmed. */
  holds(): number[] {
    return [...this.#held.keys()];
  }

  get hasRoom(): boolean {
    return this.#working < this.#ports.room;
  }

  get working(): number {
    return this.#working;
  }

  /** Takes a run in, or says that there is no room. */
  take(order: RunFrame, [input = new Uint8Array(0)]: Parts): void {
    const { send, changed } = this.#ports;
    const { obligationId } = order;
    const held = this.#held.get(obligationId);
    if (held !== undefined) {
      send({ type: "accepted", obligationId });
      this.#say(held);
      return;
    }
    if (!this.hasRoom) {
      void this.#refuse(order);
      return;
    }
    send({ type: "accepted", obligationId });
    const taken: Held = { order, result: null, failure: null, isRevealed: false };
    this.#held.set(obligationId, taken);
    this.#working += 1;
    void this.#work(taken, input).finally(() => {
      this.#working -= 1;
      changed("ended");
    });
  }

  reveal(obligationId: number): void {
    const held = this.#held.get(obligationId);
    if (held === undefined) return;
    held.isRevealed = true;
    this.#say(held);
  }

  /** The object knows how it ended. */
  over(obligationId: number): void {
    this.#held.delete(obligationId);
  }

  /** Says again what the object may not have heard. */
  sayAll(): void {
    for (const held of this.#held.values()) this.#say(held);
  }

  /** No room: what was sold is given back. */
  async #refuse(order: RunFrame): Promise<void> {
    const { send, key, changed, sold } = this.#ports;
    const isSold = await sold.requireRun(order).then(
      () => true,
      () => false,
    );
    const { obligationId } = order;
    send({ type: "full", obligationId, giveUp: isSold ? key.giveUp(order) : null });
    changed("full");
  }

  async #work(held: Held, input: Uint8Array): Promise<void> {
    const { description, jobDigest } = held.order;
    try {
      if (jobDigestOf(description) !== jobDigest || hexOf(sha256(input)) !== description.inputHash)
        throw new Error("job_malformed: the description or input is another one");
      await this.#ports.sold.requireRun(held.order);
      held.result = await this.#ports.run(description, describedJob(description, input));
    } catch (error) {
      held.failure ??= (error instanceof Error ? error.message : String(error)).slice(0, 200);
      this.#ports.report(`run ${held.order.obligationId} failed: ${held.failure}`);
    }
    if (this.#held.get(held.order.obligationId) === held) this.#say(held);
  }

  /** Sends where a run stands: nothing while it is running. */
  #say(held: Held): void {
    const { send, key } = this.#ports;
    const { order, result, failure } = held;
    const { obligationId } = order;
    if (failure !== null) {
      send({ type: "gave_up", obligationId, reason: failure });
      return;
    }
    if (result === null) return;
    const outputHash: Hex = `0x${result.outputHash}`;
    const salt = order.commitFirst ? key.salt(obligationId) : null;
    if (salt !== null && !held.isRevealed) {
      send({ type: "committed", obligationId, commitment: commitmentOf(outputHash, salt) });
      return;
    }
    const { end, exitCode, fuelUsed, trap, stdout, stderr } = result;
    const report = key.report(order, fuelMegaOf(fuelUsed), outputHash);
    const words = trap === null ? null : trap.slice(0, 1_000);
    send({ type: "result", obligationId, end, exitCode, fuelUsed, trap: words, salt, report }, [
      stdout,
      stderr,
    ]);
  }
}
