// Owns the promise that only keys with a contribution, and development keys on the local chain only, are used.

import { beforeAll, describe, expect, test } from "vitest";
import { CIRCUIT_NAMES } from "../../circuits/manifest.ts";
import { readGroth16Key } from "../../evidence/groth16-key.ts";
import { keyJsonOf, keyOf } from "../support/proofs.ts";

const USE = { origin: "development", chainId: 31_337, publicElements: 10 };

describe("groth16 key", () => {
  let json: Record<string, unknown>;
  beforeAll(async () => {
    json = await keyJsonOf("meter-4");
  });

  test("rejects: γ = δ, under which anybody forges", () => {
    expect(() => readGroth16Key({ ...json, vk_delta_2: json.vk_gamma_2 }, USE)).toThrow(/γ = δ/);
  });

  test("rejects: a development key on any chain but the local one", () => {
    for (const chainId of [1, 10, 31_338, 0]) {
      expect(() => readGroth16Key(json, { ...USE, chainId }), `${chainId}`).toThrow(/development key/);
    }
    expect(() => readGroth16Key(json, { ...USE, chainId: 1, origin: "ceremony of 2027" })).not.toThrow();
  });

  test("rejects: a key for another number of signals, another protocol, points that are none", () => {
    const ic = json.IC as unknown[];
    const refusals: [string, unknown, RegExp][] = [
      ["another circuit's", { ...json, nPublic: 11 }, /10 public signals/],
      ["an IC short", { ...json, IC: ic.slice(1) }, /10 public signals/],
      ["plonk", { ...json, protocol: "plonk" }, /not a Groth16/],
      ["nothing", null, /not a Groth16/],
      ["α off the curve", { ...json, vk_alpha_1: ["1", "3", "1"] }, /vk_alpha_1/],
      ["α is the identity", { ...json, vk_alpha_1: ["0", "0", "1"] }, /vk_alpha_1/],
      ["IC off the curve", { ...json, IC: [...ic.slice(1), ["1", "3", "1"]] }, /IC\.10/],
      ["β missing", { ...json, vk_beta_2: undefined }, /vk_beta_2/],
    ];
    for (const [what, key, message] of refusals) {
      expect(() => readGroth16Key(key, USE), what).toThrow(message);
    }
  });

  test("invariant: every committed key has γ ≠ δ and is another one", async () => {
    const keys = await Promise.all(CIRCUIT_NAMES.map(keyOf));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(CIRCUIT_NAMES.length);
  });

  test("invariant: e(α, β) is computed, whatever the file says of it", () => {
    const honest = readGroth16Key(json, USE);
    const lying = readGroth16Key({ ...json, vk_alphabeta_12: [] }, USE);
    expect(lying.alphaBeta).toEqual(honest.alphaBeta);
  });
});
