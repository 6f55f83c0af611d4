// Owns where a P1 telegram begins and ends in a stream of bytes (DSMR P1 companion standard, IEC 62056-21 mode D). It
// refuses telegrams without end, and anything before the first slash: a stream may begin in the middle of one.

/** A telegram as it came, not yet believed. */
export interface P1Frame {
  /** From the slash to the exclamation mark, both included, one character per byte. */
  readonly text: string;
  /** What stands between the exclamation mark and the end of its line: the checksum, or nothing in DSMR 2.2. */
  readonly checksum: string;
  /** Line of the stream on which it begins, from 1. */
  readonly line: number;
}

/** What a stream held besides whole telegrams. */
export interface P1FramingCounts {
  /** Telegrams that another began in the middle of, or that the stream left unfinished. */
  cutOff: number;
  /** Telegrams longer than a meter may send. */
  oversized: number;
}

/** Thirteen months of peaks, four other meters and a text of 2,048 digits are below 8 kB; the standard knows no longer. */
export const MAX_TELEGRAM_BYTES = 16_384;
/** Four digits and the line's end; a meter that pads gets some room. */
const MAX_CHECKSUM_BYTES = 16;

/**
 * Cuts a stream into telegrams. The same bytes give the same telegrams and counts, however they are cut into chunks.
 * Neither a slash nor an exclamation mark may stand inside a telegram (IEC 62056-21), so each slash begins one.
 */
export class P1Framer {
  readonly counts: P1FramingCounts = { cutOff: 0, oversized: 0 };
  /** From the first byte that may still belong to a telegram. */
  #held = "";
  /** Line on which that byte stands. */
  #line = 1;

  /** Takes a chunk and returns the telegrams that it completes. */
  push(chunk: Uint8Array): P1Frame[] {
    this.#held += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    return this.#take(false);
  }

  /** Returns the telegram whose last line had no end when the stream ended, if there is one. */
  end(): P1Frame[] {
    const frames = this.#take(true);
    if (this.#held !== "") this.counts.cutOff += 1;
    this.#held = "";
    return frames;
  }

  #take(isEnd: boolean): P1Frame[] {
    const frames: P1Frame[] = [];
    const held = this.#held;
    let counted = 0;
    const advance = (until: number): void => {
      for (let at = held.indexOf("\n", counted); at >= 0 && at < until; at = held.indexOf("\n", at + 1))
        this.#line += 1;
      counted = until;
    };
    let start = held.indexOf("/");
    while (start >= 0) {
      const next = indexOr(held, "/", start + 1, held.length);
      const bang = indexOr(held, "!", start + 1, held.length);
      const length = Math.min(next, bang) - start;
      if (length >= MAX_TELEGRAM_BYTES) {
        this.counts.oversized += 1;
        start = held.indexOf("/", start + 1);
      } else if (next < bang) {
        this.counts.cutOff += 1;
        start = next;
      } else {
        const end = bang < held.length ? lineEnd(held, bang + 1, isEnd) : -1;
        if (end < 0) break;
        advance(start);
        const checksum = held.slice(bang + 1, end).trim();
        frames.push({ text: held.slice(start, bang + 1), checksum, line: this.#line });
        start = held.indexOf("/", end);
      }
    }
    advance(start < 0 ? held.length : start);
    this.#held = start < 0 ? "" : held.slice(start);
    return frames;
  }
}

function indexOr(text: string, what: string, from: number, otherwise: number): number {
  const index = text.indexOf(what, from);
  return index < 0 ? otherwise : index;
}

/** Where the line of the checksum ends: at its end, at the next telegram, or where no checksum is that long; −1 not yet. */
function lineEnd(text: string, from: number, isEnd: boolean): number {
  for (let index = from; index < text.length; index += 1) {
    const character = text[index];
    if (character === "\r" || character === "\n" || character === "/" || index - from >= MAX_CHECKSUM_BYTES)
      return index;
  }
  return isEnd ? text.length : -1;
}
