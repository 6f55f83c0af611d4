// Owns how live meters are started from what is written behind their word. It refuses an address that is none before
// anything is opened, and secrets in it.

import { HomeAssistantMeter, parseHomeAssistantUrl } from "./home-assistant-meter.ts";
import type { LiveMeter, LiveMeterOptions } from "./live-meter.ts";
import { parseP1Address } from "./p1-address.ts";
import { p1PortOf } from "./p1-line.ts";
import { P1Meter } from "./p1-meter.ts";

/** A P1 port. @throws Error where the address is none, or cannot be opened on this machine at all */
export async function startP1(address: string, options: LiveMeterOptions): Promise<LiveMeter> {
  const port = await p1PortOf(parseP1Address(address));
  const meter = new P1Meter(options);
  meter.follow(port);
  return meter;
}

/**
 * Home Assistant. The token comes from the environment, never from the command line, where other users could read it.
 * @throws Error where the address is none, or the token is missing or refused
 */
export async function startHomeAssistant(address: string, options: LiveMeterOptions): Promise<LiveMeter> {
  const url = parseHomeAssistantUrl(address);
  const token = process.env.POLDER_HOME_ASSISTANT_TOKEN ?? "";
  if (!/^[\x21-\x7e]{1,4096}$/.test(token))
    throw new Error("set POLDER_HOME_ASSISTANT_TOKEN to a long-lived access token of Home Assistant");
  const meter = new HomeAssistantMeter({ url, token }, options);
  await meter.follow();
  return meter;
}
