// Owns the commands about modules of jobs: upload, and what a deployment knows of one. It refuses files larger than a module may
// be before they are read; the API key comes from POLDER_API_KEY.

import { readFileSync, statSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { parseApiKey } from "../../evidence/session-signature.ts";
import { bytes32, type Hex } from "../../protocol/fields.ts";
import type { ModuleAnswer } from "../../protocol/jobs.ts";
import { MAX_MODULE_BYTES } from "../../protocol/limits.ts";
import { PolderClient } from "../sdk/client.ts";
import { describeModule, uploadModule } from "../sdk/modules.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import { table } from "./figures.ts";

interface ModuleOptions extends Place {
  readonly json?: boolean;
}

/** Adds `module upload | show`. */
export function moduleCommands(program: Command): void {
  const module = program.command("module").description("WebAssembly modules that jobs run");
  withPlace(
    module
      .command("upload")
      .description("check, rewrite and store a WASI command; prints the name that jobs have for it")
      .argument("<file>", "the module (.wasm)"),
  )
    .option("--json", "as JSON")
    .addHelpText("after", "\nkeys: POLDER_API_KEY, of an account of the region")
    .action(upload);
  withPlace(
    module
      .command("show")
      .description("what is known of a stored module")
      .argument("<module>", "its SHA-256, 0x and 64 hex digits", moduleName),
  )
    .option("--json", "as JSON")
    .action(show);
}

async function upload(file: string, options: ModuleOptions): Promise<void> {
  const token = process.env.POLDER_API_KEY;
  if (token === undefined || parseApiKey(token) === null)
    throw new Error("set POLDER_API_KEY to an API key: polder_<account><seed>");
  if (statSync(file).size > MAX_MODULE_BYTES)
    throw new Error(`${file} is larger than a module may be (${MAX_MODULE_BYTES} bytes)`);
  const { client, region } = await placeOf(options);
  print(await uploadModule(client, region, token, readFileSync(file)), options);
}

async function show(module: Hex, options: ModuleOptions): Promise<void> {
  print(await describeModule(new PolderClient(options.url), module), options);
}

function print(answer: ModuleAnswer, { json }: ModuleOptions): void {
  if (json) {
    console.log(JSON.stringify(answer));
    return;
  }
  const { module, bytes, rewrittenBytes, firstPages, rewriterVersion } = answer;
  console.log(
    table(
      [],
      [
        ["module", module],
        ["size", `${bytes} bytes, ${rewrittenBytes} rewritten (version ${rewriterVersion})`],
        ["memory", `${firstPages * 64} KiB at the start`],
      ],
    ),
  );
}

function moduleName(text: string): Hex {
  const parsed = bytes32.safeParse(text.toLowerCase());
  if (!parsed.success) throw new InvalidArgumentError("a module is named by 0x and 64 hex digits");
  return parsed.data;
}
