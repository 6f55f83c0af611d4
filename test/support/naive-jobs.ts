// Owns jobs as plain lists: who runs what, who said what, and what must follow from it, told from the events of each entry. It
// refuses a result that is paid too early, too late, or against most of the others.

import { expect } from "vitest";
import type { Entry } from "../../market/journal.ts";
import type { EventOf } from "../../protocol/events.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import type { ResultVerdict } from "../../protocol/resource-events.ts";

interface Run {
  readonly obligation: number;
  readonly quantityMega: number;
  readonly seller: number;
  report: { readonly text: string; readonly fuelMega: number } | null;
  isOut: boolean;
}

interface Job {
  readonly jobDigest: string;
  readonly replicas: number;
  readonly buyer: number;
  readonly runs: Run[];
  /** When all had said what they would, and then until when it waits; null before. */
  waitsUntilS: number | null;
  isDone: boolean;
}

/** Jobs and their results. */
export class NaiveJobs {
  readonly counts = {
    jobs: 0,
    several: 0,
    released: 0,
    agreed: 0,
    disagreed: 0,
    undecided: 0,
    unchallenged: 0,
    audit_passed: 0,
    audit_failed: 0,
  };
  readonly #sellers = new Map<number, number>();
  readonly #jobs = new Map<number, Job>();
  readonly #jobOf = new Map<number, Job>();
  readonly #deadlines = new Map<number, number>();

  take(entry: Entry): void {
    const verdicts = new Map<number, EventOf<"obligation_settled">>();
    for (const event of entry.events) {
      if (event.type === "resource_order_placed") {
        this.#sellers.set(event.order, event.account);
        if (event.job !== undefined) this.#buy(event, event.job);
      } else if (event.type === "resource_traded") this.#trade(event);
      else if (event.type === "result_reported") this.#report(event, entry);
      else if (event.type === "obligations_lapsed") this.#lapse(event, entry);
      else if (event.type === "obligation_settled") {
        if (event.verdict === undefined) this.#out(event.obligation, true);
        else verdicts.set(event.obligation, event);
      }
    }
    for (const job of this.#jobs.values()) this.#judge(job, entry, verdicts);
    expect(verdicts.size).toBe(0);
  }

  #buy(
    { order, account }: EventOf<"resource_order_placed">,
    job: { jobDigest: string; replicas: number },
  ): void {
    this.#jobs.set(order, { ...job, buyer: account, runs: [], waitsUntilS: null, isDone: false });
    this.counts.jobs += 1;
    if (job.replicas > 1) this.counts.several += 1;
  }

  #trade({ order, orders, quantityMega, firstObligation, deadlineS }: EventOf<"resource_traded">): void {
    for (const index of orders.keys()) this.#deadlines.set(firstObligation + index, deadlineS);
    const job = this.#jobs.get(order);
    if (job === undefined) return;
    orders.forEach((ask, index) => {
      const run = {
        obligation: firstObligation + index,
        quantityMega: quantityMega[index] as number,
        seller: this.#sellers.get(ask) as number,
        report: null,
        isOut: false,
      };
      job.runs.push(run);
      this.#jobOf.set(run.obligation, job);
    });
    expect(job.runs.length).toBe(job.replicas);
    expect(new Set([job.buyer, ...job.runs.map(({ seller }) => seller)]).size).toBe(job.replicas + 1);
    expect(new Set(quantityMega).size).toBe(1);
  }

  #report({ obligation, fuelMega, outputHash }: EventOf<"result_reported">, { command }: Entry): void {
    const run = this.#runOf(obligation) as Run;
    expect([run.report, run.isOut]).toEqual([null, false]);
    expect(fuelMega).toBeLessThanOrEqual(run.quantityMega);
    if (command?.type === "report_result")
      expect(command.jobDigest).toBe((this.#jobOf.get(obligation) as Job).jobDigest);
    run.report = { text: `${outputHash} ${fuelMega}`, fuelMega };
  }

  /** Before its deadline only what the region's own key releases; and that alone can say that its seller failed. */
  #lapse({ obligations, failures }: EventOf<"obligations_lapsed">, { command, atS }: Entry): void {
    for (const [index, id] of obligations.entries()) {
      const job = this.#jobOf.get(id);
      const released = command?.type === "release_run" && command.obligationId === id ? command : null;
      if (released === null) expect([atS, failures[index]]).toEqual([this.#deadlines.get(id), 0]);
      else {
        expect(atS).toBeLessThan(this.#deadlines.get(id) as number);
        expect([failures[index] === 1, job?.jobDigest]).toEqual([released.hasFailed, released.jobDigest]);
        this.counts.released += 1;
      }
      this.#out(id, false);
    }
  }

  /** Given up or lapsed: only what has not reported may, and a job is never settled otherwise. */
  #out(obligation: number, isGivenUp: boolean): void {
    const run = this.#runOf(obligation);
    if (run === undefined) return;
    expect([run.report, run.isOut, isGivenUp || !run.isOut]).toEqual([null, false, true]);
    run.isOut = true;
  }

  #judge(job: Job, { atS, command }: Entry, verdicts: Map<number, EventOf<"obligation_settled">>): void {
    if (job.isDone) return;
    const left = job.runs.filter(({ isOut }) => !isOut);
    if (left.length === 0) {
      job.isDone = true;
      return;
    }
    if (left.some(({ report }) => report === null)) return;
    if (job.waitsUntilS === null) {
      const texts = left.map(({ report }) => report?.text);
      const winner = texts.find((text) => texts.filter((other) => other === text).length * 2 > texts.length);
      if (left.length > 1 && winner !== undefined) {
        this.#expect(job, left, verdicts, (run) => (run.report?.text === winner ? "agreed" : "disagreed"));
        return;
      }
      job.waitsUntilS = atS + RESULT_CHALLENGE_SECONDS;
    }
    expect(atS).toBeLessThanOrEqual(job.waitsUntilS);
    if (command?.type === "record_audit" && left.some((run) => run.obligation === command.obligationId)) {
      const right = `${command.outputHash} ${command.fuelMega}`;
      this.#expect(job, left, verdicts, (run) =>
        run.report?.text === right ? "audit_passed" : "audit_failed",
      );
      return;
    }
    // What ends at one moment may be told in several entries.
    const isTold = left.some(({ obligation }) => verdicts.has(obligation));
    if (atS < job.waitsUntilS) expect(isTold).toBe(false);
    else if (isTold)
      this.#expect(job, left, verdicts, () => (left.length === 1 ? "unchallenged" : "undecided"));
  }

  #expect(
    job: Job,
    left: readonly Run[],
    verdicts: Map<number, EventOf<"obligation_settled">>,
    verdictOf: (run: Run) => ResultVerdict,
  ): void {
    for (const run of left) {
      const event = verdicts.get(run.obligation);
      const verdict = verdictOf(run);
      const isPaid = ["agreed", "unchallenged", "audit_passed"].includes(verdict);
      expect(event).toMatchObject({
        verdict,
        isClosed: true,
        isFailure: verdict === "audit_failed",
        means: isPaid ? "job_result" : "none",
        deliveredMega: isPaid ? run.report?.fuelMega : 0,
        jobDigest: job.jobDigest,
      });
      this.counts[verdict] += 1;
      verdicts.delete(run.obligation);
    }
    job.isDone = true;
  }

  #runOf(obligation: number): Run | undefined {
    return this.#jobOf.get(obligation)?.runs.find((run) => run.obligation === obligation);
  }
}
