// Owns how tests ask a circuit's committed witness calculator about inputs, honest or not. It refuses to answer that
// something failed without saying which constraint it was.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type SignalInput, wtns } from "snarkjs";
import { vi } from "vitest";
import { readArtifact } from "../../circuits/artifacts.ts";
import { CIRCUITS, type CircuitName } from "../../circuits/manifest.ts";

const SOURCES = join(import.meta.dirname, "../../circuits");

export type Inputs = Readonly<Record<string, SignalInput>>;

const kept = new Map<CircuitName, Promise<Uint8Array>>();

async function wasmOf(circuit: CircuitName): Promise<Uint8Array> {
  const found = kept.get(circuit) ?? readArtifact(circuit, "wasm");
  kept.set(circuit, found);
  return found;
}

/** The whole witness of inputs, wire 0 (which is one) first. */
export async function witnessOf(circuit: CircuitName, inputs: Inputs, wasm?: Uint8Array): Promise<bigint[]> {
  const witness: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(inputs, { type: "mem", data: wasm ?? (await wasmOf(circuit)) }, witness);
  return (await wtns.exportJson(witness)).map(BigInt);
}

/**
 * The constraint that refused inputs: the innermost template, and the line of the outermost source file that led there;
 * "accepted" when none did.
 */
export async function refusedBy(circuit: CircuitName, inputs: Inputs, wasm?: Uint8Array): Promise<string> {
  const muted = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    await witnessOf(circuit, inputs, wasm);
    return "accepted";
  } catch (error) {
    const frames = [...String(error).matchAll(/template (\w+?)_\d+ line: (\d+)/g)];
    const [innermost, outermost] = [frames.at(0), frames.at(-1)];
    if (innermost === undefined || outermost === undefined) return `no constraint: ${error}`;
    const source = readFileSync(join(SOURCES, CIRCUITS[circuit].file), "utf8").split("\n");
    return `${innermost[1]}: ${source[Number(outermost[2]) - 1]?.trim()}`;
  } finally {
    muted.mockRestore();
  }
}
