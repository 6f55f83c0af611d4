// Owns what happens to a module at upload: it is checked to be a command and rewritten. It refuses, with a code and its
// facts, everything that could not be run the same everywhere and be counted.

import { checkCommand } from "./host/preview1.ts";
import { meterModule } from "./metering/rewrite.ts";

/**
 * Rewrites a WASI preview 1 command into the module that is stored and run. Equal bytes give equal bytes; the version is
 * `REWRITER_VERSION`.
 *
 * @throws ModuleRefused, and nothing else, whatever the bytes are.
 */
export function rewriteCommand(source: Uint8Array): Uint8Array {
  return prepareCommand(source).bytes;
}

/** A rewritten command, and the pages that its memory begins with: a job that may have fewer cannot run. */
export interface PreparedCommand {
  readonly bytes: Uint8Array;
  readonly firstPages: number;
}

/** `rewriteCommand`, with what an app wants to know besides. @throws ModuleRefused, and nothing else */
export function prepareCommand(source: Uint8Array): PreparedCommand {
  const { module, bytes } = meterModule(source);
  checkCommand(module);
  return { bytes, firstPages: module.memories[0]?.least ?? 0 };
}
