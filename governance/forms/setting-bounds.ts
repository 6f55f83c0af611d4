// Owns what a vote may make of its own settings, as governance/vote/VoteLimits.sol bounds them. It refuses what the governor would;
// the governor itself can be asked only while it executes a vote.

import type { Facts } from "../../protocol/errors.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import type { CallAnswer } from "../../protocol/vote-answer.ts";
import { VOTE_LIMITS } from "../deploy/vote-file.ts";

/** What the bounds of a setting depend on. */
export interface SettingGround {
  readonly chainId: number;
  /** All tokens there are. Base units. */
  readonly supply: bigint;
}

/** Why the governor would refuse a call to itself; null where it would not. */
export function refuseSetting({ form }: CallAnswer, ground: SettingGround): Facts | null {
  const found = form === null ? null : settingOf(form);
  if (found === null) return null;
  const [setting, value, least, most] = found;
  const isTime = setting !== "quorum" && setting !== "proposalThreshold";
  const lowest = isTime && ground.chainId === LOCAL_CHAIN_ID ? 1n : least;
  const highest = setting === "proposalThreshold" ? (ground.supply * most) / 100n : most;
  if (value >= lowest && value <= highest) return null;
  const facts = { value: value.toString(), least: lowest.toString(), most: highest.toString() };
  return { ...facts, setting, refusal: "PolderGovernor_SettingOutOfBounds" };
}

type Setting = readonly [string, bigint, bigint, bigint];

function settingOf(form: NonNullable<CallAnswer["form"]>): Setting | null {
  const seconds = (
    name: string,
    { least, most }: { readonly least: number; readonly most: number },
  ): Setting => [name, BigInt(form.seconds as number), BigInt(least), BigInt(most)];
  if (form.call === "setVotingDelay") return seconds("votingDelay", VOTE_LIMITS.votingDelaySeconds);
  if (form.call === "setVotingPeriod") return seconds("votingPeriod", VOTE_LIMITS.votingPeriodSeconds);
  if (form.call === "setLateQuorum") return seconds("lateQuorumVoteExtension", VOTE_LIMITS.lateQuorumSeconds);
  if (form.call === "setQuorum") {
    const { least, most } = VOTE_LIMITS.quorumPercent;
    return ["quorum", BigInt(form.percent as number), BigInt(least), BigInt(most)];
  }
  if (form.call !== "setProposalThreshold") return null;
  return ["proposalThreshold", BigInt(form.votes as string), 0n, BigInt(VOTE_LIMITS.thresholdPercent)];
}
