/// <reference path="./suncalc.d.ts" />
// Owns the simulated sky of a place (sun, cloud, air temperature) and what a panel makes of it. It refuses to know
// households: neighbours share a sky, and only the panel and a little local cloud differ.

import suncalc from "suncalc";
import { slotStartS } from "../../protocol/units.ts";
import { dayStream } from "./random-stream.ts";

const SLOTS = 96;
const SOLAR_CONSTANT = 1361;
const PURPOSE_CLOUD = 1;
const PURPOSE_LOCAL_CLOUD = 2;
/** Cloud is drawn every two hours and blended between, so it is smooth within the day. */
const SLOTS_PER_NODE = 8;
const NODES = SLOTS / SLOTS_PER_NODE;
const MAX_CACHED_DAYS = 16;
const RADIANS = Math.PI / 180;

/** One UTC day of sky: an entry per slot, taken at the middle of the slot. */
export interface SkyDay {
  /** Sun above the horizon, radians. */
  readonly altitude: Float64Array;
  /** Sun's compass direction, radians clockwise from north. */
  readonly azimuth: Float64Array;
  /** Share of the sky under cloud, 0 to 1. */
  readonly cloud: Float64Array;
  /** Air temperature, °C. */
  readonly temperatureC: Float64Array;
  /** Irradiance outside the atmosphere on a plane facing the sun, W/m². */
  readonly extraterrestrial: number;
}

export interface Sky {
  day(utcDay: number): SkyDay;
}

export interface Panel {
  /** Rated power at 1000 W/m² and 25 °C, W. */
  readonly peakW: number;
  /** From horizontal, degrees. */
  readonly tiltDegrees: number;
  /** Compass direction it faces, degrees clockwise from north. */
  readonly azimuthDegrees: number;
}

function smooth(x: number): number {
  return x * x * (3 - 2 * x);
}

function clamp(x: number): number {
  return Math.max(0, Math.min(1, x));
}

/** Angle of the year, 0 at 1 January, from days since 1970. Off by a day at most. */
export function yearAngle(day: number): number {
  return (2 * Math.PI * (((day % 365.2425) + 365.2425) % 365.2425)) / 365.2425;
}

/** Blends between draws at fixed times; the day after gives the last one, so that midnight has no step. */
function blend(today: readonly number[], tomorrow: readonly number[], slot: number): number {
  const at = slot / SLOTS_PER_NODE;
  const node = Math.floor(at);
  const from = today[node] as number;
  const to = (node + 1 < NODES ? today[node + 1] : tomorrow[0]) as number;
  return from + (to - from) * smooth(at - node);
}

function cloudNodes(seed: number, day: number): { whole: number; nodes: number[] } {
  const stream = dayStream(seed, PURPOSE_CLOUD, day);
  return { whole: stream.next(), nodes: Array.from({ length: NODES }, () => stream.next()) };
}

/** Air temperature without weather fronts: a yearly wave that lags the sun by a month, and a daily one. °C. */
function airTemperature(latitude: number, day: number, solarHour: number, cloud: number): number {
  const mean = 27 - 27 * Math.sin(latitude * RADIANS) ** 2;
  const season = 0.16 * latitude * Math.cos(yearAngle(day) - yearAngle(202));
  const daily = (5 - 3 * cloud) * Math.cos((2 * Math.PI * (solarHour - 15)) / 24);
  return mean + season + daily;
}

function makeDay(seed: number, latitude: number, longitude: number, utcDay: number): SkyDay {
  const altitude = new Float64Array(SLOTS);
  const azimuth = new Float64Array(SLOTS);
  const cloud = new Float64Array(SLOTS);
  const temperatureC = new Float64Array(SLOTS);
  const today = cloudNodes(seed, utcDay);
  const tomorrow = cloudNodes(seed, utcDay + 1);
  // Skies are greyer towards the poles; this much brings a kWp to its usual yearly yield at 34° and at 52°.
  const grey = 0.5 + clamp((Math.abs(latitude) - 35) / 85);
  for (let i = 0; i < SLOTS; i++) {
    const middleS = slotStartS(utcDay * SLOTS + i) + 450;
    const position = suncalc.getPosition(new Date(middleS * 1000), latitude, longitude);
    altitude[i] = position.altitude;
    azimuth[i] = position.azimuth + Math.PI;
    const whole = today.whole + (tomorrow.whole - today.whole) * smooth(i / SLOTS);
    const hours = blend(today.nodes, tomorrow.nodes, i);
    const cover = smooth(clamp(grey + 1.3 * (whole - 0.5) + 0.6 * (hours - 0.5)));
    cloud[i] = cover;
    const solarHour = ((i + 0.5) / 4 + longitude / 15 + 24) % 24;
    temperatureC[i] = airTemperature(latitude, utcDay, solarHour, cover);
  }
  const extraterrestrial = SOLAR_CONSTANT * (1 + 0.033 * Math.cos(yearAngle(utcDay)));
  return { altitude, azimuth, cloud, temperatureC, extraterrestrial };
}

/**
 * The sky over a place, the same for every caller with the same seed. Degrees, north and east positive.
 * Sun's position: suncalc. Cloud and temperature are plausible, not a climate: cloud is smooth noise over days and
 * two-hour steps.
 */
export function createSky(seed: number, latitude: number, longitude: number): Sky {
  const days = new Map<number, SkyDay>();
  return {
    day(utcDay) {
      let day = days.get(utcDay);
      if (day === undefined) {
        day = makeDay(seed, latitude, longitude, utcDay);
        if (days.size >= MAX_CACHED_DAYS) days.clear();
        days.set(utcDay, day);
      }
      return day;
    },
  };
}

/** Share of diffuse light by the clearness index: Erbs, Klein and Duffie, Solar Energy 28 (1982), p. 293. */
function diffuseFraction(clearness: number): number {
  const k = clearness;
  if (k <= 0.22) return 1 - 0.09 * k;
  if (k > 0.8) return 0.165;
  return 0.9511 - 0.1604 * k + 4.388 * k ** 2 - 16.638 * k ** 3 + 12.336 * k ** 4;
}

/** Light on the plane of a panel, W/m², from the light on the ground. Isotropic sky: Liu and Jordan (1963). */
function planeIrradiance(day: SkyDay, i: number, cloud: number, panel: Panel): number {
  const altitude = day.altitude[i] as number;
  const up = Math.sin(altitude);
  // Clear sky: Haurwitz, J. Meteorology 2 (1945) p. 154. Cloud: Kasten and Czeplak, Solar Energy 24 (1980) p. 177.
  const ground = 1098 * up * Math.exp(-0.057 / up) * (1 - 0.75 * cloud ** 3.4);
  const diffuse = ground * diffuseFraction(ground / (day.extraterrestrial * up));
  const beam = Math.min((ground - diffuse) / up, SOLAR_CONSTANT);
  const tilt = panel.tiltDegrees * RADIANS;
  const turn = (day.azimuth[i] as number) - panel.azimuthDegrees * RADIANS;
  const facing = up * Math.cos(tilt) + Math.cos(altitude) * Math.sin(tilt) * Math.cos(turn);
  const sky = (diffuse * (1 + Math.cos(tilt))) / 2;
  const albedo = (0.2 * ground * (1 - Math.cos(tilt))) / 2;
  return beam * Math.max(0, facing) + sky + albedo;
}

/**
 * Wh that a panel delivers in each slot of a UTC day. Cell temperature by the NOCT model (45 °C at 800 W/m²), −0.4 %
 * per °C, 14 % other losses (as NREL's PVWatts assumes), inverter of the panel's rating. `seed` draws the local cloud:
 * the same for the same home, and small, because neighbours live under one sky.
 */
export function panelDayWh(day: SkyDay, utcDay: number, panel: Panel, seed: number): Int32Array {
  const wh = new Int32Array(SLOTS);
  if (panel.peakW <= 0) return wh;
  const nodesOf = (d: number) => {
    const stream = dayStream(seed, PURPOSE_LOCAL_CLOUD, d);
    return Array.from({ length: NODES }, () => stream.next());
  };
  const today = nodesOf(utcDay);
  const tomorrow = nodesOf(utcDay + 1);
  for (let i = 0; i < SLOTS; i++) {
    // Below a degree the formulas divide by almost nothing, and a panel gives almost nothing.
    if ((day.altitude[i] as number) < RADIANS) continue;
    const regional = day.cloud[i] as number;
    const cloud = clamp(regional + 0.2 * regional * (1 - regional) * (2 * blend(today, tomorrow, i) - 1));
    const irradiance = planeIrradiance(day, i, cloud, panel);
    const cellC = (day.temperatureC[i] as number) + (irradiance * 25) / 800;
    const watts = panel.peakW * (irradiance / 1000) * 0.86 * (1 - 0.004 * (cellC - 25));
    wh[i] = Math.round(Math.min(watts, panel.peakW) / 4);
  }
  return wh;
}
