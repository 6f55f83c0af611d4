// Owns pictures for tests of thumbnails: drawn in blocks of nine equal points, as PNG files of every kind, and read back. It
// refuses to share code with the program that it tests.

/** How many bytes a point has, by PNG's number for its colours. */
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
export type Colour = keyof typeof CHANNELS;

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly colour: Colour;
  /** Compresses the rows. */
  readonly pack: (rows: Uint8Array) => Uint8Array;
}

/** A picture, and what it is at a third of its size, four bytes a point. */
export function drawnPng({ width, height, colour, pack }: Drawing): { file: Uint8Array; thirds: Uint8Array } {
  const channels = CHANNELS[colour];
  const valueAt = (x: number, y: number, channel: number): number => {
    const block = Math.floor(x / 3) * 7 + Math.floor(y / 3) * 13;
    // Whole points are seen or not: a mean over what is half seen would be rounded.
    const isAlpha = (colour === 4 && channel === 1) || (colour === 6 && channel === 3);
    return isAlpha ? 255 : (block * (channel + 1)) & 255;
  };
  const rows: number[] = [];
  let above = new Array<number>(width * channels).fill(0);
  for (let y = 0; y < height; y += 1) {
    const line = Array.from({ length: width * channels }, (_, place) =>
      valueAt(Math.floor(place / channels), y, place % channels),
    );
    rows.push(y % 5, ...filtered(y % 5, line, above, channels));
    above = line;
  }
  const thirds: number[] = [];
  for (let y = 0; y < height; y += 3)
    for (let x = 0; x < width; x += 3) {
      const [a = 0, b = 0, c = 0] = [0, 1, 2].map((channel) => valueAt(x, y, channel));
      if (colour === 3) thirds.push(...paletteOf(a), 255);
      else thirds.push(...(channels < 3 ? [a, a, a] : [a, b, c]), 255);
    }
  const size = [...word(width), ...word(height), 8, colour, 0, 0, 0];
  const palette = Array.from({ length: 256 }, (_, place) => paletteOf(place)).flat();
  const file = [
    ...[137, 80, 78, 71, 13, 10, 26, 10],
    ...chunk("IHDR", size),
    ...(colour === 3 ? chunk("PLTE", palette) : []),
    ...chunk("IDAT", [...pack(Uint8Array.from(rows))]),
    ...chunk("IEND", []),
  ];
  return { file: Uint8Array.from(file), thirds: Uint8Array.from(thirds) };
}

const paletteOf = (place: number): [number, number, number] => [255 - place, place, (place * 3) & 255];

function filtered(kind: number, line: readonly number[], above: readonly number[], step: number): number[] {
  return line.map((value, place) => {
    const a = line[place - step] ?? 0;
    const b = above[place] ?? 0;
    const c = place < step ? 0 : (above[place - step] ?? 0);
    const guess = [0, a, b, (a + b) >> 1, nearest(a, b, c)][kind] as number;
    return (value - guess) & 255;
  });
}

function nearest(a: number, b: number, c: number): number {
  const [first = 0] = [a, b, c].sort((x, y) => Math.abs(a + b - c - x) - Math.abs(a + b - c - y));
  return first;
}

const word = (value: number): number[] => [
  value >>> 24,
  (value >> 16) & 255,
  (value >> 8) & 255,
  value & 255,
];

/** Checks are not the reader's business here: they are zero. */
function chunk(name: string, data: readonly number[]): number[] {
  return [...word(data.length), ...new TextEncoder().encode(name), ...data, 0, 0, 0, 0];
}

/** The points of an unfiltered picture with four bytes a point. */
export function pointsOf(
  file: Uint8Array,
  unpack: (bytes: Uint8Array) => Uint8Array,
): { readonly width: number; readonly height: number; readonly points: Uint8Array } {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (file[25] !== 6) throw new Error("four bytes a point were expected");
  const length = view.getUint32(33);
  const rows = unpack(file.subarray(41, 41 + length));
  const points = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    const at = y * (width * 4 + 1);
    if (rows[at] !== 0) throw new Error("rows without filters were expected");
    points.set(rows.subarray(at + 1, at + 1 + width * 4), y * width * 4);
  }
  return { width, height, points };
}
