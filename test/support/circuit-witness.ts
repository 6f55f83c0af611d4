// Owns how tests ask a circuit's committed witness calculator about inputs, honest or not. It refuses to answer that
// something failed without saying which constraint it was.

import { type SignalInput, wtns } from "snarkjs";
import { readArtifact } from "../../circuits/artifacts.ts";
import type { CircuitName } from "../../circuits/manifest.ts";

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
 * The templates whose constraint refused inputs, innermost first, with `Meter` and its kind last; "accepted" when none
 * did.
 */
export async function refusedBy(circuit: CircuitName, inputs: Inputs, wasm?: Uint8Array): Promise<string> {
  try {
    await witnessOf(circuit, inputs, wasm);
    return "accepted";
  } catch (error) {
    const templates = [...String(error).matchAll(/template (\w+?)_\d+ line/g)].map(([, name]) => name);
    return templates.length === 0 ? `no constraint: ${error}` : templates.join(" < ");
  }
}
