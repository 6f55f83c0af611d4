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
  writeFileSync,
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
  /** Bytes of whole lines; what stands behind them was cut off by a kill, or by a disk that was full. */
  let wholeBytes = 0;
  let isTorn = false;
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    wholeBytes = bytes.lastIndexOf("\n") + 1;
    isTorn = wholeBytes < bytes.length;
    values = wholeLines(bytes.toString("utf8")).map((line) => JSON.parse(line) as unknown);
  }
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, "a", 0o600);
  return {
    values,
    append(value, mustLast) {
      // Only a writer cuts off half a line, or the next one would be glued to it; a mere reader changes nothing.
      if (isTorn) ftruncateSync(descriptor, wholeBytes);
      const line = Buffer.from(`${JSON.stringify(value)}\n`, "utf8");
      isTorn = true;
      writeFileSync(descriptor, line);
      if (mustLast) fsyncSync(descriptor);
      isTorn = false;
      wholeBytes += line.length;
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
