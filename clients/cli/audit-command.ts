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
import { type AuditedChain, chainOfRegion } from "../audit/chain-of-region.ts";
import { fileMemory } from "../household/agent-memory.ts";
import type { PolderClient } from "../sdk/client.ts";
import { splitLines } from "../sdk/journal-lines.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import { httpAddress, whole } from "./options.ts";

interface AuditOptions extends Place {
  readonly journal?: string;
  readonly save?: string;
  readonly receipts?: string;
  readonly certificates?: number;
  readonly rpc?: string;
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
    .option(
      "--rpc <url>",
      "of the region's chain: hold reports, deposits and meters there against the journal",
      httpAddress,
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
  // Before the journal: what is on the chain by now is in it, or never will be.
  const chained = options.rpc === undefined ? null : await chainOfRegion(client, region, options.rpc);
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
    ...(chained === null ? {} : { reported: chained.reported, chain: chained.chain }),
  });
  if (isShown) process.stderr.write("\r\u001b[K");
  if (options.json)
    console.log(JSON.stringify(chained === null ? report : { ...report, chainBlock: chained.block }));
  else
    console.log(
      [inWords(region, report), ...auditsInWords(report), ...chainInWords(report, chained)].join("\n"),
    );
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

/** What running jobs again came to, and what a journal alone cannot tell of it. */
function auditsInWords({ audits }: AuditReport): string[] {
  const { recorded, drawn, disputed, undrawn, missed, untold, unshown } = audits;
  if (recorded + missed.length + untold + unshown === 0) return [];
  return [
    `results of jobs: ${recorded} run again, ${drawn} of them as they were drawn and ${disputed} because others differed; ${unshown} wait for their epoch's secret`,
    ...(undrawn.length === 0 ? [] : [`run again and not drawn: obligations ${undrawn.join(", ")}`]),
    ...(missed.length === 0 ? [] : [`drawn and not run again: obligations ${missed.join(", ")}`]),
    ...(untold === 0
      ? []
      : [`${untold} were not run again, and only the chain's blocks tell whether they were drawn`]),
  ];
}

/** What was held against the chain, and what of the chain is not in the journal. */
function chainInWords(report: AuditReport, chained: AuditedChain | null): string[] {
  if (chained === null) return [];
  const { reports, deposits, registryEvents, passedOver, uncredited, votes, lateVotes, unvoted } = report;
  const { stakes, stakesPassedOver } = report;
  const { chain, block, reported } = chained;
  const { versions, stakeEvents } = chain.record;
  const meters =
    chain.record.registryEvents === null ? "no register" : `${registryEvents} events of the register`;
  // The first version is the opening's and none that was voted.
  const voted = versions === null ? "no votes" : `${votes} of ${Math.max(0, versions.length - 1)} votes`;
  const staked = stakeEvents === null ? "no stakes" : `${stakes} of ${stakeEvents.length} stake events`;
  return [
    `the chain as of block ${block}: ${reports} of ${reported.size} reports, ${deposits} of ${chain.record.deposits.length} deposits, ${meters}, ${voted}, ${staked} are as the journal has them`,
    ...(passedOver.length === 0
      ? []
      : [`${passedOver.length} events of the register were passed over: ${passedOver.join(", ")}`]),
    ...(stakesPassedOver.length === 0
      ? []
      : [`${stakesPassedOver.length} stake events were passed over: ${stakesPassedOver.join(", ")}`]),
    ...(uncredited.length === 0
      ? []
      : [`not credited yet: deposits ${uncredited.map(({ index }) => index).join(", ")}`]),
    ...lateVotes.map(
      ({ version, fromEpoch, heldFrom }) =>
        `vote ${version} came late: it was to hold from epoch ${fromEpoch} on and did from ${heldFrom}`,
    ),
    ...(unvoted.length === 0
      ? []
      : [`parameters that nobody voted for were set by entries ${unvoted.join(", ")}`]),
  ];
}
