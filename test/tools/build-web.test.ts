// Owns the promises of the pages' build: code under the GPL is in the proving worker alone, circuits stand under names
// that hold their hash, and a change of circuits leaves nothing of the old ones behind.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { CIRCUITS } from "../../circuits/manifest.ts";
import { buildWeb, copyleftInputs, servedName } from "../../tools/build-web.ts";

/** What a deployment may serve in one file. */
const MOST_ASSET_BYTES = 25 * 1024 * 1024;

describe("build of the pages", () => {
  let dist: string;
  beforeAll(async () => {
    dist = await buildWeb();
  });

  test("rejects: code under the GPL in a page", () => {
    const foreign = [
      "circuits/meter-witness.ts",
      "node_modules/snarkjs/build/browser.esm.js",
      "node_modules/a/node_modules/ffjavascript/build/browser.esm.js",
      "node_modules/@iden3/binfileutils/build/main.cjs",
    ];
    const own = ["web/prove.ts", "evidence/circuits/x.ts", "node_modules/poseidon-lite/poseidon4.js"];
    expect(copyleftInputs([...own, ...foreign])).toEqual(foreign);
  });

  test("invariant: the worker names its licence and comes with it, and no page contains its code", () => {
    const worker = readFileSync(join(dist, "proving-worker.js"), "utf8");
    expect(worker.slice(0, 200)).toContain("under the GPL-3.0 (proving-worker.license.txt)");
    expect(worker).toContain("groth16");
    expect(readFileSync(join(dist, "proving-worker.license.txt"), "utf8")).toContain(
      "GNU GENERAL PUBLIC LICENSE",
    );
    const sources = (name: string): string[] => JSON.parse(readFileSync(join(dist, name), "utf8")).sources;
    expect(sources("proving-worker.js.map").some((path) => path.includes("snarkjs"))).toBe(true);
    for (const page of ["main.js.map", "prove.js.map"])
      expect(sources(page).filter((path) => /snarkjs|ffjavascript|\/circuits\//.test(path))).toEqual([]);
  });

  test("invariant: served circuits are the manifest's, small enough to be served, and the only ones", async () => {
    const folder = join(dist, "circuits");
    writeFileSync(join(folder, "meter-4.0000000000000000.zkey"), "of an older ceremony");
    await buildWeb();
    const served = (["meter-4", "meter-96"] as const).flatMap((circuit) =>
      (["wasm", "zkey"] as const).map((kind) => ({
        name: servedName(circuit, kind),
        hash: CIRCUITS[circuit].sha256[kind],
      })),
    );
    expect(readdirSync(folder).sort()).toEqual(served.map(({ name }) => name).sort());
    for (const { name, hash } of served) {
      expect(name).toContain(hash.slice(0, 16));
      expect(
        createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex"),
      ).toBe(hash);
      expect(statSync(join(folder, name)).size).toBeLessThan(MOST_ASSET_BYTES);
    }
    expect(existsSync(join(dist, "_headers"))).toBe(true);
  });
});
