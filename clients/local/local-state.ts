// Owns what the launcher must find again after a restart: the seed of the local keys and where market time stood. It
// refuses to write it in place: a kill in the middle leaves the old file.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { instantS } from "../../protocol/fields.ts";

const localStateSchema = z.strictObject({
  seed: z.string().regex(/^[0-9a-f]{32}$/),
  /** Market time when it was last written. */
  marketS: instantS,
  /** The first day has been traded. */
  hasHistory: z.boolean(),
});
export type LocalState = z.infer<typeof localStateSchema>;

const FILE = "local.json";

/** Reads the state of a folder, or makes a new one that begins at a market time. @throws Error on a broken file */
export function readLocalState(folder: string, beginsAtS: number): LocalState {
  const file = join(folder, FILE);
  if (!existsSync(file))
    return { seed: randomBytes(16).toString("hex"), marketS: beginsAtS, hasHistory: false };
  return localStateSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** Writes the state: to a file beside it, synced, renamed. */
export function writeLocalState(folder: string, state: LocalState): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, FILE);
  const descriptor = openSync(`${file}.next`, "w", 0o600);
  writeSync(descriptor, `${JSON.stringify(state)}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${file}.next`, file);
}
