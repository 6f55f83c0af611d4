// Owns the modules that a node has: fetched by their hash, rewritten here, kept on disk and compiled. It refuses bytes of another
// hash, whoever sends them, and to keep more than a few hundred.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { rewriteCommand } from "../../compute/command.ts";
import { REWRITER_VERSION } from "../../compute/metering/fuel-schedule.ts";
import type { Hex } from "../../protocol/fields.ts";
import { writeWhole } from "../household/whole-file.ts";

/** Rewritten modules on disk, and compiled ones in memory. */
const MOST_FILES = 256;
const MOST_COMPILED = 16;

/** A node's modules. */
export class ModuleCache {
  readonly #folder: string;
  readonly #fetch: (module: Hex) => Promise<Uint8Array>;
  readonly #compiled = new Map<Hex, Promise<WebAssembly.Module>>();

  /** @param fetch a module's bytes as they were uploaded, compared with their hash */
  constructor(folder: string, fetch: (module: Hex) => Promise<Uint8Array>) {
    this.#folder = join(folder, `rewritten-${REWRITER_VERSION}`);
    this.#fetch = fetch;
    mkdirSync(this.#folder, { recursive: true });
  }

  /** A module, ready to run. @throws whatever fetching, rewriting or compiling throws; it is tried anew the next time */
  get(module: Hex): Promise<WebAssembly.Module> {
    const known = this.#compiled.get(module);
    if (known !== undefined) return known;
    const compiling = this.#compile(module);
    this.#compiled.set(module, compiling);
    compiling.catch(() => this.#compiled.delete(module));
    if (this.#compiled.size > MOST_COMPILED) this.#compiled.delete(this.#compiled.keys().next().value as Hex);
    return compiling;
  }

  async #compile(module: Hex): Promise<WebAssembly.Module> {
    const file = join(this.#folder, `${module.slice(2)}.wasm`);
    if (existsSync(file)) {
      try {
        return await WebAssembly.compile(readFileSync(file));
      } catch {
        // Damaged on disk; it is made again.
      }
    }
    const rewritten = rewriteCommand(await this.#fetch(module)) as Uint8Array<ArrayBuffer>;
    const compiled = await WebAssembly.compile(rewritten);
    this.#makeRoom();
    writeWhole(file, rewritten);
    return compiled;
  }

  #makeRoom(): void {
    const files = readdirSync(this.#folder).map((name) => join(this.#folder, name));
    if (files.length < MOST_FILES) return;
    const byAge = files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
    for (const file of byAge.slice(0, files.length - MOST_FILES + 1)) rmSync(file, { force: true });
  }
}
