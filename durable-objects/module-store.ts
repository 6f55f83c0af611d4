// Owns the modules of jobs in R2: as they were uploaded, and rewritten. It refuses what is no module, and to hand out bytes that
// have another hash than the one they are stored under.

import { prepareCommand } from "../compute/command.ts";
import { REWRITER_VERSION } from "../compute/metering/fuel-schedule.ts";
import type { Hex } from "../protocol/fields.ts";
import type { ModuleAnswer } from "../protocol/jobs.ts";
import { sha256Hex } from "./digest.ts";
import type { Env } from "./environment.ts";

/** A module in both forms; the rewritten one is of this release's version. */
export interface StoredModule {
  readonly original: Uint8Array;
  readonly rewritten: Uint8Array;
}

type Store = Pick<Env, "MODULES">;

const originalKey = (sha256: Hex): string => `modules/${sha256.slice(2)}`;
const rewrittenKey = (sha256: Hex): string => `rewritten/${REWRITER_VERSION}/${sha256.slice(2)}`;

/**
 * Keeps a module. One that is kept already is not rewritten again.
 * @param sha256 of `original`, which the caller has checked.
 * @throws ModuleRefused, before anything is kept.
 */
export async function keepModule(env: Store, sha256: Hex, original: Uint8Array): Promise<ModuleAnswer> {
  const head = await env.MODULES.head(originalKey(sha256));
  // The store's own checksum: bytes that somebody put there since are written over.
  if (head?.checksums.toJSON().sha256 === sha256.slice(2)) {
    const kept = await keptModule(env, sha256);
    if (kept !== null) return kept;
  }
  // The original first: what is rewritten can be made again from it.
  const { bytes, firstPages } = prepareCommand(original);
  await env.MODULES.put(originalKey(sha256), original, { sha256: sha256.slice(2) });
  await putRewritten(env, sha256, bytes, firstPages);
  return answerOf(sha256, original.byteLength, bytes.byteLength, firstPages);
}

/** What is known of a stored module, or null. @throws ModuleRefused where this release would not take it any more */
export async function keptModule(env: Store, sha256: Hex): Promise<ModuleAnswer | null> {
  const [original, rewritten] = await Promise.all([
    env.MODULES.head(originalKey(sha256)),
    env.MODULES.head(rewrittenKey(sha256)),
  ]);
  if (original === null) return null;
  const firstPages = firstPagesOf(rewritten);
  if (rewritten !== null && firstPages !== null)
    return answerOf(sha256, original.size, rewritten.size, firstPages);
  const made = await storedModule(env, sha256);
  return made === null ? null : keptModule(env, sha256);
}

/** The bytes of a module as they were uploaded, as a stream; null where there is none. Whoever takes them compares the hash. */
export async function originalOf(env: Store, sha256: Hex): Promise<R2ObjectBody | null> {
  return env.MODULES.get(originalKey(sha256));
}

/**
 * A module in both forms, or null where none is stored under this hash. The original is hashed again; the rewritten one is
 * compared with what was noted of it, and made anew where that does not fit or an older release made it.
 * @throws ModuleRefused where this release would not take it any more
 */
export async function storedModule(env: Store, sha256: Hex): Promise<StoredModule | null> {
  const [found, rewritten] = await Promise.all([
    env.MODULES.get(originalKey(sha256)),
    env.MODULES.get(rewrittenKey(sha256)),
  ]);
  if (found === null) return null;
  const original = await bytesOf(found);
  if (sha256Hex(original) !== sha256.slice(2)) {
    console.error(`the module ${sha256} has other bytes in the store than were uploaded`);
    return null;
  }
  if (rewritten !== null && firstPagesOf(rewritten) !== null) {
    const bytes = await bytesOf(rewritten);
    if (sha256Hex(bytes) === rewritten.customMetadata?.sha256) return { original, rewritten: bytes };
  }
  const { bytes, firstPages } = prepareCommand(original);
  await putRewritten(env, sha256, bytes, firstPages);
  return { original, rewritten: bytes };
}

/** What was noted of a rewritten module's memory; null for one of which nothing was. */
function firstPagesOf(rewritten: R2Object | null): number | null {
  const noted = Number(rewritten?.customMetadata?.firstPages ?? Number.NaN);
  return Number.isSafeInteger(noted) ? noted : null;
}

async function putRewritten(env: Store, module: Hex, bytes: Uint8Array, firstPages: number): Promise<void> {
  const sha256 = sha256Hex(bytes);
  const customMetadata = { sha256, firstPages: String(firstPages) };
  await env.MODULES.put(rewrittenKey(module), bytes, { sha256, customMetadata });
}

async function bytesOf(object: R2ObjectBody): Promise<Uint8Array> {
  return new Uint8Array(await object.arrayBuffer());
}

function answerOf(module: Hex, bytes: number, rewrittenBytes: number, firstPages: number): ModuleAnswer {
  return { module, bytes, rewrittenBytes, firstPages, rewriterVersion: REWRITER_VERSION };
}
