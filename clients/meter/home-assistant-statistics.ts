// Owns what is asked of Home Assistant and how its statistics become registers: which statistics are the grid's, and
// their sums at moments all of them know. It refuses statistics that are no energy, and sums that are no numbers.

import type { Connection } from "home-assistant-js-websocket";
import { z } from "zod";
import {
  type GridStatistics,
  metadataSchema,
  preferencesSchema,
  type Statistics,
  statisticsSchema,
} from "./home-assistant-messages.ts";
import type { MeterReading } from "./slot-registers.ts";

/** Sums that their owner corrected may be below zero; a register may not. A GWh below every home's. */
const SUM_OFFSET_MICRO_WH = 1e15;

/** A connection, and how long an answer on it may take. */
export interface Line {
  readonly connection: Connection;
  readonly answerMs: number;
}

/** Asks one thing. @throws Error when it is refused, comes malformed, or does not come */
async function ask<Answer>(
  { connection, answerMs }: Line,
  question: { readonly type: string; readonly [field: string]: unknown },
  schema: z.ZodType<Answer>,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${question.type} was not answered`)), answerMs);
  });
  try {
    // The client writes the message's id into it.
    const answer = await Promise.race([connection.sendMessagePromise<unknown>({ ...question }), late]);
    const decoded = schema.safeParse(answer);
    if (decoded.success) return decoded.data;
    const [issue] = decoded.error.issues;
    throw new Error(`${question.type}: ${issue?.path.join(".")}: ${issue?.message}`);
  } catch (error) {
    if (error instanceof Error) throw error;
    const refusal = z.looseObject({ code: z.unknown(), message: z.string() }).safeParse(error);
    throw new Error(
      refusal.success ? `${question.type}: ${refusal.data.message}` : "the connection was lost",
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The grid's statistics as the energy settings name them. @throws Error where they are missing or are no energy */
export async function gridOf(line: Line): Promise<GridStatistics> {
  const grid = await ask(line, { type: "energy/get_prefs" }, preferencesSchema);
  if (grid.imports.length === 0)
    throw new Error(
      "the energy settings name no grid consumption; add it under Settings, Dashboards, Energy",
    );
  const ids = [...grid.imports, ...grid.exports];
  const metadata = await ask(
    line,
    { type: "recorder/get_statistics_metadata", statistic_ids: ids },
    metadataSchema,
  );
  for (const id of ids) {
    const known = metadata.find(({ statistic_id }) => statistic_id === id);
    if (known === undefined) throw new Error(`there are no statistics of ${id}`);
    if (!known.has_sum || known.unit_class !== "energy")
      throw new Error(`the statistics of ${id} are no energy`);
  }
  return grid;
}

/** Statistics of the grid between two moments, as registers. */
export async function readingsBetween(
  line: Line,
  grid: GridStatistics,
  fromS: number,
  untilS: number,
): Promise<MeterReading[]> {
  const statisticsOf = (period: "5minute" | "hour", endS: number): Promise<Statistics> =>
    ask(
      line,
      {
        type: "recorder/statistics_during_period",
        start_time: new Date(fromS * 1000).toISOString(),
        end_time: new Date(endS * 1000).toISOString(),
        statistic_ids: [...grid.imports, ...grid.exports],
        period,
        types: ["sum"],
        units: { energy: "Wh" },
      },
      statisticsSchema,
    );
  const fine = readingsOf(await statisticsOf("5minute", untilS), grid);
  const fineFromS = fine[0]?.atS ?? untilS;
  // Five minutes are kept for days, hours for ever: what was purged is known by the hour only.
  if (fineFromS - fromS < 2 * 3600) return fine;
  const coarse = readingsOf(await statisticsOf("hour", fineFromS), grid);
  return [...coarse.filter(({ atS }) => atS < fineFromS), ...fine];
}

/**
 * Registers at the ends of those periods that every statistic of the grid knows: their sums in Wh, added up each way.
 * A period in which one of them has no sum is none.
 */
export function readingsOf(statistics: Statistics, grid: GridStatistics): MeterReading[] {
  const imports = sumsOf(statistics, grid.imports);
  const exports = sumsOf(statistics, grid.exports);
  const readings: MeterReading[] = [];
  for (const [atS, importMicroWh] of imports) {
    const exportMicroWh = grid.exports.length === 0 ? SUM_OFFSET_MICRO_WH : exports.get(atS);
    if (exportMicroWh !== undefined) readings.push({ atS, importMicroWh, exportMicroWh, meter: null });
  }
  return readings.sort((one, other) => one.atS - other.atS);
}

/** The sums of several statistics together, µWh by the end of the period in seconds. */
function sumsOf(statistics: Statistics, ids: readonly string[]): Map<number, number> {
  const sums = new Map<number, { microWh: number; count: number }>();
  for (const id of ids) {
    for (const [atS, wh] of sumsOfOne(statistics[id] ?? [])) {
      const sum = sums.get(atS) ?? { microWh: SUM_OFFSET_MICRO_WH, count: 0 };
      sums.set(atS, { microWh: sum.microWh + Math.round(wh * 1e6), count: sum.count + 1 });
    }
  }
  const whole = [...sums].filter(
    ([, { microWh, count }]) => count === ids.length && Number.isSafeInteger(microWh) && microWh >= 0,
  );
  return new Map(whole.map(([atS, { microWh }]) => [atS, microWh]));
}

/** A statistic's sums by the end of their period; a period that stands twice counts once. */
function sumsOfOne(rows: Statistics[string]): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { end, sum } of rows) if (sum != null && end % 1000 === 0) sums.set(end / 1000, sum);
  return sums;
}
