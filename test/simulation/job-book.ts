// Owns an account of jobs that the region does not keep: who runs what, who said what came of it, and what must follow from that. It
// refuses a result that is paid too early, too late, or against most of the others.

import type { Entry } from "../../market/journal.ts";
import type { EventOf } from "../../protocol/events.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";

interface Run {
  readonly obligation: number;
  readonly fuel: number;
  readonly deadlineS: number;
  /** Output and fuel as one text; null while its seller has said nothing. */
  report: string | null;
  reported: number;
  isOut: boolean;
}

interface Job {
  readonly digest: string;
  readonly buyer: number;
  readonly replicas: number;
  readonly sellers: Set<number>;
  readonly runs: Run[];
  /** Until when results wait that nobody has decided; null before all have said what they will. */
  waitsUntilS: number | null;
}

type Settled = EventOf<"obligation_settled">;

/** Follows the events of jobs. */
export class JobBook {
  readonly #jobs = new Map<number, Job>();
  readonly #ofObligation = new Map<number, Job>();
  readonly #touched = new Set<Job>();
  readonly #verdicts = new Map<number, Settled>();
  #awaited: EventOf<"results_awaited">[] = [];
  readonly counts = {
    jobs: 0,
    reports: 0,
    "given up": 0,
    released: 0,
    lapsed: 0,
    unchallenged: 0,
    agreed: 0,
    disagreed: 0,
    undecided: 0,
  };

  /** Takes in a purchase; an order that is none is nothing to it. */
  bought({ order, account, job }: EventOf<"resource_order_placed">): void {
    if (job === undefined) return;
    const { jobDigest: digest, replicas } = job;
    this.#jobs.set(order, {
      digest,
      buyer: account,
      replicas,
      sellers: new Set(),
      runs: [],
      waitsUntilS: null,
    });
    this.counts.jobs += 1;
  }

  /** Takes in what each seller owes of it; answers what is wrong with that. */
  traded(event: EventOf<"resource_traded">, sellers: readonly number[]): string | null {
    const job = this.#jobs.get(event.order);
    if (job === undefined) return null;
    for (const [index, seller] of sellers.entries()) {
      const fuel = event.quantityMega[index] as number;
      const obligation = event.firstObligation + index;
      job.runs.push({
        obligation,
        fuel,
        deadlineS: event.deadlineS,
        report: null,
        reported: 0,
        isOut: false,
      });
      job.sellers.add(seller);
      this.#ofObligation.set(obligation, job);
    }
    const isWhole = job.runs.length === job.replicas && job.sellers.size === job.replicas;
    if (!isWhole || job.sellers.has(job.buyer) || job.runs.some(({ fuel }) => fuel !== job.runs[0]?.fuel))
      return `job ${event.order} was bought of ${job.sellers.size} sellers for ${job.replicas} runs`;
    return null;
  }

  /** When an obligation of a job ends by itself, or null where it is of none. */
  endS(obligation: number): number | null {
    const job = this.#ofObligation.get(obligation);
    if (job === undefined) return null;
    const run = runOf(job, obligation);
    if (run.report === null) return run.deadlineS;
    return job.waitsUntilS ?? run.deadlineS + RESULT_CHALLENGE_SECONDS;
  }

  /** A seller's word. */
  reported(event: EventOf<"result_reported">, { command }: Entry): string | null {
    const job = this.#ofObligation.get(event.obligation);
    if (job === undefined) return `a result of trade ${event.obligation}, which is no job, was reported`;
    const run = runOf(job, event.obligation);
    if (run.isOut || run.report !== null) return `job run ${run.obligation} was reported twice, or too late`;
    if (command?.type !== "report_result" || command.jobDigest !== job.digest || event.fuelMega > run.fuel)
      return `job run ${run.obligation} was reported as another job, or for more than was bought`;
    run.report = `${event.outputHash} ${event.fuelMega}`;
    run.reported = event.fuelMega;
    this.counts.reports += 1;
    this.#touched.add(job);
    return null;
  }

  awaited(event: EventOf<"results_awaited">): void {
    this.#awaited.push(event);
  }

  /** A result was judged; whether rightly is told at the entry's end. */
  judged(event: Settled): string | null {
    if (!this.#ofObligation.has(event.obligation))
      return `trade ${event.obligation} is no job and was judged`;
    this.#verdicts.set(event.obligation, event);
    return null;
  }

  /** Nothing comes of a run any more: its seller gave it up, the region released it, or nobody said anything until its deadline. */
  out(obligation: number, how: "given up" | "released" | "lapsed"): string | null {
    const job = this.#ofObligation.get(obligation);
    if (job === undefined) return null;
    const run = runOf(job, obligation);
    if (run.isOut || run.report !== null) return `job run ${obligation} is ${how} after its result`;
    run.isOut = true;
    this.counts[how] += 1;
    this.#touched.add(job);
    return null;
  }

  /** What an entry must have decided, and nothing else; the entry is told whole before. */
  check({ atS }: Entry): string | null {
    const touched = [...this.#touched];
    this.#touched.clear();
    const wrong = firstOf(touched, (job) => this.#complete(job, atS)) ?? this.#ended(atS);
    if (wrong !== null) return wrong;
    const [early] = this.#verdicts.keys();
    if (early !== undefined) return `the result of ${early} was judged at ${atS} without a reason`;
    const [waits] = this.#awaited;
    return waits === undefined ? null : `results ${waits.obligations} wait without a reason`;
  }

  /** Once everybody has said what they will, most decide, or all wait. */
  #complete(job: Job, atS: number): string | null {
    const left = job.runs.filter(({ isOut }) => !isOut);
    if (left.length === 0 || left.some(({ report }) => report === null)) return null;
    const isMost = (run: Run) => 2 * left.filter(({ report }) => report === run.report).length > left.length;
    if (left.length > 1 && left.some(isMost))
      return firstOf(left, (run) => this.#expect(run, isMost(run) ? "agreed" : "disagreed"));
    job.waitsUntilS = atS + RESULT_CHALLENGE_SECONDS;
    // One alone is told by its own report when nobody gave up before; else all are told.
    const ids = left.map(({ obligation }) => obligation);
    const told = this.#awaited.findIndex((event) => event.obligations.join() === ids.join());
    if (told < 0)
      return job.replicas === 1 || left.length === 1 ? null : `results ${ids} differ and do not wait`;
    const [event] = this.#awaited.splice(told, 1) as [EventOf<"results_awaited">];
    return event.payableAtS === job.waitsUntilS && event.isDisputed === left.length > 1
      ? null
      : `results ${ids} wait until ${event.payableAtS}, not ${job.waitsUntilS}`;
  }

  /** Results whose time is over: one alone is paid, those that differ are not. */
  #ended(atS: number): string | null {
    return firstOf([...this.#verdicts.keys()], (obligation) => {
      const job = this.#ofObligation.get(obligation) as Job;
      if (job.waitsUntilS !== atS)
        return `job run ${obligation} was judged at ${atS}, not ${job.waitsUntilS}`;
      const isAlone = job.runs.filter(({ report }) => report !== null).length === 1;
      return this.#expect(runOf(job, obligation), isAlone ? "unchallenged" : "undecided");
    });
  }

  #expect(run: Run, verdict: "agreed" | "disagreed" | "unchallenged" | "undecided"): string | null {
    const event = this.#verdicts.get(run.obligation);
    this.#verdicts.delete(run.obligation);
    run.isOut = true;
    this.counts[verdict] += 1;
    const isPaid = verdict === "agreed" || verdict === "unchallenged";
    const delivered = isPaid ? run.reported : 0;
    return event?.verdict === verdict &&
      event.isClosed &&
      !event.isFailure &&
      event.deliveredMega === delivered
      ? null
      : `job run ${run.obligation} is ${verdict} for ${delivered}, not ${event?.verdict} for ${event?.deliveredMega}`;
  }
}

const runOf = (job: Job, obligation: number): Run =>
  job.runs.find((run) => run.obligation === obligation) as Run;

function firstOf<T>(items: readonly T[], wrongWith: (item: T) => string | null): string | null {
  for (const item of items) {
    const wrong = wrongWith(item);
    if (wrong !== null) return wrong;
  }
  return null;
}
