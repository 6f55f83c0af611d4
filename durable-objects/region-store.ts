// Owns what a region keeps in its database: journal rows, snapshot, settled slots, bills, and the counters outside the
// audited state. Synchronous by design, so that no transaction can wait; it refuses migrations out of order.

import { concatBytes } from "@noble/hashes/utils.js";
import type { Section, SnapshotHead } from "../market/snapshot.ts";
import { MAX_SECTION_BYTES } from "../protocol/limits.ts";
import { RESULT_TABLES, ResultRecords } from "./result-records.ts";

/** A run of journal lines written by one flush: the entries one signature covers. */
export interface JournalRow {
  readonly first: number;
  readonly last: number;
  readonly atS: number;
  /** NDJSON, a line an entry, each ending in a newline. */
  readonly text: string;
}

/** A part of the journal that has left for the archive. */
export interface ArchivedSegment {
  readonly first: number;
  readonly last: number;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface StoredSnapshot {
  readonly head: SnapshotHead;
  readonly hash: string;
  readonly sections: Iterable<Section>;
}

/** Schema changes in the order they came; a step is never edited, only followed by another. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE journal (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at_s INTEGER NOT NULL, text TEXT NOT NULL);
   CREATE TABLE segments (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, key TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL);
   CREATE TABLE snapshots (generation INTEGER PRIMARY KEY, entry INTEGER NOT NULL, hash TEXT NOT NULL, head TEXT NOT NULL);
   CREATE TABLE sections (generation INTEGER NOT NULL, number INTEGER NOT NULL, tbl TEXT NOT NULL, col TEXT NOT NULL, off INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (generation, number));
   CREATE TABLE slots (slot INTEGER PRIMARY KEY, record TEXT NOT NULL);
   CREATE TABLE bills (account INTEGER NOT NULL, first_slot INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (account, first_slot));
   CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, record TEXT NOT NULL);
   CREATE TABLE counters (account TEXT PRIMARY KEY, window INTEGER NOT NULL, used INTEGER NOT NULL);
   CREATE TABLE feeds (shard INTEGER PRIMARY KEY);`,
  "CREATE TABLE failed_proofs (first_slot INTEGER NOT NULL, account TEXT NOT NULL, failed INTEGER NOT NULL, PRIMARY KEY (first_slot, account));",
  `CREATE TABLE commitments (account INTEGER NOT NULL, entry INTEGER NOT NULL, commitment TEXT NOT NULL, PRIMARY KEY (account, entry));`,
  `CREATE TABLE reports (epoch INTEGER PRIMARY KEY, record TEXT NOT NULL);
   CREATE TABLE leaves (epoch INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (epoch, part));`,
  "CREATE TABLE epoch_sums (epoch INTEGER PRIMARY KEY, bytes BLOB NOT NULL);",
  RESULT_TABLES,
];

/** The database of one region. */
export class RegionStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  /** What was reported of jobs. */
  readonly results: ResultRecords;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#migrate();
    this.results = new ResultRecords(this.#sql);
  }

  /** Runs synchronous work in one transaction; a throw undoes all of it. */
  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  /** Bytes the database takes on disk. */
  get bytes(): number {
    return this.#sql.databaseSize;
  }

  appendRow({ first, last, atS, text }: JournalRow): void {
    this.#sql.exec(
      "INSERT INTO journal (first, last, at_s, text) VALUES (?, ?, ?, ?)",
      first,
      last,
      atS,
      text,
    );
  }

  /** Rows that hold entries from `first` on, ascending, that are still in the database. */
  *rowsFrom(first: number): Generator<JournalRow> {
    let next = this.rowOf(first)?.first ?? first;
    for (;;) {
      // One row at a time: a cursor must not stay open while others write, and a row may be a megabyte. By the primary
      // key: looking for `last` would read every row before it again and again.
      const row = this.#row(
        "SELECT first, last, at_s AS atS, text FROM journal WHERE first >= ? ORDER BY first LIMIT 1",
        next,
      );
      if (row === null) return;
      yield row;
      next = row.last + 1;
    }
  }

  /** The row that holds an entry, or null when it is archived or does not exist. */
  rowOf(entry: number): JournalRow | null {
    const row = this.#row(
      "SELECT first, last, at_s AS atS, text FROM journal WHERE first <= ? ORDER BY first DESC LIMIT 1",
      entry,
    );
    return row !== null && row.last >= entry ? row : null;
  }

  /** Records that rows are in the archive and deletes them here, in one transaction. */
  moveToArchive(segment: ArchivedSegment): void {
    const { first, last, key, sha256, bytes } = segment;
    this.transaction(() => {
      this.#sql.exec(
        "INSERT INTO segments (first, last, key, sha256, bytes) VALUES (?, ?, ?, ?, ?)",
        first,
        last,
        key,
        sha256,
        bytes,
      );
      this.#sql.exec("DELETE FROM journal WHERE first >= ? AND last <= ?", first, last);
    });
  }

  segments(): ArchivedSegment[] {
    return this.#all<ArchivedSegment>("SELECT first, last, key, sha256, bytes FROM segments ORDER BY first");
  }

  /** The segment that holds an entry, or null. */
  segmentOf(entry: number): ArchivedSegment | null {
    const [segment] = this.#all<ArchivedSegment>(
      "SELECT first, last, key, sha256, bytes FROM segments WHERE first <= ? ORDER BY first DESC LIMIT 1",
      entry,
    );
    return segment !== undefined && segment.last >= entry ? segment : null;
  }

  /** The snapshot that recovery begins from, or null in a young region. */
  snapshot(): (StoredSnapshot & { readonly generation: number; readonly entry: number }) | null {
    const [found] = this.#all<{ generation: number; entry: number; hash: string; head: string }>(
      "SELECT generation, entry, hash, head FROM snapshots ORDER BY generation DESC LIMIT 1",
    );
    if (found === undefined) return null;
    const { generation, entry, hash } = found;
    return {
      generation,
      entry,
      hash,
      head: JSON.parse(found.head) as SnapshotHead,
      sections: this.#sections(generation),
    };
  }

  /** Stores one section of a snapshot that does not count yet. */
  putSection(generation: number, number: number, { table, column, offset, bytes }: Section): void {
    const copy = bytes.slice().buffer;
    this.#sql.exec(
      "INSERT OR REPLACE INTO sections VALUES (?, ?, ?, ?, ?, ?)",
      generation,
      number,
      table,
      column,
      offset,
      copy,
    );
  }

  /** Makes a complete snapshot the one that recovery begins from, and forgets the others. */
  switchSnapshot(generation: number, entry: number, hash: string, head: SnapshotHead): void {
    this.transaction(() => {
      this.#sql.exec("DELETE FROM snapshots");
      this.#sql.exec(
        "INSERT INTO snapshots VALUES (?, ?, ?, ?)",
        generation,
        entry,
        hash,
        JSON.stringify(head),
      );
      this.#sql.exec("DELETE FROM sections WHERE generation <> ?", generation);
    });
  }

  /** Forgets the sections of snapshots that were never finished. */
  dropUnfinishedSections(): void {
    this.#sql.exec("DELETE FROM sections WHERE generation NOT IN (SELECT generation FROM snapshots)");
  }

  putSlot(slot: number, record: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO slots VALUES (?, ?)", slot, record);
  }

  /** Records of cleared slots in [from, until), ascending, at most `limit`. */
  slots(from: number, until: number, limit: number): { slot: number; record: string }[] {
    return this.#all(
      "SELECT slot, record FROM slots WHERE slot >= ? AND slot < ? ORDER BY slot LIMIT ?",
      from,
      until,
      limit,
    );
  }

  putBill(account: number, firstSlot: number, record: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO bills VALUES (?, ?, ?)", account, firstSlot, record);
  }

  /** An account's settled windows that begin in [from, until), ascending, at most `limit`. */
  bills(
    account: number,
    from: number,
    until: number,
    limit: number,
  ): { firstSlot: number; record: string }[] {
    return this.#all(
      "SELECT first_slot AS firstSlot, record FROM bills WHERE account = ? AND first_slot >= ? AND first_slot < ? ORDER BY first_slot LIMIT ?",
      account,
      from,
      until,
      limit,
    );
  }

  putEpoch(epoch: number, record: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO epochs VALUES (?, ?)", epoch, record);
  }

  epochs(from: number, until: number): { epoch: number; record: string }[] {
    return this.#all(
      "SELECT epoch, record FROM epochs WHERE epoch >= ? AND epoch < ? ORDER BY epoch LIMIT 32",
      from,
      until,
    );
  }

  putEpochSums(epoch: number, bytes: Uint8Array): void {
    this.#sql.exec("INSERT OR REPLACE INTO epoch_sums VALUES (?, ?)", epoch, bytes.slice().buffer);
  }

  /** The newest epochs that sums were kept of, ascending. */
  epochsWithSums(limit: number): number[] {
    return this.#all<{ epoch: number }>("SELECT epoch FROM epoch_sums ORDER BY epoch DESC LIMIT ?", limit)
      .map(({ epoch }) => epoch)
      .reverse();
  }

  /** A closed epoch's record with its sums, or null. */
  epochWithSums(epoch: number): { readonly record: string; readonly bytes: ArrayBuffer } | null {
    const [found] = this.#all<{ record: string; bytes: ArrayBuffer }>(
      "SELECT record, bytes FROM epochs JOIN epoch_sums USING (epoch) WHERE epoch = ?",
      epoch,
    );
    return found ?? null;
  }

  /** Keeps what a closed epoch reports, with the leaves of all accounts in parts that each fit a row. */
  putReport(epoch: number, record: string, leaves: Uint8Array): void {
    this.#sql.exec("INSERT OR REPLACE INTO reports VALUES (?, ?)", epoch, record);
    for (let part = 0; part * MAX_SECTION_BYTES < leaves.length; part += 1) {
      const bytes = leaves.slice(part * MAX_SECTION_BYTES, (part + 1) * MAX_SECTION_BYTES).buffer;
      this.#sql.exec("INSERT OR REPLACE INTO leaves VALUES (?, ?, ?)", epoch, part, bytes);
    }
  }

  report(epoch: number): { readonly record: string; readonly leaves: Uint8Array } | null {
    const [found] = this.#all<{ record: string }>("SELECT record FROM reports WHERE epoch = ?", epoch);
    if (found === undefined) return null;
    const parts = this.#all<{ bytes: ArrayBuffer }>(
      "SELECT bytes FROM leaves WHERE epoch = ? ORDER BY part",
      epoch,
    );
    return { record: found.record, leaves: concatBytes(...parts.map(({ bytes }) => new Uint8Array(bytes))) };
  }

  /** The newest epoch that is reported, or null. */
  newestReport(): number | null {
    const [found] = this.#all<{ epoch: number | null }>("SELECT MAX(epoch) AS epoch FROM reports");
    return found?.epoch ?? null;
  }

  /** Forgets the reports of epochs up to one. */
  forgetReports(epoch: number): void {
    this.#sql.exec("DELETE FROM reports WHERE epoch <= ?", epoch);
    this.#sql.exec("DELETE FROM leaves WHERE epoch <= ?", epoch);
  }

  putCommitment(account: number, entry: number, commitment: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO commitments VALUES (?, ?, ?)", account, entry, commitment);
  }

  /** The commitment that each account had after an entry. */
  commitmentsAt(entry: number): { account: number; commitment: string }[] {
    // SQLite takes the other columns of the row that has the maximum.
    return this.#all(
      "SELECT account, commitment, MAX(entry) FROM commitments WHERE entry <= ? GROUP BY account",
      entry,
    );
  }

  putCounter(account: string, window: number, used: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", account, window, used);
  }

  /** Counters of the current window; older ones are forgotten. */
  counters(window: number): { account: string; used: number }[] {
    this.#sql.exec("DELETE FROM counters WHERE window < ?", window);
    return this.#all("SELECT account, used FROM counters WHERE window = ?", window);
  }

  /** How many proofs of an account for a window did not verify. */
  failedProofs(account: string, firstSlot: number): number {
    const [found] = this.#all<{ failed: number }>(
      "SELECT failed FROM failed_proofs WHERE first_slot = ? AND account = ?",
      firstSlot,
      account,
    );
    return found?.failed ?? 0;
  }

  addFailedProof(account: string, firstSlot: number): void {
    this.#sql.exec(
      "INSERT INTO failed_proofs VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET failed = failed + 1",
      firstSlot,
      account,
    );
  }

  /** Forgets failures for windows that have closed. */
  forgetFailedProofs(windowFirstSlot: number): void {
    this.#sql.exec("DELETE FROM failed_proofs WHERE first_slot < ?", windowFirstSlot);
  }

  addFeed(shard: number): void {
    this.#sql.exec("INSERT OR IGNORE INTO feeds VALUES (?)", shard);
  }

  removeFeed(shard: number): void {
    this.#sql.exec("DELETE FROM feeds WHERE shard = ?", shard);
  }

  feeds(): number[] {
    return this.#all<{ shard: number }>("SELECT shard FROM feeds ORDER BY shard").map(({ shard }) => shard);
  }

  *#sections(generation: number): Generator<Section> {
    const count = this.#sql
      .exec<{ n: number }>("SELECT COUNT(*) AS n FROM sections WHERE generation = ?", generation)
      .one().n;
    for (let number = 0; number < count; number += 1) {
      const { tbl, col, off, bytes } = this.#sql
        .exec<{ tbl: string; col: string; off: number; bytes: ArrayBuffer }>(
          "SELECT tbl, col, off, bytes FROM sections WHERE generation = ? AND number = ?",
          generation,
          number,
        )
        .one();
      yield { table: tbl, column: col, offset: off, bytes: new Uint8Array(bytes) };
    }
  }

  #row(query: string, ...values: number[]): JournalRow | null {
    return this.#all<JournalRow>(query, ...values)[0] ?? null;
  }

  #all<T>(query: string, ...values: (number | string)[]): T[] {
    return this.#sql.exec(query, ...values).toArray() as T[];
  }

  #migrate(): void {
    this.#sql.exec("CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY)");
    const done = this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM migrations").one().n;
    if (done > MIGRATIONS.length)
      throw new Error(`the database is ${done - MIGRATIONS.length} migrations ahead of this release`);
    MIGRATIONS.slice(done).forEach((step, index) => {
      this.transaction(() => {
        this.#sql.exec(step);
        this.#sql.exec("INSERT INTO migrations VALUES (?)", done + index + 1);
      });
    });
  }
}
