// Owns what the directory says of a region: where it is, whose it is, under which terms and tariffs. It refuses
// profiles with places off the globe or texts without bounds.

import { z } from "zod";
import { address, priceMicrosPerKwh, regionId } from "./fields.ts";

const text = (maximum: number) => z.string().trim().min(1).max(maximum);

export const tariffSchema = z.strictObject({
  name: text(64),
  retailMicrosPerKwh: priceMicrosPerKwh.meta({
    description: "what a household pays its supplier, grid included",
  }),
  feedInMicrosPerKwh: priceMicrosPerKwh.meta({ description: "what its supplier pays for export" }),
});
export type ReferenceTariff = z.infer<typeof tariffSchema>;

/** JSON can spell minus zero, which is another number after its own round trip. */
const degrees = (most: number) =>
  z
    .number()
    .min(-most)
    .max(most)
    .overwrite((value) => value + 0);

export const profileSchema = z.strictObject({
  region: regionId,
  name: text(80),
  place: text(120),
  latitude: degrees(90),
  longitude: degrees(180),
  timeZone: text(64),
  operator: address,
  jurisdiction: text(80),
  terms: text(2000).meta({ description: "where the terms are, or what they say" }),
  currency: z.string().regex(/^[A-Z]{3,5}$/),
  tariffs: z.array(tariffSchema).min(1).max(8),
  isSimulation: z.boolean().meta({ description: "true until a grid operator nets both bills" }),
});
export type Profile = z.infer<typeof profileSchema>;

/** Great-circle distance in km between two points in degrees (haversine; Earth's mean radius 6371 km). */
export function distanceKm(
  fromLatitude: number,
  fromLongitude: number,
  toLatitude: number,
  toLongitude: number,
): number {
  const radians = Math.PI / 180;
  const sineOf = (degrees: number) => Math.sin((degrees * radians) / 2) ** 2;
  const chord =
    sineOf(toLatitude - fromLatitude) +
    Math.cos(fromLatitude * radians) * Math.cos(toLatitude * radians) * sineOf(toLongitude - fromLongitude);
  return 2 * 6371 * Math.asin(Math.sqrt(chord));
}
