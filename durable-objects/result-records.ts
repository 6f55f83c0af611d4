// Owns what a region keeps of jobs' results beside the audited state: which key signed each one and when, and which of them an
// audit showed to be wrong. It refuses to be a source: all of it follows from the journal.

import type { Entry } from "../market/journal.ts";
import type { Hex } from "../protocol/fields.ts";
import { RESULT_CHALLENGE_SECONDS } from "../protocol/limits.ts";
import { PRODUCTS } from "../protocol/products.ts";

/** A result that a second run has shown to be wrong, with all that a slash of its seller's stake says. */
export interface FailedAudit {
  /** The journal's entry that has the referee's result. */
  readonly entry: number;
  readonly obligationId: number;
  readonly account: Hex;
  /** The key that signed the result. */
  readonly nodeKey: Hex;
  readonly jobDigest: Hex;
  /** As the seller reported it. */
  readonly outputHash: Hex;
  /** Of the report. Market time. */
  readonly reportedAtS: number;
}

export const RESULT_TABLES = `
  CREATE TABLE results (obligation INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, account TEXT NOT NULL, node_key TEXT NOT NULL);
  CREATE INDEX results_by_time ON results (at_s);
  CREATE TABLE failed_audits (entry INTEGER NOT NULL, obligation INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (entry, obligation));`;

/** By then a result is paid or given back: others may report until the deadline, and each can be challenged after that. */
const OPEN_SECONDS = PRODUCTS["compute-job"].deliverySeconds + 2 * RESULT_CHALLENGE_SECONDS;
/** Failed audits that are read together; those of one entry always are. */
const PER_READ = 64;

/** The results of one region. */
export class ResultRecords {
  readonly #sql: SqlStorage;

  /** @param sql a database that has `RESULT_TABLES`. */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Keeps what a command says of results, in the transaction of its journal row. */
  keep({ number, atS, command, auth, events }: Entry): void {
    for (const event of events) {
      // Who signed with a wallet has no key that answers with a stake.
      if (event.type === "result_reported" && command?.type === "report_result" && auth?.scheme === "session")
        this.#report(event.obligation, atS, command.account, auth.key);
      else if (event.type === "obligation_settled" && event.verdict === "audit_failed")
        this.#fail(number, event);
    }
  }

  /** Failed audits of entries after one, ascending; a few at a time. */
  failedAfter(entry: number): FailedAudit[] {
    const found = this.#sql
      .exec<{ entry: number; record: string }>(
        "SELECT entry, record FROM failed_audits WHERE entry > ? ORDER BY entry, obligation LIMIT ?",
        entry,
        PER_READ + 1,
      )
      .toArray();
    // An entry has at most as many as a job has sellers: whole entries always fit.
    const cut = found.length > PER_READ ? found.at(-1)?.entry : undefined;
    return found
      .filter(({ entry: own }) => own !== cut)
      .map(({ record }) => JSON.parse(record) as FailedAudit);
  }

  #report(obligation: number, atS: number, account: Hex, nodeKey: Hex): void {
    this.#sql.exec("DELETE FROM results WHERE at_s < ?", atS - OPEN_SECONDS);
    this.#sql.exec("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", obligation, atS, account, nodeKey);
  }

  #fail(
    entry: number,
    { obligation, jobDigest, outputHash }: { obligation: number; jobDigest: Hex; outputHash: Hex },
  ): void {
    const [row] = this.#sql
      .exec<{ at_s: number; account: Hex; node_key: Hex }>(
        "SELECT at_s, account, node_key FROM results WHERE obligation = ?",
        obligation,
      )
      .toArray();
    if (row === undefined) return;
    const { at_s: reportedAtS, account, node_key: nodeKey } = row;
    const failed: FailedAudit = {
      ...{ entry, obligationId: obligation, account, nodeKey, jobDigest, outputHash, reportedAtS },
    };
    this.#sql.exec(
      "INSERT OR REPLACE INTO failed_audits VALUES (?, ?, ?)",
      entry,
      obligation,
      JSON.stringify(failed),
    );
  }
}
