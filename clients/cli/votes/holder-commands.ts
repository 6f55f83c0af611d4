// Owns the commands about who votes for whom, and about the treasury. It refuses to move anything out of the treasury: only a
// vote does.

import type { Command } from "commander";
import type { Hex } from "../../../protocol/fields.ts";
import { money, table } from "../figures.ts";
import { address } from "../options.ts";
import { printJson, type VotePlace, voterOf, votesOf, withVoter, withVotes } from "./vote-place.ts";
import { asOf, delegateTable, span, tokens } from "./vote-report.ts";

/** Adds `delegate`, `delegates` and `treasury`. */
export function holderCommands(program: Command): void {
  withVoter(program.command("delegate"))
    .argument("[address]", "who shall vote with the wallet's tokens; the wallet itself without it", address)
    .description("give the wallet's votes, all of them, to an account; they count at snapshots from now on")
    .action(delegate);
  withVotes(program.command("delegates"))
    .description("who votes for whom, the most votes first")
    .action(listDelegates);
  withVotes(program.command("treasury"))
    .description("what the treasury holds, and what votes are made of")
    .action(showTreasury);
}

async function delegate(account: Hex | undefined, options: VotePlace): Promise<void> {
  const { wallet } = await voterOf(options);
  const delegatee = account ?? wallet.address;
  const transaction = await wallet.delegate(delegatee);
  if (options.json) return printJson({ delegator: wallet.address, delegate: delegatee, transaction });
  const whom = delegatee === wallet.address ? "itself" : delegatee;
  console.log(`${wallet.address} gave its votes to ${whom} (${transaction})`);
}

async function listDelegates(options: VotePlace): Promise<void> {
  const delegates = await (await votesOf(options)).delegates();
  if (options.json) return printJson({ delegates });
  console.log(delegates.length === 0 ? "nobody was given votes yet" : delegateTable(delegates));
}

async function showTreasury(options: VotePlace): Promise<void> {
  const overview = await (await votesOf(options)).overview();
  if (options.json) return printJson(overview);
  const { treasury, token, settings, contracts, block } = overview;
  console.log(
    table(
      [],
      [
        ["treasury", treasury.account],
        ["quote asset", money(BigInt(treasury.quoteMicros))],
        [token.symbol, tokens(treasury.tokens)],
        ["ether, which no vote can spend", tokens(treasury.wei)],
        [`${token.symbol} there are, and may be`, `${tokens(token.supply)}, ${tokens(token.cap)}`],
        ["governor", contracts.governor],
        ["from a proposal to its snapshot", span(settings.votingDelaySeconds)],
        [
          "open for votes",
          `${span(settings.votingPeriodSeconds)}; ${span(settings.lateQuorumSeconds)} after a late quorum`,
        ],
        ["from passed to executed", span(settings.timelockDelaySeconds)],
        ["quorum", `${settings.quorumPercent} % of all tokens`],
        ["votes that a proposer needs", tokens(settings.proposalThreshold)],
        ["guardian, who may cancel", settings.guardian],
      ],
    ),
  );
  console.log(asOf(block));
}
