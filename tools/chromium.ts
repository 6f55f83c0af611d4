// Owns how tests and measurements start the machine's own browser. It refuses to download one: where there is none, tests
// are skipped by name and measurements say so.

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Where Debian puts it. */
export const CHROMIUM = "/usr/bin/chromium";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** True on a machine with the browser. */
export const hasChromium = (): boolean => existsSync(CHROMIUM);

/** Starts it, without a window and without a way to anything but what it is sent to. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}
