// Owns `polder audit`: a region's journal, downloaded or from a file, believed in nothing. It refuses with the number of
// the first entry that does not follow, and ends with status 1.

import { createReadStream, readdirSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import colours from "picocolors";
import type { Receipt } from "../../evidence/receipt.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type AuditReport, audit } from "../audit/audit.ts";
import { fileMemory } from "../household/agent-memory.ts";
import type { PolderClient } from "../sdk/client.ts";
import { splitLines } from "../sdk/journal-lines.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import { whole } from "./options.ts";

interface AuditOptions extends Place {
  readonly journal?: string;
  readonly save?: string;
  readonly receipts?: string;
  readonly certificates?: number;
  readonly json?: boolean;
}

/** Adds `audit`. */
export function auditCommand(program: Command): void {
  withPlace(
    program
      .command("audit")
      .description(
        "check a region's journal: chain, signatures, proofs, the registry's roots, every decision, state hashes",
      ),
  )
    .option("--journal <file>", "a journal saved before, instead of downloading it")
    .option("--save <file>", "keep the journal here")
    .option("--receipts <path>", "an agent's memory file, or a folder of them: name what the journal omits")
    .option(
      "--certificates <epoch>",
      "derive this epoch's certificate root too, and hold the region to it",
      whole(0, Number.MAX_SAFE_INTEGER),
    )
    .option("--json", "as JSON")
    .action(run);
}

async function run(options: AuditOptions): Promise<void> {
  const { client, region } = await placeOf(options);
  const domain = await client.deployment();
  const receipts =
    options.receipts === undefined
      ? []
      : receiptsIn(options.receipts).filter((receipt) => receipt.region === region);
  const claimed = options.journal === undefined ? await client.stateHash(region) : null;
  const certificates = await rootsToHold(options, client, region);
  const source =
    options.journal === undefined ? client.journal(region) : splitLines(createReadStream(options.journal));
  // The whole of it is kept before it is judged: what is wrong with it must be there to be shown.
  if (options.save !== undefined) await writeFile(options.save, withLineFeeds(source));
  const lines = options.save === undefined ? source : splitLines(createReadStream(options.save));
  const isShown = process.stderr.isTTY === true;
  const report = await audit(domain, lines, {
    receipts,
    certificates,
    progress: (entry, proofs) =>
      isShown &&
      entry % 250 === 0 &&
      process.stderr.write(`\r${entry} entries checked, ${proofs} proofs verified`),
    ...(claimed === null ? {} : { claimed }),
  });
  if (isShown) process.stderr.write("\r\u001b[K");
  console.log(options.json ? JSON.stringify(report) : inWords(region, report));
  if (!report.auditOk) process.exitCode = 1;
}

/** What the region publishes of the epoch that was asked for; null where the journal is a file and nobody is asked. */
async function rootsToHold(
  { certificates: epoch, journal }: AuditOptions,
  client: PolderClient,
  region: string,
): Promise<ReadonlyMap<number, Hex | null>> {
  if (epoch === undefined) return new Map();
  return new Map([[epoch, journal === undefined ? (await client.certificates(region, epoch)).root : null]]);
}

async function* withLineFeeds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

/** Receipts of one agent's memory, or of every `.ndjson` file in a folder. */
function receiptsIn(path: string): Receipt[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith(".ndjson"))
        .map((name) => join(path, name))
    : [path];
  return files.flatMap((file) => [...fileMemory(file).receipts()]);
}

function inWords(region: string, report: AuditReport): string {
  const checked = `${report.entries} entries: ${report.commands} commands with ${report.signatures} signatures and ${report.evidences} evidences, ${report.proofs} proofs of meters, ${report.registryRoots} roots of the registry, ${report.dueSteps} steps the region took by itself, ${report.stateHashes} state hashes, ${report.receipts} receipts`;
  if (report.failure === null) {
    const roots = Object.entries(report.certificateRoots).map(
      ([epoch, root]) => `\ncertificate root of epoch ${epoch} ${root}`,
    );
    return `${colours.green("audit ok")}: ${region}, ${checked}\nhead ${report.headHash}\nstate ${report.stateHash}${roots.join("")}`;
  }
  return `${colours.red("audit failed")} at entry ${report.failure.entry}: ${report.failure.reason}\nbefore it, ${checked}`;
}
