// Owns cutting a journal's bytes into lines, the same for a download and a file. It refuses every other line ending and
// a byte order mark: they stay in the line, whose hash then does not fit.

/** An entry that settles every account of a full region takes some two million. */
const MAX_LINE_CHARACTERS = 16_000_000;

/** Lines of NDJSON bytes as they come; what stands after the last line feed is a line too, unless it is empty. @throws RangeError for a line without end */
export async function* splitLines(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_CHARACTERS)
      throw new RangeError(`a line has more than ${MAX_LINE_CHARACTERS} characters`);
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
