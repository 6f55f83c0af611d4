// Owns what a provider's object keeps: its runs with their bytes, the commands that its region has not answered yet, the
// node's will. It refuses to judge any of it; a row's bytes are in pieces, because one value holds two megabytes at most.

import type { Hex } from "../../protocol/fields.ts";
import type { LeaseVoucher } from "../../protocol/lease-frames.ts";
import type { SignedSettlement } from "../../protocol/provider-frames.ts";
import type { LeaseTally } from "../../protocol/run-results.ts";
import type { DispatchAnswer, RunOrder, RunOutcome } from "../job-calls.ts";
import type { LeaseTerms } from "../lease-reads.ts";

/** Where a run stands. All end as `ended`, whatever the answer was. */
export type RunState = "offered" | "running" | "committed" | "revealing" | "reporting" | "ended";

/** A run without its bytes. */
export interface KeptRun {
  readonly obligationId: number;
  readonly state: RunState;
  readonly answer: DispatchAnswer | null;
  readonly order: Omit<RunOrder, "input">;
  readonly commitment: Hex | null;
  readonly isRevealWanted: boolean;
  /** Without the outputs; null while there is none, or none to tell. */
  readonly outcome: RunOutcome | null;
  /** Wall time at which it is given up, told again, or forgotten, whichever comes next. */
  readonly dueMs: number;
  /** The desk has heard of the end, or of the commitment while there is no end. */
  readonly isTold: boolean;
  readonly tries: number;
}

/** A command of the node's that the region is to decide. */
export interface Posted {
  /** What it is for, with the number that it is about. */
  readonly key: string;
  readonly signed: unknown;
  readonly dueMs: number;
  readonly tries: number;
}

type Part = "input" | "stdout" | "stderr";
const PIECE_BYTES = 1_000_000;
const NOTHING = new Uint8Array(0);

interface RunRow extends Record<string, SqlStorageValue> {
  obligation: number;
  state: string;
  answer: string | null;
  order_text: string;
  commitment: string | null;
  reveal: number;
  outcome: string | null;
  due_ms: number;
  told: number;
  tries: number;
}

/** A lease, and what was run of it. */
export interface KeptLease {
  readonly lease: number;
  readonly terms: LeaseTerms;
  readonly tally: LeaseTally;
  readonly voucher: LeaseVoucher | null;
  /** The node's settlement for that voucher, not sent yet. */
  readonly settle: SignedSettlement | null;
  /** Wall time at which that is sent; and, a while after its end, at which the lease is forgotten. */
  readonly dueMs: number;
}

/** One provider's rows. */
export class RunStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS runs (obligation INTEGER PRIMARY KEY, state TEXT NOT NULL, answer TEXT,
      order_text TEXT NOT NULL, commitment TEXT, reveal INTEGER NOT NULL, outcome TEXT, due_ms INTEGER NOT NULL,
      told INTEGER NOT NULL, tries INTEGER NOT NULL)`);
    sql.exec(`CREATE INDEX IF NOT EXISTS runs_due ON runs (due_ms)`);
    sql.exec(`CREATE INDEX IF NOT EXISTS runs_open ON runs (obligation) WHERE state <> 'ended'`);
    sql.exec(`CREATE TABLE IF NOT EXISTS bytes (obligation INTEGER NOT NULL, part TEXT NOT NULL, piece INTEGER NOT NULL,
      data BLOB NOT NULL, PRIMARY KEY (obligation, part, piece)) WITHOUT ROWID`);
    sql.exec(`CREATE TABLE IF NOT EXISTS posted (key TEXT PRIMARY KEY, signed TEXT NOT NULL, due_ms INTEGER NOT NULL,
      tries INTEGER NOT NULL)`);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS leases (lease INTEGER PRIMARY KEY, text TEXT NOT NULL, due_ms INTEGER NOT NULL)`,
    );
    sql.exec(`CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)`);
  }

  run(obligationId: number): KeptRun | null {
    const [row] = this.#sql.exec<RunRow>("SELECT * FROM runs WHERE obligation = ?", obligationId).toArray();
    return row === undefined ? null : runOf(row);
  }

  /** Runs that are not over. */
  open(): KeptRun[] {
    return this.#sql.exec<RunRow>("SELECT * FROM runs WHERE state <> 'ended'").toArray().map(runOf);
  }

  /** Runs with something to do at a moment of wall time. */
  due(wallMs: number): KeptRun[] {
    return this.#sql
      .exec<RunRow>("SELECT * FROM runs WHERE due_ms <= ? ORDER BY due_ms LIMIT 256", wallMs)
      .toArray()
      .map(runOf);
  }

  /** Runs that are not over, by an index of their own: those that are over stay for hours. */
  countOpen(): number {
    return this.#sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM runs WHERE state <> 'ended'")
      .one().count;
  }

  /** Bytes of all inputs and outputs. */
  keptBytes(): number {
    return this.kept<number>("run-bytes") ?? 0;
  }

  put(run: KeptRun): void {
    const { obligationId, state, answer, order, commitment, isRevealWanted, outcome, dueMs, isTold, tries } =
      run;
    this.#sql.exec(
      "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      obligationId,
      state,
      answer,
      JSON.stringify(order),
      commitment,
      isRevealWanted ? 1 : 0,
      outcome === null ? null : JSON.stringify(outcome),
      dueMs,
      isTold ? 1 : 0,
      tries,
    );
  }

  forget(obligationId: number): void {
    this.#sql.exec("DELETE FROM runs WHERE obligation = ?", obligationId);
    this.dropBytes(obligationId, ["input", "stdout", "stderr"]);
  }

  dropBytes(obligationId: number, parts: readonly Part[]): void {
    for (const part of parts) this.putBytes(obligationId, part, NOTHING);
  }

  putBytes(obligationId: number, part: Part, bytes: Uint8Array): void {
    const { size } = this.#sql
      .exec<{ size: number }>(
        "SELECT coalesce(sum(length(data)), 0) AS size FROM bytes WHERE obligation = ? AND part = ?",
        obligationId,
        part,
      )
      .one();
    if (size !== bytes.length) this.keep("run-bytes", this.keptBytes() + bytes.length - size);
    if (size > 0) this.#sql.exec("DELETE FROM bytes WHERE obligation = ? AND part = ?", obligationId, part);
    for (let at = 0, piece = 0; at < bytes.length; at += PIECE_BYTES, piece += 1)
      this.#sql.exec(
        "INSERT INTO bytes VALUES (?, ?, ?, ?)",
        obligationId,
        part,
        piece,
        bytes.slice(at, at + PIECE_BYTES).buffer,
      );
  }

  bytes(obligationId: number, part: Part): Uint8Array {
    const pieces = this.#sql
      .exec<{ data: ArrayBuffer }>(
        "SELECT data FROM bytes WHERE obligation = ? AND part = ? ORDER BY piece",
        obligationId,
        part,
      )
      .toArray();
    const whole = new Uint8Array(pieces.reduce((sum, { data }) => sum + data.byteLength, 0));
    let at = 0;
    for (const { data } of pieces) {
      whole.set(new Uint8Array(data), at);
      at += data.byteLength;
    }
    return whole;
  }

  post({ key, signed, dueMs, tries }: Posted): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO posted VALUES (?, ?, ?, ?)",
      key,
      JSON.stringify(signed),
      dueMs,
      tries,
    );
  }

  /** Commands that the region may be asked about now. */
  posted(wallMs: number, limit: number): Posted[] {
    return this.#sql
      .exec<{ key: string; signed: string; due_ms: number; tries: number }>(
        "SELECT * FROM posted WHERE due_ms <= ? ORDER BY due_ms LIMIT ?",
        wallMs,
        limit,
      )
      .toArray()
      .map(({ key, signed, due_ms: dueMs, tries }) => ({ key, signed: JSON.parse(signed), dueMs, tries }));
  }

  unpost(key: string): void {
    this.#sql.exec("DELETE FROM posted WHERE key = ?", key);
  }

  /** When something is due next, in wall milliseconds; null for never. */
  nextDueMs(): number | null {
    const { due } = this.#sql
      .exec<{ due: number | null }>(
        "SELECT min(due) AS due FROM (SELECT min(due_ms) AS due FROM runs UNION ALL SELECT min(due_ms) FROM posted UNION ALL SELECT min(due_ms) FROM leases)",
      )
      .one();
    return due;
  }

  lease(lease: number): KeptLease | null {
    const [row] = this.#sql
      .exec<{ text: string }>("SELECT text FROM leases WHERE lease = ?", lease)
      .toArray();
    return row === undefined ? null : (JSON.parse(row.text) as KeptLease);
  }

  leases(): KeptLease[] {
    return this.#sql
      .exec<{ text: string }>("SELECT text FROM leases")
      .toArray()
      .map(({ text }) => JSON.parse(text) as KeptLease);
  }

  putLease(kept: KeptLease): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO leases VALUES (?, ?, ?)",
      kept.lease,
      JSON.stringify(kept),
      kept.dueMs,
    );
  }

  forgetLease(lease: number): void {
    this.#sql.exec("DELETE FROM leases WHERE lease = ?", lease);
  }

  /** A value by name, or null. */
  kept<T>(name: string): T | null {
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM kept WHERE name = ?", name).toArray();
    return row === undefined ? null : (JSON.parse(row.value) as T);
  }

  keep(name: string, value: unknown): void {
    if (value === null) this.#sql.exec("DELETE FROM kept WHERE name = ?", name);
    else this.#sql.exec("INSERT OR REPLACE INTO kept VALUES (?, ?)", name, JSON.stringify(value));
  }
}

function runOf(row: RunRow): KeptRun {
  return {
    obligationId: row.obligation,
    state: row.state as RunState,
    answer: row.answer as DispatchAnswer | null,
    order: JSON.parse(row.order_text),
    commitment: row.commitment as Hex | null,
    isRevealWanted: row.reveal === 1,
    outcome: row.outcome === null ? null : JSON.parse(row.outcome),
    dueMs: row.due_ms,
    isTold: row.told === 1,
    tries: row.tries,
  };
}
