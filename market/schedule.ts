// Owns how new parameters join those that are scheduled already: the operator's figures and the chain's terms change apart
// from each other. It refuses to let one of the two undo the other.

import type { Parameters } from "../protocol/commands.ts";
import type { EventOf } from "../protocol/events.ts";
import { versionInEpoch } from "./parameters.ts";
import type { ParametersVersion, RegionState } from "./state.ts";

/** What of the parameters a chain's contract judges the region's reports by. */
export type ChainTerms = Pick<Parameters, "outflowCapBps" | "emissionPerEpoch" | "emissionDecayBps">;

/** The chain's part of parameters. */
export function chainTermsOf({ outflowCapBps, emissionPerEpoch, emissionDecayBps }: Parameters): ChainTerms {
  return { outflowCapBps, emissionPerEpoch, emissionDecayBps };
}

type Change =
  | { readonly fromEpoch: number; readonly parameters: Parameters; readonly restartsEmission?: boolean }
  | { readonly fromEpoch: number; readonly terms: ChainTerms };

/**
 * Events that make the schedule what it is with a change in it: the epoch it begins in, and all that was scheduled for later,
 * of which only the other part stays. New terms replace all later terms, as on the chain.
 */
export function scheduled(state: RegionState, change: Change): EventOf<"parameters_set">[] {
  const { header } = state;
  const { fromEpoch } = change;
  const inForce = versionInEpoch(header, fromEpoch);
  const first: Omit<ParametersVersion, "version"> =
    "terms" in change
      ? { fromEpoch, restartsEmission: true, parameters: { ...inForce.parameters, ...change.terms } }
      : {
          fromEpoch,
          restartsEmission:
            change.restartsEmission ?? (inForce.fromEpoch === fromEpoch && inForce.restartsEmission),
          parameters: change.parameters,
        };
  const later = header.parameters.filter((version) => version.fromEpoch > fromEpoch);
  const kept = later.map((version) =>
    "terms" in change
      ? { ...version, restartsEmission: false, parameters: { ...version.parameters, ...change.terms } }
      : { ...version, parameters: { ...change.parameters, ...chainTermsOf(version.parameters) } },
  );
  const newest = header.parameters.at(-1)?.version ?? 0;
  return [first, ...kept].map(({ fromEpoch: from, restartsEmission, parameters }, index) => ({
    type: "parameters_set",
    version: newest + 1 + index,
    fromEpoch: from,
    restartsEmission,
    parameters,
  }));
}
