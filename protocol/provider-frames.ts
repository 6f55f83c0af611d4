// Owns what a provider's node and its object say to each other over their socket: each frame's fields, and how bytes travel
// beside them. It refuses frames that are too large, of no known type, or whose parts are not those that they name.

import { z } from "zod";
import { commandSchemas } from "./commands.ts";
import { address, bounded, bytes32, count, obligationId, regionId, signatureBytes } from "./fields.ts";
import { jobDescription } from "./jobs.ts";
import {
  MAX_HELD_RUNS,
  MAX_JOB_FUEL_MEGA,
  MAX_JOB_INPUT_BYTES,
  MAX_JOB_OUTPUT_BYTES,
  MAX_NODE_ROOM,
  MAX_WILL_COMMANDS,
} from "./limits.ts";
import {
  decodeRecords,
  encodeRecords,
  FULL_BYTES,
  holdsRecords,
  jobEnd,
  type LeaseRanFrame,
  type LeaseRunFrame,
  MAX_RECORDS,
  type RecordWithParts,
  type RunRecord,
} from "./run-records.ts";

/** Why an object closes a node's socket (RFC 6455, the range of applications). */
export const CLOSE_REPLACED = 4001;
export const CLOSE_NOT_ADMITTED = 4002;
export const CLOSE_FLOOD = 4003;
export const CLOSE_MALFORMED = 4004;
export const CLOSE_SILENT = 4005;

/** A command that the node's session key signed; the evidence of one, where it has any, is the object's to add. */
const signedBySession = <T extends z.ZodType>(command: T) =>
  z.strictObject({
    chainId: bounded(1, Number.MAX_SAFE_INTEGER),
    command,
    signature: signatureBytes,
    sessionKey: bytes32,
  });
const signedReport = signedBySession(commandSchemas.report_result);
const signedSettlement = signedBySession(commandSchemas.settle_obligation);
const signedCancel = signedBySession(commandSchemas.cancel_resource_order);

export type SignedSettlement = z.infer<typeof signedSettlement>;
export type SignedCancel = z.infer<typeof signedCancel>;
export type SignedReport = z.infer<typeof signedReport>;

/** What came of a run; its two parts are standard output and error. */
const ranFields = {
  end: jobEnd,
  exitCode: z.int().nullable(),
  fuelUsed: bounded(0, MAX_JOB_FUEL_MEGA * 1_000_000),
  /** An engine's words, shown and not hashed. */
  trap: z.string().max(1_000).nullable(),
};

const reason = z.string().max(200);
const lease = obligationId;
/** A run of a lease, by the number that the object gave it. */
const run = count;

/** What runs of a lease have in common: all of a job but its input. Told once, so that a small run is a small message. */
export const leaseJob = jobDescription.omit({ inputHash: true, salt: true });
export type LeaseJob = z.infer<typeof leaseJob>;

/** What a node says. */
export const nodeFrame = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("hello"),
    chainId: bounded(1, Number.MAX_SAFE_INTEGER),
    region: regionId,
    account: address,
    sessionKey: bytes32,
    signature: signatureBytes,
    /** Version of the rewriter that counts its fuel; nodes of before it was said have none. */
    rewriter: count.default(0),
    /** Runs that it takes at once. */
    room: bounded(1, MAX_NODE_ROOM),
    /** Runs that it has accepted and of which it has not heard the end. */
    holds: z.array(obligationId).max(MAX_HELD_RUNS),
  }),
  /** Cancels of its resting asks, for when it is gone: they replace those sent before. */
  z.strictObject({ type: z.literal("will"), cancels: z.array(signedCancel).max(MAX_WILL_COMMANDS) }),
  z.strictObject({ type: z.literal("accepted"), obligationId }),
  /** No room. `giveUp`: its buyer has its money back; null for what the region does not know as sold by this node. */
  z.strictObject({ type: z.literal("full"), obligationId, giveUp: signedSettlement.nullable() }),
  z.strictObject({ type: z.literal("committed"), obligationId, commitment: bytes32 }),
  z.strictObject({
    type: z.literal("result"),
    obligationId,
    ...ranFields,
    /** What its commitment was salted with; null where it made none. */
    salt: bytes32.nullable(),
    report: signedReport,
  }),
  /** Nothing comes of a run that it took. */
  z.strictObject({ type: z.literal("gave_up"), obligationId, reason }),
  z.strictObject({ type: z.literal("lease_failed"), lease, run, reason }),
  /** Settles a lease for what its newest voucher says; the voucher itself the object has. */
  z.strictObject({ type: z.literal("lease_settled"), lease, settle: signedSettlement }),
]);
export type NodeFrame = z.infer<typeof nodeFrame> | LeaseRanFrame;

/** What an object says to its node. */
export const objectFrame = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("challenge"), challenge: bytes32 }),
  z.strictObject({ type: z.literal("welcome") }),
  /** A run to do; its part is standard input. */
  z.strictObject({
    type: z.literal("run"),
    obligationId,
    jobDigest: bytes32,
    description: jobDescription,
    commitFirst: z.boolean(),
    deadlineS: count,
    fuelMega: count,
    priceMicrosPerTera: count,
    buyer: address,
  }),
  /** Show the result that was committed to. */
  z.strictObject({ type: z.literal("reveal"), obligationId }),
  /** It is over, or was never known: forget it. `entry`: where its report stands in the journal, if it does. */
  z.strictObject({ type: z.literal("over"), obligationId, entry: count.nullable(), reason }),
  /** The will was carried out: these asks are out of the book. */
  z.strictObject({ type: z.literal("withdrawn"), orders: z.array(obligationId) }),
  /** What runs of leases are of: said once, before the first of them on a connection. */
  z.strictObject({ type: z.literal("lease_job"), job: count, description: leaseJob }),
  /** The buyer's newest voucher of a lease. */
  z.strictObject({
    type: z.literal("lease_voucher"),
    lease,
    deliveredMega: count,
    jobDigest: bytes32,
    outputHash: bytes32,
    signature: signatureBytes,
    sessionKey: bytes32.nullable(),
  }),
]);
export type ObjectFrame = z.infer<typeof objectFrame> | LeaseRunFrame;

/** Bytes that travel beside a frame. */
export type Parts = readonly Uint8Array[];

/** Frames with their parts, or why there are none. */
export type Decoded<F> =
  | { readonly frames: readonly { readonly frame: F; readonly parts: Parts }[] }
  | { readonly malformed: string };

/** Room for a frame's own fields: a will is the longest. */
const MAX_HEADER_BYTES = 65_536;
/** Frames of one message, and characters of one that may go with others. */
const MAX_FRAMES_PER_MESSAGE = 128;
const LONG_CHARACTERS = 2_048;
const MAX_MESSAGE_CHARACTERS = MAX_FRAMES_PER_MESSAGE * (LONG_CHARACTERS + 1) + 2;
const MAX_PART_BYTES = Math.max(MAX_JOB_INPUT_BYTES, MAX_JOB_OUTPUT_BYTES);
const MAX_FRAME_BYTES = MAX_HEADER_BYTES + MAX_PART_BYTES + 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * A frame as it is sent. Without parts it is its JSON. With parts it is binary: the header's length and the number of parts
 * (32 bits each, low byte first), each part's length, the header, the parts. Bytes as base64 in JSON would take a third
 * more room and four times the time.
 */
export function encodeFrame<F extends { readonly type: string }>(
  frame: F,
  parts: Parts = [],
): string | Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(frame);
  if (parts.every(({ length }) => length === 0)) return text;
  const header = encoder.encode(text);
  const lengths = 8 + 4 * parts.length;
  const size = parts.reduce((sum, { length }) => sum + length, lengths + header.length);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, header.length, true);
  view.setUint32(4, parts.length, true);
  parts.forEach(({ length }, index) => void view.setUint32(8 + 4 * index, length, true));
  bytes.set(header, lengths);
  let at = lengths + header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads a frame that a node sent. */
export const decodeNodeFrames = (message: string | ArrayBuffer): Decoded<NodeFrame> =>
  decodeFrames(nodeFrame, "lease_ran", message);
/** Reads a frame that an object sent. */
export const decodeObjectFrames = (message: string | ArrayBuffer): Decoded<ObjectFrame> =>
  decodeFrames(objectFrame, "lease_run", message);

/**
 * Reads the frames of a message of some conversation: one with parts, or any number without.
 *
 * @param records what this side sends of leases' runs.
 */
export function decodeFrames<S extends z.ZodType, T extends RunRecord["type"]>(
  schema: S,
  records: T,
  message: string | ArrayBuffer,
): Decoded<z.infer<S> | Extract<RunRecord, { type: T }>> {
  if (typeof message !== "string" && holdsRecords(message)) return decodeRecords(records, message);
  const opened = typeof message === "string" ? { text: message, parts: [] } : open(message);
  const mostBytes = typeof message === "string" ? MAX_MESSAGE_CHARACTERS : MAX_HEADER_BYTES;
  if (opened === null || opened.text.length > mostBytes) return { malformed: "lengths" };
  let value: unknown;
  try {
    value = JSON.parse(opened.text);
  } catch {
    return { malformed: "json" };
  }
  const values = Array.isArray(value) && opened.parts.length === 0 ? value : [value];
  if (values.length > MAX_FRAMES_PER_MESSAGE) return { malformed: "count" };
  const frames: { frame: z.infer<S>; parts: Parts }[] = [];
  for (const one of values) {
    const decoded = schema.safeParse(one);
    if (!decoded.success) return { malformed: decoded.error.issues[0]?.path.join(".") || "type" };
    frames.push({ frame: decoded.data, parts: opened.parts });
  }
  return { frames };
}

/** Sends frames in their order, those of one turn in one message where they are runs of one lease, or have no parts. */
export class FrameSender {
  readonly #send: (message: string | Uint8Array<ArrayBuffer>) => void;
  readonly #later: (work: () => void) => void;
  #texts: string[] = [];
  #records: RecordWithParts[] = [];
  #recordBytes = 0;

  /** @param later does something at the end of this turn */
  constructor(send: (message: string | Uint8Array<ArrayBuffer>) => void, later: (work: () => void) => void) {
    this.#send = send;
    this.#later = later;
  }

  send<F extends { readonly type: string }>(frame: F | RunRecord, parts: Parts = []): void {
    if (isRecord(frame)) {
      this.#add(frame, parts);
      return;
    }
    if (this.#records.length > 0) this.flush();
    const message = encodeFrame(frame, parts);
    if (typeof message !== "string") {
      this.flush();
      this.#send(message);
      return;
    }
    if (this.#texts.push(message) === 1) this.#later(() => this.flush());
    // A will is long: it goes alone.
    else if (this.#texts.length === MAX_FRAMES_PER_MESSAGE || message.length > LONG_CHARACTERS) this.flush();
  }

  flush(): void {
    if (this.#records.length > 0) {
      const records = this.#records;
      this.#records = [];
      this.#recordBytes = 0;
      this.#send(encodeRecords(records));
    }
    const texts = this.#texts;
    if (texts.length === 0) return;
    this.#texts = [];
    const short = texts.filter(({ length }) => length <= LONG_CHARACTERS);
    if (short.length === texts.length)
      this.#send(texts.length === 1 ? (texts[0] as string) : `[${texts.join()}]`);
    else for (const text of texts) this.#send(text);
  }

  #add(frame: RunRecord, parts: Parts): void {
    const first = this.#records[0]?.frame;
    const isOther = first !== undefined && (first.lease !== frame.lease || first.type !== frame.type);
    if (isOther || this.#texts.length > 0) this.flush();
    for (const { length } of parts) this.#recordBytes += length;
    if (this.#records.push({ frame, parts }) === 1) this.#later(() => this.flush());
    if (this.#records.length === MAX_RECORDS || this.#recordBytes > FULL_BYTES) this.flush();
  }
}

function isRecord(frame: { readonly type: string }): frame is RunRecord {
  return frame.type === "lease_run" || frame.type === "lease_ran";
}

/** Takes a binary message apart; null where its lengths do not fit each other. */
function open(message: ArrayBuffer): { readonly text: string; readonly parts: Parts } | null {
  const { byteLength } = message;
  if (byteLength < 8 || byteLength > MAX_FRAME_BYTES) return null;
  const view = new DataView(message);
  const headerLength = view.getUint32(0, true);
  const count = view.getUint32(4, true);
  const lengths = 8 + 4 * count;
  if (count > 2 || headerLength > MAX_HEADER_BYTES || lengths + headerLength > byteLength) return null;
  const parts: Uint8Array[] = [];
  let at = lengths + headerLength;
  for (let index = 0; index < count; index += 1) {
    const length = view.getUint32(8 + 4 * index, true);
    if (at + length > byteLength) return null;
    parts.push(new Uint8Array(message, at, length));
    at += length;
  }
  if (at !== byteLength) return null;
  try {
    return { text: decoder.decode(new Uint8Array(message, lengths, headerLength)), parts };
  } catch {
    return null;
  }
}
