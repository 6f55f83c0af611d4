// Owns the draw of audits: the same for everybody who knows secret and block, at the rate that was voted. It refuses a draw that one
// of its parts does not change.

import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { auditSecretOf, isDrawn } from "../../evidence/audit-draw.ts";
import { auditCommitmentOf } from "../../protocol/audits.ts";
import { MAX_REFEREE_FUEL_MEGA } from "../../protocol/limits.ts";
import { word } from "../support/market.ts";

test("behavior: the secret is an HMAC under the receipts' seed, and what binds it is its hash", () => {
  const seed = new Uint8Array(32).fill(7);
  const secret = auditSecretOf(seed, "polder-one", 1_234);
  const hmac = createHmac("sha256", seed).update("polder-audit\npolder-one\n1234").digest();
  expect(secret).toBe(`0x${hmac.toString("hex")}`);
  expect(auditCommitmentOf(secret)).toBe(`0x${createHash("sha256").update(hmac).digest("hex")}`);
  const others = [
    auditSecretOf(seed, "polder-one", 1_235),
    auditSecretOf(seed, "polder-two", 1_234),
    auditSecretOf(new Uint8Array(32).fill(8), "polder-one", 1_234),
  ];
  expect(new Set([secret, ...others]).size).toBe(4);
});

test("behavior: a draw is the hash of secret, block and number against the rate", () => {
  for (let id = 1; id <= 50; id += 1) {
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(id));
    const bytes = [Buffer.from(word(3).slice(2), "hex"), Buffer.from(word(4).slice(2), "hex"), number];
    const digest = createHash("sha256").update(Buffer.concat(bytes)).digest("hex");
    const place = Number(BigInt(`0x${digest}`) % 10_000n);
    expect(isDrawn(word(3), word(4), id, 1, place)).toBe(false);
    expect(isDrawn(word(3), word(4), id, 1, place + 1)).toBe(true);
  }
});

test("property: a rate draws about its share, another block draws others, and none is drawn beyond the referee's limit", () => {
  const ids = Array.from({ length: 20_000 }, (_, id) => id + 1);
  const drawn = ids.filter((id) => isDrawn(word(1), word(2), id, 1, 500));
  // A twentieth of 20,000: 1,000, give or take five deviations of 31.
  expect(Math.abs(drawn.length - 1_000)).toBeLessThan(155);
  const both = drawn.filter((id) => isDrawn(word(1), word(3), id, 1, 500));
  expect(both.length).toBeLessThan(100);
  expect(drawn.some((id) => isDrawn(word(1), word(2), id, MAX_REFEREE_FUEL_MEGA + 1, 10_000))).toBe(false);
  expect(ids.every((id) => isDrawn(word(1), word(2), id, MAX_REFEREE_FUEL_MEGA, 10_000))).toBe(true);
  expect(ids.some((id) => isDrawn(word(1), word(2), id, 1, 0))).toBe(false);
});
