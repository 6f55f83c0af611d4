// Owns the part of the journal that has left the object: segments in R2, verified there before anything is deleted
// here. It refuses a segment whose bytes are not what was written.

import { sha256Hex } from "./digest.ts";
import type { ArchivedSegment, JournalRow, RegionStore } from "./region-store.ts";

/** Between two steps of an archival, so that a request waits for one of them and not for all. */
const STEP_PAUSE_MS = 20;

/** A segment is closed at this many characters: each is hashed, sent and read in one piece, which requests wait for. */
export const SEGMENT_CHARACTERS = 500_000;

const encoder = new TextEncoder();

type RowSpan = Pick<JournalRow, "first" | "last" | "atS">;

/** The archive of one region. */
export class Archive {
  readonly #bucket: R2Bucket;
  readonly #region: string;

  constructor(bucket: R2Bucket, region: string) {
    this.#bucket = bucket;
    this.#region = region;
  }

  /** Moves whole segments of rows up to `entry` out of the database, oldest first; resolves when none is left. */
  async moveSegments(
    store: RegionStore,
    entry: number,
    segmentCharacters = SEGMENT_CHARACTERS,
  ): Promise<void> {
    for (;;) {
      await pause();
      const rows = takeRows(store, entry, segmentCharacters);
      if (rows === null) return;
      const segment = await this.#put(rows);
      await pause();
      store.moveToArchive(segment);
    }
  }

  /** The row that holds an entry of an archived segment. */
  async rowOf(segment: ArchivedSegment, entry: number): Promise<JournalRow | null> {
    const [journal, spans] = await Promise.all([
      this.#bucket.get(segment.key),
      this.#bucket.get(spansKey(segment.key)),
    ]);
    if (journal === null || spans === null) throw new Error(`the archive lacks ${segment.key}`);
    const span = (await spans.json<RowSpan[]>()).find(({ first, last }) => first <= entry && entry <= last);
    if (span === undefined) return null;
    const lines = (await journal.text())
      .split("\n")
      .slice(span.first - segment.first, span.last - segment.first + 1);
    return { ...span, text: `${lines.join("\n")}\n` };
  }

  async #put(rows: readonly JournalRow[]): Promise<ArchivedSegment> {
    // Encoded once, natively: hashing the text itself would encode it on a path that takes ten times as long.
    const bytes = encoder.encode(rows.map((row) => row.text).join(""));
    const first = (rows[0] as JournalRow).first;
    const last = (rows.at(-1) as JournalRow).last;
    const sha256 = sha256Hex(bytes);
    const key = `journal/${this.#region}/${String(first).padStart(16, "0")}-${last}.ndjson`;
    const spans = JSON.stringify(
      rows.map((row): RowSpan => ({ first: row.first, last: row.last, atS: row.atS })),
    );
    await this.#bucket.put(spansKey(key), spans);
    const put = await this.#bucket.put(key, bytes, {
      sha256,
      httpMetadata: { contentType: "application/x-ndjson" },
    });
    // The bucket refuses a body that is not the declared hash, and its answer states what it holds. It is not fetched:
    // megabytes through the object would stall its requests.
    const held = put?.checksums.sha256;
    if (held === undefined || Buffer.from(held).toString("hex") !== sha256) {
      throw new Error(`the archive does not hold what was written to ${key}`);
    }
    return { first, last, key, sha256, bytes: bytes.length };
  }
}

function spansKey(key: string): string {
  return key.replace(/ndjson$/, "rows.json");
}

/** The rows of the oldest whole segment, or null where the rows up to `entry` are less than one. */
function takeRows(store: RegionStore, entry: number, segmentCharacters: number): JournalRow[] | null {
  const rows: JournalRow[] = [];
  let characters = 0;
  const { last } = store.segments().at(-1) ?? { last: 0 };
  for (const row of store.rowsFrom(last + 1)) {
    if (row.last > entry) break;
    rows.push(row);
    characters += row.text.length;
    if (characters >= segmentCharacters) return rows;
  }
  return null;
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, STEP_PAUSE_MS));

/** One region's way into its archive. */
export class Archiving {
  readonly #store: RegionStore;
  readonly #archive: () => Archive;
  #last: Promise<void> = Promise.resolve();

  /** @param archive the region's; it is known by its name, which it has when it is opened. */
  constructor(store: RegionStore, archive: () => Archive) {
    this.#store = store;
    this.#archive = archive;
  }

  /** The row of an entry that has left the database, or null. */
  async rowOf(entry: number) {
    const segment = this.#store.segmentOf(entry);
    return segment === null ? null : this.#archive().rowOf(segment, entry);
  }

  /** Moves what a snapshot holds. One archival after the other: two at a time would move the same rows. */
  upTo(entry: number, segmentCharacters: number | undefined): Promise<void> {
    this.#last = this.#last.then(() => this.#move(entry, segmentCharacters));
    return this.#last;
  }

  async #move(entry: number, segmentCharacters: number | undefined): Promise<void> {
    try {
      await this.#archive().moveSegments(this.#store, entry, segmentCharacters);
    } catch (fault) {
      // The rows stay here and are tried again after the next snapshot.
      console.error("a journal segment could not be archived", fault);
    }
  }
}
