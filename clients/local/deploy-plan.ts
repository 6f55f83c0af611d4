// Owns what a local deployment puts on its chain: one region of a neighbourhood, and a vote of its homes. It refuses times that a
// market at this machine's rate would not live to see.

import type { LocalAccount } from "viem/accounts";
import {
  type DeployedRegion,
  type DeployFile,
  deployFileSchema,
} from "../../governance/deploy/deploy-file.ts";
import { MOST_MEMBERS, type VoteFile } from "../../governance/deploy/vote-file.ts";
import type { Hex } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { SLOT_SECONDS, slotAt } from "../../protocol/units.ts";
import {
  guardianWallet,
  householdKeys,
  installerWallet,
  mirrorWallet,
  operatorWallet,
  type RegionTerms,
} from "./neighbourhood.ts";

/** How long things take on a local chain. Seconds of market time. */
export interface LocalTimes {
  readonly finalityDelaySeconds: number;
  readonly exitAfterSeconds: number;
  readonly votingDelaySeconds: number;
  readonly votingPeriodSeconds: number;
  readonly lateQuorumSeconds: number;
  readonly timelockDelaySeconds: number;
}

/** At a slot a second a vote is over within three minutes. */
const TIMES: LocalTimes = {
  // An epoch's report is final after the shortest delay that the contract takes.
  finalityDelaySeconds: 3_600,
  // Weeks of silence: a market that stands still while nobody runs it must not be over.
  exitAfterSeconds: 60 * 86_400,
  votingDelaySeconds: 3_600,
  votingPeriodSeconds: 86_400,
  lateQuorumSeconds: 6 * 3_600,
  timelockDelaySeconds: 6 * 3_600,
};
const LEAST_DEPOSIT_MICROS = 1_000_000;

const TOKEN = 10n ** 18n;
const OF_A_HOME = 40_000n * TOKEN;
const OF_THE_OPERATOR = 60_000n * TOKEN;
const CAP = 100_000_000n * TOKEN;
const DAY_SECONDS = 86_400;
/** A vote may raise the emission so much before claims would have to wait. */
const CEILING_TIMES = 4n;

/** What only the contract keeps: seconds, hundredths of a percent. */
const OF_PROVIDERS = { unbondingSeconds: 14 * 86_400, slashBps: 1_000 };

/** More than the longest of the votes here takes. Seconds. */
const STAKE = { auditSeconds: 2 * 86_400, slashDelaySeconds: 7 * 86_400 };

/** A neighbourhood to be deployed. */
export interface LocalPlan {
  readonly seed: string;
  readonly terms: RegionTerms;
  /** What the market's clock shows while the region is opened. Unix seconds. */
  readonly marketS: number;
  /** Other times than `npm start` has. */
  readonly times?: LocalTimes;
  readonly homes: readonly { readonly name: string }[];
}

/** The deploy file of a neighbourhood. Its homes and its operator are the token's first members. */
export function localDeployFile(plan: LocalPlan): DeployFile {
  const { seed } = plan;
  return deployFileSchema.parse({
    chainId: LOCAL_CHAIN_ID,
    guardian: addressOf(guardianWallet(seed)),
    quote: "test",
    vote: voteOf(plan),
    stake: STAKE,
    regions: [regionOf(plan)],
  });
}

function voteOf({ seed, terms, homes, times = TIMES }: LocalPlan): VoteFile {
  const homeMembers = homes
    .slice(0, MOST_MEMBERS - 1)
    .map(({ name }) => ({ account: householdKeys(seed, name).account, amount: OF_A_HOME }));
  const members = [{ account: addressOf(operatorWallet(seed)), amount: OF_THE_OPERATOR }, ...homeMembers];
  const voting = members.reduce((sum, { amount }) => sum + amount, 0n);
  const epochsADay = BigInt(Math.ceil(DAY_SECONDS / (terms.epochSlots * SLOT_SECONDS)));
  const { votingDelaySeconds, votingPeriodSeconds, lateQuorumSeconds, timelockDelaySeconds } = times;
  return {
    members: members.map(({ account, amount }) => ({ account, amount: String(amount) })),
    treasuryAmount: String(voting),
    cap: String(CAP),
    mostPerDay: String(BigInt(terms.parameters.emissionPerEpoch) * epochsADay * CEILING_TIMES),
    votingDelaySeconds,
    votingPeriodSeconds,
    lateQuorumSeconds,
    timelockDelaySeconds,
    quorumPercent: 10,
    proposalThreshold: String(1_000n * TOKEN),
    guardian: addressOf(guardianWallet(seed)),
  };
}

function regionOf({ seed, terms, marketS, times = TIMES }: LocalPlan): DeployedRegion {
  const { profile, windowSlots, epochSlots } = terms;
  const firstWindowSlot = (Math.floor(slotAt(marketS) / windowSlots) + 1) * windowSlots;
  const { outflowCapBps, emissionPerEpoch, emissionDecayBps, ...parameters } = terms.parameters;
  const { finalityDelaySeconds, exitAfterSeconds } = times;
  return {
    region: profile.region,
    operator: addressOf(mirrorWallet(seed)),
    windowSlots,
    epochSlots,
    // The emission falls with every epoch from the first one on, here and there.
    firstEpoch: Math.floor(firstWindowSlot / epochSlots),
    terms: {
      outflowCapBps,
      emissionPerEpoch,
      emissionDecayBps,
      finalityDelaySeconds,
      exitAfterSeconds,
      leastDepositMicros: LEAST_DEPOSIT_MICROS,
    },
    parameters: { ...parameters, ...OF_PROVIDERS },
    installers: [addressOf(installerWallet(seed))],
  };
}

function addressOf({ address }: LocalAccount): Hex {
  return address.toLowerCase() as Hex;
}
