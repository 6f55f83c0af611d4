// Owns cutting a journal's bytes into lines, the same for a download and a file. It refuses every other line ending and
// a byte order mark: they stay in the line, whose hash then does not fit.

/** Lines of NDJSON bytes as they come; what stands after the last line feed is a line too, unless it is empty. */
export async function* splitLines(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
