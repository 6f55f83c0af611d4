// Owns the runs of one provider from their order to the end that their desk is told: once each, whatever is said twice, late
// or falsely, and whatever breaks in between. It refuses results that do not fit, and to forget one before it was told.

import { type MarketClock, marketTimeS, wallTimeMs } from "../../protocol/clock.ts";
import type { Rejection } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { leavesTime } from "../../protocol/jobs.ts";
import { MAX_HELD_RUNS, MAX_KEPT_RUN_BYTES, RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import type { NodeFrame, ObjectFrame, Parts, SignedSettlement } from "../../protocol/provider-frames.ts";
import type { DispatchAnswer, ReleasedRun, RunAsker, RunOrder, RunOutcome, RunResult } from "../job-calls.ts";
import type { RegionKey } from "../region-key.ts";
import { pauseAfter, type RegionPost } from "./region-post.ts";
import { faultOfResult, isGivingUp, type ResultFrame, resultOfFrame } from "./run-check.ts";
import type { KeptRun, RunStore } from "./run-store.ts";
import { ANSWER_WITHIN_MS, RECONNECTION_MS, REMEMBERED_MS, SHOW_WITHIN_MS, SLACK_MS } from "./run-times.ts";

/** Whether what a node said was asked for. What was not counts against it. */
export type Heard = "expected" | "unasked";

export interface RunPorts {
  readonly store: RunStore;
  readonly post: RegionPost;
  readonly clock: MarketClock;
  readonly account: Hex;
  readonly wallMs: () => number;
  readonly asker: (desk: string) => RunAsker;
  /** Sends to the node; false where there is none. */
  readonly send: (frame: ObjectFrame, parts?: Parts) => boolean;
  /** The region's own word: for results that are held, and against runs of which nothing came. */
  readonly regionKey: RegionKey;
  /** Takes the node's asks out of the book. */
  readonly withdraw: () => void;
  /** Told of each report that the region has accepted; perhaps more than once. */
  readonly reportAccepted?: () => void;
}

/** What is known of a run that was not taken. */
interface Untaken {
  readonly giveUp?: SignedSettlement | null;
  /** Whether its node had the chance to take it. */
  readonly hasFailed?: boolean;
}

const ACTIVE: ReadonlySet<string> = new Set(["offered", "running", "committed", "revealing"]);

/** The runs of one provider. */
export class ProviderRuns {
  readonly #ports: RunPorts;
  /** Desks that wait for the node's word, by obligation. */
  readonly #waiting = new Map<number, (answer: DispatchAnswer) => void>();
  readonly #telling = new Set<number>();
  /** Until when a node that was not there yet is waited for, in wall milliseconds; 0 when it has been. */
  #expectedUntilMs: number;

  constructor(ports: RunPorts) {
    this.#ports = ports;
    this.#expectedUntilMs = ports.wallMs() + RECONNECTION_MS;
  }

  /** Gives the node a run; the same obligation again gets the same answer. */
  async dispatch({ input, ...order }: RunOrder): Promise<DispatchAnswer> {
    const { store, wallMs, withdraw } = this.#ports;
    const { obligationId } = order;
    const known = store.run(obligationId);
    if (known?.answer) return known.answer;
    if (known === null) {
      if (store.countOpen() >= MAX_HELD_RUNS || store.keptBytes() >= MAX_KEPT_RUN_BYTES) {
        this.#release(order, false);
        return "full";
      }
      store.put({
        obligationId,
        state: "offered",
        answer: null,
        order,
        commitment: null,
        isRevealWanted: false,
        outcome: null,
        dueMs: wallMs() + ANSWER_WITHIN_MS + SLACK_MS,
        isTold: true,
        tries: 0,
      });
      store.putBytes(obligationId, "input", input);
    }
    const before = this.#waiting.get(obligationId);
    const answered = new Promise<DispatchAnswer>((resolve) => {
      this.#waiting.set(obligationId, (answer) => {
        before?.(answer);
        resolve(answer);
      });
    });
    const isSent = this.#give(store.run(obligationId) as KeptRun);
    const leftMs = isSent ? ANSWER_WITHIN_MS : Math.max(0, this.#expectedUntilMs - wallMs());
    const hasFailed = isSent || leftMs === 0;
    const timer = setTimeout(() => this.#answer(obligationId, "away", { hasFailed }), leftMs);
    const answer = await answered;
    clearTimeout(timer);
    if (answer === "away") withdraw();
    return answer;
  }

  /** Lets a run go that was bought and will not be handed out any more: its job is over. */
  abandon(order: ReleasedRun): void {
    if (this.#ports.store.run(order.obligationId) === null) this.#release(order, false);
  }

  /** Asks for the result of a run that is committed to, or will be. */
  reveal(obligationId: number): void {
    const { store, send } = this.#ports;
    const run = store.run(obligationId);
    if (run === null || !ACTIVE.has(run.state)) return;
    if (run.state === "committed") store.put(this.#revealing(run));
    else store.put({ ...run, isRevealWanted: true });
    if (run.state === "committed" || run.state === "revealing") send({ type: "reveal", obligationId });
  }

  /** What whoever runs it again needs; null for a run that is not, or no longer, kept. */
  kept(obligationId: number): Pick<RunOrder, "description" | "input"> | null {
    const { store } = this.#ports;
    const run = store.run(obligationId);
    return run?.outcome?.kind !== "result"
      ? null
      : { description: run.order.description, input: store.bytes(obligationId, "input") };
  }

  /** A node has connected that holds some runs: it gets those it lacks, and hears of those that are over. */
  resume(holds: readonly number[]): void {
    const { store, send } = this.#ports;
    this.#expectedUntilMs = 0;
    const held = new Set(holds);
    for (const run of store.open()) {
      if (!ACTIVE.has(run.state)) continue;
      if (!held.has(run.obligationId)) this.#give(run);
      else if (run.state === "offered") this.#accepted(run);
      else if (run.state === "revealing") send({ type: "reveal", obligationId: run.obligationId });
    }
    for (const obligationId of held) {
      const run = store.run(obligationId);
      if (run === null || run.state === "ended") this.#over(obligationId, run);
    }
  }

  /** Takes in what a node says about a run. */
  hear(frame: NodeFrame, parts: Parts, key: Hex): Heard {
    if (!("obligationId" in frame)) return "unasked";
    const { store } = this.#ports;
    const run = store.run(frame.obligationId);
    if (run === null || !ACTIVE.has(run.state)) {
      // Said twice, or too late. A node that never heard the end of a run says it once more after each connection.
      if (run?.state !== "reporting") this.#over(frame.obligationId, run);
      return "unasked";
    }
    switch (frame.type) {
      case "accepted":
        if (run.state !== "offered") return "unasked";
        this.#accepted(run);
        return "expected";
      case "full":
        if (run.state !== "offered" || !isGivingUp(frame.giveUp, run.obligationId, this.#ports.account))
          return "unasked";
        this.#answer(run.obligationId, "full", { giveUp: frame.giveUp });
        this.#ports.withdraw();
        return "expected";
      case "gave_up":
        if (run.state === "offered") return "unasked";
        this.#takeBack(run, frame.reason, leavesTime(run.order.description));
        return "expected";
      case "committed":
        return this.#committed(run, frame.commitment);
      case "result":
        return this.#result(run, frame, parts, key);
    }
    return "unasked";
  }

  /** The region has decided a report. */
  reported(
    obligationId: number,
    result: { readonly entry: number } | { readonly rejection: Rejection },
  ): void {
    const run = this.#ports.store.run(obligationId);
    if (run?.state !== "reporting" || run.outcome?.kind !== "result") return;
    const entry = "entry" in result ? result.entry : null;
    if (entry === null) this.#release(run.order, true);
    else this.#ports.reportAccepted?.();
    this.#end(run, { ...run.outcome, entry }, "rejection" in result ? result.rejection.code : "");
  }

  /** Does what is due: gives up what takes too long, tells desks again, forgets what nobody can ask about. */
  async work(): Promise<void> {
    const { store, wallMs } = this.#ports;
    const nowMs = wallMs();
    for (const run of store.due(nowMs)) {
      if (run.state === "offered") this.#answer(run.obligationId, "away");
      else if (!run.isTold) await this.#tell(run);
      else if (ACTIVE.has(run.state)) this.#takeBack(run, "overdue", leavesTime(run.order.description));
      else if (run.state === "ended") store.forget(run.obligationId);
      else store.put({ ...run, dueMs: nowMs + SLACK_MS });
    }
  }

  #give(run: KeptRun): boolean {
    const { region: _region, desk: _desk, ...told } = run.order;
    return this.#ports.send({ type: "run", ...told }, [this.#ports.store.bytes(run.obligationId, "input")]);
  }

  #accepted(run: KeptRun): void {
    const { store, clock, wallMs } = this.#ports;
    const { deadlineS, description } = run.order;
    const overdueMs = wallMs() + description.limits.wallSeconds * 1_000 + SLACK_MS;
    store.put({
      ...run,
      state: "running",
      answer: "accepted",
      dueMs: Math.min(overdueMs, wallTimeMs(clock, deadlineS)),
    });
    this.#resolve(run.obligationId, "accepted");
  }

  #committed(run: KeptRun, commitment: Hex): Heard {
    const { store, clock, send } = this.#ports;
    const { obligationId, order } = run;
    if (!order.commitFirst || run.state === "offered") return "unasked";
    if (run.commitment !== null) {
      // A node that was started anew says it again; another one would be another result.
      if (run.commitment === commitment && run.state === "revealing") send({ type: "reveal", obligationId });
      return run.commitment === commitment ? "expected" : "unasked";
    }
    const dueMs = wallTimeMs(clock, order.deadlineS);
    const bound: KeptRun = { ...run, state: "committed", commitment, isTold: false, tries: 0, dueMs };
    const committed = run.isRevealWanted ? this.#revealing(bound) : bound;
    store.put(committed);
    if (run.isRevealWanted) send({ type: "reveal", obligationId });
    void this.#tell(committed);
    return "expected";
  }

  /** A run whose result is to be shown by and by. */
  #revealing(run: KeptRun): KeptRun {
    const asked: KeptRun = { ...run, state: "revealing", isRevealWanted: true };
    return { ...asked, dueMs: run.isTold ? this.#restsUntilMs(asked) : run.dueMs };
  }

  #result(run: KeptRun, frame: ResultFrame, parts: Parts, key: Hex): Heard {
    const { store, post, account, clock, regionKey } = this.#ports;
    const { obligationId, order } = run;
    const isDue = order.commitFirst ? run.state === "revealing" : run.state === "running";
    if (!isDue) return "unasked";
    const result = resultOfFrame(frame, parts);
    const fault = faultOfResult(frame, result, { order, commitment: run.commitment, account, key });
    if (fault !== null) {
      this.#takeBack(run, fault, true);
      return "unasked";
    }
    const { stdout, stderr, ...rest } = result;
    store.putBytes(obligationId, "stdout", stdout);
    store.putBytes(obligationId, "stderr", stderr);
    const outcome = { ...rest, entry: null } as unknown as RunResult;
    store.put({
      ...run,
      state: "reporting",
      outcome,
      isTold: true,
      tries: 0,
      dueMs: wallTimeMs(clock, order.deadlineS),
    });
    post.add(`report:${obligationId}`, { ...frame.report, evidence: regionKey.attest(frame.report.command) });
    void post.work();
    return "expected";
  }

  /** Nothing comes of a run, whatever its node may still say of it: the buyer has its money back, and the desk goes on. */
  #takeBack(run: KeptRun, reason: string, hasFailed: boolean): void {
    this.#release(run.order, hasFailed);
    this.#end(run, { kind: "gave_up", reason }, reason);
  }

  /** Has the region end a run of which this object will attest no result. */
  #release(order: ReleasedRun, hasFailed: boolean): void {
    const { post, regionKey } = this.#ports;
    post.add(`release:${order.obligationId}`, regionKey.release(order, hasFailed));
    void post.work();
  }

  /** Ends a run and tells its desk. */
  #end(run: KeptRun, outcome: RunOutcome, reason = ""): void {
    const ended: KeptRun = {
      ...run,
      state: "ended",
      outcome,
      isTold: false,
      tries: 0,
      dueMs: this.#ports.wallMs(),
    };
    this.#ports.store.put(ended);
    if (outcome.kind === "gave_up") this.#ports.store.dropBytes(run.obligationId, ["input"]);
    this.#over(run.obligationId, ended, reason);
    void this.#tell(ended);
  }

  /** Tells the desk of a commitment or of the end. */
  async #tell(run: KeptRun): Promise<void> {
    const { store, asker, wallMs } = this.#ports;
    const { obligationId, order } = run;
    if (this.#telling.has(obligationId)) return;
    this.#telling.add(obligationId);
    // Told again if this one is lost with the object.
    store.put({ ...run, tries: run.tries + 1, dueMs: wallMs() + pauseAfter(run.tries + 4) });
    let isTold = false;
    try {
      const desk = asker(order.desk);
      if (run.state === "ended")
        await desk.ran(order.jobDigest, obligationId, this.#whole(obligationId, run.outcome as RunOutcome));
      else await desk.committed(order.jobDigest, obligationId, run.commitment as Hex);
      isTold = true;
    } catch (fault) {
      console.error("a desk could not be told of a run", fault);
    } finally {
      this.#telling.delete(obligationId);
    }
    const now = store.run(obligationId);
    if (now === null) return;
    // What came in between is to be told as well.
    if (now.state === "ended" && run.state !== "ended") void this.#tell(now);
    else if (isTold) {
      store.put({ ...now, isTold: true, tries: 0, dueMs: this.#restsUntilMs(now) });
      // They are on the desk now.
      if (now.state === "ended") store.dropBytes(obligationId, ["stdout", "stderr"]);
    } else store.put({ ...now, dueMs: wallMs() + pauseAfter(run.tries) });
  }

  /** A told run's next moment: it is overdue, or may be forgotten because nobody can doubt it any more. */
  #restsUntilMs(run: KeptRun): number {
    const { clock, wallMs } = this.#ports;
    const nowMs = wallMs();
    const deadlineMs = wallTimeMs(clock, run.order.deadlineS);
    if (run.state === "revealing") return Math.min(nowMs + SHOW_WITHIN_MS, deadlineMs);
    if (run.state !== "ended") return deadlineMs;
    const challengedS = marketTimeS(clock, nowMs) + 2 * RESULT_CHALLENGE_SECONDS;
    return run.outcome?.kind === "result"
      ? Math.max(nowMs + REMEMBERED_MS, wallTimeMs(clock, challengedS))
      : nowMs + REMEMBERED_MS;
  }

  #whole(obligationId: number, outcome: RunOutcome): RunOutcome {
    const { store } = this.#ports;
    return outcome.kind === "gave_up"
      ? outcome
      : {
          ...outcome,
          stdout: store.bytes(obligationId, "stdout"),
          stderr: store.bytes(obligationId, "stderr"),
        };
  }

  /** The node's word, or that it gave none; a run that is not taken is over, by what the node signed or by the region's own word. */
  #answer(
    obligationId: number,
    answer: "full" | "away",
    { giveUp = null, hasFailed = true }: Untaken = {},
  ): void {
    const { store, post, wallMs } = this.#ports;
    const run = store.run(obligationId);
    if (run?.state === "offered") {
      const ended: KeptRun = { ...run, state: "ended", answer, dueMs: wallMs() + REMEMBERED_MS };
      store.put(ended);
      if (giveUp === null) this.#release(run.order, hasFailed);
      else {
        post.add(`give-up:${obligationId}`, giveUp);
        void post.work();
      }
      store.dropBytes(obligationId, ["input"]);
      this.#over(obligationId, ended, answer);
    }
    this.#resolve(obligationId, answer);
  }

  #resolve(obligationId: number, answer: DispatchAnswer): void {
    this.#waiting.get(obligationId)?.(answer);
    this.#waiting.delete(obligationId);
  }

  #over(obligationId: number, run: KeptRun | null, reason?: string): void {
    const outcome = run?.outcome ?? null;
    const entry = outcome?.kind === "result" ? outcome.entry : null;
    const words =
      reason ??
      (run === null ? "unknown" : outcome?.kind === "gave_up" ? outcome.reason : (run.answer ?? ""));
    this.#ports.send({ type: "over", obligationId, entry, reason: words.slice(0, 200) });
  }
}
