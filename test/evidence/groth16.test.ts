// Owns the promise that our verifier accepts no proof that snarkjs refuses, agrees with it on canonical input, and judges
// every proof of a batch on its own.

import { bn254 } from "@noble/curves/bn254.js";
import { groth16 } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import type { Groth16Key } from "../../evidence/groth16-key.ts";
import {
  changed,
  g2Json,
  g2Of,
  moved,
  negated,
  outsideOfG2,
  Q,
  R,
  rescaled,
} from "../support/proof-points.ts";
import { keyJsonOf, keyOf, type LooseProof, type ProofCase, provedOf } from "../support/proofs.ts";

const { G1 } = bn254;
const plus = (text: string | undefined, by: bigint) => `${BigInt(text as string) + by}`;

/** What is spelled another way, cut, or not in its group: [name, case, path where decoding stops]. */
function malformedCases(good: ProofCase): [string, ProofCase, string][] {
  const of = (change: (proof: LooseProof, signals: string[]) => void) => changed(good, change);
  const off = outsideOfG2();
  const coordinate = (name: "pi_a" | "pi_c", index: number, to: (text: string) => string) =>
    of((proof) => {
      proof[name][index] = to(proof[name][index] as string);
    });
  const withB = (to: string[][]) => of((proof) => Object.assign(proof, { pi_b: to }));
  const { pi_b } = good.proof;
  const [[x0, x1], y] = pi_b as [[string, string], string[], string[]];
  return [
    ["A's x + q", coordinate("pi_a", 0, (x) => plus(x, Q)), "pi_a.0"],
    ["C's y + q", coordinate("pi_c", 1, (x) => plus(x, Q)), "pi_c.1"],
    ["A's z is 2", coordinate("pi_a", 2, () => "2"), "pi_a.2"],
    ["A's x with a leading zero", coordinate("pi_a", 0, (x) => `0${x}`), "pi_a.0"],
    ["A's x as hex", coordinate("pi_a", 0, (x) => `0x${BigInt(x).toString(16)}`), "pi_a.0"],
    ["A's x negative", coordinate("pi_a", 0, (x) => plus(x, -Q)), "pi_a.0"],
    ["A off the curve", coordinate("pi_a", 1, (x) => `${(BigInt(x) + 1n) % Q}`), "pi_a"],
    ["A at infinity", of((proof) => Object.assign(proof, { pi_a: ["0", "0", "1"] })), "pi_a"],
    ["A at infinity by z", of((proof) => Object.assign(proof, { pi_a: ["0", "1", "0"] })), "pi_a.2"],
    ["C at infinity", of((proof) => Object.assign(proof, { pi_c: ["0", "0", "1"] })), "pi_c"],
    ["A with a fourth", of((proof) => proof.pi_a.push("1")), "pi_a"],
    ["A without z", of((proof) => proof.pi_a.pop()), "pi_a"],
    ["A of numbers", of((proof) => Object.assign(proof, { pi_a: [1, 2, "1"] })), "pi_a.0"],
    ["B's x + q", withB([[plus(x0, Q), x1], y, ["1", "0"]]), "pi_b.0.0"],
    ["B's z is 2", withB([[x0, x1], y, ["2", "0"]]), "pi_b.2"],
    ["B's z has a second part", withB([[x0, x1], y, ["1", "1"]]), "pi_b.2"],
    ["B flat", withB([x0, x1, ...y] as unknown as string[][]), "pi_b"],
    ["B off the curve", withB([[x1, x0], y, ["1", "0"]]), "pi_b"],
    ["B outside of G2", withB(g2Json(off)), "pi_b"],
    ["B plus a point outside of G2", withB(g2Json(g2Of(pi_b).add(off))), "pi_b"],
    [
      "B at infinity",
      withB([
        ["0", "0"],
        ["0", "0"],
        ["1", "0"],
      ]),
      "pi_b",
    ],
    ["signal + r", of((_, signals) => signals.splice(0, 1, plus(signals[0], R))), "signals.0"],
    ["signal is r", of((_, signals) => signals.splice(3, 1, `${R}`)), "signals.3"],
    ["signal with a leading zero", of((_, signals) => signals.splice(2, 1, `0${signals[2]}`)), "signals.2"],
    ["signal negative", of((_, signals) => signals.splice(2, 1, "-1")), "signals.2"],
    ["signal with space", of((_, signals) => signals.splice(2, 1, ` ${signals[2]}`)), "signals.2"],
    ["signal empty", of((_, signals) => signals.splice(2, 1, "")), "signals.2"],
    ["signal a number", of((_, signals) => signals.splice(2, 1, 7 as unknown as string)), "signals.2"],
    ["signals short", of((_, signals) => signals.pop()), "signals"],
    ["signals long", of((_, signals) => signals.push("0")), "signals"],
    ["a stranger's field", of((proof) => Object.assign(proof, { extra: "1" })), "proof"],
    ["another protocol", of((proof) => Object.assign(proof, { protocol: "plonk" })), "protocol"],
    ["another curve", of((proof) => Object.assign(proof, { curve: "bls12381" })), "curve"],
  ];
}

/** Canonical, in their groups, and either valid or not: [name, case, valid]. */
function canonicalCases([good, other]: [ProofCase, ProofCase]): [string, ProofCase, boolean][] {
  const tampered = good.signals.map((_, index): [string, ProofCase, boolean] => [
    `signal ${index} + 1`,
    changed(good, (__, signals) => signals.splice(index, 1, plus(signals[index], 1n))),
    false,
  ]);
  return [
    ["good", good, true],
    ["another window", other, true],
    ["malleated: (−A, −B, C)", negated(good), true],
    ["malleated: (ρA, ρ⁻¹B, C)", rescaled(good, 12_345n), true],
    ["without protocol and curve", { ...good, proof: { ...good.proof, protocol: undefined } }, true],
    ["C moved", moved(good, G1.Point.BASE), false],
    ["another window's proof", { signals: good.signals, proof: other.proof }, false],
    ["A of another", changed(good, (proof) => Object.assign(proof, { pi_a: other.proof.pi_a })), false],
    ["B of another", changed(good, (proof) => Object.assign(proof, { pi_b: other.proof.pi_b })), false],
    ["A and C exchanged", changed(good, (p) => Object.assign(p, { pi_a: p.pi_c, pi_c: p.pi_a })), false],
    ...tampered,
  ];
}

describe("groth16", () => {
  let key: Groth16Key;
  let json: Record<string, unknown>;
  const [good, other] = provedOf("meter-4") as [ProofCase, ProofCase];
  /** What snarkjs says; what it throws at counts as refused. */
  const bySnarkjs = async ({ signals, proof }: ProofCase) => {
    try {
      return await groth16.verify(json, signals, proof);
    } catch {
      return false;
    }
  };
  const fresh = () => new Groth16Verifier(key);

  beforeAll(async () => {
    key = await keyOf("meter-4");
    json = await keyJsonOf("meter-4");
  });
  afterAll(endSnarkThreads);

  test("rejects: every second spelling and every point outside of its group, and says where", () => {
    for (const [what, given, path] of malformedCases(good)) {
      expect(fresh().verify(given), what).toEqual({ ok: false, reason: "malformed", path });
    }
  });

  test("rejects: truncated and oversized JSON of any shape, without throwing", () => {
    const text = JSON.stringify(good.proof);
    const shapes: unknown[] = [
      null,
      undefined,
      7,
      "proof",
      [],
      {},
      [good.proof],
      text,
      { pi_a: good.proof.pi_a },
    ];
    shapes.push({ ...good.proof, pi_a: Array(100_000).fill("1") });
    shapes.push({ ...good.proof, pi_a: ["9".repeat(1_000_000), "1", "1"] });
    for (const proof of shapes) {
      expect(fresh().verify({ signals: good.signals, proof })).toMatchObject({ reason: "malformed" });
    }
    for (const signals of [null, "1", {}, Array(100_000).fill("1"), ["9".repeat(1_000_000)]]) {
      expect(fresh().verify({ signals, proof: good.proof })).toMatchObject({ path: "signals" });
    }
  });

  test("rejects: a proof of another circuit or under another key", async () => {
    const day = provedOf("meter-96")[0] as ProofCase;
    expect(fresh().verify(day)).toMatchObject({ reason: "malformed" });
    expect(fresh().verify({ signals: good.signals, proof: day.proof })).toEqual({
      ok: false,
      reason: "invalid",
    });
    for (const circuit of ["meter-96", "certificate"] as const) {
      const verifier = new Groth16Verifier(await keyOf(circuit));
      expect(verifier.verify(provedOf(circuit)[0] as ProofCase), circuit).toEqual({ ok: true });
    }
  });

  test("behavior: equal to snarkjs on canonical input", async () => {
    for (const [what, given, isValid] of canonicalCases([good, other])) {
      expect(fresh().verify(given).ok, what).toBe(isValid);
      expect(await bySnarkjs(given), what).toBe(isValid);
    }
  });

  test("invariant: never more permissive than snarkjs, which takes some second spellings", async () => {
    let taken = 0;
    for (const [what, given] of malformedCases(good)) {
      expect(fresh().verify(given).ok, what).toBe(false);
      if (await bySnarkjs(given)) taken += 1;
    }
    expect(taken).toBeGreaterThan(0);
  });

  test("rejects: two invalid proofs that cancel, in one batch", () => {
    const shift = G1.Point.BASE.multiply(99n);
    const cancelling = [moved(good, shift), moved(other, shift.negate())];
    const invalid = { ok: false, reason: "invalid" };
    expect(fresh().verifyBatch(cancelling)).toEqual([invalid, invalid]);
    expect(fresh().verifyBatch([...cancelling, good])).toEqual([invalid, invalid, { ok: true }]);
  });

  test("behavior: a batch names its bad ones and no other suffers", () => {
    const malformed = changed(good, (proof) => proof.pi_a.pop());
    const bad = moved(good, G1.Point.BASE);
    const valid = [2n, 3n, 5n].map((rho) => rescaled(good, rho));
    const verdicts = fresh().verifyBatch([...valid, bad, other, malformed, good]);
    expect(verdicts.map(({ ok }) => ok)).toEqual([true, true, true, false, true, false, true]);
    expect(fresh().verifyBatch([])).toEqual([]);
  });

  test("behavior: what was accepted is remembered by key, signals and proof; what was refused is not", () => {
    const verifier = fresh();
    const bad = moved(good, G1.Point.BASE);
    expect([good, bad].map((given) => verifier.verify(given).ok)).toEqual([true, false]);
    const secondsOf = (verifierOf: () => Groth16Verifier) => {
      const started = performance.now();
      for (let k = 0; k < 10; k += 1) expect(verifierOf().verify(good).ok).toBe(true);
      return performance.now() - started;
    };
    expect(secondsOf(() => verifier)).toBeLessThan(secondsOf(fresh) / 3);
    expect(verifier.verify(bad).ok).toBe(false);
    expect(verifier.verify({ signals: other.signals, proof: good.proof }).ok).toBe(false);
    expect(verifier.verify({ ...good, proof: { ...good.proof, extra: "1" } }).ok).toBe(false);
  });
});
