// Owns the region's one rhythm: commands queue, a flush decides them all, writes one journal row and answers. It
// refuses to answer before the row is written, and a fault in one command never costs another its answer.

import { NO_COMMAND, type Receipt } from "../evidence/receipt.ts";
import type { ProvedSubmission, Submission } from "../evidence/signed-command.ts";
import { decide, isRemembered } from "../market/decide.ts";
import { nextDueS } from "../market/due.ts";
import { chainHash, type Entry, execute, executeDue } from "../market/journal.ts";
import { addressOf, type RegionState } from "../market/state.ts";
import { marketTimeS, wallTimeMs } from "../protocol/clock.ts";
import type { Command, SubmitReadings } from "../protocol/commands.ts";
import { type ErrorCode, type Rejection, rejected } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_QUEUED_COMMANDS, MAX_STORAGE_BYTES } from "../protocol/limits.ts";
import { sha256Hex } from "./digest.ts";
import type { EngineHost } from "./engine-host.ts";
import { type Line, lineOf, rowsOf } from "./journal-lines.ts";
import type { Answer, Outcome } from "./outcome.ts";
import { beforeStep, project, projectCommand } from "./projections.ts";
import { type Admission, ProofAttempts } from "./proof-attempts.ts";
import { RateLimits } from "./rate-limits.ts";
import { entriesOf, receiptsOf } from "./receipts.ts";
import { recover } from "./recovery.ts";
import { keepReport } from "./settlement-records.ts";
import { Snapshots } from "./snapshots.ts";

interface Waiting {
  readonly submission: Submission;
  readonly resolve: (outcome: Outcome | Promise<Outcome>) => void;
}

/** What deciding a command gave, before its receipt exists. */
type Judgement = { readonly entry: number } | { readonly rejection: Rejection };

/** Rows and bills that one due step touches; a flush does as many steps as stay below this, and at least one. */
const CATCH_UP_WORK = 40_000;
const STEP_OVERHEAD = 400;
/** After a fault of ours in a due step, the region tries again this much later. */
export const FAULT_PAUSE_MS = 5_000;

/** One region at work. */
export class RegionEngine {
  state: RegionState;
  /** The rules, replaceable so that a test can make them throw. */
  rules = { execute, executeDue };
  /** How often each code was answered since this object woke: refusals are counted and not journaled. */
  readonly refusals = new Map<ErrorCode, number>();
  #hash: string;
  readonly #host: EngineHost;
  readonly limits: RateLimits;
  readonly #attempts: ProofAttempts;
  #snapshots: Snapshots;
  #queue: Waiting[] = [];
  #isArmed = false;
  #wakesAtMs = 0;
  /** Answers of the flush under way, by entry. */
  readonly #answers = new Map<number, Answer>();

  constructor(host: EngineHost) {
    this.#host = host;
    this.limits = new RateLimits(host.store);
    this.#attempts = new ProofAttempts(host.store, host.wallMs());
    const recovered = recover(host.store);
    this.state = recovered.state;
    this.#hash = recovered.hash;
    this.#snapshots = this.#makeSnapshots(recovered);
    // What became due while the object slept is done at once, and not when an alarm gets round to it.
    if (this.#isDue()) this.arm();
    this.#armAlarm();
  }

  /** Chain hash of the last entry. */
  get hash(): string {
    return this.#hash;
  }

  /** Commands waiting for a flush. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Market time now; never earlier than the last entry. */
  atS(): number {
    return Math.max(this.state.header.atS, marketTimeS(this.#host.clock, this.#host.wallMs()));
  }

  /**
   * Queues a command; resolves with its answer once that is durable, or with why it was refused.
   * @param ticket of the verification that ends with it, where it shows a proof.
   */
  submit(submission: Submission, ticket: number | null = null): Promise<Outcome> {
    if (ticket !== null && submission.command.type === "submit_readings")
      this.#attempts.ended(submission.command.account, ticket);
    if (this.#queue.length >= MAX_QUEUED_COMMANDS) {
      return Promise.resolve({ rejection: rejected("overloaded", { queued: this.#queue.length }) });
    }
    return new Promise((resolve) => {
      this.#queue.push({ submission, resolve });
      this.arm();
    });
  }

  /**
   * Judges a command as if the proof it shows held, before anybody verifies that: what would be refused anyway need not
   * cost a pairing. Nothing is written; `submit` decides again.
   * @returns its outcome where it is one already, or leave to verify, which `proofFailed` or `submit` ends.
   */
  async preflight(submission: ProvedSubmission): Promise<Outcome | Admission> {
    const { command, commandId, signer, evidence } = submission;
    if (isRemembered(this.state, commandId)) return this.submit(submission);
    const retryAfterSeconds = this.limits.take(senderOf(this.state, signer), this.#host.wallMs());
    if (retryAfterSeconds !== null) return this.#refuse(rejected("rate_limited", { retryAfterSeconds }));
    if (this.#isDue()) this.flush();
    const decision = this.#isDue()
      ? null
      : decide(this.state, { command, commandId, signer, evidence }, this.atS());
    if (decision !== null && "rejection" in decision) return this.#refuse(decision.rejection);
    const admission = this.#attempts.begin(command.account, command.firstSlot, this.#host.wallMs());
    return "rejection" in admission ? this.#refuse(admission.rejection) : admission;
  }

  /** A proof that was let through, under this ticket, did not verify. */
  proofFailed({ account, firstSlot }: SubmitReadings, ticket: number): Outcome {
    this.#attempts.failed(account, firstSlot, ticket);
    return this.#refuse(rejected("proof_invalid", { firstSlot }));
  }

  /** Makes sure a flush comes in a later turn. */
  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#host.later(() => this.flush(), 0);
  }

  /** The alarm went off. It is spent now, even when it came before its time, so it must be armed again. */
  wake(): void {
    this.#wakesAtMs = 0;
    this.flush();
  }

  /** Does what is due, decides everything queued, writes it and answers. */
  flush(): void {
    this.#isArmed = false;
    const batch = this.#queue;
    this.#queue = [];
    try {
      this.#answer(batch, this.#commit(batch));
    } catch (fault) {
      this.#reload(fault);
      this.#flushOneByOne(batch);
    }
    this.#armAlarm();
  }

  /** The answer to a command accepted before, made again from the journal. */
  async answerOf(entry: number): Promise<Answer | null> {
    const row = this.#host.store.rowOf(entry) ?? (await this.#host.archivedRow(entry));
    if (row === null) return null;
    const stored = entriesOf(row);
    const found = stored[entry - row.first];
    if (found === undefined) return null;
    return answer(found.entry, receiptsOf(this.#host.authority, row, stored)(entry));
  }

  /** Begins a snapshot now. */
  snapshot(): void {
    this.#snapshots.begin(this.state, this.#hash);
  }

  #isDue(): boolean {
    const due = nextDueS(this.state);
    return due !== null && due <= this.atS();
  }

  /** Refusals are counted and not journaled. */
  #refuse(rejection: Rejection): { readonly rejection: Rejection } {
    this.refusals.set(rejection.code, (this.refusals.get(rejection.code) ?? 0) + 1);
    return { rejection };
  }

  /** After a fault each command has a transaction of its own: only the one that throws is hurt. */
  #flushOneByOne(batch: readonly Waiting[]): void {
    for (const [index, waiting] of batch.entries()) {
      try {
        const judgements = this.#commit([waiting]);
        // What is due is not done yet: this one and those behind it wait, in their order.
        if (judgements === null) {
          this.#answer(batch.slice(index), null);
          return;
        }
        this.#answer([waiting], judgements);
      } catch (fault) {
        this.#reload(fault);
        waiting.resolve({ rejection: rejected("internal_fault") });
      }
    }
  }

  /**
   * One transaction: due steps first, then the commands. Null when due steps are left over; the commands then wait,
   * because nothing is decided before what is due.
   */
  #commit(batch: readonly Waiting[]): readonly Judgement[] | null {
    const lines: Line[] = [];
    const atS = this.atS();
    const judgements = this.#host.store.transaction(() => {
      if (!this.#catchUp(atS, lines)) return this.#write(lines, atS, null);
      return this.#write(lines, atS, this.#judgeAll(batch, atS, lines));
    });
    if (lines.length > 0) {
      this.#receipts(lines, atS);
      this.#host.publish(lines.map(({ entry }) => entry));
      const characters = lines.reduce((sum, { text }) => sum + text.length, 0);
      this.#snapshots.count(this.state, this.#hash, lines.length, characters);
    }
    return judgements;
  }

  /** Due steps, as many as one flush should do; false when some are left. */
  #catchUp(atS: number, lines: Line[]): boolean {
    const { tables } = this.state;
    let work = 0;
    for (;;) {
      const due = nextDueS(this.state);
      if (due === null || due > atS) return true;
      if (work > CATCH_UP_WORK) return false;
      const before = beforeStep(this.state);
      const entry = this.rules.executeDue(this.state, atS, sha256Hex);
      if (entry === null) throw new Error("what is due was not done");
      if (before !== null) project(this.#host.store, entry, before);
      this.#chain(entry, lines);
      keepReport(this.#host.store, this.state, entry, this.#hash);
      work += STEP_OVERHEAD;
      if (before !== null)
        work += tables.orders.rows + tables.window.rows * (before.bills.length > 0 ? 20 : 1);
    }
  }

  #judgeAll(batch: readonly Waiting[], atS: number, lines: Line[]): Judgement[] {
    const isFull = this.#host.store.bytes > MAX_STORAGE_BYTES;
    return batch.map(({ submission }) => this.#judge(submission, atS, isFull, lines));
  }

  #judge(
    { command, commandId, signer, evidence, auth, rawEvidence }: Submission,
    atS: number,
    isFull: boolean,
    lines: Line[],
  ): Judgement {
    const sender = senderOf(this.state, signer);
    const { opened } = this.state.header;
    // Nobody's flood of runs that come to nothing may keep the region from releasing them, or from its audits.
    const own = [opened?.operator, opened?.mirror, opened?.receiptKey];
    if (!own.includes(sender)) {
      const retryAfterSeconds = this.limits.take(sender, this.#host.wallMs());
      if (retryAfterSeconds !== null) return { rejection: rejected("rate_limited", { retryAfterSeconds }) };
    }
    if (isRemembered(this.state, commandId)) {
      const row = this.state.indexes.commands.get(commandId) as number;
      return { entry: this.state.tables.commands.columns.entry[row] as number };
    }
    if (isFull && !FREEING_COMMANDS.has(command.type)) {
      return { rejection: rejected("storage_exhausted", { limitBytes: MAX_STORAGE_BYTES }) };
    }
    const result = this.rules.execute(
      this.state,
      { command, commandId, signer, evidence },
      auth,
      rawEvidence,
      atS,
    );
    if ("rejection" in result) return result;
    projectCommand(this.#host.store, result.entry);
    this.#chain(result.entry, lines);
    return { entry: result.entry.number };
  }

  #chain(entry: Entry, lines: Line[]): void {
    const body = JSON.stringify(entry);
    this.#hash = chainHash(sha256Hex, this.#hash, body);
    lines.push(lineOf(entry, body, this.#hash));
  }

  /** Writes the lines as rows, each of which will be signed once. */
  #write<T>(lines: readonly Line[], atS: number, result: T): T {
    for (const { first, last, lines: own } of rowsOf(lines)) {
      this.#host.store.appendRow({ first, last, atS, text: own.map(({ text }) => text).join("") });
    }
    return result;
  }

  /** Signs the rows; one that no command is in is signed when somebody asks for a receipt. */
  #receipts(lines: readonly Line[], atS: number): void {
    this.#answers.clear();
    for (const { first, last, lines: own } of rowsOf(lines)) {
      const commands = own.filter(({ entry }) => entry.command !== undefined);
      if (commands.length === 0) continue;
      const receiptOf = receiptsOf(this.#host.authority, { first, last, atS }, own);
      for (const { entry } of commands)
        this.#answers.set(entry.number, answer(entry, receiptOf(entry.number)));
    }
  }

  #answer(batch: readonly Waiting[], judgements: readonly Judgement[] | null): void {
    if (judgements === null) {
      this.#queue = [...batch, ...this.#queue];
      this.arm();
      return;
    }
    batch.forEach(({ resolve }, index) => {
      const judgement = judgements[index] as Judgement;
      if ("rejection" in judgement) {
        resolve(this.#refuse(judgement.rejection));
        return;
      }
      const fresh = this.#answers.get(judgement.entry);
      resolve(fresh === undefined ? this.#answerAgain(judgement.entry) : { answer: fresh });
    });
  }

  async #answerAgain(entry: number): Promise<Outcome> {
    const found = await this.answerOf(entry);
    return found === null ? { rejection: rejected("entry_not_found", { entry }) } : { answer: found };
  }

  /** Storage is the truth: whatever a fault left in memory is dropped. */
  #reload(fault: unknown): void {
    console.error("a flush was rolled back", fault);
    this.#snapshots.cancel();
    try {
      const recovered = recover(this.#host.store);
      this.state = recovered.state;
      this.#hash = recovered.hash;
      this.#snapshots = this.#makeSnapshots(recovered);
    } catch (second) {
      // Going on would write what the first fault left half done, and those who wait would never be answered.
      this.#host.giveUp(second);
      throw second;
    }
  }

  #makeSnapshots(recovered: ReturnType<typeof recover>): Snapshots {
    const { store, later, snapshotted } = this.#host;
    return new Snapshots(store, () => this.#host.snapshotPolicy, later, recovered, snapshotted);
  }

  /** The alarm follows from the state; it only wakes the region and decides nothing. */
  #armAlarm(): void {
    const due = nextDueS(this.state);
    if (due === null) return;
    const now = this.#host.wallMs();
    const dueMs = wallTimeMs(this.#host.clock, due);
    const wakesAtMs = dueMs > now ? dueMs : now + (this.#isArmed ? 0 : FAULT_PAUSE_MS);
    if (wakesAtMs === this.#wakesAtMs) return;
    this.#wakesAtMs = wakesAtMs;
    this.#host.wakeAt(wakesAtMs);
  }
}

/** What is still accepted when storage runs out: what settles and what lets go. */
const FREEING_COMMANDS: ReadonlySet<Command["type"]> = new Set([
  "submit_readings",
  "cancel_order",
  "revoke_session",
  "cancel_resource_order",
  "settle_obligation",
  "report_result",
  "release_run",
  "record_audit",
  "credit_deposit",
  "schedule_terms",
  "schedule_parameters",
  "record_stake",
  "withdraw",
]);

/**
 * Who is counted for a command: the account behind the signature. Not the account that the command names, or a
 * stranger could use up its limit; and not the kind of command, or a stranger could send the operator's without limit.
 */
function senderOf(state: RegionState, signer: Submission["signer"]): Hex {
  if (signer.scheme === "wallet") return signer.address;
  const row = state.indexes.sessionByKey.get(signer.key);
  return row === undefined
    ? signer.key
    : addressOf(state, state.tables.sessions.columns.account[row] as number);
}

/** What the region did by itself has the command id that its receipt has. */
function answer({ number, atS, events, commandId = NO_COMMAND }: Entry, receipt: Receipt): Answer {
  return { commandId, entry: number, atS, events, receipt };
}
