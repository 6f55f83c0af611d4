// Owns what Home Assistant may say on its WebSocket, as its developers document it, and what of it the market needs. It
// refuses any other message with the field that is wrong.

import { z } from "zod";
import { LAST_INSTANT_S } from "../../protocol/fields.ts";

/** Largest message: five-minute statistics of a dozen meters over two days are below 1 MB. */
export const MAX_MESSAGE_BYTES = 16 * 2 ** 20;
/** A home has one grid connection, a few tariffs each way; a list beyond that is no home's. */
const MAX_STATISTICS = 64;
/** Five minutes apart over ten days, the longest that Home Assistant keeps unless told otherwise, twice. */
const MAX_ROWS = 2 * 10 * 288;

const instantMs = z
  .int()
  .min(0)
  .max(LAST_INSTANT_S * 1000);
const messageId = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Messages before the first command. */
export const greetingSchema = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("auth_required") }),
  z.looseObject({ type: z.literal("auth_invalid") }),
  z.looseObject({ type: z.literal("auth_ok"), ha_version: z.string().max(40) }),
]);

const message = z.discriminatedUnion("type", [
  z.discriminatedUnion("success", [
    z.looseObject({
      type: z.literal("result"),
      id: messageId,
      success: z.literal(true),
      result: z.unknown(),
    }),
    z.looseObject({
      type: z.literal("result"),
      id: messageId,
      success: z.literal(false),
      error: z.looseObject({ code: z.union([z.string(), z.number()]), message: z.string().max(2_000) }),
    }),
  ]),
  z.looseObject({ type: z.literal("event"), id: messageId, event: z.looseObject({}) }),
  z.looseObject({ type: z.literal("pong"), id: messageId }),
]);

/** Messages of the command phase: one, or several put together. */
export const messagesSchema = z.union([message.transform((one) => [one]), z.array(message).max(1_000)]);

const statisticId = z.string().min(1).max(255);
const optionalId = statisticId.nullish().transform((id) => (id == null ? [] : [id]));

/** A grid connection of the energy settings: lists of flows, or, in newer versions, one flow each way. */
const gridSource = z
  .looseObject({
    type: z.literal("grid"),
    flow_from: z.array(z.looseObject({ stat_energy_from: statisticId })).optional(),
    flow_to: z.array(z.looseObject({ stat_energy_to: statisticId })).optional(),
    stat_energy_from: optionalId,
    stat_energy_to: optionalId,
  })
  .transform((source) => ({
    imports: [
      ...(source.flow_from ?? []).map(({ stat_energy_from }) => stat_energy_from),
      ...source.stat_energy_from,
    ],
    exports: [
      ...(source.flow_to ?? []).map(({ stat_energy_to }) => stat_energy_to),
      ...source.stat_energy_to,
    ],
  }));

/** Statistics of a home's grid connection. */
export interface GridStatistics {
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

/** Result of `energy/get_prefs`, as the statistics of the grid; what is behind the meter is another matter. */
export const preferencesSchema = z
  .looseObject({
    energy_sources: z.array(z.looseObject({ type: z.string() })).max(MAX_STATISTICS),
  })
  .transform(({ energy_sources }, context): GridStatistics => {
    const grids: z.infer<typeof gridSource>[] = [];
    for (const source of energy_sources) {
      if (source.type !== "grid") continue;
      const grid = gridSource.safeParse(source);
      if (grid.success) grids.push(grid.data);
      else
        context.addIssue({
          code: "custom",
          path: ["energy_sources", ...(grid.error.issues[0]?.path ?? [])],
          message: grid.error.issues[0]?.message ?? "is no grid",
        });
    }
    // The same statistic named twice is still energy that flowed once.
    const once = (ids: readonly string[]): string[] => [...new Set(ids)].slice(0, MAX_STATISTICS);
    return {
      imports: once(grids.flatMap(({ imports }) => imports)),
      exports: once(grids.flatMap((grid) => grid.exports)),
    };
  });

/** Result of `recorder/get_statistics_metadata`. */
export const metadataSchema = z
  .array(
    z.looseObject({
      statistic_id: statisticId,
      has_sum: z.boolean(),
      unit_class: z.string().max(40).nullable(),
    }),
  )
  .max(MAX_STATISTICS);

/** Result of `recorder/statistics_during_period` with `types: ["sum"]`; times in milliseconds. */
export const statisticsSchema = z.record(
  statisticId,
  z
    .array(
      z.looseObject({
        start: instantMs,
        end: instantMs,
        sum: z.number().nullish(),
      }),
    )
    .max(MAX_ROWS),
);
export type Statistics = z.infer<typeof statisticsSchema>;

/** The event that new five-minute statistics are there, with the time of Home Assistant's own clock. */
export const firedEventSchema = z.looseObject({ time_fired: z.iso.datetime({ offset: true }) });
