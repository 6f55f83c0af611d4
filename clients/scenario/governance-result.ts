// Owns what is told of a vote in a running region: what it changed and from which epoch on, what the epochs around it paid, and what
// each step cost. It refuses to call a run good in which an epoch that had begun was changed, or the preview was wrong.

import { table } from "../cli/figures.ts";
import type { VoteStep } from "./homes-decide.ts";

/** An epoch as the region closed it. */
export interface EpochUnderVote {
  readonly epoch: number;
  /** The chain's version of its parameters; 0 for those it was opened with. */
  readonly voteVersion: number;
  readonly takeRateBps: number;
  /** The most it could reward. Token base units, as the other rewards here. */
  readonly emission: string;
  readonly deliveredWh: number;
  readonly feesMicros: number;
  readonly rewards: string;
}

/** One run. */
export interface GovernanceResult {
  readonly scenario: "governance";
  readonly region: string;
  readonly proposal: string;
  readonly changes: readonly {
    readonly parameter: string;
    readonly before: string;
    readonly after: string;
  }[];
  /** The epoch that ran when the vote was executed, and the first one its values hold in. */
  readonly executedInEpoch: number;
  readonly effectFromEpoch: number;
  /** From the execution's finality to its being in the region's journal, by this machine's clock. */
  readonly mirroredAfterMs: number;
  readonly pollMs: number;
  readonly epochs: readonly EpochUnderVote[];
  /** What the epoch that was shown before the vote would have paid by the preview, and what an equal one then paid. */
  readonly preview: {
    readonly epoch: number;
    readonly feesMicros: number;
    readonly rewards: string;
    /** Fees are previewed by the epoch and charged by the slot: at most a micro a seller and slot apart. */
    readonly feesApartMicros: number;
    readonly rewardsApart: string;
  };
  readonly steps: readonly VoteStep[];
  /** What homes were minted on the chain against the last final report. */
  readonly claimed: readonly { readonly name: string; readonly rewards: string }[];
  readonly claimedRewards: string;
  readonly auditOk: boolean;
  readonly auditFailure: string | null;
  readonly isGood: boolean;
}

const TOKEN = 10n ** 18n;

/** Whether all is as it must be: no begun epoch changed, all later ones did, the preview was right, and all rewards were minted. */
export function isGoodVote(result: Omit<GovernanceResult, "isGood">, mostApartMicros: number): boolean {
  const { epochs, effectFromEpoch, executedInEpoch, preview } = result;
  const rewards = epochs.reduce((sum, epoch) => sum + BigInt(epoch.rewards), 0n);
  const isInTime = epochs.every(
    ({ epoch, voteVersion }) => voteVersion === (epoch < effectFromEpoch ? 0 : 1),
  );
  const isBothSides = epochs.some(({ epoch }) => epoch < effectFromEpoch) && epochs.at(-1)?.voteVersion === 1;
  return (
    result.auditOk &&
    isInTime &&
    isBothSides &&
    effectFromEpoch > executedInEpoch &&
    Math.abs(preview.feesApartMicros) <= mostApartMicros &&
    preview.rewardsApart === "0" &&
    rewards > 0n &&
    BigInt(result.claimedRewards) === rewards
  );
}

/** The run as text. */
export function voteInWords(result: GovernanceResult): string {
  const { changes, executedInEpoch, effectFromEpoch, preview, epochs, steps, claimed } = result;
  return [
    ...changes.map(({ parameter, before, after }) => `${parameter}: ${before} before, ${after} after`),
    `executed in epoch ${executedInEpoch}, in the journal ${result.mirroredAfterMs} ms after it was final, in force from epoch ${effectFromEpoch} on`,
    table(
      ["epoch", "version", "take rate (bps)", "fees (micros)", "emission", "rewards"],
      epochs.map((epoch) => [
        epoch.epoch,
        epoch.voteVersion,
        epoch.takeRateBps,
        epoch.feesMicros,
        tokens(epoch.emission),
        tokens(epoch.rewards),
      ]),
    ),
    `the preview of epoch ${preview.epoch} said fees of ${preview.feesMicros} micros and rewards of ${tokens(preview.rewards)}: ${preview.feesApartMicros} micros and ${preview.rewardsApart} base units from what an equal epoch then paid`,
    table(
      ["step", "by", "gas"],
      steps.map(({ step, by, gas }) => [step, by, gas]),
    ),
    `minted on the chain: ${claimed.map(({ name, rewards }) => `${name} ${tokens(rewards)}`).join(", ")}`,
    `audit against the chain ${result.auditOk ? "ok" : `FAILED: ${result.auditFailure}`}`,
  ].join("\n");
}

function tokens(baseUnits: string): string {
  const whole = BigInt(baseUnits);
  return `${whole / TOKEN}.${(whole % TOKEN).toString().padStart(18, "0").slice(0, 4)}`;
}
