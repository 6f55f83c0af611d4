// Owns what need not be made again: a value that was made of files stays in node_modules/.cache until one of them is another.
// It refuses to keep what was made while a file of it changed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";

const ROOT = dirname(import.meta.dirname);
const FOLDER = join(ROOT, "node_modules/.cache/polder/kept");
/** npm writes it whenever it adds, changes or takes a package: no file of a package need be looked at. */
const PACKAGES = "node_modules/.package-lock.json";
const ABSENT = "absent";
/** A file system's clock runs behind ours, and may count in whole seconds. */
const CLOCK_SLACK_MS = 2_000;

/** A value as JSON bears it, and the files, relative to the project's folder, that it was made of; one may be absent. */
export interface Made<T> {
  readonly value: T;
  readonly sources: readonly string[];
}

interface Kept<T> {
  readonly value: T;
  /** Hash by source. */
  readonly sources: Readonly<Record<string, string>>;
}

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

function hashOf(source: string): string {
  const path = join(ROOT, source);
  return existsSync(path) ? sha256(readFileSync(path)) : ABSENT;
}

/** The kept value, or null where there is none, it cannot be read, or a source is another. */
function readKept<T>(file: string): T | null {
  if (!existsSync(file)) return null;
  try {
    const { value, sources }: Kept<T> = JSON.parse(readFileSync(file, "utf8"));
    return Object.entries(sources).every(([source, hash]) => hashOf(source) === hash) ? value : null;
  } catch {
    return null;
  }
}

function keep<T>(file: string, { value, sources }: Made<T>, startedMs: number): void {
  const own = sources.filter((source) => !source.startsWith("node_modules/"));
  const isNewer = (source: string): boolean =>
    existsSync(join(ROOT, source)) && statSync(join(ROOT, source)).mtimeMs > startedMs - CLOCK_SLACK_MS;
  if (own.some(isNewer)) return;
  const hashes = Object.fromEntries([PACKAGES, ...own].map((source) => [source, hashOf(source)]));
  mkdirSync(FOLDER, { recursive: true });
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, JSON.stringify({ value, sources: hashes } satisfies Kept<T>), { mode: 0o600 });
  renameSync(part, file);
}

/** Where a value is kept. */
export function keptFile(name: string, key: unknown): string {
  return join(FOLDER, `${name}-${sha256(JSON.stringify([ROOT, key])).slice(0, 16)}.json`);
}

/**
 * What was made under a key before, else what is made now.
 * @param key whatever else than files decides on the value, as JSON.
 */
export async function kept<T>(name: string, key: unknown, make: () => Promise<Made<T>>): Promise<T> {
  const file = keptFile(name, key);
  const found = readKept<T>(file);
  if (found !== null) return found;
  const startedMs = Date.now();
  const made = await make();
  keep(file, made, startedMs);
  return made.value;
}

/** What esbuild made: its files, and the names of what it read. */
export interface Bundle {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly inputs: readonly string[];
}

/**
 * esbuild's text files for these options, from before where it would make the same.
 * @param madeBy path of the file that says what its plugins do.
 * @param given what its plugins do it with.
 */
export function keptBundle(name: string, options: BuildOptions, madeBy: string, given = ""): Promise<Bundle> {
  return kept(name, [options, given], async () => {
    const { outputFiles, metafile } = await build({
      ...options,
      absWorkingDir: ROOT,
      write: false,
      metafile: true,
    });
    const inputs = Object.keys(metafile.inputs);
    // Others are a plugin's or come with the options.
    const read = inputs.filter((input) => existsSync(resolve(ROOT, input)));
    const files = (outputFiles ?? []).map(({ path, text }) => ({ path, text }));
    return { value: { files, inputs }, sources: [relative(ROOT, madeBy), ...read] };
  });
}
