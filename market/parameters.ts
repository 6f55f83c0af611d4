// Owns which parameters hold when: a slot's and an epoch's are those in force when it began. It refuses versions that
// would reach back.

import type { Parameters } from "../protocol/commands.ts";
import type { EventOf } from "../protocol/events.ts";
import { slotStartS } from "../protocol/units.ts";
import { type Header, type ParametersVersion, type RegionState, termsOf } from "./state.ts";

/** Parameters as an entry has them; one of earlier rules asks nothing of providers. */
export function parametersOf(journaled: EventOf<"region_opened">["parameters"]): Parameters {
  const { providerMinimumStake = 0, auditRateBps = 0 } = journaled;
  return { ...journaled, providerMinimumStake, auditRateBps };
}

/** The epoch a slot belongs to: aligned stretches of `epochSlots` since the Unix epoch. */
export function epochOf(state: RegionState, slot: number): number {
  return Math.floor(slot / termsOf(state).epochSlots);
}

/** First slot of the window a slot belongs to. */
export function windowOf(state: RegionState, slot: number): number {
  const { windowSlots } = termsOf(state);
  return slot - (slot % windowSlots);
}

/** The version in force in an epoch. */
export function versionInEpoch(header: Header, epoch: number): ParametersVersion {
  let found = header.parameters[0];
  for (const version of header.parameters) if (version.fromEpoch <= epoch) found = version;
  if (found === undefined) throw new Error("a region has no parameters before it is opened");
  return found;
}

/** The version in force when a slot started. */
export function versionAtSlot(state: RegionState, slot: number): ParametersVersion {
  return versionInEpoch(state.header, epochOf(state, slot));
}

/** The parameters in force when a slot started. */
export function parametersAtSlot(state: RegionState, slot: number): Parameters {
  return versionAtSlot(state, slot).parameters;
}

/** Market time until which evidence for a window is accepted, and at which its slots clear. */
export function windowDeadlineS(state: RegionState, firstSlot: number): number {
  const { windowSlots } = termsOf(state);
  return slotStartS(firstSlot + windowSlots) + parametersAtSlot(state, firstSlot).proofDelaySeconds;
}
