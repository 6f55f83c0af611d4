// Owns a desk's database: jobs, their runs and results, and their bytes in pieces that fit a row. Synchronous by design, so that
// no transaction can wait; it refuses nothing.

import type { Submission } from "../../evidence/signed-command.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { JobStatus } from "../../protocol/jobs.ts";
import type {
  JobOrder,
  JobRecord,
  JobTerms,
  PurchaseRecord,
  ResultRecord,
  RunRecord,
} from "./job-records.ts";
import { isOver } from "./job-records.ts";

/** Bytes of one row: half of what a row of the object's database may hold. */
const PIECE_BYTES = 1_000_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
    wake_ms INTEGER, over_ms INTEGER, bytes INTEGER NOT NULL, terms TEXT NOT NULL, state TEXT NOT NULL, submissions TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS jobs_by_wake ON jobs (wake_ms) WHERE wake_ms IS NOT NULL;
  CREATE INDEX IF NOT EXISTS jobs_by_over ON jobs (over_ms, number);
  CREATE TABLE IF NOT EXISTS runs (digest TEXT NOT NULL, obligation INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (digest, obligation));
  CREATE TABLE IF NOT EXISTS results (digest TEXT NOT NULL, output_hash TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (digest, output_hash));
  CREATE TABLE IF NOT EXISTS purchases (digest TEXT NOT NULL, attempt INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (digest, attempt));
  CREATE TABLE IF NOT EXISTS pieces (digest TEXT NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (digest, name, place));`;

/** Tables with rows of a job beside its own. */
const PARTS = ["runs", "results", "purchases", "pieces"] as const;

interface JobRow extends Record<string, SqlStorageValue> {
  number: number;
  status: string;
  over_ms: number | null;
  terms: string;
  state: string;
}

/** How much of something there is. */
export interface Amount {
  readonly jobs: number;
  readonly bytes: number;
}

export type StreamName = "stdout" | "stderr";

/** The database of one desk. */
export class JobStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(SCHEMA);
  }

  /** Runs synchronous work in one transaction; a throw undoes all of it. */
  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  /** Keeps a new job. @param bytes that are set aside for it until it is over. */
  add({ input, submissions, ...terms }: JobOrder, bytes: number, wakeMs: number): void {
    const state = {
      attempt: 0,
      isAsked: false,
      refusals: 0,
      notBeforeMs: 0,
      retryUntilMs: 0,
      problem: null,
      outputHash: null,
      overS: null,
      webhookState: terms.webhook === null ? null : "waiting",
      webhookTries: 0,
    };
    this.#sql.exec(
      "INSERT INTO jobs (digest, status, wake_ms, bytes, terms, state, submissions) VALUES (?, 'queued', ?, ?, ?, ?, ?)",
      terms.job,
      wakeMs,
      bytes,
      JSON.stringify(terms),
      JSON.stringify(state),
      JSON.stringify(submissions),
    );
    this.#putBytes(terms.job, "input", input);
  }

  job(digest: Hex): JobRecord | null {
    const row = this.#sql.exec<JobRow>("SELECT * FROM jobs WHERE digest = ?", digest).toArray()[0];
    return row === undefined ? null : recordOf(row);
  }

  /** Jobs from a number down, the newest first. */
  page(before: number, limit: number): JobRecord[] {
    return this.#sql
      .exec<JobRow>("SELECT * FROM jobs WHERE number < ? ORDER BY number DESC LIMIT ?", before, limit)
      .toArray()
      .map(recordOf);
  }

  /** Writes what has changed of a job. */
  put(job: JobRecord, wakeMs: number | null): void {
    const { number, terms: _terms, status, overMs, ...state } = job;
    this.#sql.exec(
      "UPDATE jobs SET status = ?, over_ms = ?, wake_ms = ?, state = ? WHERE number = ?",
      status,
      overMs,
      wakeMs,
      JSON.stringify(state),
      number,
    );
  }

  wake(digest: Hex, wakeMs: number | null): void {
    this.#sql.exec("UPDATE jobs SET wake_ms = ? WHERE digest = ?", wakeMs, digest);
  }

  /** Jobs that something is to be done for by now. */
  due(nowMs: number): Hex[] {
    return this.#sql
      .exec<{ digest: Hex }>("SELECT digest FROM jobs WHERE wake_ms <= ? ORDER BY wake_ms", nowMs)
      .toArray()
      .map(({ digest }) => digest);
  }

  /** Wall milliseconds of the next thing to do; null where there is none. */
  nextWakeMs(): number | null {
    return this.#sql.exec<{ at: number | null }>("SELECT min(wake_ms) AS at FROM jobs").one().at;
  }

  /** Of jobs that are over: the oldest's end in wall milliseconds. */
  oldestOverMs(): number | null {
    return this.#sql.exec<{ at: number | null }>("SELECT min(over_ms) AS at FROM jobs").one().at;
  }

  submissions(digest: Hex): Submission[] {
    const rows = this.#sql
      .exec<{ submissions: string }>("SELECT submissions FROM jobs WHERE digest = ?", digest)
      .toArray();
    return JSON.parse(rows[0]?.submissions ?? "[]");
  }

  runs(digest: Hex): RunRecord[] {
    return this.#records("SELECT record FROM runs WHERE digest = ? ORDER BY obligation", digest);
  }

  run(digest: Hex, obligation: number): RunRecord | null {
    return (
      this.#records<RunRecord>(
        "SELECT record FROM runs WHERE digest = ? AND obligation = ?",
        digest,
        obligation,
      )[0] ?? null
    );
  }

  putRun(digest: Hex, run: RunRecord): void {
    const values = [digest, run.obligation, JSON.stringify(run)];
    this.#sql.exec("INSERT OR REPLACE INTO runs (digest, obligation, record) VALUES (?, ?, ?)", ...values);
  }

  purchases(digest: Hex): PurchaseRecord[] {
    return this.#records("SELECT record FROM purchases WHERE digest = ? ORDER BY attempt", digest);
  }

  putPurchase(digest: Hex, attempt: number, purchase: PurchaseRecord): void {
    const values = [digest, attempt, JSON.stringify(purchase)];
    this.#sql.exec("INSERT INTO purchases (digest, attempt, record) VALUES (?, ?, ?)", ...values);
  }

  result(digest: Hex, outputHash: Hex): ResultRecord | null {
    return (
      this.#records<ResultRecord>(
        "SELECT record FROM results WHERE digest = ? AND output_hash = ?",
        digest,
        outputHash,
      )[0] ?? null
    );
  }

  /** Keeps a result; equal ones once. */
  putResult(digest: Hex, result: ResultRecord, outputs: Record<StreamName, Uint8Array>): void {
    const { outputHash } = result;
    if (this.result(digest, outputHash) !== null) return;
    this.#sql.exec(
      "INSERT INTO results (digest, output_hash, record) VALUES (?, ?, ?)",
      digest,
      outputHash,
      JSON.stringify(result),
    );
    this.#putBytes(digest, `stdout/${outputHash}`, outputs.stdout);
    this.#putBytes(digest, `stderr/${outputHash}`, outputs.stderr);
  }

  input(digest: Hex): Uint8Array {
    return this.#bytes(digest, "input");
  }

  output(digest: Hex, stream: StreamName, outputHash: Hex): Uint8Array {
    return this.#bytes(digest, `${stream}/${outputHash}`);
  }

  /** Lets go of results and their outputs. */
  forgetResults(digest: Hex): void {
    this.#sql.exec("DELETE FROM results WHERE digest = ?", digest);
    this.#sql.exec("DELETE FROM pieces WHERE digest = ? AND name <> 'input'", digest);
  }

  /** Lets go of what a job that is over needs no more: its signed commands, its input, results that do not count. */
  settle({ terms: { job }, outputHash }: JobRecord): void {
    const kept = outputHash ?? "";
    this.#sql.exec("DELETE FROM results WHERE digest = ? AND output_hash <> ?", job, kept);
    this.#sql.exec(
      "DELETE FROM pieces WHERE digest = ? AND name NOT IN (?, ?)",
      job,
      `stdout/${kept}`,
      `stderr/${kept}`,
    );
    const { bytes } = this.#sql
      .exec<{ bytes: number | null }>("SELECT sum(length(bytes)) AS bytes FROM pieces WHERE digest = ?", job)
      .one();
    this.#sql.exec("UPDATE jobs SET submissions = '[]', bytes = ? WHERE digest = ?", bytes ?? 0, job);
  }

  /** Forgets a job with all that belongs to it. */
  forget(digest: Hex): void {
    this.#sql.exec("DELETE FROM jobs WHERE digest = ?", digest);
    for (const table of PARTS) this.#sql.exec(`DELETE FROM ${table} WHERE digest = ?`, digest);
  }

  underWay(): Amount {
    return this.#amount("over_ms IS NULL");
  }

  /** Jobs that are over, and their outputs. */
  kept(): Amount {
    return this.#amount("over_ms IS NOT NULL");
  }

  /** The job that has been over for longest, and since when. */
  oldest(): { readonly digest: Hex; readonly overMs: number } | null {
    return (
      this.#sql
        .exec<{ digest: Hex; overMs: number }>(
          "SELECT digest, over_ms AS overMs FROM jobs WHERE over_ms IS NOT NULL ORDER BY over_ms, number LIMIT 1",
        )
        .toArray()[0] ?? null
    );
  }

  #amount(condition: string): Amount {
    return this.#sql
      .exec<{ jobs: number; bytes: number }>(
        `SELECT count(*) AS jobs, coalesce(sum(bytes), 0) AS bytes FROM jobs WHERE ${condition}`,
      )
      .one();
  }

  #records<T>(query: string, ...values: (string | number)[]): T[] {
    return this.#sql
      .exec<{ record: string }>(query, ...values)
      .toArray()
      .map(({ record }) => JSON.parse(record) as T);
  }

  #putBytes(digest: Hex, name: string, bytes: Uint8Array): void {
    for (let place = 0; place * PIECE_BYTES < bytes.length; place += 1)
      this.#sql.exec(
        "INSERT INTO pieces (digest, name, place, bytes) VALUES (?, ?, ?, ?)",
        digest,
        name,
        place,
        bytes.slice(place * PIECE_BYTES, (place + 1) * PIECE_BYTES),
      );
  }

  #bytes(digest: Hex, name: string): Uint8Array {
    const pieces = this.#sql
      .exec<{ bytes: ArrayBuffer }>(
        "SELECT bytes FROM pieces WHERE digest = ? AND name = ? ORDER BY place",
        digest,
        name,
      )
      .toArray()
      .map(({ bytes }) => new Uint8Array(bytes));
    const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const piece of pieces) {
      whole.set(piece, offset);
      offset += piece.length;
    }
    return whole;
  }
}

function recordOf(row: JobRow): JobRecord {
  const terms = JSON.parse(row.terms) as JobTerms;
  const state = JSON.parse(row.state) as Omit<JobRecord, "number" | "terms" | "status" | "overMs">;
  const record = {
    ...state,
    number: row.number,
    terms,
    status: row.status as JobStatus,
    overMs: row.over_ms,
  };
  if (isOver(record) !== (record.overMs !== null)) throw new Error(`job ${row.number} is half over`);
  return record;
}
