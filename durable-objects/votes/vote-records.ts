// Owns what of a vote's events is kept: everything up to a finalised block, in one transaction with how far that is. It refuses
// to keep what may still be undone.

import {
  type HistoryKind,
  type HistoryRecords,
  VoteHistory,
} from "../../governance/proposals/vote-history.ts";
import type { Hex } from "../../protocol/fields.ts";

/** The database of the object that reads votes. */
export class VoteRecords {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS record (kind TEXT NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID",
    );
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY, through INTEGER NOT NULL)",
    );
  }

  /** Block that everything is kept through; null before anything is. */
  through(): number | null {
    const [row] = this.#storage.sql.exec<{ through: number }>("SELECT through FROM progress").toArray();
    return row?.through ?? null;
  }

  /** All that is kept, each kind in the order in which it first stood. */
  load(governor: Hex): VoteHistory {
    const history = new VoteHistory(governor);
    const rows = this.#storage.sql.exec<{ kind: HistoryKind; key: string; value: string }>(
      "SELECT kind, key, value FROM record ORDER BY place",
    );
    for (const { kind, key, value } of rows)
      (history[kind] as Map<string, HistoryRecords[HistoryKind]>).set(key, JSON.parse(value));
    return history;
  }

  /** Keeps what folding has changed, through a finalised block. */
  keep(history: VoteHistory, through: number): void {
    const { sql } = this.#storage;
    this.#storage.transactionSync(() => {
      const [row] = sql.exec<{ last: number | null }>("SELECT MAX(place) AS last FROM record").toArray();
      let place = row?.last ?? 0;
      for (const mark of history.changed) {
        const cut = mark.indexOf("/");
        const kind = mark.slice(0, cut) as HistoryKind;
        const key = mark.slice(cut + 1);
        place += 1;
        sql.exec(
          "INSERT INTO record (kind, key, place, value) VALUES (?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
          ...[kind, key, place, JSON.stringify(history[kind].get(key))],
        );
      }
      sql.exec(
        "INSERT INTO progress (id, through) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET through = excluded.through",
        through,
      );
    });
    history.changed.clear();
  }
}
