// Owns the running of jobs by the deployment itself: what a provider's node does, done by the referee. It refuses more runs at
// once than it has room for, and jobs beyond the referee.

import type { SellerKey } from "../../evidence/seller-key.ts";
import { isBeyondReferee, type JobDescription } from "../../protocol/jobs.ts";
import type { NodeFrame, ObjectFrame, Parts } from "../../protocol/provider-frames.ts";
import { commitmentOf, fuelMegaOf } from "../../protocol/run-results.ts";
import type { RefereeRun } from "../referee-call.ts";

type RunFrame = Extract<ObjectFrame, { type: "run" }>;
type ResultFrame = Extract<NodeFrame, { type: "result" }>;

export interface EdgeNodePorts {
  readonly key: () => SellerKey;
  readonly run: RefereeRun;
  /** Runs at once. */
  readonly room: number;
  readonly hear: (frame: NodeFrame, parts: Parts) => void;
}

/** Runs jobs. It keeps nothing: what is lost with it is given to it again, and comes to the same bytes. */
export class EdgeNode {
  readonly #ports: EdgeNodePorts;
  readonly #running = new Set<number>();
  /** Results that were committed to and not asked for yet. */
  readonly #bound = new Map<number, { readonly frame: ResultFrame; readonly parts: Parts }>();

  constructor(ports: EdgeNodePorts) {
    this.#ports = ports;
  }

  get isFull(): boolean {
    return this.#running.size >= this.#ports.room;
  }

  /** Takes what a node is told. What it says in turn is heard later, as over a socket. */
  receive(frame: ObjectFrame, [input = new Uint8Array(0)]: Parts = []): void {
    if (frame.type === "run") queueMicrotask(() => this.#take(frame, input));
    if (frame.type === "reveal") queueMicrotask(() => this.#reveal(frame.obligationId));
    if (frame.type === "over") this.#bound.delete(frame.obligationId);
  }

  #take(frame: RunFrame, input: Uint8Array): void {
    const { obligationId, description } = frame;
    const { hear, key } = this.#ports;
    if (this.#running.has(obligationId) || this.#bound.has(obligationId)) return;
    if (this.isFull || isBeyondReferee(description)) {
      hear({ type: "full", obligationId, giveUp: key().giveUp(frame) }, []);
      return;
    }
    this.#running.add(obligationId);
    hear({ type: "accepted", obligationId }, []);
    void this.#run(frame, description, input).finally(() => this.#running.delete(obligationId));
  }

  async #run(frame: RunFrame, description: JobDescription, input: Uint8Array): Promise<void> {
    const { obligationId, commitFirst } = frame;
    const { hear, key, run } = this.#ports;
    const answer = await run(description, input);
    if (answer.kind === "refused") {
      hear({ type: "gave_up", obligationId, reason: answer.reason }, []);
      return;
    }
    const { end, exitCode, fuelUsed, trap, outputHash, stdout, stderr } = answer;
    const salt = commitFirst ? key().salt(obligationId) : null;
    const report = key().report(frame, fuelMegaOf(fuelUsed), outputHash);
    const result: ResultFrame = { type: "result", obligationId, end, exitCode, fuelUsed, trap, salt, report };
    const parts = [stdout, stderr];
    if (salt === null) {
      hear(result, parts);
      return;
    }
    this.#bound.set(obligationId, { frame: result, parts });
    hear({ type: "committed", obligationId, commitment: commitmentOf(outputHash, salt) }, []);
  }

  #reveal(obligationId: number): void {
    const bound = this.#bound.get(obligationId);
    if (bound === undefined) return;
    this.#ports.hear(bound.frame, bound.parts);
  }
}
