// Owns the kinds of live meters that an agent can be started with. It refuses a kind it does not know by answering null,
// and an address that is none of its kind's before anything is opened.

import { HomeAssistantMeter, parseHomeAssistantUrl } from "./home-assistant-meter.ts";
import type { LiveMeter, LiveMeterOptions } from "./live-meter.ts";
import { parseP1Address } from "./p1-address.ts";
import { p1PortOf } from "./p1-line.ts";
import { P1Meter } from "./p1-meter.ts";

type Start = (address: string, options: LiveMeterOptions) => Promise<LiveMeter>;

const KINDS: Readonly<Record<string, Start>> = {
  p1: startP1,
  homeassistant: startHomeAssistant,
};

/** How live meters are named, for help and errors. */
export const LIVE_METERS = "p1:<serial device or tcp://host:port>, homeassistant:<ws://host:8123>";

/**
 * Starts the live meter that `kind:address` names, or answers null where the kind is not a live one.
 * @throws Error where the address is not one, or cannot be opened on this machine at all
 */
export async function startLiveMeter(source: string, options: LiveMeterOptions): Promise<LiveMeter | null> {
  const colon = source.indexOf(":");
  const kind = source.slice(0, Math.max(0, colon));
  if (!Object.hasOwn(KINDS, kind)) return null;
  return (KINDS[kind] as Start)(source.slice(colon + 1), options);
}

async function startP1(address: string, options: LiveMeterOptions): Promise<LiveMeter> {
  const port = await p1PortOf(parseP1Address(address));
  const meter = new P1Meter(options);
  meter.follow(port);
  return meter;
}

/** The token comes from the environment, never from the command line, where other users could read it. */
async function startHomeAssistant(address: string, options: LiveMeterOptions): Promise<LiveMeter> {
  const url = parseHomeAssistantUrl(address);
  const token = process.env.POLDER_HOME_ASSISTANT_TOKEN ?? "";
  if (!/^[\x21-\x7e]{1,4096}$/.test(token))
    throw new Error("set POLDER_HOME_ASSISTANT_TOKEN to a long-lived access token of Home Assistant");
  const meter = new HomeAssistantMeter({ url, token }, options);
  await meter.follow();
  return meter;
}
