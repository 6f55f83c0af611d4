// Owns cutting a file of text into numbered lines, a batch at a time. It refuses bytes that are no text, and lines longer
// than a record can be: a file without line ends must not fill the memory.

import { MeterFileError, shortened } from "./interval.ts";
import type { Member } from "./meter-file.ts";

/** Lines that belong together because they were read together. */
export interface LineBatch {
  readonly lines: readonly string[];
  /** Number of the first, from 1. */
  readonly firstLine: number;
}

/** A day of one-minute values with every decimal a double has, several times over. */
export const MAX_LINE_CHARACTERS = 256 * 1024;

export type TextEncoding = "utf-8" | "utf-16le" | "windows-1252";

/**
 * The lines of a file, without their ends (LF or CRLF), a byte order mark, and an empty line after the last. Throws
 * MeterFileError for bytes that are no text in the encoding and for a line that is too long.
 */
export async function* readLines(
  member: Member,
  encoding: TextEncoding = "utf-8",
): AsyncGenerator<LineBatch> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let rest = "";
  let firstLine = 1;
  for await (const chunk of member.open()) {
    const text = rest + decoded(decoder, chunk, member.name, firstLine);
    const lines = text.split("\n");
    rest = lines.pop() as string;
    if (rest.length > MAX_LINE_CHARACTERS) throw tooLong(member.name, firstLine + lines.length, rest);
    if (lines.length === 0) continue;
    yield { lines: trimmed(lines, firstLine, member.name), firstLine };
    firstLine += lines.length;
  }
  rest += decoded(decoder, null, member.name, firstLine);
  if (rest !== "") yield { lines: trimmed([rest], firstLine, member.name), firstLine };
}

function decoded(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Uint8Array | null,
  file: string,
  line: number,
): string {
  let text: string;
  try {
    text = chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw new MeterFileError(file, `is not text: its bytes are no ${decoder.encoding}`, { line });
  }
  if (text.includes("\0")) throw new MeterFileError(file, "is not text: it holds zero bytes", { line });
  return text;
}

function trimmed(lines: string[], firstLine: number, file: string): string[] {
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] as string;
    if (line.length > MAX_LINE_CHARACTERS) throw tooLong(file, firstLine + i, line);
    if (line.charCodeAt(line.length - 1) === 13) lines[i] = line.slice(0, -1);
  }
  return lines;
}

function tooLong(file: string, line: number, text: string): MeterFileError {
  const reason = `is longer than ${MAX_LINE_CHARACTERS} characters: ${shortened(text.slice(0, 60))}`;
  return new MeterFileError(file, reason, { line });
}
