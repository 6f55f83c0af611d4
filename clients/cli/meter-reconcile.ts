// Owns `meter reconcile`: which month, which files and which claims are held against each other, and how it ends: 0 where
// nothing is in excess, 1 where something is, 2 where nothing could be compared. It changes nothing anywhere.

import { type Command, InvalidArgumentError } from "commander";
import type { BillLine } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_READING_WH } from "../../protocol/limits.ts";
import { parseClock } from "../meter/meter-clock.ts";
import { NoteBook, sentencesOf } from "../meter/notes.ts";
import { MeterReading, type ReadOptions } from "../meter/read-meter.ts";
import { compare } from "../reconcile/comparison.ts";
import { type Month, parseMonth, type SlotRun, slotsOfMonth } from "../reconcile/month.ts";
import { type UtilityFile, UtilityReadings } from "../reconcile/utility-readings.ts";
import { type Place, placeOf } from "./context.ts";
import { slotTime } from "./figures.ts";
import type { FileOptions } from "./meter-commands.ts";
import { address, whole } from "./options.ts";
import { type Reconciliation, reconciliationJson, reconciliationText } from "./reconcile-report.ts";

interface ReconcileOptions extends FileOptions, Place {
  readonly account: Hex;
  readonly month: Month;
  readonly meter?: readonly string[];
  readonly apart?: boolean;
  readonly toleranceWh: number;
  readonly json?: boolean;
}

/**
 * Wh a slot and register. A gateway takes the difference of a register in whole Wh at both ends of a slot; a file in
 * whole Wh, or finer, of the same register says at most one less, however it was rounded.
 */
const DEFAULT_TOLERANCE_WH = 1;
const STATUS = { clear: 0, excess: 1, notCompared: 2 } as const;

/** Completes the command with its options. */
export function reconcileCommand(
  command: Command,
  readOptionsOf: (options: FileOptions) => ReadOptions,
): void {
  command
    .requiredOption("--account <address>", "whose claims", address)
    .requiredOption("--month <yyyy-mm>", "in the region's time zone", month)
    .option("--meter <name>", "counts, of several in the files; again for more; all without it", collect)
    .option("--apart", "each file or folder is of a meter of its own, where the files name none")
    .option(
      "--tolerance-wh <n>",
      "what a claim may be above the reading, per slot and register: roundings, and what flows while a gateway is late",
      whole(0, MAX_READING_WH),
      DEFAULT_TOLERANCE_WH,
    )
    .option("--json", "as JSON")
    .addHelpText("after", "\nends with 0 where nothing is in excess, 1 where something is, 2 otherwise")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : STATUS.notCompared))
    .action((files: string[], options: ReconcileOptions) => run(files, options, readOptionsOf));
}

async function run(
  files: string[],
  options: ReconcileOptions,
  readOptionsOf: (options: FileOptions) => ReadOptions,
): Promise<void> {
  // Until it is compared; whatever is thrown before ends with it.
  process.exitCode = STATUS.notCompared;
  const found = await reconcile(files, options, readOptionsOf(options));
  console.log(options.json ? JSON.stringify(reconciliationJson(found)) : reconciliationText(found));
  process.exitCode = found.comparison.excesses.length === 0 ? STATUS.clear : STATUS.excess;
}

async function reconcile(
  files: readonly string[],
  options: ReconcileOptions,
  read: ReadOptions,
): Promise<Reconciliation> {
  const { account, toleranceWh } = options;
  const { client, region } = await placeOf(options);
  const { profile, market } = await client.region(region);
  if (market === null) throw new Error(`${region} is not opened yet`);
  const { timeZone, currency } = profile;
  const clock = parseClock(timeZone);
  const month = slotsOfMonth(options.month, clock);
  const settled = settledOf(month, market.firstSlot, market.windowFirstSlot);
  if (settled.fromSlot >= settled.untilSlot)
    throw new Error(
      `${region} settled nothing of that month: it began ${slotTime(market.firstSlot, timeZone)} and is settled until ${slotTime(market.windowFirstSlot, timeZone)}`,
    );
  const { cells, registers, remarks } = await utilityFileOf(files, month, options, read);
  const compared = cells.filter((cell) => common(cell, settled) > 0);
  const until = Math.max(month.untilSlot, compared.at(-1)?.untilSlot ?? 0);
  const lines: BillLine[] = [];
  for await (const page of client.billPages(region, account, { from: month.fromSlot, until }))
    lines.push(...page.lines);
  const slotToleranceWh = toleranceWh * registers.length;
  return {
    ...{ region, account, clock, currency, month, settled, registers, remarks },
    toldSlots: compared.reduce((sum, cell) => sum + (cell.reading === null ? 0 : common(cell, settled)), 0),
    slotToleranceWh,
    comparison: compare(lines, compared, slotToleranceWh),
  };
}

/** The slots of a month whose windows are settled. */
function settledOf({ fromSlot, untilSlot }: SlotRun, firstSlot: number, nextSlot: number): SlotRun {
  return { fromSlot: Math.max(fromSlot, firstSlot), untilSlot: Math.min(untilSlot, nextSlot) };
}

/** Slots that two runs have in common. */
function common(a: SlotRun, b: SlotRun): number {
  return Math.max(0, Math.min(a.untilSlot, b.untilSlot) - Math.max(a.fromSlot, b.fromSlot));
}

/** Reads the files; what was left out of them is among the remarks. @throws MeterFileError */
async function utilityFileOf(
  files: readonly string[],
  month: SlotRun,
  { meter, apart }: ReconcileOptions,
  read: ReadOptions,
): Promise<UtilityFile> {
  const readings = new UtilityReadings(month, meter);
  const notes = new NoteBook();
  const parts = apart ? files.map((file) => [file]) : [files];
  for (const part of parts) {
    for await (const batch of new MeterReading(read).read(part)) {
      readings.add(batch, apart ? `${part[0]}: ` : "");
      for (const note of batch.notes) notes.add(note);
    }
  }
  const found = readings.finish();
  return { ...found, remarks: [...found.remarks, ...sentencesOf(notes.groups())] };
}

function month(text: string): Month {
  try {
    return parseMonth(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "must be a month");
  }
}

function collect(name: string, before: readonly string[] = []): string[] {
  return [...before, name];
}
