// Owns the promises of leases' records: what is sent together is read as it was, in its order; what is no message of records of its
// kind is refused by what is wrong with it.

import { describe, expect, test } from "vitest";
import { decodeNodeFrames, decodeObjectFrames, FrameSender } from "../../protocol/provider-frames.ts";
import { encodeRecords, MAX_RECORDS, type RunRecord } from "../../protocol/run-records.ts";

const RUN = { type: "lease_run", lease: 7, run: 1_790_000_000_000_123, job: 3 } as const;
const RAN = {
  type: "lease_ran",
  lease: 7,
  run: 4,
  end: "trapped",
  exitCode: null,
  fuelUsed: 12_345_678_901,
  trap: "unreachable – héé",
} as const;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const bufferOf = (message: Uint8Array<ArrayBuffer>): ArrayBuffer => message.buffer;

/** A message of one run or result, with something else written into it. */
function spoilt(frame: RunRecord, write: (view: DataView) => void): ArrayBuffer {
  const message = bufferOf(encodeRecords([{ frame, parts: [bytes("in"), bytes("err")] }]));
  write(new DataView(message));
  return message;
}

describe("records of leases' runs", () => {
  test.each<[string, ArrayBuffer, object]>([
    ["cut short", spoilt(RUN, () => {}).slice(0, -1), { malformed: "lengths" }],
    ["a head alone cut short", spoilt(RUN, () => {}).slice(0, 30), { malformed: "lengths" }],
    ["a length beyond its end", spoilt(RUN, (view) => view.setUint32(32, 9, true)), { malformed: "lengths" }],
    [
      "a length that wraps",
      spoilt(RUN, (view) => view.setUint32(32, 2 ** 32 - 1, true)),
      { malformed: "lengths" },
    ],
    ["another kind", spoilt(RAN, () => {}), { malformed: "type" }],
    ["no kind", spoilt(RUN, (view) => view.setUint32(4, 2, true)), { malformed: "type" }],
    [
      "a lease that is no number",
      spoilt(RUN, (view) => view.setFloat64(8, Number.NaN, true)),
      { malformed: "lease" },
    ],
    ["a run below nothing", spoilt(RUN, (view) => view.setFloat64(16, -1, true)), { malformed: "run" }],
    ["half a job", spoilt(RUN, (view) => view.setFloat64(24, 0.5, true)), { malformed: "run" }],
  ])("rejects: a run with %s", (_, message, why) => {
    expect(decodeObjectFrames(message)).toEqual(why);
  });

  test.each<[string, (view: DataView) => void, object]>([
    ["no end", (view) => view.setUint8(24, 6), { malformed: "run" }],
    ["two exit codes", (view) => view.setUint8(25, 2), { malformed: "run" }],
    [
      "endless fuel",
      (view) => view.setFloat64(32, Number.POSITIVE_INFINITY, true),
      { malformed: "fuelUsed" },
    ],
    [
      "more fuel than any job may",
      (view) => view.setFloat64(32, 2 ** 53 - 1, true),
      { malformed: "fuelUsed" },
    ],
    ["words longer than they are", (view) => view.setUint16(26, 3_999, true), { malformed: "lengths" }],
    ["words that are no text", (view) => view.setUint8(48, 0xff), { malformed: "trap" }],
    ["an output beyond its end", (view) => view.setUint32(40, 99, true), { malformed: "lengths" }],
  ])("rejects: a result with %s", (_, write, why) => {
    expect(decodeNodeFrames(spoilt(RAN, write))).toEqual(why);
  });

  test("rejects: more records than go into one message", () => {
    const records = Array.from({ length: MAX_RECORDS + 1 }, () => ({ frame: RUN, parts: [] }));
    expect(decodeObjectFrames(bufferOf(encodeRecords(records)))).toEqual({ malformed: "count" });
  });

  test("behavior: frames of one turn arrive as they were sent, whatever is between them", () => {
    const sent: (string | Uint8Array<ArrayBuffer>)[] = [];
    const later: (() => void)[] = [];
    const sender = new FrameSender(
      (message) => void sent.push(message),
      (work) => void later.push(work),
    );
    const frames = [
      { frame: RAN, parts: [bytes("out"), bytes("")] },
      {
        frame: { ...RAN, run: 5, end: "exited", exitCode: 4_294_967_295, trap: null },
        parts: [bytes(""), bytes("e")],
      },
      { frame: { type: "lease_failed", lease: 7, run: 6, reason: "overran" }, parts: [] },
      { frame: { ...RAN, run: 7, trap: "" }, parts: [bytes(""), bytes("")] },
      { frame: { ...RAN, lease: 8, run: 8 }, parts: [bytes("two"), bytes("three")] },
    ] as const;
    for (const { frame, parts } of frames) sender.send(frame, parts);
    for (const work of later) work();
    expect(sent).toHaveLength(4);
    const heard = sent.flatMap((message): readonly object[] => {
      const decoded = decodeNodeFrames(typeof message === "string" ? message : bufferOf(message));
      return "frames" in decoded ? decoded.frames : [decoded];
    });
    expect(heard).toEqual(frames);
  });
});
