// Owns files of JSON lines that are only ever added to. It refuses to read half a line that a kill left behind, and to
// glue the next one to it.

import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** A file of lines, open for adding. */
export interface LineFile {
  /** What stood in it when it was opened, one value per whole line. */
  readonly values: readonly unknown[];
  /** Adds a line; with `mustLast` it is on disk when this returns. */
  append(value: object, mustLast: boolean): void;
  /** For whoever replaces the file; otherwise it stays open for as long as the process lives. */
  close(): void;
}

/** Opens a file of lines, or begins one that only its owner may read. @throws SyntaxError on a broken line */
export function openLines(file: string): LineFile {
  let values: unknown[] = [];
  let tornAt: number | null = null;
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    const end = bytes.lastIndexOf("\n") + 1;
    if (end < bytes.length) tornAt = end;
    values = wholeLines(bytes.toString("utf8")).map((line) => JSON.parse(line) as unknown);
  }
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, "a", 0o600);
  return {
    values,
    append(value, mustLast) {
      // Only a writer cuts off half a line, or the next one would be glued to it; a mere reader changes nothing.
      if (tornAt !== null) ftruncateSync(descriptor, tornAt);
      tornAt = null;
      writeSync(descriptor, `${JSON.stringify(value)}\n`);
      if (mustLast) fsyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}

/** Lines of a text; what a kill cut off in the middle of the last one is left out. */
function wholeLines(text: string): string[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.filter((line) => line !== "");
}
