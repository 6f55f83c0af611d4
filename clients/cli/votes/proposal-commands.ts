// Owns the commands about proposals that are there: listing, showing, voting, queueing, executing, cancelling. It refuses a number
// whose beginning fits two proposals.

import type { Command } from "commander";
import { type Ballot, SUPPORTS, type Support } from "../../../governance/forms/ballot.ts";
import type { ProposalAnswer } from "../../../protocol/vote-answer.ts";
import type { VoteSource } from "../../votes/vote-source.ts";
import { printJson, type VotePlace, voterOf, votesOf, withVoter, withVotes } from "./vote-place.ts";
import { operationTable, proposalReport, proposalTable, short, tokens } from "./vote-report.ts";

interface VoteOptions extends VotePlace {
  readonly reason?: string;
}

/** Adds `proposal list | show | vote | queue | execute | cancel`. @returns the noun */
export function proposalCommands(program: Command): Command {
  const proposal = program.command("proposal").description("what is voted on");
  withVotes(proposal.command("list")).description("all proposals, the newest first").action(list);
  withVotes(proposal.command("operations"))
    .description("what the timelock holds or held, also what no proposal made")
    .action(listOperations);
  withId(withVotes(proposal.command("show")))
    .description("a proposal: its state, quorum, votes, calls, and its effect on the last epochs")
    .action(show);
  withId(withVoter(proposal.command("vote")))
    .argument("<vote>", SUPPORTS.join(", "), supportOf)
    .option("--reason <text>", "why, for all to read", "")
    .description("vote with the wallet's votes, as they were at the proposal's snapshot")
    .action(vote);
  const acts = [
    ["queue", "hand what was passed to the timelock; anybody may"],
    ["execute", "execute what has waited; anybody may"],
    ["cancel", "take a proposal back: its proposer while it is pending, the guardian at any time"],
  ] as const;
  for (const [act, description] of acts)
    withId(withVoter(proposal.command(act)))
      .description(description)
      .action((id: string, options: VotePlace) => run(act, id, options));
  return proposal;
}

function withId(command: Command): Command {
  return command.argument("<proposal>", "its number, or as much of its beginning as is not another's");
}

function supportOf(text: string): Support {
  const found = SUPPORTS.find((support) => support === text);
  if (found === undefined) throw new Error(`a vote is one of ${SUPPORTS.join(", ")}`);
  return found;
}

async function list(options: VotePlace): Promise<void> {
  const votes = await votesOf(options);
  const proposals = await votes.proposals();
  if (options.json) return printJson({ proposals });
  console.log(proposals.length === 0 ? "nothing was proposed yet" : proposalTable(proposals));
}

async function listOperations(options: VotePlace): Promise<void> {
  const operations = await (await votesOf(options)).operations();
  if (options.json) return printJson({ operations });
  console.log(operations.length === 0 ? "the timelock was never given anything" : operationTable(operations));
}

async function show(id: string, options: VotePlace): Promise<void> {
  const votes = await votesOf(options);
  const { proposal, ballots } = await votes.proposal((await findProposal(votes, id)).id);
  // The past is a deployment's to show; without one, or without a past, the proposal is shown all the same.
  const previews = await votes.preview(proposal.id).catch(() => []);
  if (options.json) return printJson({ proposal, ballots, previews });
  console.log(proposalReport(proposal, ballots, previews));
}

async function vote(id: string, support: Support, options: VoteOptions): Promise<void> {
  const { votes, wallet } = await voterOf(options);
  const proposal = await findProposal(votes, id);
  const ballot: Pick<Ballot, "proposal" | "support" | "reason"> = {
    ...{ proposal: proposal.id, support },
    reason: options.reason ?? "",
  };
  const { hash, weight } = await wallet.vote(ballot);
  if (options.json) return printJson({ ...ballot, voter: wallet.address, weight, transaction: hash });
  console.log(
    `${wallet.address} voted ${support} with ${tokens(weight)} votes on ${short(proposal.id)} (${hash})`,
  );
}

const DONE = {
  queue: "is queued in the timelock",
  execute: "is executed",
  cancel: "is cancelled",
} as const;

async function run(act: keyof typeof DONE, id: string, options: VotePlace): Promise<void> {
  const { votes, wallet } = await voterOf(options);
  const proposal = await findProposal(votes, id);
  const transaction = await wallet[act](proposal.id);
  if (options.json) return printJson({ proposal: proposal.id, transaction });
  console.log(`${short(proposal.id)} ${DONE[act]} (${transaction})`);
}

/** The proposal whose number is this or begins with it. @throws Error where there is none, or more than one */
export async function findProposal(votes: VoteSource, id: string): Promise<ProposalAnswer> {
  if (!/^\d{1,78}$/.test(id)) throw new Error(`not a proposal's number: ${id}`);
  const all = await votes.proposals();
  const found =
    all.find((proposal) => proposal.id === id) ?? all.filter((proposal) => proposal.id.startsWith(id));
  const matches = [found].flat() as ProposalAnswer[];
  const [only] = matches;
  if (only === undefined) throw new Error(`there is no proposal ${id}`);
  if (matches.length > 1)
    throw new Error(`${id} begins ${matches.length} proposals' numbers: write more of it`);
  return only;
}
