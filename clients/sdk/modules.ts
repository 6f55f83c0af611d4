// Owns modules of jobs as a client sees them: uploaded under their hash, and read back. It refuses bytes that have another hash
// than they were asked for by, whoever sent them.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Hex } from "../../protocol/fields.ts";
import type { ModuleAnswer } from "../../protocol/jobs.ts";
import { MAX_MODULE_BYTES } from "../../protocol/limits.ts";
import type { PolderClient } from "./client.ts";
import { isLasting, PolderProblem, pauseMs, problemFrom, TransportFault } from "./problem.ts";

/** The name that jobs have for a module: `0x` and the SHA-256 of its bytes. */
export function moduleNameOf(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(sha256(bytes))}`;
}

/**
 * Uploads a WASI command with an API key of an account of the region; the same bytes again get the same answer.
 * @throws PolderProblem with why it is refused; TransportFault
 */
export function uploadModule(
  client: PolderClient,
  region: string,
  apiKey: string,
  bytes: Uint8Array,
): Promise<ModuleAnswer> {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/wasm" };
  return client.send("PUT", `/v1/regions/${region}/modules/${moduleNameOf(bytes)}`, bytes, headers);
}

/** What a deployment knows of a module. @throws PolderProblem `module_not_found`; TransportFault */
export function describeModule(client: PolderClient, module: Hex): Promise<ModuleAnswer> {
  return client.get(`/v1/modules/${module}/info`);
}

/**
 * A module's bytes as they were uploaded, compared with their hash.
 * @param retries how often a lost answer is asked for again.
 * @throws PolderProblem `module_not_found`; TransportFault, also for other bytes
 */
export async function readModule(client: PolderClient, module: Hex, retries = 5): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await askForModule(client, module);
    } catch (cause) {
      const error =
        cause instanceof PolderProblem || cause instanceof TransportFault
          ? cause
          : new TransportFault(`no module from ${client.url}`, { cause });
      if (isLasting(error) || attempt >= retries) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs(error, attempt)));
    }
  }
}

async function askForModule({ url }: PolderClient, module: Hex): Promise<Uint8Array> {
  const response = await fetch(`${url}/v1/modules/${module}`);
  if (!response.ok || response.body === null) throw problemFrom(response.status, await response.text());
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > MAX_MODULE_BYTES) throw new TransportFault("the answer is larger than any module");
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  if (moduleNameOf(bytes) !== module) throw new TransportFault("the answer is not the module of this hash");
  return bytes;
}
