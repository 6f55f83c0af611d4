// Owns the close of an epoch: what everybody sold and bought in it, and the reward shares, in bigint: what is delivered
// earns, capped three ways. It refuses to mint what a rule does not reach.

import type { Parameters } from "../protocol/commands.ts";
import type { EventOf } from "../protocol/events.ts";
import { versionInEpoch } from "./parameters.ts";
import type { RegionState } from "./state.ts";
import { isSet } from "./table.ts";

const COMMITMENT_BYTES = 32;

/** What a resource's share of an epoch depends on; amounts in token base units, units in the resource's own. */
export interface RewardTerms {
  readonly emission: bigint;
  /** Integer weight of the resource and the sum over all resources. */
  readonly weight: bigint;
  readonly totalWeight: bigint;
  /** Delivered units of the resource by everybody. */
  readonly totalUnits: bigint;
  readonly shareCapBps: bigint;
  /** Token base units per 10⁶ micros of fees. */
  readonly rewardPerFee: bigint;
}

/**
 * `min(⌊E·w·u / (W·U)⌋, ⌊E·cap/10⁴⌋, ⌊fees·perFee/10⁶⌋)`: the share by delivered units, no more than a cap, and no
 * more than the fees that the rewarded units paid justify, so that trading with oneself loses.
 */
export function rewardShare(terms: RewardTerms, units: bigint, feesMicros: bigint): bigint {
  const { emission, weight, totalWeight, totalUnits, shareCapBps, rewardPerFee } = terms;
  if (units === 0n || totalUnits === 0n || totalWeight === 0n) return 0n;
  const byUnits = (emission * weight * units) / (totalWeight * totalUnits);
  const byCap = (emission * shareCapBps) / 10_000n;
  const byFees = (feesMicros * rewardPerFee) / 1_000_000n;
  return smallest(smallest(byUnits, byCap), byFees);
}

/** What energy's share of an epoch depends on. */
export function energyTerms(parameters: Parameters, emission: bigint, deliveredWh: number): RewardTerms {
  const { rewardWeightEnergy, rewardWeightCompute, rewardWeightBandwidth } = parameters;
  return {
    emission,
    weight: BigInt(rewardWeightEnergy),
    totalWeight: BigInt(rewardWeightEnergy + rewardWeightCompute + rewardWeightBandwidth),
    totalUnits: BigInt(deliveredWh),
    shareCapBps: BigInt(parameters.shareCapBps),
    rewardPerFee: BigInt(parameters.rewardPerFee),
  };
}

/**
 * Closes an epoch: everybody's sums and share for the energy sold in it, whose sums stand in the certificate tree, and
 * what the next epoch may emit.
 */
export function closeEpoch(state: RegionState, epoch: number): EventOf<"epoch_closed"> {
  const { header, tables } = state;
  const { version, voteVersion, parameters } = versionInEpoch(header, epoch);
  const { epochSoldWh, epochBoughtWh, epochFeesMicros, certificate } = tables.accounts.columns;
  const terms = energyTerms(parameters, BigInt(header.emission), header.epochDeliveredWh);
  const accounts: number[] = [];
  const soldWh: number[] = [];
  const boughtWh: number[] = [];
  const certified: number[] = [];
  const rewards: string[] = [];
  for (let account = 0; account < tables.accounts.rows; account += 1) {
    const sold = epochSoldWh[account] as number;
    const bought = epochBoughtWh[account] as number;
    if (sold === 0 && bought === 0) continue;
    const feesMicros = BigInt(epochFeesMicros[account] as number);
    accounts.push(account);
    soldWh.push(sold);
    boughtWh.push(bought);
    rewards.push(rewardShare(terms, BigInt(sold), feesMicros).toString());
    certified.push(isSet(certificate, account, COMMITMENT_BYTES) ? 1 : 0);
  }
  return {
    type: "epoch_closed",
    epoch,
    parametersVersion: version,
    voteVersion,
    deliveredWh: header.epochDeliveredWh,
    feesMicros: header.epochFeesMicros,
    emission: header.emission,
    accounts,
    soldWh,
    boughtWh,
    rewards,
    certified,
    nextEmission: emissionAfter(state, epoch).toString(),
  };
}

/** The emission falls every epoch; where new figures for it begin to hold, it begins again at theirs. */
function emissionAfter(state: RegionState, epoch: number): bigint {
  const current = versionInEpoch(state.header, epoch);
  const next = versionInEpoch(state.header, epoch + 1);
  if (next.restartsEmission && next.fromEpoch === epoch + 1) return BigInt(next.parameters.emissionPerEpoch);
  return decayedEmission(BigInt(state.header.emission), current.parameters);
}

/** What the epoch after one may emit under that one's parameters, rounded down. Token base units. */
export function decayedEmission(
  emission: bigint,
  { emissionDecayBps }: Pick<Parameters, "emissionDecayBps">,
): bigint {
  return (emission * (10_000n - BigInt(emissionDecayBps))) / 10_000n;
}

function smallest(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
