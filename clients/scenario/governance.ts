// Owns the scenario of a vote in a region that trades: homes delegate, propose, vote, queue and execute on a local chain, and the
// epochs before and after are compared. It refuses to end while anything it started still runs.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Abi } from "viem";
import { parametersAbi } from "../../governance/calls/vote-abi.ts";
import type { ParametersAnswer } from "../../protocol/answers.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { changesOf } from "../../protocol/governed-values.ts";
import type { PreviewAnswer } from "../../protocol/preview-answer.ts";
import { audit } from "../audit/audit.ts";
import { chainOfRegion } from "../audit/chain-of-region.ts";
import { claimAll } from "../chain/claims.ts";
import { WindowProver } from "../household/window-prover.ts";
import { admitHousehold, openRegion } from "../local/neighbourhood.ts";
import { type EpochUnderVote, type GovernanceResult, isGoodVote } from "./governance-result.ts";
import { HomesVote } from "./homes-decide.ts";
import {
  EPOCH_SECONDS,
  type Home,
  type MarketScene,
  PROOF_DELAY_SECONDS,
  SettledMarket,
  sceneTerms,
} from "./settled-market.ts";

export interface GovernanceOptions {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const SEED = "scenario/governance";
const REGION = "polder-vote";
/** Half an hour before the first epoch. */
const BEGINS_AT_S = Date.UTC(2026, 5, 20, 9, 30) / 1_000;
const FIRST_EPOCH = Math.floor(BEGINS_AT_S / EPOCH_SECONDS) + 1;
/** The vote is in the second; it holds from the first that begins an hour after it. */
const EPOCHS = 4;
const SLOTS = 4;
const PROVING_PROCESSES = 2;
const POLL_MS = 500;
const TOKEN = 10n ** 18n;

/** What the vote changes; each within a step from what the region opens with. */
const VOTED = { takeRateBps: 150, emissionPerEpoch: String(2n * TOKEN) } as const;
const DESCRIPTION = "Charge one and a half percent, and reward twice as much";

const PARAMETERS: Parameters = {
  networkFeeMicrosPerKwh: 20_000,
  takeRateBps: 100,
  clearingPriceK: 5_000,
  proofDelaySeconds: PROOF_DELAY_SECONDS,
  emissionPerEpoch: String(TOKEN),
  emissionDecayBps: 0,
  rewardWeightEnergy: 1,
  rewardWeightCompute: 0,
  rewardWeightBandwidth: 0,
  shareCapBps: 10_000,
  outflowCapBps: 2_000,
  // So much that the emission is what limits rewards.
  rewardPerFee: String(1_000n * TOKEN),
  providerMinimumStake: 0,
  auditRateBps: 0,
};

const SCENE: MarketScene = {
  seed: SEED,
  terms: sceneTerms(REGION, "A region that votes", PARAMETERS),
  homes: [
    { name: "ada", netWh: 900, creditMicros: 100_000_000 },
    { name: "dora", netWh: 300, creditMicros: 100_000_000 },
    { name: "ben", netWh: -750, creditMicros: 200_000_000 },
    { name: "cleo", netWh: -500, creditMicros: 200_000_000 },
  ],
  firstEpoch: FIRST_EPOCH,
  tradedEpochs: EPOCHS,
};
const SELLERS = 2;

/** Plays it in a folder of its own. */
export async function runGovernance({ signal, progress }: GovernanceOptions): Promise<GovernanceResult> {
  const folder = mkdtempSync(join(tmpdir(), "polder-vote-"));
  const prover = new WindowProver({ processes: PROVING_PROCESSES });
  signal.addEventListener("abort", () => void prover.close(), { once: true });
  try {
    const options = { scene: SCENE, folder, prover, signal, progress, isMirrored: true, atS: BEGINS_AT_S };
    const market = await SettledMarket.open(options);
    try {
      return await play(market, progress);
    } finally {
      await market.end();
    }
  } finally {
    await prover.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(
  market: SettledMarket,
  progress: GovernanceOptions["progress"],
): Promise<GovernanceResult> {
  await openRegion(market.client, SEED, SCENE.terms);
  for (const { enrolment } of market.homes) await admitHousehold(market.client, REGION, SEED, enrolment);
  await market.until("the mirror brings the meters", async () => {
    const { meters } = await market.client.market(REGION);
    return meters === market.homes.length;
  });
  await market.work();
  await trade(market, FIRST_EPOCH);
  progress(`epoch ${FIRST_EPOCH} is traded and closed`);
  const shown = await market.client.preview({ region: REGION, values: VOTED });
  const decided = await decide(market, progress);
  for (let epoch = FIRST_EPOCH + 1; epoch < FIRST_EPOCH + EPOCHS; epoch += 1) {
    await trade(market, epoch);
    progress(`epoch ${epoch} is traded and closed`);
  }
  const epochs = await closedEpochs(market);
  const claimed = await claimRewards(market);
  progress("rewards are minted on the chain");
  const result = {
    scenario: "governance" as const,
    region: REGION,
    ...decided,
    changes: await changesSeen(market),
    pollMs: POLL_MS,
    epochs,
    preview: compared(shown, epochs),
    claimed: claimed.map(({ name, rewards }) => ({ name, rewards: String(rewards) })),
    claimedRewards: String(claimed.reduce((sum, { rewards }) => sum + rewards, 0n)),
    ...(await audited(market)),
  };
  return { ...result, isGood: isGoodVote(result, SLOTS * SELLERS) };
}

/** Lets an epoch pass, everybody prove it, and the mirror report it. */
async function trade(market: SettledMarket, epoch: number): Promise<void> {
  await market.goTo((epoch + 1) * EPOCH_SECONDS + 5);
  await market.work();
  await market.close(epoch);
  await market.until(`the mirror reports epoch ${epoch}`, async () => {
    const { reportedEpoch } = await market.settlement.books();
    return reportedEpoch === epoch;
  });
}

type Decided = Pick<
  GovernanceResult,
  "proposal" | "executedInEpoch" | "effectFromEpoch" | "mirroredAfterMs" | "steps"
>;

/** From delegation to the region's schedule: two homes' votes together pass what a third is against. */
async function decide(market: SettledMarket, progress: GovernanceOptions["progress"]): Promise<Decided> {
  const [ada, ben, cleo] = ["ada", "ben", "cleo"].map((name) => market.home(name)) as [Home, Home, Home];
  const vote = new HomesVote(market);
  await vote.delegate(ben, ada);
  // Votes count from the second after they were delegated on.
  const { atS } = await market.settlement.books();
  await market.passTo(atS + 2);
  await vote.propose(ada, {
    address: market.deployment.rewardParameters,
    abi: parametersAbi as Abi,
    functionName: "change",
    args: [market.settlement.word, changesOf(VOTED)],
    description: DESCRIPTION,
  });
  await vote.vote(ada, "for", "More homes join when rewards can be seen.");
  await vote.vote(cleo, "against");
  await vote.carryOut(ada);
  const { atS: executedAtS } = await market.settlement.books();
  progress("the vote is executed");
  await market.finalise();
  const finalMs = performance.now();
  await market.until("the mirror brings the vote", async () => {
    const { regions } = await market.client.chain();
    const one = regions.find(({ region }) => region === REGION);
    return one?.votesMirrored === 1;
  });
  const mirroredAfterMs = Math.round(performance.now() - finalMs);
  const { fromEpoch } = (await parametersOf(market)).at(-1) as ParametersAnswer;
  progress(`the vote is in the journal, and holds from epoch ${fromEpoch} on`);
  return {
    proposal: String(vote.proposal),
    executedInEpoch: Math.floor(executedAtS / EPOCH_SECONDS),
    effectFromEpoch: fromEpoch,
    mirroredAfterMs,
    steps: vote.steps,
  };
}

/** The region's first parameters beside its last ones: terms of the chain come into its journal in the hour before they hold. */
async function changesSeen(market: SettledMarket): Promise<GovernanceResult["changes"]> {
  const versions = await parametersOf(market);
  const [before, after] = [versions.at(0), versions.at(-1)] as [ParametersAnswer, ParametersAnswer];
  return (Object.keys(VOTED) as (keyof typeof VOTED)[]).map((parameter) => ({
    parameter,
    before: String(before.parameters[parameter]),
    after: String(after.parameters[parameter]),
  }));
}

async function parametersOf({ client }: SettledMarket): Promise<readonly ParametersAnswer[]> {
  const answer = await client.get<{ parameters: ParametersAnswer[] }>(`/v1/regions/${REGION}/parameters`);
  return answer.parameters;
}

async function closedEpochs(market: SettledMarket): Promise<EpochUnderVote[]> {
  const { client } = market;
  const versions = await parametersOf(market);
  const epochs: EpochUnderVote[] = [];
  for (let number = FIRST_EPOCH; number < FIRST_EPOCH + EPOCHS; number += 1) {
    const closed = await client.epoch(REGION, number);
    if (closed === undefined) throw new Error(`epoch ${number} is not closed`);
    const { epoch, voteVersion, parametersVersion, emission, deliveredWh, feesMicros, rewards } = closed;
    const version = versions.find((one) => one.version === parametersVersion);
    const sum = Object.values(rewards).reduce((total, one) => total + BigInt(one), 0n);
    epochs.push({
      ...{ epoch, voteVersion, emission, deliveredWh, feesMicros },
      takeRateBps: version?.parameters.takeRateBps ?? Number.NaN,
      rewards: String(sum),
    });
  }
  return epochs;
}

/** What was shown of the first epoch, beside the last one, in which everybody's meter said the same. */
function compared(shown: PreviewAnswer, epochs: readonly EpochUnderVote[]): GovernanceResult["preview"] {
  const [first] = shown.epochs;
  const last = epochs.at(-1);
  if (first === undefined || last === undefined) throw new Error("nothing was closed when it was previewed");
  const { feesMicros, rewards } = first.preview;
  return {
    epoch: first.epoch,
    feesMicros: Number(feesMicros),
    rewards,
    feesApartMicros: last.feesMicros - Number(feesMicros),
    rewardsApart: String(BigInt(last.rewards) - BigInt(rewards)),
  };
}

async function claimRewards(market: SettledMarket): Promise<{ name: string; rewards: bigint }[]> {
  const report = await market.settlement.report(FIRST_EPOCH + EPOCHS - 1);
  await market.passTo(report?.finalAtS ?? 0);
  const claimed: { name: string; rewards: bigint }[] = [];
  for (const home of market.homes) {
    const { account, leaves, name } = home;
    const claiming = { settlement: market.settlement, wallet: market.wallet(home), account, kept: leaves() };
    const { payments } = await claimAll(claiming, market.client);
    const rewards = payments.find(({ what }) => what === "rewards")?.amount ?? 0n;
    if (rewards > 0n) claimed.push({ name, rewards });
  }
  return claimed;
}

async function audited(market: SettledMarket): Promise<Pick<GovernanceResult, "auditOk" | "auditFailure">> {
  await market.finalise();
  const { client, rpc } = market;
  const { chain, reported } = await chainOfRegion(client, REGION, rpc);
  const receipts = market.receipts();
  const report = await audit(await client.deployment(), client.journal(REGION), {
    receipts,
    chain,
    reported,
  });
  return { auditOk: report.auditOk, auditFailure: report.failure?.reason ?? null };
}
