// Owns the way to what a deployment knows of votes. It refuses deployments that follow none, before any object is made.

import type { Env } from "../durable-objects/environment.ts";
import type { Told, VoteIndex } from "../durable-objects/vote-index.ts";
import type { VoteRelay } from "../durable-objects/vote-relay.ts";
import { hasVotes } from "../durable-objects/votes/vote-settings.ts";
import { Refusal, refuse } from "./problems.ts";

/** A stub's methods answer what the object's do; its type cannot say so of values of any shape. */
type VoteCalls = Pick<
  VoteIndex,
  "overview" | "proposals" | "proposal" | "changes" | "operations" | "delegates" | "form" | "draft" | "voter"
>;
type RelayCalls = Pick<VoteRelay, "status" | "voter" | "cast">;

/** The object that sends ballots. @throws Refusal `governance_missing` */
export function voteRelay(env: Env): RelayCalls {
  if (!hasVotes(env)) throw new Refusal("governance_missing");
  return env.VOTE_RELAY.getByName(nameOf(env)) as unknown as RelayCalls;
}

/** The object that reads the deployment's votes: another governor's is another one. @throws Refusal `governance_missing` */
export function voteIndex(env: Env): VoteCalls {
  if (!hasVotes(env)) throw new Refusal("governance_missing");
  return env.VOTE_INDEX.getByName(nameOf(env)) as unknown as VoteCalls;
}

function nameOf({ CHAIN_ID, GOVERNOR }: Env): string {
  return `${CHAIN_ID}/${GOVERNOR.toLowerCase()}`;
}

/** What an object told. @throws Refusal where that is why it did not */
export async function heard<T>(told: Promise<Told<T>>): Promise<T> {
  const answer = await told;
  return "rejection" in answer ? refuse(answer.rejection) : answer.value;
}
