// Owns how runs and results travel to the referee and back: a line of facts and some bytes, in one body. It refuses a frame whose
// sizes are not those of what follows.

/** Facts, and the bytes that belong to them. */
export interface Frame {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly parts: readonly Uint8Array[];
}

/**
 * Why there is no result: it would take more than the referee has, took too long, its module is not stored, or it could not
 * be run now (a fault of the platform's, or too many runs at once).
 */
export type RefereeRefusal = "beyond_limits" | "overran" | "module_not_found" | "not_run";

/** The frame that says there is no result. */
export function refusalFrame(reason: RefereeRefusal): Frame {
  return { facts: { kind: "refused", reason }, parts: [] };
}

const LENGTH_BYTES = 4;

/** One body: the length of the facts, the facts as JSON with the sizes of the parts, the parts. */
export function encodeFrame({ facts, parts }: Frame): Uint8Array<ArrayBuffer> {
  const sizes = parts.map(({ length }) => length);
  const head = new TextEncoder().encode(JSON.stringify({ facts, sizes }));
  const body = new Uint8Array(LENGTH_BYTES + head.length + sizes.reduce((sum, size) => sum + size, 0));
  new DataView(body.buffer).setUint32(0, head.length, true);
  body.set(head, LENGTH_BYTES);
  let offset = LENGTH_BYTES + head.length;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.length;
  }
  return body;
}

/** Reads a body back. @throws RangeError, SyntaxError where it is none */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < LENGTH_BYTES) throw new RangeError("a frame is cut off");
  const length = new DataView(buffer).getUint32(0, true);
  if (length > buffer.byteLength - LENGTH_BYTES) throw new RangeError("a frame is cut off");
  const text = new TextDecoder().decode(new Uint8Array(buffer, LENGTH_BYTES, length));
  const { facts, sizes } = JSON.parse(text) as { facts: Frame["facts"]; sizes: number[] };
  let offset = LENGTH_BYTES + length;
  const parts = sizes.map((size) => {
    const part = new Uint8Array(buffer, offset, size).slice();
    offset += size;
    return part;
  });
  if (offset !== buffer.byteLength) throw new RangeError("a frame is longer than it says");
  return { facts, parts };
}
