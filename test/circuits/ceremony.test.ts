// Owns the promise that a ceremony cannot be called one that was none. The making of keys itself takes minutes and is
// checked through what it left: the committed keys and their transcript.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { requireCeremony, type Transcript } from "../../circuits/ceremony.ts";
import { CIRCUIT_NAMES, CIRCUITS } from "../../circuits/manifest.ts";

const committed = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../circuits/artifacts/transcript.json"), "utf8"),
) as Transcript;
const [own] = committed.contributions;

describe("ceremony", () => {
  test("rejects: keys that nobody contributed to, under any origin", () => {
    const nobody = { ...committed, contributions: [] };
    for (const origin of ["development", "spring"]) {
      expect(() => requireCeremony(nobody, origin, "ab"), origin).toThrow(/nobody has contributed/);
    }
  });

  test("rejects: one party's keys under any origin but `development`", () => {
    if (own === undefined) throw new Error("the committed transcript is empty");
    const powersOfTau = { sha256: "00", source: "given" };
    const two = [own, { ...own, by: "another" }];
    const given = { ...committed, powersOfTau };
    expect(() => requireCeremony(committed, "development", undefined)).not.toThrow();
    expect(() => requireCeremony({ ...committed, contributions: two }, "spring", "ab")).toThrow(
      /powers of tau/,
    );
    const ownPowers = {
      ...given,
      powersOfTau: { sha256: "00", source: "own, one party" },
      contributions: two,
    };
    expect(() => requireCeremony(ownPowers, "spring", "ab")).toThrow(/powers of tau/);
    expect(() => requireCeremony({ ...given, contributions: [own, own] }, "spring", "ab")).toThrow(
      /one party/,
    );
    expect(() => requireCeremony({ ...given, contributions: two }, "spring", undefined)).toThrow(/beacon/);
    expect(() => requireCeremony({ ...given, contributions: two }, "spring", "ab")).not.toThrow();
  });

  test("invariant: the committed keys are those of the committed transcript", () => {
    const last = committed.contributions.at(-1);
    for (const name of CIRCUIT_NAMES) {
      const { sha256, origin } = CIRCUITS[name];
      expect(last?.zkeySha256[name], name).toBe(sha256.zkey);
      expect(committed.r1csSha256[name], name).toBe(sha256.r1cs);
      expect(committed.origin, name).toBe(origin);
    }
  });
});
