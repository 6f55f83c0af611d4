import { keccak_256 } from "@noble/hashes/sha3.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { keccak256 } from "../../protocol/keccak.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("keccak256", () => {
  test("behavior: the hash of nothing is the one that every account without code has", () => {
    expect(hex(keccak256(new Uint8Array()))).toBe(
      "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    );
  });

  test("property: equals the library's at every length around the block's 136 bytes and beyond", () => {
    for (let length = 0; length <= 700; length += 1) {
      const bytes = Uint8Array.from(
        { length },
        (_, index) => (index * 131 + length * 17 + (index >> 3)) & 0xff,
      );
      expect(hex(keccak256(bytes)), `${length} bytes`).toBe(hex(keccak_256(bytes)));
    }
  });

  test("invariant: neither its input nor an earlier digest changes, and a view's own bytes are what is hashed", () => {
    const whole = utf8ToBytes("before|message|after");
    const view = whole.subarray(7, 14);
    const digest = keccak256(view);
    const kept = hex(digest);
    keccak256(whole);
    expect(hex(digest)).toBe(kept);
    expect(kept).toBe(hex(keccak_256(utf8ToBytes("message"))));
    expect(Buffer.from(whole).toString()).toBe("before|message|after");
  });
});
