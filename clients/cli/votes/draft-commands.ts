// Owns the commands that make a proposal: a draft with its form, its refusals and its effect, kept in a file, and its submission.
// It refuses to keep or to send a draft that would be refused.

import type { Command } from "commander";
import { type Draft, draftDocument } from "../../../governance/forms/draft.ts";
import type { Hex } from "../../../protocol/fields.ts";
import type { DraftAnswer } from "../../../protocol/vote-answer.ts";
import { writeWhole } from "../../household/whole-file.ts";
import type { VoteSource } from "../../votes/vote-source.ts";
import { walletOf } from "../chain-context.ts";
import { placeOf } from "../context.ts";
import { readJson } from "../document-files.ts";
import { address, whole } from "../options.ts";
import { callFlag, type DraftFlags, draftOfFlags, saysAnything, valueFlag } from "./draft-flags.ts";
import { askForDraft } from "./draft-questions.ts";
import { printJson, type VotePlace, voterOf, votesOf, withVoter, withVotes } from "./vote-place.ts";
import { formTable, previewReport, refusalLines, short } from "./vote-report.ts";

interface DraftOptions extends VotePlace, DraftFlags {
  readonly out: string;
  readonly proposer?: Hex;
  readonly for?: Hex;
  readonly epochs: number;
}

const MOST_EPOCHS = 30;

/** Adds `proposal draft | submit`. */
export function draftCommands(proposal: Command): void {
  withVotes(proposal.command("draft"))
    .description(
      "write a draft: what it may change, what it would be refused for, and its effect on the last epochs, before anybody votes",
    )
    .option("--set <name=value>", "a governed value of the region; may stand several times", valueFlag, [])
    .option("--call <json>", "any other typed call; may stand several times", callFlag, [])
    .option("--description <text>", "what for; its first line is the title")
    .option("--from <file>", "look at a draft that was kept")
    .option("--out <file>", "where it is kept", "proposal.json")
    .option("--proposer <address>", "who will submit it; the wallet itself without it", address)
    .option("--for <address>", "whose own effect is shown; the proposer's without it", address)
    .option("--epochs <number>", "closed epochs that are paid once more", whole(1, MOST_EPOCHS), MOST_EPOCHS)
    .option("--keystore <file>", "the wallet's encrypted file")
    .action(draft);
  withVoter(proposal.command("submit"))
    .argument("<file>", "a draft")
    .description("propose a draft with the wallet, once it is refused for nothing")
    .action(submit);
}

async function draft(options: DraftOptions): Promise<void> {
  const votes = await votesOf(options);
  if (!saysAnything(options) && options.description !== undefined)
    throw new Error("say what shall change with --set or --call");
  if (!saysAnything(options) && !process.stdin.isTTY) return showForm(votes, options);
  const written = await writtenDraft(votes, options);
  const proposer = await proposerOf(options);
  const preview = { epochs: options.epochs, account: options.for ?? proposer };
  const checked = await votes.checkDraft(written, proposer, preview);
  if (checked.refusals.length > 0) throw new Error(refused(checked));
  if (options.json) printJson({ draft: written, ...checked });
  else printDraft(checked);
  if (options.from !== undefined) return;
  writeWhole(options.out, `${JSON.stringify(written, null, 2)}\n`, 0o644);
  if (!options.json) console.log(`kept in ${options.out}; polder proposal submit ${options.out} proposes it`);
}

async function writtenDraft(votes: VoteSource, options: DraftOptions): Promise<Draft> {
  if (saysAnything(options))
    return draftOfFlags(options, options.set.length === 0 ? null : await regionOf(options));
  return askForDraft(await votes.parameters(await regionOf(options)));
}

async function showForm(votes: VoteSource, options: DraftOptions): Promise<void> {
  const form = await votes.parameters(await regionOf(options));
  if (options.json) return printJson(form);
  console.log(formTable(form));
  console.log("change some with --set name=value and say what for with --description");
}

async function regionOf(options: VotePlace): Promise<string> {
  if (options.region !== undefined) return options.region;
  return (await placeOf(options)).region;
}

/** The proposer stands in the description, and its votes are looked at. */
async function proposerOf(options: DraftOptions): Promise<Hex> {
  return options.proposer ?? ((await walletOf(options)).address.toLowerCase() as Hex);
}

function printDraft({ description, calls, changes, previews }: DraftAnswer): void {
  console.log(description);
  for (const [place, { words }] of calls.entries()) console.log(`call ${place + 1}: ${words}`);
  for (const { region, values } of changes)
    for (const { name, current, value } of values)
      console.log(`  ${region} ${name}: ${current ?? "?"} -> ${value}`);
  for (const preview of previews) console.log(`\n${previewReport(preview)}`);
}

function refused({ calls, refusals }: DraftAnswer): string {
  return [
    "the draft would be refused, and was not kept or sent:",
    ...calls.map(({ words }, place) => `call ${place + 1} ${words}`),
    ...refusalLines(refusals),
  ].join("\n");
}

async function submit(file: string, options: VotePlace): Promise<void> {
  const written = draftDocument.parse(readJson(file)) as unknown as Draft;
  const { votes, overview, wallet } = await voterOf(options);
  const checked = await votes.checkDraft(written, wallet.address);
  if (checked.refusals.length > 0) throw new Error(refused(checked));
  const { id, hash } = await wallet.propose(written, overview.contracts);
  if (options.json) return printJson({ proposal: id, proposer: wallet.address, transaction: hash });
  console.log(`proposed as ${short(id)} (${id}) by ${wallet.address} (${hash})`);
}
