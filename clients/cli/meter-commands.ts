// Owns the commands that look into a meter's file. It refuses nothing itself: what a file says wrong is the readers' to
// say, and they name file, line and field.

import { type Command, Option } from "commander";
import { readCsvMapping } from "../meter/csv-mapping.ts";
import { Inspection } from "../meter/inspection.ts";
import { parseClock } from "../meter/meter-clock.ts";
import { METER_FORMATS, type MeterFormat, MeterReading, type ReadOptions } from "../meter/read-meter.ts";
import { withPlace } from "./context.ts";
import { estimateCommand } from "./meter-estimate.ts";
import { reconcileCommand } from "./meter-reconcile.ts";
import { inspectionJson, inspectionText } from "./meter-report.ts";

export interface FileOptions {
  readonly format?: MeterFormat;
  readonly zone?: string;
  readonly mapping?: string;
}

/** Adds `meter inspect | estimate | reconcile`. */
export function meterCommands(program: Command): void {
  const meter = program.commands.find((command) => command.name() === "meter") as Command;
  withFile(
    meter
      .command("inspect")
      .description("what is in a meter's files: registers, span, gaps, totals, and what was left out")
      .argument("<file...>", "files, zips or folders; gzip is unpacked"),
  )
    .option("--json", "as JSON")
    .action(inspect);
  estimateCommand(
    withFile(
      meter
        .command("estimate")
        .description("what the home would have gained in a region, month by month, against its own tariff")
        .argument("<file...>", "files, zips or folders; gzip is unpacked"),
    ),
    readOptionsOf,
  );
  reconcileCommand(
    withFile(
      withPlace(
        meter
          .command("reconcile")
          .description("a month's claims of an account against its utility's files: what is in excess")
          .argument("<file...>", "of all meters of the account: files, zips or folders; gzip is unpacked"),
      ),
    ),
    readOptionsOf,
  );
}

function withFile(command: Command): Command {
  return command
    .addOption(
      new Option("--format <name>", "of the files; by their content without it").choices(METER_FORMATS),
    )
    .option("--mapping <file>", "what the columns of a CSV mean, as JSON")
    .option("--zone <zone>", "of times without one: UTC+10, or a zone such as Europe/Amsterdam");
}

function readOptionsOf({ format, zone, mapping }: FileOptions): ReadOptions {
  return {
    format: format ?? (mapping === undefined ? undefined : "csv"),
    clock: zone === undefined ? undefined : parseClock(zone),
    mapping: mapping === undefined ? undefined : readCsvMapping(mapping),
  };
}

async function inspect(files: string[], options: FileOptions & { readonly json?: boolean }): Promise<void> {
  const reading = new MeterReading(readOptionsOf(options));
  let inspection: Inspection | undefined;
  for await (const batch of reading.read(files)) {
    inspection ??= new Inspection(reading.clock);
    inspection.add(batch);
  }
  const report = (inspection ?? new Inspection(reading.clock)).report(reading.coverage);
  console.log(options.json ? JSON.stringify(inspectionJson(report)) : inspectionText(report, reading.clock));
}
