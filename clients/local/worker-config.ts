// Owns what a local deployment takes from wrangler.toml, in Miniflare's terms. It refuses to load wrangler, which takes longer than
// starting workerd, for a file that it has read before; and to keep anything where secrets stand beside that file.

import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { kept } from "../../tools/kept.ts";
import { withoutSignalHandlers } from "./workerd-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Files and variables by which wrangler lets a person at a desk change what the file says. */
const LOCAL_FILE = /^\.(dev\.vars|env)/;
const LOCAL_VARIABLE = /^CLOUDFLARE_/;

async function read(file: string) {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import("wrangler");
  const path = join(ROOT, file);
  return withoutSignalHandlers(() => {
    const { name, main, assets } = unstable_readConfig({ config: path });
    const { workerOptions, externalWorkers } = unstable_getMiniflareWorkerOptions(path);
    if (name === undefined || main === undefined) throw new Error(`${file} names no main Worker`);
    return { name, main, assets, workerOptions, externalWorkers };
  });
}

/** What a file of the project says of its Worker: its name, its main file, and Miniflare's options for it. */
export type WorkerConfig = Awaited<ReturnType<typeof read>>;

/** Reads `wrangler.toml`, or another one's. @throws Error where it names no main Worker */
export async function readWorkerConfig(file: string): Promise<WorkerConfig> {
  if (readdirSync(ROOT).some((name) => LOCAL_FILE.test(name))) return read(file);
  const variables = Object.entries(process.env).filter(([name]) => LOCAL_VARIABLE.test(name));
  const make = async () => ({ value: await read(file), sources: [file, "clients/local/worker-config.ts"] });
  return kept("worker-config", [file, variables], make);
}
