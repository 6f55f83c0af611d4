// Owns what a live P1 meter does with real lines: it reads from the middle of a stream on, comes back after a loss, counts
// what it drops, and says when clocks disagree. It refuses a meter's number in anything it says.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { startP1 } from "../../clients/meter/live-meters.ts";
import { parseP1Address } from "../../clients/meter/p1-address.ts";
import { P1Meter } from "../../clients/meter/p1-meter.ts";
import { type Boundary, volatileBoundaries } from "../../clients/meter/slot-boundaries.ts";
import { slotAt, slotStartS } from "../../protocol/units.ts";
import { eventually } from "../support/client-region.ts";
import { type P1Server, startP1Server } from "../support/p1-server.ts";
import { written } from "../support/p1-telegrams.ts";

const CLOCK = { originMs: 0, rate: 1 };
const METER = "4E4F424F44592753";

let line: P1Server | undefined;
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  await line?.stop();
  line = undefined;
});

async function startMeter(source: string) {
  const reports: string[] = [];
  const options = {
    clock: CLOCK,
    openBoundaries: volatileBoundaries,
    report: (message: string) => void reports.push(message),
  };
  const meter = await startP1(source, options);
  stops.push(() => meter.stop());
  return { meter: meter as P1Meter, reports };
}

const nowS = (): number => Math.floor(Date.now() / 1000);
const telegram = (importWh: number, aheadS = 0): string =>
  written({ atS: nowS() + aheadS, importWh, exportWh: 0, meter: METER });

describe("the name of a P1 port", () => {
  test("rejects: what is neither a socket nor a serial device", () => {
    for (const text of [
      "",
      "tcp://",
      "tcp://host",
      "tcp://host:0",
      "tcp://host:65536",
      "tcp://host:1/x",
      "http://host:80",
    ])
      expect(() => parseP1Address(text), text).toThrow(/not a P1 port/);
    for (const text of ["/dev/ttyUSB0,1200", "/dev/ttyUSB0:9600", "/dev/tty USB0", "tcp://a b:5"])
      expect(() => parseP1Address(text), text).toThrow(/not a P1 port/);
  });

  test("behavior: a socket, a serial device, and one at the speed of old meters", async () => {
    expect(parseP1Address("tcp://meter.local:2001")).toEqual({
      kind: "tcp",
      host: "meter.local",
      port: 2001,
    });
    expect(parseP1Address("tcp://[::1]:2001")).toMatchObject({ host: "::1" });
    expect(parseP1Address("/dev/ttyUSB0")).toMatchObject({
      device: "/dev/ttyUSB0",
      line: { baudRate: 115_200, dataBits: 8, parity: "none" },
    });
    expect(parseP1Address("/dev/ttyUSB0,9600")).toMatchObject({
      line: { baudRate: 9_600, dataBits: 7, parity: "even" },
    });
    const options = { clock: CLOCK, openBoundaries: volatileBoundaries, report: () => {} };
    await expect(startP1("tcp://nowhere", options)).rejects.toThrow("not a P1 port");
  });
});

describe("a P1 meter on a socket", () => {
  test("rejects: telegrams with a wrong checksum are counted, told once, and change nothing", async () => {
    line = await startP1Server(telegram(1_000).slice(300));
    const { meter, reports } = await startMeter(`tcp://127.0.0.1:${line.port}`);
    expect(await eventually(() => (line as P1Server).isHeard())).toBe(true);
    line.send(telegram(1_000).replace("000001.000*kWh", "000001.900*kWh"));
    line.send(telegram(2_000).replace(/!..../, "!0000"));
    line.send(telegram(2_000).slice(0, 200));
    line.send(telegram(1_001));
    expect(await eventually(() => meter.counts.telegrams === 1)).toBe(true);
    expect(meter.counts.dropped).toEqual({ checksum: 2, no_checksum: 0, no_registers: 0, malformed: 0 });
    expect(reports).toEqual(["a telegram was dropped: its checksum is wrong (1 so far, 0 were read)"]);
  });

  test("behavior: after a loss it connects again, and half a telegram from before does not meet half of another", async () => {
    line = await startP1Server();
    const { meter, reports } = await startMeter(`tcp://127.0.0.1:${line.port}`);
    expect(await eventually(() => (line as P1Server).isHeard())).toBe(true);
    line.send(telegram(1_000));
    line.send(telegram(1_001).slice(0, 150));
    expect(await eventually(() => meter.counts.telegrams === 1)).toBe(true);
    line.hangUp();
    expect(await eventually(() => (line as P1Server).connections() === 2)).toBe(true);
    line.send(telegram(1_001).slice(150));
    line.send(telegram(1_002));
    expect(await eventually(() => meter.counts.telegrams === 2)).toBe(true);
    expect(meter.counts.dropped.checksum).toBe(0);
    expect(reports.filter((message) => message.includes("no telegrams from tcp://127.0.0.1"))).toHaveLength(
      1,
    );
  });

  test("behavior: a port where nobody listens is told once and tried until somebody does", async () => {
    const reserved = createServer().listen(0, "127.0.0.1");
    await once(reserved, "listening");
    const { port } = reserved.address() as { port: number };
    reserved.close();
    const { meter, reports } = await startMeter(`tcp://127.0.0.1:${port}`);
    expect(await eventually(() => reports.length > 0)).toBe(true);
    const back = createServer((socket) => socket.write(telegram(5), "latin1"));
    back.listen(port, "127.0.0.1");
    expect(await eventually(() => meter.counts.telegrams > 0)).toBe(true);
    expect(reports).toEqual([
      `no telegrams from tcp://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}; trying again`,
    ]);
    await meter.stop();
    back.close();
  });

  test("behavior: a clock that is off is told when it goes off, and again only after it was right", async () => {
    line = await startP1Server();
    const { meter, reports } = await startMeter(`tcp://127.0.0.1:${line.port}`);
    expect(meter.clockAheadS()).toBeNull();
    expect(await eventually(() => (line as P1Server).isHeard())).toBe(true);
    let count = 0;
    for (const aheadS of [0, 100, 101, 0, 200]) {
      (line as P1Server).send(telegram(1_000 + count, aheadS));
      count += 1;
      expect(await eventually(() => meter.counts.telegrams === count)).toBe(true);
    }
    expect(Math.abs((meter.clockAheadS() ?? 0) - 200)).toBeLessThanOrEqual(2);
    const clocks = reports.filter((message) => message.includes("clock"));
    expect(clocks.map((message) => message.replace(/\d+ s ahead/, "… s ahead"))).toEqual([
      "the meter's clock is … s ahead of this machine's; above 10 s its gateway signs nothing",
      "the meter's clock is … s ahead of this machine's; above 10 s its gateway signs nothing",
    ]);
    expect(reports.join(), "a meter's number is nobody's business").not.toContain(METER);
  });

  test("regression: a boundary that a full disk would not keep is told, and kept with the next telegram", () => {
    const reports: string[] = [];
    let isFull = true;
    const boundaries = volatileBoundaries();
    const openBoundaries = () => ({
      ...boundaries,
      add(boundary: Boundary) {
        if (isFull) throw new Error("ENOSPC: no space left on device");
        boundaries.add(boundary);
      },
    });
    const meter = new P1Meter({
      clock: CLOCK,
      openBoundaries,
      report: (message) => void reports.push(message),
    });
    const slot = slotAt(nowS());
    const take = (seconds: number) =>
      meter.take(
        Buffer.from(written({ atS: slotStartS(slot) + seconds, importWh: 5, exportWh: 0 }), "latin1"),
      );
    take(0);
    take(1);
    expect(meter.registersAt(slot)).toBeNull();
    isFull = false;
    take(2);
    expect(meter.registersAt(slot)).toMatchObject({ importMicroWh: 5_000_000 });
    expect(reports.filter((message) => message.includes("ENOSPC"))).toHaveLength(1);
  });

  test("behavior: a telegram without a stamp is of the moment it came", () => {
    const meter = new P1Meter({ clock: CLOCK, openBoundaries: volatileBoundaries, report: () => {} });
    meter.take(Buffer.from("/OLD5\\X\r\n\r\n1-0:1.8.1(00001.000*kWh)\r\n!\r\n", "latin1"));
    expect(meter.counts.telegrams).toBe(1);
    expect(slotStartS(meter.knownUntilSlot() + 1)).toBeGreaterThan(nowS());
    expect(meter.clockAheadS()).toBeNull();
  });
});

/** A pseudo terminal: what a serial device is to a program. It prints its name, then copies what it is given. */
const TERMINAL = `
import os, sys, tty
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
while True:
    chunk = os.read(0, 4096)
    if not chunk: break
    os.write(master, chunk)
`;

async function pseudoTerminal() {
  const child = spawn("python3", ["-c", TERMINAL], { stdio: ["pipe", "pipe", "ignore"] });
  const failed = new Promise<null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("exit", () => resolve(null));
  });
  const name = await Promise.race([
    once(child.stdout, "data").then(([chunk]) => String(chunk).trim()),
    failed,
  ]);
  return name === null ? null : { name, child };
}

describe("a P1 meter on a serial device", () => {
  test("behavior: telegrams are read from it (skipped where this machine makes no pseudo terminal)", async (context) => {
    const terminal = await pseudoTerminal();
    if (terminal === null) return context.skip();
    stops.push(async () => void terminal.child.kill());
    const { meter, reports } = await startMeter(terminal.name);
    const isRead = () => {
      terminal.child.stdin.write(telegram(1_234), "latin1");
      return meter.counts.telegrams > 0;
    };
    expect(await eventually(isRead), reports.join()).toBe(true);
  });

  test("behavior: a device that is not there is told and tried again", async () => {
    const { reports } = await startMeter("/dev/polder-no-such-device");
    expect(await eventually(() => reports.length > 0)).toBe(true);
    expect(reports[0]).toMatch(/no telegrams from \/dev\/polder-no-such-device: .*No such file/);
  });
});
