// Owns the network between people and region: copies, delays, losses, senders who try again with the same bytes, and the
// gateway's own calls of the object. It refuses to change a request on its way.

import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Admission } from "../../durable-objects/proof-attempts.ts";
import type { Region } from "../../durable-objects/region.ts";
import type { ShownProof } from "../../evidence/meter-proof.ts";
import type { ProvedSubmission, Submission } from "../../evidence/signed-command.ts";
import { rejected } from "../../protocol/errors.ts";
import { judge, verifyProof } from "./gateway.ts";
import type { ObjectHost } from "./object-host.ts";
import type { Draft } from "./requests.ts";
import type { Trip } from "./steps.ts";
import type { Timeline } from "./timeline.ts";

/** A request that has passed the gateway, but for its proof where it shows one. */
export type Sent = {
  readonly draft: Draft;
  /** It came over a command socket, whose intake hands on text. */
  readonly isBySocket: boolean;
  isAnswered: boolean;
  isAccepted: boolean;
} & (
  | { readonly submission: Submission; readonly shown: null }
  | { readonly submission: ProvedSubmission; readonly shown: ShownProof }
);

/** A proof that the region let be verified: who is told when that is over. */
export interface Verification {
  /** The object is told that the proof does not hold. */
  failing(): void;
  /** That is durable. */
  failed(): void;
  /** The object is given the command. */
  held(): void;
}

type Admitted = Admission & Verification;

/** Who is told what becomes of requests. */
export interface TrafficWatcher {
  refusedByGateway(draft: Draft, code: string): void;
  sent(request: Sent): void;
  answered(request: Sent, outcome: Outcome): void;
  /** The object let a proof be verified, in this very moment. */
  admitted(submission: ProvedSubmission, admission: Admission): Verification;
  /** False while the sender cannot be reached. */
  isThere(draft: Draft): boolean;
}

const RETRY_MS = 12_000;

/** Carries requests and answers. */
export class Traffic {
  readonly counts = {
    requests: 0,
    copies: 0,
    dropped: 0,
    lostAnswers: 0,
    lostCalls: 0,
    retries: 0,
    late: 0,
    verifications: 0,
  };
  /** Everything that passed the gateway, oldest first. */
  readonly requests: Sent[] = [];
  /** Takes every proof for one that holds: a bug of the gateway, for testing the tester. */
  isCredulous = false;
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
    // What carries evidence is refused there.
    const isBySocket = this.counts.requests % 2 === 0 && draft.raw.evidence === undefined;
    const request: Sent = { draft, ...judged, isBySocket, isAnswered: false, isAccepted: false };
    this.requests.push(request);
    this.#watcher.sent(request);
    this.carry(request, trip);
  }

  /** Carries a request that has passed the gateway, once more or for the first time. */
  carry(request: Sent, trip: Trip): void {
    const { outMs, retries } = trip;
    if (outMs.length === 0) this.counts.dropped += 1;
    this.counts.copies += outMs.length;
    for (const milliseconds of outMs) {
      if (milliseconds > 1_000) this.counts.late += 1;
      this.#timeline.after(milliseconds, () => this.#arrive(request, trip));
    }
    if (retries > 0) this.#timeline.after(RETRY_MS, () => this.#again(request, retries));
  }

  /** Asks the object for what it tells everybody; asked again, like a request, while there is no answer. */
  ask<T>(work: (region: Region) => T, { outMs, backMs, retries }: Trip, told: (result: T) => void): void {
    let isTold = false;
    const tell = (result: T): void => {
      if (isTold) return;
      isTold = true;
      told(result);
    };
    const answered = (result: T): void => {
      if (backMs !== null) this.#timeline.after(backMs, () => tell(result));
    };
    for (const milliseconds of outMs)
      this.#timeline.after(milliseconds, () => this.#host.call(work, answered, () => undefined));
    if (retries === 0) return;
    const again = { outMs: [5], backMs: 5, retries: retries - 1, hopMs: 1 };
    this.#timeline.after(RETRY_MS, () => {
      if (!isTold) this.ask(work, again, tell);
    });
  }

  #again(request: Sent, retries: number): void {
    if (request.isAnswered || !this.#watcher.isThere(request.draft)) return;
    this.counts.retries += 1;
    this.carry(request, { outMs: [5], backMs: 5, retries: retries - 1, hopMs: 1 });
  }

  #arrive(request: Sent, trip: Trip): Promise<void> {
    if (request.shown === null) return this.#call(request, trip, (region) => deliver(region, request));
    return this.#prove(request, request.submission, request.shown, trip);
  }

  /** Cheapest first, as the Worker does it: the region says whether the proof is worth verifying before it is. */
  #prove(request: Sent, submission: ProvedSubmission, shown: ShownProof, trip: Trip): Promise<void> {
    let admitted: Admitted | null = null;
    const preflight = async (region: Region): Promise<Outcome | Admission> => {
      const answer = await region.preflight(structuredClone(submission));
      if ("ticket" in answer) admitted = { ...answer, ...this.#watcher.admitted(submission, answer) };
      return answer;
    };
    return this.#host.call(
      preflight,
      (answer) => {
        if (admitted === null) return this.#answer(request, trip, answer as Outcome);
        const open: Admitted = admitted;
        this.#timeline.after(trip.hopMs, () => this.#verify(request, submission, shown, open, trip));
      },
      () => this.#lost(),
    );
  }

  #verify(
    request: Sent,
    submission: ProvedSubmission,
    shown: ShownProof,
    open: Admitted,
    trip: Trip,
  ): Promise<void> {
    this.counts.verifications += 1;
    const verdict = this.isCredulous ? ({ ok: true } as const) : verifyProof(submission, shown);
    if (verdict.ok) {
      return this.#call(request, trip, (region) => {
        open.held();
        return region.submit(structuredClone(submission), open.ticket);
      });
    }
    return this.#host.call(
      (region) => {
        open.failing();
        return region.proofFailed(structuredClone(submission.command), open.ticket);
      },
      (outcome) => {
        open.failed();
        const malformed = { rejection: rejected("evidence_malformed") };
        this.#answer(request, trip, verdict.reason === "malformed" ? malformed : outcome);
      },
      () => this.#lost(),
    );
  }

  #call(request: Sent, trip: Trip, work: (region: Region) => Promise<Outcome>): Promise<void> {
    return this.#host.call(
      work,
      (outcome) => this.#answer(request, trip, outcome),
      () => this.#lost(),
    );
  }

  #lost(): void {
    this.counts.lostCalls += 1;
  }

  #answer(request: Sent, { backMs }: Trip, outcome: Outcome): void {
    if (backMs === null) {
      this.counts.lostAnswers += 1;
      return;
    }
    this.#timeline.after(backMs, () => {
      if (this.#watcher.isThere(request.draft)) this.#watcher.answered(request, outcome);
      else this.counts.lostAnswers += 1;
    });
  }
}

/** The two ways into the object; a command sent again takes the way it took before. */
async function deliver(region: Region, { submission, isBySocket }: Sent): Promise<Outcome> {
  if (!isBySocket) return region.submit(structuredClone(submission));
  const [outcome] = await region.submitAll(JSON.stringify([submission]));
  return JSON.parse(outcome as string) as Outcome;
}
