// SPDX-License-Identifier: GPL-3.0-only
// Owns reading committed artifacts from disk. It refuses bytes whose hash is not the manifest's.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ARTIFACT_SUFFIX, type ArtifactKind, CIRCUITS, type CircuitName } from "./manifest.ts";
import type { ProvingArtifacts } from "./prover.ts";

const FOLDER = join(import.meta.dirname, "artifacts");

/**
 * Bytes of one artifact.
 * @param folder for tests; the committed one otherwise.
 * @throws Error when they are not those of the manifest.
 */
export async function readArtifact(
  name: CircuitName,
  kind: ArtifactKind,
  folder: string = FOLDER,
): Promise<Uint8Array> {
  const file = `${name}${ARTIFACT_SUFFIX[kind]}`;
  const bytes = await readFile(join(folder, file));
  const found = createHash("sha256").update(bytes).digest("hex");
  const named = CIRCUITS[name].sha256[kind];
  if (found !== named) throw new Error(`${file} is ${found}, the manifest names ${named}`);
  return bytes;
}

/** What a prover needs: the witness calculator and the proving key. */
export async function readProvingArtifacts(name: CircuitName, folder?: string): Promise<ProvingArtifacts> {
  const [wasm, zkey] = await Promise.all([
    readArtifact(name, "wasm", folder),
    readArtifact(name, "zkey", folder),
  ]);
  return { wasm, zkey };
}

/** The verification key in snarkjs's JSON form, for `readGroth16Key`. */
export async function readVerificationKey(name: CircuitName, folder?: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await readArtifact(name, "verificationKey", folder)));
}
