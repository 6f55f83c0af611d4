// Owns the connection to a P1 port: opened, opened again after a loss, each time a little later. It refuses to take a
// silent line for a living one: a meter speaks every ten seconds.

import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { sleep } from "../household/runner.ts";
import type { P1Address } from "./p1-address.ts";

/** What happens on the line. */
export interface P1Listener {
  /** Bytes as they come. */
  readonly bytes: (chunk: Uint8Array) => void;
  /** The line ended; what was not whole will not be. */
  readonly lost: () => void;
  readonly report: (message: string) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Six telegrams of a slow meter: a half-open connection would otherwise be waited on for hours. */
const LONGEST_SILENCE_MS = 60_000;

/** A port that can be opened on this machine. */
export interface P1Port {
  readonly name: string;
  open(): Duplex;
}

/** Follows a port until the signal comes; resolves then. It never rejects. */
export async function followP1(port: P1Port, listener: P1Listener, signal: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  let isTold = false;
  while (!signal.aborted) {
    const { heard, reason } = await listen(port, listener, signal);
    listener.lost();
    if (signal.aborted) return;
    if (heard) {
      pauseMs = FIRST_PAUSE_MS;
      isTold = false;
    }
    // One line for an outage, however often it is tried.
    if (!isTold) listener.report(`no telegrams from ${port.name}: ${reason}; trying again`);
    isTold = true;
    await sleep(pauseMs, signal);
    pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
  }
}

/** Listens to one connection until it ends. */
function listen(
  port: P1Port,
  { bytes }: P1Listener,
  signal: AbortSignal,
): Promise<{ readonly heard: boolean; readonly reason: string }> {
  return new Promise((resolve) => {
    const line = port.open();
    let heard = false;
    let reason = "the line was closed";
    const silence = setTimeout(() => {
      reason = `silent for ${LONGEST_SILENCE_MS / 1000} s`;
      line.destroy();
    }, LONGEST_SILENCE_MS);
    const stop = (): void => void line.destroy();
    signal.addEventListener("abort", stop, { once: true });
    line.on("data", (chunk: Buffer) => {
      heard = true;
      silence.refresh();
      bytes(chunk);
    });
    line.on("error", (error) => {
      reason = error.message;
      line.destroy();
    });
    line.on("end", () => line.destroy());
    line.once("close", () => {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      resolve({ heard, reason });
    });
    if (signal.aborted) stop();
  });
}

/** The port that an address names. @throws Error where it is a serial one and the package that opens it is missing */
export async function p1PortOf(address: P1Address): Promise<P1Port> {
  if (address.kind === "tcp") {
    const { host, port } = address;
    return { name: `tcp://${host}:${port}`, open: () => connect({ host, port }) };
  }
  const { device, line } = address;
  // Its binary is for machines with a serial port only, so it is optional and not loaded before it is wanted.
  const serial = await import("serialport").catch(() => null);
  if (serial === null)
    throw new Error(`the serial port ${device} needs the package serialport: npm install serialport`);
  return { name: device, open: () => new serial.SerialPort({ path: device, ...line, stopBits: 1 }) };
}
