// Owns reading the primitive encodings of a module (LEB128, names, counts) within bounds. It refuses encodings that are
// cut off, longer than their type, or not UTF-8, by throwing a ModuleRefused with the offset.

import { expectAtMost, refuseInvalid } from "../refusal.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class ByteReader {
  readonly bytes: Uint8Array;
  /** Offset of the next byte; never beyond `end` after a read. */
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  isDone(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.at >= this.end) refuseInvalid("cut off", this.at);
    return this.bytes[this.at++] as number;
  }

  /** Moves past `length` bytes and answers where they began. */
  skip(length: number): number {
    const from = this.at;
    if (length > this.end - from) refuseInvalid("cut off", this.end);
    this.at = from + length;
    return from;
  }

  /** An unsigned LEB128 of 32 bits: at most five bytes, no bit beyond the 32nd. */
  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; ; shift += 7) {
      const next = this.byte();
      if (shift === 28) {
        if (next > 0x0f) refuseInvalid("number too long", this.at - 1);
        return value + next * 2 ** 28;
      }
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
  }

  /** A signed LEB128 of 32 bits. */
  s32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = this.byte();
      value |= (next & 0x7f) << shift;
      if (shift === 28) {
        // Four bits remain; the other three must repeat the sign.
        const high = next & 0x78;
        if (next >= 0x80 || (high !== 0 && high !== 0x78)) refuseInvalid("number too long", this.at - 1);
        return value;
      }
      if (next < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
  }

  /** Moves past a signed LEB128 of 64 bits, whose value nothing here depends on. */
  skipS64(): void {
    for (let length = 1; ; length += 1) {
      const next = this.byte();
      if (length === 10) {
        if (next !== 0x00 && next !== 0x7f) refuseInvalid("number too long", this.at - 1);
        return;
      }
      if (next < 0x80) return;
    }
  }

  /** A signed LEB128 of 33 bits, as block types are; answers the value, which is a type index where not negative. */
  s33(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = this.byte();
      if (shift === 28) {
        const high = next & 0x70;
        if (next >= 0x80 || (high !== 0 && high !== 0x70)) refuseInvalid("number too long", this.at - 1);
        const top = next & 0x1f;
        return value + (top >= 0x10 ? top - 0x20 : top) * 2 ** 28;
      }
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return next >= 0x40 ? value - 2 ** (shift + 7) : value;
    }
  }

  /** A count of things that take at least one byte each, so that none is promised that cannot follow. */
  count(what: string, most: number): number {
    const at = this.at;
    const value = this.u32();
    expectAtMost(what, value, most);
    if (value > this.end - this.at) refuseInvalid(`more ${what} than bytes`, at);
    return value;
  }

  /** A name: a length and as many bytes of UTF-8. */
  name(): string {
    const length = this.u32();
    const from = this.skip(length);
    try {
      return UTF8.decode(this.bytes.subarray(from, from + length));
    } catch {
      return refuseInvalid("name is not UTF-8", from);
    }
  }
}
