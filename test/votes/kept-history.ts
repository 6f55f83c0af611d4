// Owns what the object's database does for a reader of votes, in memory, for tests outside of the platform. It refuses to keep
// anything but texts, as the database does.

import type { KeptHistory } from "../../durable-objects/votes/vote-reader.ts";
import { type HistoryKind, VoteHistory } from "../../governance/proposals/vote-history.ts";
import type { Hex } from "../../protocol/fields.ts";

export class HistoryInMemory implements KeptHistory {
  readonly rows = new Map<string, string>();
  kept: number | null = null;

  through(): number | null {
    return this.kept;
  }

  load(governor: Hex): VoteHistory {
    const history = new VoteHistory(governor);
    for (const [mark, text] of this.rows) {
      const [kind, ...key] = mark.split("/") as [HistoryKind, ...string[]];
      (history[kind] as Map<string, unknown>).set(key.join("/"), JSON.parse(text));
    }
    return history;
  }

  keep(history: VoteHistory, through: number): void {
    for (const mark of history.changed) {
      const [kind, ...key] = mark.split("/") as [HistoryKind, ...string[]];
      this.rows.set(mark, JSON.stringify(history[kind].get(key.join("/"))));
    }
    history.changed.clear();
    this.kept = through;
  }
}
