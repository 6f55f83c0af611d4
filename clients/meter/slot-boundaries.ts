// Owns what is kept of a live meter: its registers at the boundaries between slots, so that slots measured before a
// restart still count. It refuses to grow without end, and to lose the kept ones to a kill while it shrinks.

import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { count, slotNumber } from "../../protocol/fields.ts";
import { type LineFile, openLines } from "../household/line-file.ts";

const boundarySchema = z.strictObject({
  /** The slot that begins here, and ends the one before. */
  slot: slotNumber,
  /** Unix seconds of the telegram that was the first at or after the boundary. */
  atS: count,
  importMicroWh: count,
  exportMicroWh: count,
  /** Only boundaries of one run may be subtracted: each reset, and each other meter, begins another. */
  run: count,
  /** Digest of the meter's number; null where it has none. */
  meter: z.string().max(64).nullable(),
});
export type Boundary = z.infer<typeof boundarySchema>;

/** Boundaries by slot, the newest last. */
export interface BoundaryStore {
  at(slot: number): Boundary | undefined;
  newest(): Boundary | undefined;
  add(boundary: Boundary): void;
}

/** A window of a day may be proved for another day; eight days bear a long weekend without a market, too. */
const MOST_BOUNDARIES = 8 * 96;

/** Boundaries that end with the process. */
export function volatileBoundaries(): BoundaryStore {
  const kept = new Map<number, Boundary>();
  let newest: Boundary | undefined;
  return {
    at: (slot) => kept.get(slot),
    newest: () => newest,
    add(boundary) {
      // Set again, a key keeps its old place.
      kept.delete(boundary.slot);
      kept.set(boundary.slot, boundary);
      newest = boundary;
      for (const slot of kept.keys()) {
        if (kept.size <= MOST_BOUNDARIES) break;
        kept.delete(slot);
      }
    },
  };
}

/**
 * Boundaries in a file of lines, each on disk before it counts. Where the file has twice as many lines as are kept, it
 * is written anew beside itself and renamed.
 *
 * @throws ZodError for a line that is no boundary, SyntaxError for one that is no JSON
 */
export function fileBoundaries(file: string): BoundaryStore {
  const store = volatileBoundaries();
  let lines = openLines(file);
  const ordered: Boundary[] = [];
  for (const value of lines.values) {
    const boundary = boundarySchema.parse(value);
    store.add(boundary);
    ordered.push(boundary);
  }
  return {
    ...store,
    add(boundary) {
      ordered.push(boundary);
      if (ordered.length > 2 * MOST_BOUNDARIES) {
        ordered.splice(0, ordered.length - MOST_BOUNDARIES);
        lines = rewritten(file, lines, ordered);
      } else lines.append(boundary, true);
      store.add(boundary);
    },
  };
}

function rewritten(file: string, old: LineFile, boundaries: readonly Boundary[]): LineFile {
  const beside = `${file}.new`;
  writeFileSync(beside, boundaries.map((boundary) => `${JSON.stringify(boundary)}\n`).join(""), {
    mode: 0o600,
  });
  const descriptor = openSync(beside, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(beside, file);
  old.close();
  return openLines(file);
}
