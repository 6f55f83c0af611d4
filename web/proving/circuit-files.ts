// Owns the fetching of a circuit's files, with progress. It refuses files of another length than the build wrote down;
// whether they are the right ones is for the worker to say, which checks their hashes.

import type { ProvingArtifacts } from "../../circuits/prover.ts";

interface ServedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Put in by the build: where each circuit's files are served, under names that hold their hash. */
declare const CIRCUIT_FILES: Readonly<
  Record<"meter-4" | "meter-96", Readonly<Record<keyof ProvingArtifacts, ServedFile>>>
>;

/** A file that did not come, or not whole; the message names it. */
export class CircuitFault extends Error {
  override readonly name = "CircuitFault";
}

/**
 * The files that a window of this length is proved with; from the browser's cache where they were fetched before.
 * @param say is told bytes so far and bytes in all.
 * @throws CircuitFault, or the signal's reason.
 */
export async function fetchCircuit(
  windowSlots: 4 | 96,
  say: (received: number, total: number) => void,
  signal: AbortSignal,
): Promise<ProvingArtifacts> {
  const { wasm, zkey } = CIRCUIT_FILES[`meter-${windowSlots}`];
  let received = 0;
  const add = (bytes: number): void => {
    received += bytes;
    say(received, wasm.bytes + zkey.bytes);
  };
  add(0);
  const [calculator, key] = await Promise.all([fetchFile(wasm, add, signal), fetchFile(zkey, add, signal)]);
  return { wasm: calculator, zkey: key };
}

async function fetchFile(
  { path, bytes }: ServedFile,
  add: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const file = new Uint8Array(bytes);
  let at = 0;
  try {
    const response = await fetch(path, { signal, credentials: "omit" });
    if (!response.ok || response.body === null) throw new CircuitFault(`${path} (status ${response.status})`);
    const reader = response.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (at + next.value.length > bytes) throw new CircuitFault(`${path} (longer than it was built)`);
      file.set(next.value, at);
      at += next.value.length;
      add(next.value.length);
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof CircuitFault ? cause : new CircuitFault(`${path} (no answer)`, { cause });
  }
  if (at < bytes) throw new CircuitFault(`${path} (it broke off)`);
  return file;
}
