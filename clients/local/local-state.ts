// Owns what the launcher must find again after a restart: the seed of the local keys and where market time stood. It
// refuses to write it in place, where a kill in the middle would lose it, and a state whose market kept other rules.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { RULES_VERSION } from "../../market/state.ts";
import { instantS } from "../../protocol/fields.ts";
import { writeWhole } from "../household/whole-file.ts";

const localStateSchema = z.strictObject({
  seed: z.string().regex(/^[0-9a-f]{32}$/),
  /** Market time when it was last written. */
  marketS: instantS,
  /** The first day has been traded. */
  hasHistory: z.boolean(),
  /** The money is on a local chain; without one it is test money. For the market's whole life. */
  hasChain: z.boolean(),
});
export type LocalState = z.infer<typeof localStateSchema>;

const FILE = "local.json";

const fileSchema = localStateSchema.extend({
  /** Version of the rules that the market in the folder was decided by. */
  rules: z.int(),
});

/**
 * Reads the state of a folder, or makes a new one that begins at a market time, with a chain or without.
 * @throws Error on a broken file, or one of a release whose market this one cannot go on with
 */
export function readLocalState(folder: string, beginsAtS: number, hasChain: boolean): LocalState {
  const file = join(folder, FILE);
  if (!existsSync(file))
    return { seed: randomBytes(16).toString("hex"), marketS: beginsAtS, hasHistory: false, hasChain };
  const written: unknown = JSON.parse(readFileSync(file, "utf8"));
  // The first release wrote none.
  const rules = (written as { readonly rules?: unknown } | null)?.rules ?? 1;
  if (rules !== RULES_VERSION)
    throw new Error(
      `${folder} holds a market of rules ${String(rules)}, this release has ${RULES_VERSION}: move it away, or name another folder with --state`,
    );
  const { rules: _rules, ...state } = fileSchema.parse(written);
  return state;
}

/** Writes the state, whole. */
export function writeLocalState(folder: string, state: LocalState): void {
  writeWhole(join(folder, FILE), `${JSON.stringify({ ...state, rules: RULES_VERSION })}\n`);
}
