// Owns which registers of a meter stand for what crossed its connection, where several say it. It refuses to count the
// same energy twice.

import type { Measure } from "./interval.ts";

/**
 * `one-way`: import and export, each by its own register. `net`: one register for both. `gross`: generation and load
 * behind the connection, whose difference crossed it.
 */
export type ConnectionRegisters = "one-way" | "net" | "gross";

/** Two one-way registers say most; a net register says more than only one of them. */
export function connectionRegisters(measures: ReadonlySet<Measure>): ConnectionRegisters {
  const isBothWays = measures.has("import") && measures.has("export");
  if (measures.has("net") && !isBothWays) return "net";
  return measures.has("import") || measures.has("export") ? "one-way" : "gross";
}
