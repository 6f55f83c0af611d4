// Owns how a region's state comes back from storage: snapshot, then the journal's tail, only evolving. It refuses a
// tail whose hash chain does not hold.

import { applyEntry, chainHash, decodeLine, type Entry, GENESIS_HASH } from "../market/journal.ts";
import { thaw } from "../market/snapshot.ts";
import { createState, type RegionState } from "../market/state.ts";
import { sha256Hex } from "./digest.ts";
import type { RegionStore } from "./region-store.ts";

export interface Recovered {
  readonly state: RegionState;
  /** Chain hash of the last entry. */
  readonly hash: string;
  /** What the tail holds, for deciding when the next snapshot is due. */
  readonly tailEntries: number;
  readonly tailCharacters: number;
  readonly generation: number;
}

/** The first rules under which windows were proofs; a region of earlier ones cannot be gone on with. */
const OLDEST_RULES = 2;

/** The stored region is of a release before those that this one goes on from. */
class TooOld extends Error {
  constructor(entry: number) {
    super(
      `entry ${entry} was decided by rules before ${OLDEST_RULES}: audit the journal with its release, and open anew`,
    );
  }
}

/** Rebuilds the state. @throws Error when the stored journal contradicts itself. */
export function recover(store: RegionStore): Recovered {
  const snapshot = store.snapshot();
  const state = snapshot === null ? createState() : thaw(snapshot.head, snapshot.sections);
  // Recovery only evolves, but events of the first rules said another thing by the same names.
  if (snapshot !== null && state.header.roots === undefined) throw new TooOld(snapshot.entry);
  let hash = snapshot?.hash ?? GENESIS_HASH;
  let tailEntries = 0;
  let tailCharacters = 0;
  for (const row of store.rowsFrom(state.header.entry + 1)) {
    tailCharacters += row.text.length;
    let number = row.first;
    for (const line of row.text.split("\n")) {
      if (line === "") continue;
      if (number > state.header.entry) {
        hash = applyLine(state, hash, line, number);
        tailEntries += 1;
      }
      number += 1;
    }
  }
  return { state, hash, tailEntries, tailCharacters, generation: snapshot?.generation ?? 0 };
}

function applyLine(state: RegionState, previous: string, line: string, number: number): string {
  const decoded = decodeLine(line);
  if (decoded === null || chainHash(sha256Hex, previous, decoded.body) !== decoded.hash) {
    throw new Error(`the stored journal is broken at entry ${number}`);
  }
  const entry = JSON.parse(decoded.body) as Entry;
  if (entry.rules < OLDEST_RULES) throw new TooOld(number);
  applyEntry(state, entry);
  return decoded.hash;
}
