// Owns how selections of steps are written and read. It refuses what does not ascend: a step happens once, in its place.

/** Places as the command line takes them: `3,17,40-44`. */
export function formatPlaces(places: readonly number[]): string {
  const runs: string[] = [];
  for (let index = 0; index < places.length; ) {
    let end = index;
    while (places[end + 1] === (places[end] as number) + 1) end += 1;
    runs.push(end === index ? `${places[index]}` : `${places[index]}-${places[end]}`);
    index = end + 1;
  }
  return runs.length === 0 ? "none" : runs.join(",");
}

/** Reads places. @throws RangeError with what is wrong. */
export function parsePlaces(text: string): number[] {
  if (text === "none") return [];
  const places = text.split(",").flatMap((part) => {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (match === null)
      throw new RangeError(`"${part}" is neither a step nor a range of steps such as 40-44`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last - first > 1_000_000) throw new RangeError(`"${part}" is no ascending range`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  if (places.some((place, index) => index > 0 && place <= (places[index - 1] as number)))
    throw new RangeError("steps must ascend and be named once");
  return places;
}
