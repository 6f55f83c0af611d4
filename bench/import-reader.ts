// Owns reading a meter file in a process of its own, ours or a peer's way, and what that took of time and memory. It
// refuses to share a process with what made the file, whose garbage would be counted.

import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import { SaxesParser } from "saxes";
import { parseCsvMapping } from "../clients/meter/csv-mapping.ts";
import { Inspection } from "../clients/meter/inspection.ts";
import { MeterReading } from "../clients/meter/read-meter.ts";
import type { MeasuredFormat } from "./import-files.ts";

export interface ReadOrder {
  readonly path: string;
  readonly format: MeasuredFormat;
  readonly by: "ours" | "peer";
}

export interface ReadReport {
  readonly milliseconds: number;
  /** Intervals of ours, records or tags of a peer. */
  readonly found: number;
  /** Most resident memory while reading, less what the process held before. */
  readonly grownBytes: number;
}

const MAPPING = parseCsvMapping({
  time: { columns: "time", format: "yyyy-MM-dd HH:mm" },
  zone: "UTC+1",
  unit: "kWh",
  values: { import: "import", export: "export" },
});
const SAMPLE_MS = 20;

async function readOurs({ path, format }: ReadOrder): Promise<number> {
  const reading = new MeterReading(format === "csv" ? { format, mapping: MAPPING } : {});
  const inspection = new Inspection(reading.clock);
  for await (const batch of reading.read([path])) inspection.add(batch);
  const { channels } = inspection.report(reading.coverage);
  return channels.reduce((sum, { intervals }) => sum + intervals, 0);
}

async function readPeer({ path, format }: ReadOrder): Promise<number> {
  let found = 0;
  if (format === "greenbutton") {
    const parser = new SaxesParser();
    parser.on("opentag", () => {
      found += 1;
    });
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for await (const chunk of createReadStream(path)) parser.write(decoder.decode(chunk, { stream: true }));
    parser.close();
    return found;
  }
  const rows = createReadStream(path).pipe(
    parse({ relax_column_count: true, delimiter: format === "csv" ? ";" : "," }),
  );
  for await (const _ of rows) found += 1;
  return found;
}

async function answer(order: ReadOrder): Promise<ReadReport> {
  const before = process.memoryUsage.rss();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, SAMPLE_MS);
  const started = performance.now();
  const found = await (order.by === "ours" ? readOurs(order) : readPeer(order));
  const milliseconds = performance.now() - started;
  clearInterval(sampling);
  return { milliseconds, found, grownBytes: Math.max(most, process.memoryUsage.rss()) - before };
}

process.on("message", (order: ReadOrder) => {
  answer(order).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ fault: String(error) }),
  );
});
