// Owns how runs of a lease and what came of them travel: many in one binary message, each a record of fixed fields and its bytes.
// It refuses a message that is longer or shorter than its records, and a field that is out of its range.
//
// JSON and a schema for each would take longer than a small run does.

import { z } from "zod";
import { MAX_JOB_FUEL_MEGA, MAX_JOB_INPUT_BYTES, MAX_JOB_OUTPUT_BYTES } from "./limits.ts";

export const jobEnd = z.enum([
  "exited",
  "trapped",
  "out_of_fuel",
  "stack_exhausted",
  "output_too_large",
  "memory_too_small",
]);
export type JobEndName = z.infer<typeof jobEnd>;

/** A run of a lease, by the sender's number; its part is standard input. `job`: what it is of, told before. */
export interface LeaseRunFrame {
  readonly type: "lease_run";
  readonly lease: number;
  readonly run: number;
  readonly job: number;
}

/** What came of one; its parts are standard output and error. Runs are counted in the order of these. */
export interface LeaseRanFrame {
  readonly type: "lease_ran";
  readonly lease: number;
  readonly run: number;
  readonly end: JobEndName;
  readonly exitCode: number | null;
  readonly fuelUsed: number;
  /** An engine's words, shown and not hashed. */
  readonly trap: string | null;
}

export type RunRecord = LeaseRunFrame | LeaseRanFrame;

/** A record with the bytes that go with it. */
export interface RecordWithParts<R extends RunRecord = RunRecord> {
  readonly frame: R;
  readonly parts: readonly Uint8Array[];
}

/** Records of one message, and bytes of their parts beyond which no more are put into it. */
export const MAX_RECORDS = 128;
export const FULL_BYTES = 262_144;

/** What a message begins with: no length of a header is so large. */
const MAGIC = 0xffff_ffff;
/** Magic, kind and lease. */
const HEAD_BYTES = 16;
const RUN_BYTES = 20;
const RAN_BYTES = 32;
const MAX_TRAP_BYTES = 4_000;
const NO_TRAP = 0xffff;
const MAX_MESSAGE_BYTES =
  HEAD_BYTES +
  MAX_RECORDS * (RAN_BYTES + MAX_TRAP_BYTES) +
  FULL_BYTES +
  Math.max(MAX_JOB_INPUT_BYTES, MAX_JOB_OUTPUT_BYTES);
const MAX_FUEL = MAX_JOB_FUEL_MEGA * 1_000_000;

const KINDS = ["lease_run", "lease_ran"] as const;
const ENDS = jobEnd.options;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Whether a binary message holds records. */
export function holdsRecords(message: ArrayBuffer): boolean {
  return message.byteLength >= HEAD_BYTES && new DataView(message).getUint32(0, true) === MAGIC;
}

/** Records of one kind and lease as one message, in their order. */
export function encodeRecords(records: readonly RecordWithParts[]): Uint8Array<ArrayBuffer> {
  const traps = records.map(({ frame }) => trapBytes(frame));
  let size = HEAD_BYTES;
  records.forEach(({ frame, parts }, index) => {
    size += (frame.type === "lease_run" ? RUN_BYTES : RAN_BYTES) + (traps[index]?.length ?? 0);
    for (const { length } of parts) size += length;
  });
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const first = (records[0] as RecordWithParts).frame;
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, KINDS.indexOf(first.type), true);
  view.setFloat64(8, first.lease, true);
  let at = HEAD_BYTES;
  records.forEach(({ frame, parts: [one = NOTHING, two = NOTHING] }, index) => {
    const trap = traps[index] as Uint8Array | null;
    view.setFloat64(at, frame.run, true);
    if (frame.type === "lease_run") {
      view.setFloat64(at + 8, frame.job, true);
      view.setUint32(at + 16, one.length, true);
      at += RUN_BYTES;
    } else {
      writeRan(view, at, frame, trap, [one.length, two.length]);
      at += RAN_BYTES;
    }
    for (const part of [trap ?? NOTHING, one, two]) {
      if (part.length > 0) bytes.set(part, at);
      at += part.length;
    }
  });
  return bytes;
}

function writeRan(
  view: DataView,
  at: number,
  { end, exitCode, fuelUsed }: LeaseRanFrame,
  trap: Uint8Array | null,
  [stdout, stderr]: readonly [number, number],
): void {
  view.setUint8(at + 8, ENDS.indexOf(end));
  view.setUint8(at + 9, exitCode === null ? 0 : 1);
  view.setUint16(at + 10, trap === null ? NO_TRAP : trap.length, true);
  view.setUint32(at + 12, exitCode ?? 0, true);
  view.setFloat64(at + 16, fuelUsed, true);
  view.setUint32(at + 24, stdout, true);
  view.setUint32(at + 28, stderr, true);
}

function trapBytes(frame: RunRecord): Uint8Array | null {
  return frame.type === "lease_run" || frame.trap === null ? null : encoder.encode(frame.trap);
}

/** Reads the records of a message that should be of a kind, or says what is wrong with them. */
export function decodeRecords<T extends RunRecord["type"]>(
  kind: T,
  message: ArrayBuffer,
): { readonly frames: RecordWithParts<Extract<RunRecord, { type: T }>>[] } | { readonly malformed: string } {
  const view = new DataView(message);
  const { byteLength } = message;
  if (byteLength > MAX_MESSAGE_BYTES) return { malformed: "lengths" };
  if (KINDS[view.getUint32(4, true)] !== kind) return { malformed: "type" };
  const lease = view.getFloat64(8, true);
  if (!isCount(lease)) return { malformed: "lease" };
  const frames: RecordWithParts[] = [];
  const read = kind === "lease_run" ? readRun : readRan;
  for (let at = HEAD_BYTES; at < byteLength; ) {
    if (frames.length === MAX_RECORDS) return { malformed: "count" };
    const record = read(view, at, lease);
    if (typeof record === "string") return { malformed: record };
    frames.push(record.record);
    at = record.end;
  }
  return { frames: frames as RecordWithParts<Extract<RunRecord, { type: T }>>[] };
}

/** A record and where it ends, or what is wrong with it. */
type Read = { readonly record: RecordWithParts; readonly end: number } | string;

function readRun(view: DataView, at: number, lease: number): Read {
  if (at + RUN_BYTES > view.byteLength) return "lengths";
  const run = view.getFloat64(at, true);
  const job = view.getFloat64(at + 8, true);
  if (!isCount(run) || !isCount(job)) return "run";
  const length = view.getUint32(at + 16, true);
  const start = at + RUN_BYTES;
  const end = start + length;
  if (length > MAX_JOB_INPUT_BYTES || end > view.byteLength) return "lengths";
  const frame = { type: "lease_run", lease, run, job } as const;
  return { record: { frame, parts: [bytesOf(view, start, length)] }, end };
}

function readRan(view: DataView, at: number, lease: number): Read {
  if (at + RAN_BYTES > view.byteLength) return "lengths";
  const run = view.getFloat64(at, true);
  const end = ENDS[view.getUint8(at + 8)];
  const hasExitCode = view.getUint8(at + 9);
  const exitCode = view.getUint32(at + 12, true);
  const fuelUsed = view.getFloat64(at + 16, true);
  if (!isCount(run) || end === undefined || hasExitCode > 1) return "run";
  if (!isCount(fuelUsed) || fuelUsed > MAX_FUEL) return "fuelUsed";
  const told = view.getUint16(at + 10, true);
  const trapLength = told === NO_TRAP ? 0 : told;
  const [stdout, stderr] = [view.getUint32(at + 24, true), view.getUint32(at + 28, true)];
  const trapAt = at + RAN_BYTES;
  const outAt = trapAt + trapLength;
  const after = outAt + stdout + stderr;
  if (trapLength > MAX_TRAP_BYTES || stdout + stderr > MAX_JOB_OUTPUT_BYTES || after > view.byteLength)
    return "lengths";
  const trap = told === NO_TRAP ? null : textOf(bytesOf(view, trapAt, trapLength));
  if (trap === undefined) return "trap";
  const frame = {
    type: "lease_ran",
    lease,
    run,
    end,
    exitCode: hasExitCode === 0 ? null : exitCode,
    fuelUsed,
    trap,
  } as const;
  const parts = [bytesOf(view, outAt, stdout), bytesOf(view, outAt + stdout, stderr)];
  return { record: { frame, parts }, end: after };
}

function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return length === 0 ? NOTHING : new Uint8Array(view.buffer as ArrayBuffer, at, length);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
