// Owns the order in which a region takes what happened on its chain: five streams of numbered events, each in order and each
// event once. It refuses to know how a mirror finds them; a command's nonce is its event's number.

import { type CommandType, REGISTRY_COMMANDS } from "../protocol/commands.ts";
import { type Rejection, rejected } from "../protocol/errors.ts";
import type { Header, RegionState } from "./state.ts";

/** A numbered sequence of a chain's events. */
export type ChainStream = keyof Header["mirrored"];

/** Streams that only a chain has. */
const STREAMS: Readonly<Partial<Record<CommandType, ChainStream>>> = {
  credit_deposit: "deposits",
  schedule_terms: "terms",
  schedule_parameters: "parameters",
  record_stake: "stakes",
};

/**
 * The stream that a command continues, or null where it is no chain's: also every command about meters in a region of test
 * money, whose register is its own.
 */
export function mirroredStream({ header }: RegionState, type: CommandType): ChainStream | null {
  const own = STREAMS[type];
  if (own !== undefined) return own;
  return header.opened?.quote === "settlement" && REGISTRY_COMMANDS.has(type) ? "registry" : null;
}

/**
 * No deposit is left out; of the other streams a region may have to pass over an event that its own rules refuse (an
 * enrolment whose consent does not verify, say), which an audit against the chain shows. A vote's version carries all of its
 * parameters, and a stake's event all of the provider's standing, so that the one after one that was passed over repairs it.
 */
export function refuseOrder({ header }: RegionState, stream: ChainStream, number: number): Rejection | null {
  const after = header.mirrored[stream];
  const follows = stream === "deposits" ? number === after + 1 : number > after;
  return follows ? null : rejected("chain_event_out_of_order", { stream, after, got: number });
}
