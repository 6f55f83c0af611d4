// Owns how new parameters join those that are scheduled already: a region's figures and its chain's terms change apart from
// each other. It refuses to let one of the two undo the other.

import type { Figures, Parameters } from "../protocol/commands.ts";
import type { EventOf } from "../protocol/events.ts";
import { versionInEpoch } from "./parameters.ts";
import type { ParametersVersion, RegionState } from "./state.ts";

/** What of the parameters a chain's contract judges the region's reports by. */
export type ChainTerms = Omit<Parameters, keyof Figures>;

/** The chain's part of parameters. */
export function chainTermsOf({ outflowCapBps, emissionPerEpoch, emissionDecayBps }: Parameters): ChainTerms {
  return { outflowCapBps, emissionPerEpoch, emissionDecayBps };
}

/** All but the chain's part of parameters. */
export function figuresOf(parameters: Parameters): Figures {
  const {
    outflowCapBps: _cap,
    emissionPerEpoch: _emission,
    emissionDecayBps: _decay,
    ...figures
  } = parameters;
  return figures;
}

type Change =
  /** The operator's, of a region of test money: everything at once. */
  | { readonly fromEpoch: number; readonly parameters: Parameters }
  /** The operator's, or those of a vote with its version on the chain. */
  | { readonly fromEpoch: number; readonly figures: Figures; readonly voteVersion?: number }
  | { readonly fromEpoch: number; readonly terms: ChainTerms };

/**
 * Events that make the schedule what it is with a change in it: the epoch it begins in, and all that was scheduled for later,
 * of which only the other part stays. New terms replace all later terms, as on the chain; new figures all later figures.
 */
export function scheduled(state: RegionState, change: Change): EventOf<"parameters_set">[] {
  const { header } = state;
  const { fromEpoch } = change;
  const inForce = versionInEpoch(header, fromEpoch);
  const first = {
    ...changed(inForce, change),
    fromEpoch,
    restartsEmission: !("figures" in change) || (inForce.fromEpoch === fromEpoch && inForce.restartsEmission),
  };
  const later = header.parameters.filter((version) => version.fromEpoch > fromEpoch);
  const kept = later.map((version) => ({
    ...changed(version, change),
    fromEpoch: version.fromEpoch,
    restartsEmission: "figures" in change && version.restartsEmission,
  }));
  const newest = header.parameters.at(-1)?.version ?? 0;
  return [first, ...kept].map(({ fromEpoch: from, restartsEmission, voteVersion, parameters }, index) => ({
    type: "parameters_set",
    version: newest + 1 + index,
    fromEpoch: from,
    restartsEmission,
    voteVersion,
    parameters,
  }));
}

/** What a change makes of a version: the part that it does not carry stays. */
function changed(
  { parameters, voteVersion }: ParametersVersion,
  change: Change,
): Pick<ParametersVersion, "parameters" | "voteVersion"> {
  if ("parameters" in change) return { parameters: change.parameters, voteVersion };
  if ("terms" in change) return { parameters: { ...parameters, ...change.terms }, voteVersion };
  return {
    parameters: { ...parameters, ...change.figures },
    voteVersion: change.voteVersion ?? voteVersion,
  };
}
