// Owns simulated households: sun and use of a home per slot, the same for the same seed in whatever order slots are
// asked for. It refuses to keep state that an answer could depend on, and names nobody.

import { createLoad, type Load, type LoadModel, type Routine } from "./load.ts";
import { dayOfQuarter, localQuarter } from "./local-time.ts";
import { dayStream, hashIntegers } from "./random-stream.ts";
import { createSky, type Panel, panelDayWh, type Sky } from "./sun.ts";

const SLOTS_PER_DAY = 96;
const PURPOSE_BUILD = 5;
const MAX_CACHED_DAYS = 16;
const MAX_SKIES = 8;

export type HouseholdKind = "solar-house" | "house" | "solar-car-house" | "flat" | "workshop";

export interface HouseholdOptions {
  /** Any safe integer; two homes of a street need different ones. */
  readonly seed: number;
  /** Degrees, north positive, −66 to 66: beyond, the sun of the model would not set. */
  readonly latitude: number;
  /** Degrees, east positive. */
  readonly longitude: number;
  /** IANA name, for when people wake and eat. */
  readonly timeZone: string;
  readonly kind?: HouseholdKind;
  readonly name?: string;
  /** Overrides the drawn size of the panels; 0 for none. W. */
  readonly pvPeakW?: number;
  /** Seed of the sky. Neighbours share it; by default it belongs to the place, to a tenth of a degree. */
  readonly skySeed?: number;
}

/** Energy of one slot, whole Wh; `netWh` is generation less load: positive is surplus, negative is need. */
export interface SlotEnergy {
  readonly generationWh: number;
  readonly loadWh: number;
  readonly netWh: number;
}

export interface Household {
  readonly name: string;
  readonly kind: HouseholdKind;
  readonly pvPeakW: number;
  readonly hasCar: boolean;
  /** The most Wh a slot can export: the panels' rating for a quarter-hour. */
  readonly nameplateWh: number;
  /** The most Wh a slot can import: what the connection's fuse lets through. */
  readonly connectionWh: number;
  /** Energy of a slot (floor of unix seconds ÷ 900). Throws RangeError unless a safe integer ≥ 0. */
  slotEnergy(slot: number): SlotEnergy;
}

interface Build {
  readonly panel: Panel;
  readonly model: LoadModel;
  readonly connectionW: number;
}

const skies = new Map<string, Sky>();

/** One sky object per place and seed, so that neighbours compute it once. */
function sharedSky(seed: number, latitude: number, longitude: number): Sky {
  const key = `${seed} ${latitude} ${longitude}`;
  let sky = skies.get(key);
  if (sky === undefined) {
    sky = createSky(seed, latitude, longitude);
    if (skies.size >= MAX_SKIES) skies.clear();
    skies.set(key, sky);
  }
  return sky;
}

function drawBuild(options: HouseholdOptions, kind: HouseholdKind): Build {
  const stream = dayStream(options.seed, PURPOSE_BUILD, 0);
  const solar = kind === "solar-house" || kind === "solar-car-house";
  const drawnW = Math.round(stream.between(2_800, 6_500) / 100) * 100;
  const peakW = options.pvPeakW ?? (solar ? drawnW : 0);
  // Roofs face the equator, more or less.
  const equator = options.latitude >= 0 ? 180 : 0;
  const azimuthDegrees = (equator + stream.normal(0, 35) + 360) % 360;
  const panel = { peakW, tiltDegrees: stream.between(15, 42), azimuthDegrees };
  const people = stream.next();
  const home: Routine = people < 0.45 ? "family" : people < 0.75 ? "couple" : "home-all-day";
  const flat: Routine = people < 0.7 ? "couple" : "home-all-day";
  const routine = kind === "workshop" ? "workshop" : kind === "flat" ? flat : home;
  const scale = kind === "flat" ? stream.between(0.45, 0.7) : stream.between(0.8, 1.3);
  const hasCar = kind === "solar-car-house";
  // One phase of 40 A, or three of 25 A where a car or machines draw more; at 230 V.
  const connectionW = hasCar || kind === "workshop" ? 3 * 25 * 230 : 40 * 230;
  return { panel, model: { routine, scale, hasCar }, connectionW };
}

function assertPlace(options: HouseholdOptions): void {
  const { seed, latitude, longitude, pvPeakW = 0 } = options;
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed is not a safe integer: ${seed}`);
  if (!(Math.abs(latitude) <= 66)) throw new RangeError(`latitude outside -66..66: ${latitude}`);
  if (!(Math.abs(longitude) <= 180)) throw new RangeError(`longitude outside -180..180: ${longitude}`);
  if (!(pvPeakW >= 0 && pvPeakW <= 1_000_000)) throw new RangeError(`pvPeakW outside 0..1000000: ${pvPeakW}`);
}

/** Share of full artificial light that people want: none above 8° of sun, all below −4°. */
function darkness(altitude: number): number {
  return Math.max(0, Math.min(1, (0.14 - altitude) / 0.21));
}

function dayEnergy(
  build: Build,
  load: Load,
  sky: Sky,
  options: HouseholdOptions,
  utcDay: number,
): SlotEnergy[] {
  const weather = sky.day(utcDay);
  const generation = panelDayWh(weather, utcDay, build.panel, options.seed);
  return Array.from({ length: SLOTS_PER_DAY }, (_, i) => {
    const at = localQuarter(options.timeZone, utcDay * SLOTS_PER_DAY + i);
    const day = dayOfQuarter(at);
    const quarter = at - day * SLOTS_PER_DAY;
    const weatherW = load.weatherWatts(
      day,
      quarter,
      darkness(weather.altitude[i] as number),
      weather.temperatureC[i] as number,
    );
    const loadWh = Math.round(Math.min(load.watts(day, quarter) + weatherW, build.connectionW) / 4);
    const generationWh = generation[i] as number;
    return { generationWh, loadWh, netWh: generationWh - loadWh };
  });
}

/**
 * A simulated home. Its energy is a function of (options, slot) alone; repeated local quarter-hours (clocks set back)
 * repeat the use and not the sun. Values are the same on every machine whose engine rounds `Math.sin` and `Math.exp`
 * alike. Throws RangeError for a place, seed or zone it cannot use.
 */
export function createHousehold(options: HouseholdOptions): Household {
  assertPlace(options);
  const kind = options.kind ?? "solar-house";
  const { latitude, longitude, timeZone, seed } = options;
  localQuarter(timeZone, 0);
  const build = drawBuild(options, kind);
  const load = createLoad(seed, build.model);
  const place = hashIntegers(Math.round(latitude * 10), Math.round(longitude * 10));
  const sky = sharedSky(options.skySeed ?? place, latitude, longitude);
  const days = new Map<number, SlotEnergy[]>();
  return {
    name: options.name ?? "House 1",
    kind,
    pvPeakW: build.panel.peakW,
    hasCar: build.model.hasCar,
    nameplateWh: Math.ceil(build.panel.peakW / 4),
    connectionWh: Math.ceil(build.connectionW / 4),
    slotEnergy(slot) {
      if (!Number.isSafeInteger(slot) || slot < 0) throw new RangeError(`not a slot: ${slot}`);
      const utcDay = Math.floor(slot / SLOTS_PER_DAY);
      let day = days.get(utcDay);
      if (day === undefined) {
        day = dayEnergy(build, load, sky, options, utcDay);
        if (days.size >= MAX_CACHED_DAYS) days.clear();
        days.set(utcDay, day);
      }
      return day[slot - utcDay * SLOTS_PER_DAY] as SlotEnergy;
    },
  };
}

export interface NeighbourhoodOptions {
  readonly seed: number;
  /** Homes, 1 to 10,000. */
  readonly count: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly timeZone: string;
}

/** The mix repeats, so that a small neighbourhood has both sides of the market and a large one keeps the shares. */
const MIX: readonly HouseholdKind[] = [
  "solar-house",
  "flat",
  "solar-house",
  "house",
  "solar-car-house",
  "flat",
  "solar-house",
  "workshop",
  "solar-house",
  "flat",
  "solar-car-house",
  "house",
];

function nameOf(kind: HouseholdKind, number: number): string {
  return `${kind === "flat" ? "Flat" : kind === "workshop" ? "Workshop" : "House"} ${number}`;
}

/**
 * Homes under one sky, named by kind and number ("House 1", "Flat 2"). The same seed gives the same homes, and a
 * larger count only adds some. Throws RangeError for a count or place it cannot use.
 */
export function createNeighbourhood(options: NeighbourhoodOptions): Household[] {
  const { seed, count, latitude, longitude, timeZone } = options;
  if (!Number.isSafeInteger(count) || count < 1 || count > 10_000) {
    throw new RangeError(`count outside 1..10000: ${count}`);
  }
  return Array.from({ length: count }, (_, i) => {
    const kind = MIX[i % MIX.length] as HouseholdKind;
    const place = { latitude, longitude, timeZone, skySeed: seed };
    return createHousehold({ ...place, kind, seed: hashIntegers(seed, i + 1), name: nameOf(kind, i + 1) });
  });
}
