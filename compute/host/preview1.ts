// Owns which functions of WASI preview 1 a job may import, with their types, and what a command must export. It refuses
// files, sockets and signals by name: a job has three streams, arguments, an environment, a clock, randomness, an end.

import { type DecodedModule, KIND_FUNCTION, KIND_MEMORY } from "../module/decoded-module.ts";
import { type FunctionType, I32, I64 } from "../module/value-types.ts";
import { refuse, shown } from "../refusal.ts";

export const PREVIEW1 = "wasi_snapshot_preview1";

/** Parameters as letters, i of 32 and l of 64 bits. All answer an error number but proc_exit, which never does. */
export const PREVIEW1_PARAMETERS = {
  args_get: "ii",
  args_sizes_get: "ii",
  environ_get: "ii",
  environ_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "ili",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_filestat_get: "ii",
  fd_read: "iiii",
  fd_seek: "ilii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  poll_oneoff: "iiii",
  proc_exit: "i",
  random_get: "ii",
  sched_yield: "",
  // Standard libraries name these though their programs open nothing; they find no directory to look in.
  fd_prestat_get: "ii",
  fd_prestat_dir_name: "iii",
  fd_readdir: "iiili",
  path_filestat_get: "iiiii",
  path_open: "iiiiillii",
  path_readlink: "iiiiii",
} as const satisfies Record<string, string>;

export type Preview1Name = keyof typeof PREVIEW1_PARAMETERS;

const LETTERS: Readonly<Record<string, number>> = { i: I32, l: I64 };

/**
 * Throws unless the module is a command that a job can be: its imports are known, and it exports `_start` and `memory`.
 *
 * @throws ModuleRefused with `module_import_refused` or `module_not_command`.
 */
export function checkCommand({ imports, exports, functions }: DecodedModule): void {
  for (const { module, name, type } of imports) {
    if (module !== PREVIEW1 || !Object.hasOwn(PREVIEW1_PARAMETERS, name))
      refuse("module_import_refused", { module: shown(module), name: shown(name), reason: "unknown" });
    if (!hasType(type, name as Preview1Name))
      refuse("module_import_refused", { module, name, reason: "another type" });
  }
  const start = exports.find(({ name }) => name === "_start");
  const type = start?.kind === KIND_FUNCTION ? functions[start.index] : undefined;
  if (type === undefined || type.params.length > 0 || type.results.length > 0)
    refuse("module_not_command", { missing: "_start" });
  if (!exports.some(({ name, kind }) => name === "memory" && kind === KIND_MEMORY))
    refuse("module_not_command", { missing: "memory" });
}

function hasType({ params, results }: FunctionType, name: Preview1Name): boolean {
  const letters: string = PREVIEW1_PARAMETERS[name];
  const hasResult = name === "proc_exit" ? results.length === 0 : results.length === 1 && results[0] === I32;
  const fits = (type: number, index: number): boolean => type === LETTERS[letters[index] ?? ""];
  return hasResult && params.length === letters.length && params.every(fits);
}
