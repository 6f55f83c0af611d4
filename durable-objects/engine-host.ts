// Owns what the engine needs of its surroundings, so that a simulator can stand in for the platform. It refuses nothing.

import type { Entry } from "../market/journal.ts";
import type { MarketClock } from "../protocol/clock.ts";
import type { ReceiptAuthority } from "./receipts.ts";
import type { JournalRow, RegionStore } from "./region-store.ts";
import type { Later, SnapshotPolicy } from "./snapshots.ts";

/** What the engine needs of its surroundings; the Durable Object is one, a simulator may be another. */
export interface EngineHost {
  readonly store: RegionStore;
  readonly clock: MarketClock;
  readonly wallMs: () => number;
  readonly later: Later;
  /** Arms the alarm that wakes the region when something is due. */
  readonly wakeAt: (wallMs: number) => void;
  /** Hands durable entries to the feed. */
  readonly publish: (entries: readonly Entry[]) => void;
  /** The row of an entry that has left the database, or null. */
  readonly archivedRow: (entry: number) => Promise<JournalRow | null>;
  /** Told when everything up to an entry is in a snapshot. */
  readonly snapshotted: (entry: number) => void;
  /** Ends this instance: its memory may be wrong and could not be made again. */
  readonly giveUp: (fault: unknown) => void;
  readonly authority: ReceiptAuthority;
  readonly snapshotPolicy: SnapshotPolicy;
}
