// Owns the promise that a file which several processes write at once is always one of what they wrote, whole. It refuses threads:
// a process writes without a pause.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const MODULE = join(import.meta.dirname, "../../clients/household/whole-file.ts");
const BYTES = 200_000;

test("invariant: processes that write one file at once all succeed, and it is whole", async () => {
  const folder = mkdtempSync(join(tmpdir(), "polder-whole-"));
  const file = join(folder, "shared");
  const write = (letter: string) =>
    promisify(execFile)(process.execPath, [
      "--input-type=module",
      "--eval",
      `import { writeWhole } from ${JSON.stringify(MODULE)};
       for (let turn = 0; turn < 40; turn += 1) writeWhole(${JSON.stringify(file)}, ${JSON.stringify(letter)}.repeat(${BYTES}));`,
    ]);
  try {
    await Promise.all(["a", "b", "c"].map(write));
    expect(readFileSync(file, "utf8")).toMatch(new RegExp(`^(a{${BYTES}}|b{${BYTES}}|c{${BYTES}})$`));
    expect(readdirSync(folder)).toEqual(["shared"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
