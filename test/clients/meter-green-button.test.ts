// Owns the checks of Green Button feeds: broken XML is refused by line, and signs, multipliers, links and orders are read.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { membersOf } from "../../clients/meter/meter-file.ts";
import {
  greenButtonOf,
  memberOf,
  notesOf,
  readAll,
  slotsOf,
  totalsOf,
  type WrittenReadings,
} from "../support/meter-files.ts";

const FIRST_S = Date.UTC(2024, 0, 1, 5) / 1000;
const feed = (...readings: WrittenReadings[]) => greenButtonOf(readings, FIRST_S, 900);
const xml = (text: string) => memberOf(text, "feed.xml", 101);
const one = (more: Partial<WrittenReadings> = {}): WrittenReadings => ({
  id: "01",
  flow: 1,
  values: [1],
  ...more,
});

describe("what is no feed", () => {
  test.each([
    ["cut off", feed(one()).slice(0, -40), /feed\.xml, line \d+: is no XML: unclosed tag/],
    [
      "badly nested",
      feed(one()).replace("</espi:value>", "</value>"),
      /line \d+: is no XML: unexpected close tag/,
    ],
    ["an entity of its own", feed(one({ values: ["&big;"] })), /is no XML: undefined entity/],
    ["a document type", `<!DOCTYPE feed [<!ENTITY a "b">]>${feed(one()).slice(39)}`, /has a document type/],
    ["nested without end", feed(one({ extra: "<a>".repeat(40) })), /is nested more than 32 deep/],
    ["no reading", "<feed></feed>", /has no interval reading/],
  ])("rejects: %s", async (_, text, reason) => {
    await expect(readAll(xml(text))).rejects.toThrow(reason);
  });
  test("rejects: a comment, a tag or a text without end, and bytes that are no text", async () => {
    const long = "x".repeat(1_500_000);
    for (const piece of [`<!--${long}`, `<feed a="${long}`, `<feed>${long}`, `<feed><value>${long}`])
      await expect(readAll(memberOf(`<feed>${piece}`, "feed.xml"))).rejects.toThrow(
        /has a piece of more than/,
      );
    const bytes = Buffer.concat([Buffer.from("<feed>"), Buffer.from([0xc3, 0x28])]);
    await expect(readAll(memberOf(bytes, "feed.xml"))).rejects.toThrow(/its bytes are no utf-8/);
  });
  test.each([
    ["kWh of reactive energy", { uom: 73 }, "reading type: has unit 73, not 72 (Wh) (register 01)"],
    [
      "a direction unknown",
      { flow: 20 },
      "reading type: has flow direction 20, not 1, 4 or 19 (register 01)",
    ],
    [
      "a register's state",
      { accumulation: 3 },
      "reading type: has accumulation 3, not 4 (energy of the interval)",
    ],
    ["not a number", { values: ["NaN"] }, "value: is not a number (NaN)"],
    ["nothing", { values: [""] }, "value: is empty"],
    ["a negative import", { values: [-5] }, "value: is negative, and this register counts one way (-5)"],
    ["too much", { values: ["9".repeat(30)] }, "value: is more than a meter's reading can hold"],
    ["a power of no size", { multiplier: 123 }, "powerOfTenMultiplier: is no power of ten (123)"],
  ])("rejects: %s, and reads the register beside it", async (_, more, note) => {
    const found = await readAll(xml(feed(one(more), one({ id: "02", values: [7] }))));
    expect(notesOf(found)).toEqual([expect.stringContaining(note)]);
    expect(totalsOf(found)).toEqual({ "02 import": 7e6 });
  });
  test("rejects: times and lengths that are none, and a block whose type nothing names", async () => {
    const text = feed(one({ values: [1, 2, 3] }), one({ id: "02" }), one({ id: "03" }))
      .replace(`<espi:start>${FIRST_S + 900}<`, "<espi:start>soon<")
      .replace(
        `<espi:duration>900</espi:duration><espi:start>${FIRST_S + 1_800}`,
        `<espi:duration>0</espi:duration><espi:start>${FIRST_S + 1_800}`,
      )
      .replaceAll("/ReadingType/03", "/ReadingType/09")
      .replace(
        'rel="related" href="https://data.example.org/espi/1_1/resource/UsagePoint/7/ReadingType/09"',
        "",
      );
    const found = await readAll(xml(text));
    expect(notesOf(found).map((note) => note.replace(/^\d+ /, ""))).toEqual([
      "start: is no unix time (soon)",
      "duration: is no length of an interval (0)",
      "reading type: is not in the file, so nobody knows what it counts",
    ]);
    expect(totalsOf(found)).toEqual({ "01 import": 1e6, "02 import": 1e6 });
  });
});

describe("what a feed says", () => {
  test("behavior: value × 10^multiplier Wh; the reading type's multiplier holds where it is stated twice", async () => {
    const found = await readAll(
      xml(
        feed(
          one({ multiplier: -3, values: [1_500] }),
          one({
            id: "02",
            multiplier: 0,
            values: [49_600],
            extra: "<powerOfTenMultiplier>3</powerOfTenMultiplier>",
          }),
        ),
      ),
    );
    expect(totalsOf(found)).toEqual({ "01 import": 1_500_000, "02 import": 49_600e6 });
    expect(notesOf(found)).toEqual([
      expect.stringContaining("powerOfTenMultiplier: is stated twice; the reading type's holds (10^0)"),
    ]);
  });
  test("behavior: export has either sign, and the sign of a net is its direction", async () => {
    const found = await readAll(
      xml(feed(one({ flow: 19, values: [-40, 2] }), one({ id: "02", flow: 4, values: [30, -6] }))),
    );
    expect(totalsOf(found)).toEqual({ "01 export": 42e6, "02 import": 30e6, "02 export": 6e6 });
  });
  test("behavior: a net beside import and export of one meter counts once", async () => {
    const [forward, reverse, net] = [
      [50, 10],
      [-20, -30],
      [30, -20],
    ];
    const registers = [
      one({ values: forward }),
      one({ id: "02", flow: 19, values: reverse }),
      one({ id: "03", flow: 4, values: net }),
    ];
    const both = slotsOf(await readAll(xml(feed(...registers))));
    const alone = slotsOf(await readAll(xml(feed(one({ id: "03", flow: 4, values: net })))));
    for (const household of [both, alone])
      expect(household.slots.map((slot) => household.read(slot)?.netWh)).toEqual([-30, 20]);
    expect(both.losses.leftAside).toBe("net");
    const half = slotsOf(
      await readAll(xml(feed(one({ values: forward }), one({ id: "03", flow: 4, values: net })))),
    );
    expect(half.slots.map((slot) => half.read(slot)?.netWh)).toEqual([-30, 20]);
    expect(half.losses.leftAside).toBe("one-way");
  });
  test("behavior: blocks before their types give the same as after them", async () => {
    const readings = [one({ values: [3, 4, 5] }), one({ id: "02", flow: 19, values: [1, 1] })];
    const early = await readAll(xml(greenButtonOf(readings, FIRST_S, 900, "types first")));
    const late = await readAll(xml(greenButtonOf(readings, FIRST_S, 900, "blocks first")));
    const bare = ({ line: _, ...interval }: (typeof early.intervals)[number]) => interval;
    expect(late.intervals.map(bare)).toEqual(early.intervals.map(bare));
    expect(late.notes).toEqual([]);
  });
  test("behavior: quality codes", async () => {
    const readings = ["0", "8", "7", "16"].map((code, i) =>
      one({
        id: `0${i}`,
        extra: `<espi:ReadingQuality><espi:quality>${code}</espi:quality></espi:ReadingQuality>`,
      }),
    );
    const found = await readAll(xml(feed(...readings)));
    expect(found.intervals.map(({ quality }) => quality)).toEqual([
      "actual",
      "estimated",
      "substituted",
      "unknown",
    ]);
  });
  test("behavior: files per day read together leave out what overlaps", async () => {
    const day = (from: number, count: number) =>
      memberOf(
        greenButtonOf([one({ values: Array(count).fill(2) })], FIRST_S + from * 900, 900),
        `${from}.xml`,
      );
    const found = await readAll([day(0, 96), day(92, 96), memberOf("<html></html>", "read-me.html")]);
    expect(found.intervals.length).toBe(188);
    expect(notesOf(found).filter((note) => note.includes("stands twice")).length).toBe(4);
    expect(notesOf(found).at(-1)).toBe("0 file: is of no known format");
  });
});

/** A zip of stored or deflated members, written by hand. */
function zipOf(members: Record<string, Buffer>, change: Partial<{ size: number; crc: number }> = {}): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(change.crc ?? crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(change.size ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), common, tail, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

describe("packed files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "polder-meter-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, content: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const read = async (name: string, content: Uint8Array) => readAll(await membersOf(write(name, content)));
  const text = Buffer.from(feed(one({ values: Array.from({ length: 2_000 }, (_, i) => i * 17) })));

  test("rejects: what is not there, an empty folder, and gzip or zip that is cut off or damaged", async () => {
    await expect(membersOf(join(folder, "none.xml"))).rejects.toThrow("none.xml: is not there");
    await expect(membersOf(folder)).rejects.toThrow("is a folder without files");
    const packed = gzipSync(text);
    await expect(read("a.xml.gz", packed.subarray(0, packed.length >> 1))).rejects.toThrow(
      /a\.xml\.gz: is cut off/,
    );
    const damaged = Buffer.from(packed);
    damaged.fill(0xff, 40, 60);
    await expect(read("b.xml.gz", damaged)).rejects.toThrow(/b\.xml\.gz: cannot be read/);
    const zip = zipOf({ "a.xml": text });
    await expect(read("a.zip", zip.subarray(0, zip.length - 30))).rejects.toThrow(/a\.zip: cannot be read/);
    await expect(read("c.zip", zipOf({ "a.xml": text }, { crc: 5 }))).rejects.toThrow(
      /c\.zip\/a\.xml: is damaged/,
    );
  });
  test("rejects: gzip and zip that unpack to what no meter writes, also where the zip lies about it", async () => {
    const bomb = Buffer.from(`start,netWh\n${`${" ".repeat(200_000)}\n`.repeat(200)}`);
    await expect(read("bomb.gz", gzipSync(bomb))).rejects.toThrow(/unpacks to more than 200 times its size/);
    await expect(read("bomb.zip", zipOf({ "a.xml": bomb }))).rejects.toThrow(
      /unpacks to more than 200 times/,
    );
    await expect(read("lie.zip", zipOf({ "a.xml": bomb }, { size: 100 }))).rejects.toThrow(
      /lie\.zip\/a\.xml: cannot be/,
    );
    await expect(read("path.zip", zipOf({ "../a.xml": text }))).rejects.toThrow(/path\.zip: cannot be read/);
  });
  test("behavior: gzip, zip and a folder of both read as the plain file, and other members are named", async () => {
    const plain = totalsOf(await readAll(memberOf(text, "a.xml")));
    expect(totalsOf(await read("a.xml.gz", gzipSync(text)))).toEqual(plain);
    const zipped = await read("b.zip", zipOf({ "a.xml": text, "a.html": Buffer.from("<html></html>") }));
    expect(totalsOf(zipped)).toEqual(plain);
    expect(notesOf(zipped)).toEqual(["0 file: is of no known format"]);
    const both = await readAll(await membersOf(folder));
    expect(totalsOf(both)).toEqual(plain);
    expect(both.notes.filter(({ reason }) => reason.startsWith("stands twice")).length).toBe(2_000);
  });
});
