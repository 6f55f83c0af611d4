// Owns `npm run examples`: the example jobs compiled beside their sources, ready for `polder job run`. It refuses nothing; what
// no compiler is there for is named and left out.

import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { assemble, compileAssemblyScript, compileC, hasClang } from "./job-sources.ts";
import { ROOT } from "./program.ts";

const FOLDER = join(ROOT, "docs/examples/jobs");

const source = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

function keep(name: string, module: Uint8Array): void {
  const file = join(FOLDER, `${name}.wasm`);
  writeFileSync(file, module);
  console.log(`${relative(process.cwd(), file)}  ${module.length} bytes`);
}

keep("base64", assemble(source("base64.wat")));
keep("words", await compileAssemblyScript(source("words.as")));
if (hasClang()) keep("thumbnail", compileC(source("thumbnail.c")));
else console.log("thumbnail.c is left out: it takes clang, lld, wasi-libc and libclang-rt-dev-wasm32");
