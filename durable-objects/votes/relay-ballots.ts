// Owns what the relay remembers: each ballot that it took, what it cost, and how often a voter asked. It refuses a second ballot of
// a voter on a proposal, whatever was lost in between.

import type { Support } from "../../governance/forms/ballot.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { BALLOT_STAGES } from "../../protocol/vote-answer.ts";
import type { Posting } from "../mirror/outbox.ts";

export type BallotStage = (typeof BALLOT_STAGES)[number];

/** A ballot that the relay took. */
export interface RelayedBallot {
  readonly proposal: string;
  readonly voter: Hex;
  readonly support: Support;
  readonly reason: string;
  readonly signature: Hex;
  readonly nonce: number;
  readonly stage: BallotStage;
  /** Day of UTC that pays for it. */
  readonly day: number;
  /** What is set aside for it, or was paid. Wei. */
  readonly wei: bigint;
  readonly gas: number;
  /** All transactions that carried it, the newest last: an earlier one may be the one that got in. */
  readonly transactions: readonly Hex[];
  /** Block that it was seen in. */
  readonly block: number | null;
}

/** A ballot on its way. */
export interface BallotPosting extends Posting {
  readonly name: string;
}

/** What a ballot is sent for: once. */
export function nameOf({ proposal, voter }: Pick<RelayedBallot, "proposal" | "voter">): string {
  return `${proposal}/${voter}`;
}

interface Row extends Record<string, string | number | null> {
  proposal: string;
  voter: string;
  support: string;
  reason: string;
  signature: string;
  nonce: number;
  stage: string;
  day: number;
  wei: string;
  gas: number;
  transactions: string;
  block: number | null;
}

/** The relay's database. */
export class RelayBallots {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS ballot (proposal TEXT NOT NULL, voter TEXT NOT NULL, support TEXT NOT NULL, reason TEXT NOT NULL, signature TEXT NOT NULL, nonce INTEGER NOT NULL, stage TEXT NOT NULL, day INTEGER NOT NULL, wei TEXT NOT NULL, gas INTEGER NOT NULL, transactions TEXT NOT NULL, block INTEGER, PRIMARY KEY (proposal, voter)) WITHOUT ROWID",
    );
    sql.exec("CREATE INDEX IF NOT EXISTS ballot_day ON ballot (day)");
    sql.exec("CREATE INDEX IF NOT EXISTS ballot_stage ON ballot (stage)");
    // What refused ballots have cost whose place a later one of the same voter took.
    sql.exec("CREATE TABLE IF NOT EXISTS lost (day INTEGER NOT NULL, wei TEXT NOT NULL)");
    sql.exec("CREATE INDEX IF NOT EXISTS lost_day ON lost (day)");
    sql.exec(
      "CREATE TABLE IF NOT EXISTS attempt (voter TEXT NOT NULL, hour INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (voter, hour)) WITHOUT ROWID",
    );
  }

  get(proposal: string, voter: Hex): RelayedBallot | null {
    const [row] = this.#sql
      .exec<Row>("SELECT * FROM ballot WHERE proposal = ? AND voter = ?", proposal, voter)
      .toArray();
    return row === undefined ? null : ballotOf(row);
  }

  /** Those that are not over. */
  open(): readonly RelayedBallot[] {
    return this.#sql
      .exec<Row>("SELECT * FROM ballot WHERE stage IN ('sent', 'included')")
      .toArray()
      .map(ballotOf);
  }

  /** Sets aside, or was paid, in a day. Wei. */
  spentWei(day: number): bigint {
    const rows = this.#sql
      .exec<{ wei: string }>(
        "SELECT wei FROM ballot WHERE day = ? UNION ALL SELECT wei FROM lost WHERE day = ?",
        ...[day, day],
      )
      .toArray();
    return rows.reduce((sum, { wei }) => sum + BigInt(wei), 0n);
  }

  /** Keeps a ballot. One that was refused before makes room, but what it has cost stays spent; any other stays. */
  put(ballot: RelayedBallot): void {
    const { proposal, voter, support, reason, signature, nonce, stage, day, wei, gas } = ballot;
    const before = this.get(proposal, voter);
    if (before?.stage === "refused")
      this.#sql.exec("INSERT INTO lost VALUES (?, ?)", before.day, before.wei.toString());
    this.#sql.exec(
      "INSERT INTO ballot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (proposal, voter) DO UPDATE SET support = excluded.support, reason = excluded.reason, signature = excluded.signature, nonce = excluded.nonce, stage = excluded.stage, day = excluded.day, wei = excluded.wei, gas = excluded.gas, transactions = excluded.transactions, block = excluded.block",
      ...[proposal, voter, support, reason, signature, nonce, stage, day, wei.toString(), gas],
      ...[JSON.stringify(ballot.transactions), ballot.block],
    );
  }

  /** Counts an attempt of this hour. @returns how many there were with it */
  attempt(voter: Hex, hour: number): number {
    this.#sql.exec("DELETE FROM attempt WHERE hour < ?", hour);
    this.#sql.exec(
      "INSERT INTO attempt VALUES (?, ?, 1) ON CONFLICT (voter, hour) DO UPDATE SET used = used + 1",
      voter,
      hour,
    );
    const [row] = this.#sql
      .exec<{ used: number }>("SELECT used FROM attempt WHERE voter = ? AND hour = ?", voter, hour)
      .toArray();
    return row?.used ?? 0;
  }
}

function ballotOf(row: Row): RelayedBallot {
  return {
    ...row,
    voter: row.voter as Hex,
    support: row.support as Support,
    signature: row.signature as Hex,
    stage: row.stage as BallotStage,
    wei: BigInt(row.wei),
    transactions: JSON.parse(row.transactions) as Hex[],
  };
}
