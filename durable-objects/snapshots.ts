// Owns when and how a snapshot is taken: the state is copied in one move, then stored a section a turn while commands
// go on. It refuses to run twice at a time; a snapshot counts only from its last transaction on.

import { type Frozen, freeze } from "../market/snapshot.ts";
import type { RegionState } from "../market/state.ts";
import type { RegionStore } from "./region-store.ts";

/** A tail this long is replayed in well under a second. */
export interface SnapshotPolicy {
  readonly entries: number;
  readonly characters: number;
}

export const SNAPSHOT_POLICY: SnapshotPolicy = { entries: 20_000, characters: 8_000_000 };

/** Runs work in a later turn of the event loop. */
export type Later = (work: () => void, milliseconds: number) => void;

interface Running {
  readonly frozen: Frozen;
  readonly hash: string;
  readonly generation: number;
  next: number;
}

/** Takes snapshots of one region. */
export class Snapshots {
  readonly #store: RegionStore;
  readonly #policy: () => SnapshotPolicy;
  readonly #later: Later;
  readonly #finished: (entry: number) => void;
  #running: Running | null = null;
  #generation: number;
  #entries: number;
  #characters: number;

  constructor(
    store: RegionStore,
    policy: () => SnapshotPolicy,
    later: Later,
    tail: { readonly generation: number; readonly tailEntries: number; readonly tailCharacters: number },
    finished: (entry: number) => void,
  ) {
    this.#store = store;
    this.#policy = policy;
    this.#later = later;
    this.#finished = finished;
    this.#generation = tail.generation;
    this.#entries = tail.tailEntries;
    this.#characters = tail.tailCharacters;
    store.dropUnfinishedSections();
  }

  /** Counts what a flush added to the tail and begins a snapshot when the tail is long. */
  count(state: RegionState, hash: string, entries: number, characters: number): void {
    this.#entries += entries;
    this.#characters += characters;
    const policy = this.#policy();
    const isLong = this.#entries >= policy.entries || this.#characters >= policy.characters;
    if (isLong && this.#running === null) this.begin(state, hash);
  }

  /** Begins a snapshot of the state as it is now, unless one is running. */
  begin(state: RegionState, hash: string): void {
    if (this.#running !== null) return;
    this.#generation += 1;
    this.#running = { frozen: freeze(state), hash, generation: this.#generation, next: 0 };
    this.#entries = 0;
    this.#characters = 0;
    this.#later(() => this.#step(), 0);
  }

  /** Gives up the running snapshot: its sections no longer belong to the state. */
  cancel(): void {
    this.#running = null;
  }

  #step(): void {
    const running = this.#running;
    if (running === null) return;
    const { frozen, generation, hash } = running;
    try {
      const section = frozen.sections[running.next];
      if (section !== undefined) {
        this.#store.putSection(generation, running.next, section);
        running.next += 1;
        this.#later(() => this.#step(), 0);
        return;
      }
      const { entry } = frozen.head.header;
      this.#store.switchSnapshot(generation, entry, hash, frozen.head);
      this.#running = null;
      this.#finished(entry);
    } catch (fault) {
      // The old snapshot and the whole tail still stand; the next long tail tries again.
      this.#running = null;
      console.error("a snapshot was given up", fault);
    }
  }
}
