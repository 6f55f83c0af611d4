// SPDX-License-Identifier: GPL-3.0-only
// Owns `npm run circuits:compile`: every circuit of the manifest from source, into a folder that is not committed. It
// refuses a result that differs from the manifest, since the committed keys belong to exactly that one.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CIRCUIT_NAMES, CIRCUITS, type Circuit, type CircuitName, mainSourceOf } from "./manifest.ts";

const HERE = import.meta.dirname;
const ROOT = dirname(HERE);

/** Where compiled circuits stand until a ceremony copies them. */
const BUILD_FOLDER = join(ROOT, ".polder/circuits");

/** Files that one compilation made, and the number of its constraints. */
export interface Compiled {
  readonly r1cs: string;
  readonly wasm: string;
  readonly constraints: number;
}

/** Lower-case hex of the SHA-256 of bytes or of a file's bytes. */
export function sha256Of(content: string | Uint8Array): string {
  const bytes = typeof content === "string" ? readFileSync(content) : content;
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Compiles one circuit with circom2. The compiler is WebAssembly that sees its working folder and no link out of it, so
 * the sources are copied there first.
 *
 * @param name of the files made.
 * @param folder absolute; made if absent.
 * @param level of optimisation; keys belong to O2.
 * @throws Error with the compiler's output when it refuses.
 */
export async function compileCircuit(
  name: string,
  circuit: Circuit,
  folder: string = BUILD_FOLDER,
  level: "O1" | "O2" = "O2",
): Promise<Compiled> {
  const { resolve } = createRequire(import.meta.url);
  mkdirSync(folder, { recursive: true });
  const library = join(dirname(resolve("circomlib/package.json")), "circuits");
  cpSync(library, join(folder, "circomlib/circuits"), { recursive: true });
  for (const file of readdirSync(HERE)) {
    if (file.endsWith(".circom")) copyFileSync(join(HERE, file), join(folder, file));
  }
  // `main-` keeps the copy of certificate.circom from being written over by its own main file.
  const main = `main-${name}.circom`;
  writeFileSync(join(folder, main), mainSourceOf(circuit));
  const flags = ["--r1cs", "--wasm", `--${level}`, "-l", ".", "-o", "."];
  const output = await outputOf(folder, [resolve("circom2/cli.js"), main, ...flags]);
  const constraints = [...output.matchAll(/linear constraints: (\d+)/g)];
  if (!output.includes("Everything went okay") || constraints.length !== 2) {
    throw new Error(`circom refused ${name}:\n${output}`);
  }
  return {
    r1cs: join(folder, `main-${name}.r1cs`),
    wasm: join(folder, `main-${name}_js`, `main-${name}.wasm`),
    constraints: constraints.reduce((sum, match) => sum + Number(match[1]), 0),
  };
}

function outputOf(folder: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", () => resolve(output));
  });
}

/** What a compilation has that the manifest names otherwise; empty when the committed keys are for it. */
export function differencesOf(circuit: Circuit, compiled: Compiled): string[] {
  const found = {
    r1cs: sha256Of(compiled.r1cs),
    wasm: sha256Of(compiled.wasm),
    constraints: String(compiled.constraints),
  };
  const named = {
    r1cs: circuit.sha256.r1cs,
    wasm: circuit.sha256.wasm,
    constraints: String(circuit.constraints),
  };
  return (Object.keys(found) as (keyof typeof found)[]).filter((key) => found[key] !== named[key]);
}

async function compileAll(names: readonly CircuitName[]): Promise<number> {
  let isSame = true;
  for (const name of names) {
    const compiled = await compileCircuit(name, CIRCUITS[name]);
    const differences = differencesOf(CIRCUITS[name], compiled);
    isSame &&= differences.length === 0;
    const verdict = differences.length === 0 ? "as in the manifest" : `differs: ${differences.join(", ")}`;
    console.log(`${name}: ${compiled.constraints} constraints, ${verdict}`);
  }
  if (!isSame)
    console.error("the committed keys are not for these sources; `npm run ceremony` makes new ones");
  return isSame ? 0 : 1;
}

if (import.meta.main) process.exitCode = await compileAll(CIRCUIT_NAMES);
