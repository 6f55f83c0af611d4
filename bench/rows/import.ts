// Owns the rows of `import`: reading meter files of each format into figures, in MB a second, against parsing the same
// bytes and nothing else, and the memory a large file takes. It refuses a reading that misses an interval.

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MeasuredFormat, writeMeterFile } from "../import-files.ts";
import type { ReadOrder, ReadReport } from "../import-reader.ts";
import { median } from "../median.ts";
import { compared, limited, type Measurement, type Row } from "../row.ts";
import { SecondProcess } from "../second-process.ts";

const MEGABYTE = 1e6;
const LARGE_BYTES = 200 * MEGABYTE;
const SMALL_BYTES = 8 * MEGABYTE;
const ROUNDS = 3;
/** A large file may take no more than this beyond a small one of its kind: garbage not yet collected, and no part of it. */
const GROWTH_LIMIT_MB = 192;

const FORMATS: readonly (readonly [MeasuredFormat, string, string])[] = [
  ["nem12", "nem12", "csv-parse alone"],
  ["greenbutton", "green button", "saxes alone"],
  ["csv", "csv", "csv-parse alone"],
];

/** Measures the rows. */
export const measure: Measurement = async (say) => {
  const folder = mkdtempSync(join(tmpdir(), "polder-import-"));
  try {
    const rows: Row[] = [];
    for (const [format, name, peer] of FORMATS) {
      rows.push(await speedOf(folder, format, name, peer, say));
      rows.push(await memoryOf(folder, format, name, say));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

async function speedOf(
  folder: string,
  format: MeasuredFormat,
  name: string,
  peer: string,
  say: (line: string) => void,
): Promise<Row> {
  const path = join(folder, `small-${format}`);
  const intervals = await writeMeterFile(path, format, SMALL_BYTES);
  const megabytes = statSync(path).size / MEGABYTE;
  const reader = new SecondProcess<ReadOrder, ReadReport>("import-reader");
  const rates = { ours: [] as number[], peer: [] as number[] };
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const by of ["ours", "peer"] as const) {
        const { milliseconds, found } = await reader.ask({ path, format, by });
        if (by === "ours" && found !== intervals)
          throw new Error(`${format}: ${found} intervals of ${intervals}`);
        if (round > 0) rates[by].push((megabytes * 1_000) / milliseconds);
      }
    }
  } finally {
    reader.stop();
  }
  const ours = median(rates.ours);
  const perSecond = (intervals / megabytes) * ours;
  say(`${name}: ${ours.toFixed(0)} MB/s, ${peer} ${median(rates.peer).toFixed(0)} MB/s`);
  return compared({
    name: `import: ${name}`,
    ours,
    peer: median(rates.peer),
    unit: "MB/s",
    higherIsBetter: true,
    note: `bytes to checked totals, ${perSecond.toExponential(1)} intervals a second; against ${peer} over the same ${megabytes.toFixed(0)} MB; medians of ${ROUNDS} alternating rounds in one process`,
  });
}

async function memoryOf(
  folder: string,
  format: MeasuredFormat,
  name: string,
  say: (line: string) => void,
): Promise<Row> {
  const path = join(folder, `large-${format}`);
  const intervals = await writeMeterFile(path, format, LARGE_BYTES);
  const reader = new SecondProcess<ReadOrder, ReadReport>("import-reader");
  try {
    // What reading needs at all is held after a small file.
    await reader.ask({ path: join(folder, `small-${format}`), format, by: "ours" });
    const { found, grownBytes, milliseconds } = await reader.ask({ path, format, by: "ours" });
    if (found !== intervals) throw new Error(`${format}: ${found} intervals of ${intervals}`);
    const grown = grownBytes / MEGABYTE;
    say(
      `${name}: ${(LARGE_BYTES / MEGABYTE).toFixed(0)} MB in ${(milliseconds / 1_000).toFixed(1)} s grew by ${grown.toFixed(0)} MB`,
    );
    return limited({
      name: `import: ${name}, memory`,
      ours: grown,
      unit: "MB",
      higherIsBetter: false,
      limit: `at most ${GROWTH_LIMIT_MB} MB`,
      isWithinLimit: grown <= GROWTH_LIMIT_MB,
      note: `resident memory while reading a generated file of ${LARGE_BYTES / MEGABYTE} MB, beyond what a file of ${SMALL_BYTES / MEGABYTE} MB had left; ${found} intervals`,
    });
  } finally {
    reader.stop();
    rmSync(path, { force: true });
  }
}
