// Owns a household's quarter-hours from meter files. It refuses files without one whole quarter-hour, and to choose among
// several meters for their owner.

import { MeterFileError } from "./interval.ts";
import type { MeterClock } from "./meter-clock.ts";
import { type HouseholdSlots, lossSentences, SlotFold } from "./meter-slots.ts";
import { NoteBook, sentencesOf } from "./notes.ts";
import { MeterReading, type ReadOptions } from "./read-meter.ts";

export interface RecordedMeter {
  readonly household: HouseholdSlots;
  /** The clock of its files. */
  readonly clock: MeterClock;
  /** What was left out of the files and why, a sentence each. */
  readonly remarks: readonly string[];
}

/** Reads files into quarter-hours of one meter. @throws MeterFileError */
export async function readRecordedMeter(
  paths: readonly string[],
  options: ReadOptions & { readonly meter?: string | undefined } = {},
): Promise<RecordedMeter> {
  const reading = new MeterReading(options);
  const fold = new SlotFold();
  const notes = new NoteBook();
  for await (const batch of reading.read(paths)) {
    fold.add(batch);
    for (const note of batch.notes) notes.add(note);
  }
  const file = paths.join(", ");
  const household = fold.meter(options.meter, file);
  const losses = lossSentences(household);
  if (household.slots.length === 0)
    throw new MeterFileError(file, ["has no whole quarter-hour", ...losses].join("; "));
  return { household, clock: reading.clock, remarks: [...losses, ...sentencesOf(notes.groups())] };
}
