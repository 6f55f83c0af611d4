// Owns how a module is refused: one error that carries a code of the closed table with its facts. It refuses to be
// confused with a fault of ours: nothing else is thrown at a module's bytes.

import { type ErrorCode, type Facts, type Rejection, rejected } from "../protocol/errors.ts";

/** What the rewriter throws, and all that it throws, whatever bytes it is given. */
export class ModuleRefused extends Error {
  readonly rejection: Rejection;

  constructor(rejection: Rejection) {
    super(`${rejection.code} ${JSON.stringify(rejection.facts)}`);
    this.name = "ModuleRefused";
    this.rejection = rejection;
  }
}

export function refuse(code: ErrorCode, facts: Facts): never {
  throw new ModuleRefused(rejected(code, facts));
}

/** The bytes are no valid module; the offset counts from the module's first byte. */
export function refuseInvalid(reason: string, offset: number): never {
  refuse("module_invalid", { reason, offset });
}

/** A proposal beyond what jobs may use, by the name that its specification has. */
export function refuseFeature(feature: string, offset: number): never {
  refuse("module_feature_refused", { feature, offset });
}

/** Throws unless `value` of something countable is at most `most`. */
export function expectAtMost(limit: string, value: number, most: number): void {
  if (value > most) refuse("module_limit_exceeded", { limit, value, most });
}

/** A name as a fact: what an attacker writes into an answer stays short. */
export function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
