// Owns the simulated use of a home: what runs when, in whole local days of quarter-hours. It refuses to know the sun
// except as darkness and temperature, and the market altogether.

import { weekdayOf } from "./local-time.ts";
import { dayStream, type Stream } from "./random-stream.ts";

const QUARTERS = 96;
const PURPOSE_HOME = 3;
const PURPOSE_DAY = 4;
const MAX_CACHED_DAYS = 16;

/** How people use the place; each differs in who is home when. */
export type Routine = "family" | "couple" | "home-all-day" | "workshop";

export interface LoadModel {
  readonly routine: Routine;
  /** Size of the place: scales what always runs and what people switch on. 1 is an average house. */
  readonly scale: number;
  readonly hasCar: boolean;
}

/** What a home is like for life, drawn once. Watts, and chances per day. */
interface Home {
  readonly baseW: number;
  readonly fridgeW: number;
  readonly fridgeQuarters: number;
  readonly activeW: number;
  readonly lightW: number;
  readonly comfortWPerDegree: number;
  readonly cookW: number;
  readonly laundryChance: number;
  readonly dishesChance: number;
  readonly chargerW: number;
  readonly dailyDriveWh: number;
}

export interface Load {
  /** Watts without light and comfort in a local quarter-hour of a local day (days since 1970). */
  watts(day: number, quarter: number): number;
  /** Watts of light, heating and cooling while people are about: `darkness` 0 to 1, air in °C. */
  weatherWatts(day: number, quarter: number, darkness: number, temperatureC: number): number;
}

function drawHome(seed: number, model: LoadModel): Home {
  const stream = dayStream(seed, PURPOSE_HOME, 0);
  const size = model.scale;
  return {
    baseW: stream.between(50, 110) * size,
    fridgeW: stream.between(70, 120),
    fridgeQuarters: 3 + Math.floor(stream.between(0, 3)),
    activeW: stream.between(160, 320) * size,
    lightW: stream.between(60, 160) * size,
    comfortWPerDegree: stream.chance(0.4) ? stream.between(10, 35) * size : 0,
    cookW: stream.between(900, 2200) * Math.min(1, size + 0.2),
    laundryChance: stream.between(0.15, 0.5) * Math.min(1.2, size),
    dishesChance: stream.between(0.2, 0.7) * Math.min(1.2, size),
    chargerW: stream.chance(0.5) ? 3_700 : 7_400,
    dailyDriveWh: stream.between(4_000, 11_000),
  };
}

function bump(hour: number, middle: number, width: number): number {
  return Math.exp(-(((hour - middle) / width) ** 2) / 2);
}

/** How much of the household is awake and home, 0 to about 1, at each quarter of one day. */
function presence(routine: Routine, weekend: boolean, stream: Stream): Float64Array {
  const wake = stream.normal(weekend ? 9 : 7, 0.5);
  const dinner = stream.normal(18.8, 0.7);
  const late = stream.normal(21.2, 0.6);
  const atHome = routine === "home-all-day" ? 0.55 : weekend ? 0.45 : routine === "family" ? 0.15 : 0.05;
  const morning = routine === "family" ? 0.8 : 0.6;
  return Float64Array.from({ length: QUARTERS }, (_, i) => {
    const hour = (i + 0.5) / 4;
    const day = atHome * bump(hour, 13.5, 3.2);
    return Math.min(
      1.2,
      day + morning * bump(hour, wake, 0.8) + 0.8 * bump(hour, dinner, 1.2) + 0.6 * bump(hour, late, 1.1),
    );
  });
}

/** Adds `wh` at `watts` from a quarter on; the last quarter takes the rest, so an event's energy is exact. */
function run(into: Float64Array, quarter: number, watts: number, wh: number): void {
  let left = wh;
  for (let i = quarter; left > 0 && i < into.length; i++) {
    const now = Math.min(left, watts / 4);
    into[i] = (into[i] as number) + now * 4;
    left -= now;
  }
}

function quarterAt(hour: number): number {
  return Math.max(0, Math.min(QUARTERS - 1, Math.floor(hour * 4)));
}

function addAppliances(
  into: Float64Array,
  home: Home,
  model: LoadModel,
  weekend: boolean,
  stream: Stream,
): void {
  const breakfast = stream.normal(weekend ? 9.2 : 7.1, 0.4);
  run(into, quarterAt(breakfast), 1_600, stream.between(80, 250) * Math.min(1, model.scale + 0.2));
  if (stream.chance(weekend || model.routine === "home-all-day" ? 0.65 : 0.1)) {
    run(into, quarterAt(stream.normal(12.5, 0.5)), home.cookW, stream.between(250, 800));
  }
  if (stream.chance(0.85))
    run(into, quarterAt(stream.normal(18.3, 0.7)), home.cookW, stream.between(400, 1_300));
  const laundryHour =
    weekend || model.routine === "home-all-day" ? stream.normal(11, 2) : stream.normal(17.5, 2);
  if (stream.chance(home.laundryChance * (weekend ? 1.6 : 0.9))) {
    run(into, quarterAt(laundryHour), 1_100, stream.between(450, 950));
    if (stream.chance(0.35)) run(into, quarterAt(laundryHour + 2), 1_400, stream.between(900, 1_800));
  }
  if (stream.chance(home.dishesChance)) {
    run(into, quarterAt(stream.normal(20.5, 1)), 1_000, stream.between(600, 1_050));
  }
}

/** A car that drove comes home in the evening and charges into the night, past midnight where it must. */
function addCar(into: Float64Array, home: Home, weekend: boolean, stream: Stream): void {
  if (!stream.chance(weekend ? 0.4 : 0.65)) return;
  const atMidday = weekend && stream.chance(0.5);
  const hour = atMidday ? stream.normal(12, 1.5) : stream.normal(18.5, 1.3);
  run(into, quarterAt(hour), home.chargerW, home.dailyDriveWh * stream.between(0.6, 1.6));
}

function addMachines(into: Float64Array, model: LoadModel, weekend: boolean, stream: Stream): void {
  if (weekend) return;
  const open = quarterAt(stream.normal(7.6, 0.2));
  const close = quarterAt(stream.normal(16.6, 0.4));
  for (let i = open; i < close; i++) {
    const lunch = i >= 48 && i < 51;
    const busy = lunch ? 0.15 : stream.between(0.25, 1);
    into[i] = (into[i] as number) + busy * 3_200 * model.scale;
  }
}

interface Day {
  /** Watts over two days: what starts late today may run into tomorrow. */
  readonly appliancesW: Float64Array;
  readonly present: Float64Array;
}

function makeDay(seed: number, day: number, home: Home, model: LoadModel): Day {
  const stream = dayStream(seed, PURPOSE_DAY, day);
  const weekday = weekdayOf(day);
  const weekend = weekday === 0 || weekday === 6;
  const appliancesW = new Float64Array(2 * QUARTERS);
  const fridgeFrom = Math.floor(stream.between(0, home.fridgeQuarters));
  const away = model.routine !== "workshop" && stream.chance(0.03);
  const present = away ? new Float64Array(QUARTERS) : presence(model.routine, weekend, stream);
  const working = model.routine === "workshop";
  if (working) present.fill(0);
  for (let i = 0; i < QUARTERS; i++) {
    const fridge = (i + fridgeFrom) % home.fridgeQuarters === 0 ? home.fridgeW : home.fridgeW * 0.15;
    const people = (present[i] as number) * home.activeW * stream.between(0.5, 1.5);
    appliancesW[i] = home.baseW + fridge + people;
  }
  if (working) addMachines(appliancesW, model, weekend, stream);
  else if (!away) addAppliances(appliancesW, home, model, weekend, stream);
  if (model.hasCar && !away) addCar(appliancesW, home, weekend, stream);
  return { appliancesW, present };
}

/**
 * A stochastic load: what always runs, a cycling fridge, people by an occupancy curve, and appliances as events with a
 * chance, an hour and an energy. The shape follows the bottom-up models of Richardson, Thomson, Infield and Clifford,
 * Energy and Buildings 42 (2010) p. 1878; the numbers are plausible and not fitted. `seed` is any safe integer.
 */
export function createLoad(seed: number, model: LoadModel): Load {
  const home = drawHome(seed, model);
  const days = new Map<number, Day>();
  const dayOf = (day: number): Day => {
    let made = days.get(day);
    if (made === undefined) {
      made = makeDay(seed, day, home, model);
      if (days.size >= MAX_CACHED_DAYS) days.clear();
      days.set(day, made);
    }
    return made;
  };
  return {
    watts: (day, quarter) => (dayOf(day).appliancesW[quarter] as number) + lateWatts(dayOf(day - 1), quarter),
    weatherWatts(day, quarter, darkness, temperatureC) {
      const about = dayOf(day).present[quarter] as number;
      const cold = Math.max(0, 14 - temperatureC) + Math.max(0, temperatureC - 25);
      return about * darkness * home.lightW + (0.4 + 0.6 * about) * cold * home.comfortWPerDegree;
    },
  };
}

function lateWatts(yesterday: Day, quarter: number): number {
  return yesterday.appliancesW[QUARTERS + quarter] as number;
}
