// Owns how tests and measurements come by modules: from text, from C and from AssemblyScript, compiled by the tools that
// people use. It refuses to keep compiled modules in the tree; where a compiler is missing it says so.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import loadWabt from "wabt";

const FEATURES = {
  bulk_memory: true,
  multi_value: true,
  mutable_globals: true,
  reference_types: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
} as const;

/** Proposals that jobs may not use, for tests of their refusal. */
const LATER = {
  exceptions: true,
  extended_const: true,
  function_references: true,
  gc: true,
  memory64: true,
  relaxed_simd: true,
  tail_call: true,
  threads: true,
} as const;

const wabt = await loadWabt();

/** Assembles text, of the baseline or with later proposals. */
export function assemble(text: string, isLater = false): Uint8Array {
  const features = isLater ? { ...FEATURES, ...LATER } : FEATURES;
  const module = wabt.parseWat("test.wat", text, features);
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

/** The module as text, one instruction a line, everything by number. */
export function disassemble(bytes: Uint8Array): string {
  const module = wabt.readWasm(bytes, { ...FEATURES, readDebugNames: false });
  try {
    return module.toText({ foldExprs: false, inlineExport: false });
  } finally {
    module.destroy();
  }
}

const CLANG = "/usr/bin/clang";
const SYSROOT = "/usr/lib/wasm32-wasi";

/** Debian's packages for C; installed here when this is root on a machine that has them. */
const PACKAGES = ["clang", "lld", "wasi-libc", "libclang-rt-dev-wasm32"];

function installClang(): boolean {
  const isThere = (): boolean => existsSync(CLANG) && existsSync(SYSROOT) && existsSync("/usr/bin/wasm-ld");
  if (isThere()) return true;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return false;
  try {
    const args = ["install", "-y", "--no-install-recommends", ...PACKAGES];
    execFileSync("apt-get", args, { stdio: "ignore", timeout: 240_000 });
  } catch {
    return false;
  }
  return isThere();
}

let isInstalled: boolean | undefined;

/** True on a machine that can compile C to WebAssembly, if need be after installing what it takes. */
export function hasClang(): boolean {
  isInstalled ??= installClang();
  return isInstalled;
}

function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "polder-job-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Compiles C as an app would. */
export function compileC(source: string, ...flags: string[]): Uint8Array {
  return withFolder((folder) => {
    const output = join(folder, "job.wasm");
    writeFileSync(join(folder, "job.c"), source);
    const args = ["--target=wasm32-wasi", "--sysroot=/usr", "-O2", ...flags, "-o", output, "job.c", "-lm"];
    execFileSync(CLANG, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    return new Uint8Array(readFileSync(output));
  });
}

/** Compiles AssemblyScript to a command; its sources name the system's functions themselves. */
export async function compileAssemblyScript(source: string): Promise<Uint8Array> {
  const { default: asc } = await import("assemblyscript/asc");
  const args = [
    "job.ts",
    "--outFile",
    "job.wasm",
    "--optimize",
    "--exportStart",
    "_start",
    "--use",
    "abort=job/abort",
  ];
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(args, {
    readFile: (name) => (name === "job.ts" ? source : null),
    writeFile: (name, contents) => {
      if (name === "job.wasm" && typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`);
  return binary;
}
