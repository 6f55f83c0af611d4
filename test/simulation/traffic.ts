// Owns the network between people and region: copies, delays, losses, and senders who try again with the same bytes. It
// refuses to change a request on its way.

import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Region } from "../../durable-objects/region.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { judge } from "./gateway.ts";
import type { ObjectHost } from "./object-host.ts";
import type { Draft } from "./requests.ts";
import type { Trip } from "./steps.ts";
import type { Timeline } from "./timeline.ts";

/** A request that has passed the gateway. */
export interface Sent {
  readonly draft: Draft;
  readonly submission: Submission;
  /** It came over a command socket, whose intake hands on text. */
  readonly isBySocket: boolean;
  isAnswered: boolean;
}

/** Who is told what becomes of requests. */
export interface TrafficWatcher {
  refusedByGateway(draft: Draft, code: string): void;
  sent(request: Sent): void;
  answered(request: Sent, outcome: Outcome): void;
  /** False while the sender cannot be reached. */
  isThere(draft: Draft): boolean;
}

const RETRY_MS = 12_000;

/** Carries requests and answers. */
export class Traffic {
  readonly counts = { requests: 0, copies: 0, dropped: 0, lostAnswers: 0, lostCalls: 0, retries: 0, late: 0 };
  /** Everything that passed the gateway, oldest first. */
  readonly requests: Sent[] = [];
  readonly #timeline: Timeline;
  readonly #host: ObjectHost;
  readonly #watcher: TrafficWatcher;

  constructor(timeline: Timeline, host: ObjectHost, watcher: TrafficWatcher) {
    this.#timeline = timeline;
    this.#host = host;
    this.#watcher = watcher;
  }

  /** Sends a draft through the gateway; verifying takes no virtual time, so no thread's pace shows. */
  async send(draft: Draft, trip: Trip): Promise<void> {
    this.counts.requests += 1;
    const judged = await judge(draft.raw);
    if ("code" in judged) return this.#watcher.refusedByGateway(draft, judged.code);
    const isBySocket = this.counts.requests % 2 === 0;
    const request: Sent = { draft, submission: judged.submission, isBySocket, isAnswered: false };
    this.requests.push(request);
    this.#watcher.sent(request);
    this.carry(request, trip);
  }

  /** Carries a request that has passed the gateway, once more or for the first time. */
  carry(request: Sent, { outMs, backMs, retries }: Trip): void {
    if (outMs.length === 0) this.counts.dropped += 1;
    this.counts.copies += outMs.length;
    for (const milliseconds of outMs) {
      if (milliseconds > 1_000) this.counts.late += 1;
      this.#timeline.after(milliseconds, () => this.#arrive(request, backMs));
    }
    if (retries > 0) this.#timeline.after(RETRY_MS, () => this.#again(request, retries));
  }

  #again(request: Sent, retries: number): void {
    if (request.isAnswered || !this.#watcher.isThere(request.draft)) return;
    this.counts.retries += 1;
    this.carry(request, { outMs: [5], backMs: 5, retries: retries - 1 });
  }

  #arrive(request: Sent, backMs: number | null): Promise<void> {
    return this.#host.call(
      (region) => deliver(region, request),
      (outcome) => {
        if (backMs === null) {
          this.counts.lostAnswers += 1;
          return;
        }
        this.#timeline.after(backMs, () => {
          if (this.#watcher.isThere(request.draft)) this.#watcher.answered(request, outcome);
          else this.counts.lostAnswers += 1;
        });
      },
      () => {
        this.counts.lostCalls += 1;
      },
    );
  }
}

/** The two ways into the object; a command sent again takes the way it took before. */
async function deliver(region: Region, { submission, isBySocket }: Sent): Promise<Outcome> {
  if (!isBySocket) return region.submit(structuredClone(submission));
  const [outcome] = await region.submitAll(JSON.stringify([submission]));
  return JSON.parse(outcome as string) as Outcome;
}
