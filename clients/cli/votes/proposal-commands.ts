// Owns the commands about proposals that are there: listing, showing, voting, queueing, executing, cancelling. It refuses a number
// whose beginning fits two proposals.

import type { Command } from "commander";
import { SUPPORTS, type Support } from "../../../governance/forms/ballot.ts";
import type { Hex } from "../../../protocol/fields.ts";
import type { ProposalAnswer } from "../../../protocol/vote-answer.ts";
import { PolderClient } from "../../sdk/client.ts";
import { PolderProblem } from "../../sdk/problem.ts";
import { VoteClient } from "../../sdk/vote-client.ts";
import type { VoteSource } from "../../votes/vote-source.ts";
import { signBallot } from "../../votes/vote-wallet.ts";
import { walletOf } from "../chain-context.ts";
import { printJson, type VotePlace, voterOf, votesOf, withVoter, withVotes } from "./vote-place.ts";
import { operationTable, proposalReport, proposalTable, short, tokens } from "./vote-report.ts";

interface VoteOptions extends VotePlace {
  readonly reason: string;
  readonly bySignature?: boolean;
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
    .option(
      "--by-signature",
      "sign only; the deployment's relay sends it, and no ether and no --rpc is needed",
    )
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

/** A region that the deployment does not have, that is not open, or that has closed no epoch yet. */
const WITHOUT_PAST: ReadonlySet<string> = new Set(["region_not_found", "region_not_open", "epoch_not_found"]);

async function show(id: string, options: VotePlace): Promise<void> {
  const votes = await votesOf(options);
  const { proposal, ballots } = await votes.proposal((await findProposal(votes, id)).id);
  // The past is a deployment's to show; without one, or without a past, the proposal is shown all the same.
  const previews = await votes.preview(proposal.id).catch((error: unknown) => {
    if (error instanceof PolderProblem && WITHOUT_PAST.has(error.code)) return [];
    console.error(`no effect can be shown: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  });
  if (options.json) return printJson({ proposal, ballots, previews });
  console.log(proposalReport(proposal, ballots, previews));
}

async function vote(id: string, support: Support, options: VoteOptions): Promise<void> {
  if (options.bySignature) return relay(id, support, options);
  const { votes, wallet } = await voterOf(options);
  const proposal = await findProposal(votes, id);
  const ballot = { proposal: proposal.id, support, reason: options.reason };
  const { hash, weight } = await wallet.vote(ballot);
  if (options.json) return printJson({ ...ballot, voter: wallet.address, weight, transaction: hash });
  console.log(
    `${wallet.address} voted ${support} with ${tokens(weight)} votes on ${short(proposal.id)} (${hash})`,
  );
}

/** @throws Error that holds the call for the voter's own wallet where the relay would send it, but for its budget */
async function relay(id: string, support: Support, options: VoteOptions): Promise<void> {
  const signer = await walletOf(options);
  const votes = new VoteClient(new PolderClient(options.url));
  const { chainId, contracts } = await votes.overview();
  const proposal = await findProposal(votes, id);
  const { nonce } = await votes.voter(proposal.id, signer.address.toLowerCase() as Hex);
  const place = { chainId, governor: contracts.governor };
  const ballot = await signBallot(signer, place, {
    ...{ proposal: proposal.id, support, nonce, reason: options.reason },
  });
  const relayed = await votes.relay(ballot).catch((error: unknown) => {
    throw error instanceof PolderProblem && error.facts.to !== undefined ? withOwnWay(error) : error;
  });
  if (options.json) return printJson(relayed);
  console.log(
    `${ballot.voter} signed ${support} on ${short(proposal.id)}; the relay sent it (${relayed.transaction ?? "soon"})`,
  );
}

function withOwnWay(problem: PolderProblem): Error {
  const { to, data } = problem.facts;
  return new Error(
    `${problem.message}\nsend it yourself, without --by-signature, or from any wallet: to ${to}, data ${data}`,
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
