// Owns which logs of the register of meters a mirror asks for, and their order. It refuses logs that are none of its events, and
// a row of numbers with a gap.

import {
  REGISTRY_TOPICS,
  registryEventOf,
  type RegistryEvent as Told,
} from "../../governance/calls/registry-event.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { ChainLog, LogQuery } from "./agreed-chain.ts";

/** An event as a command, and the block that it is in. */
export interface RegistryEvent extends Told {
  readonly block: number;
}

/** The logs of a region's events with these numbers. */
export function registryQuery(
  address: Hex,
  region: Hex,
  numbers: readonly number[],
  fromBlock: number,
  toBlock: number,
): LogQuery {
  const words = numbers.map((number): Hex => `0x${number.toString(16).padStart(64, "0")}`);
  return { address, topics: [REGISTRY_TOPICS, region, words], fromBlock, toBlock };
}

/**
 * Events in the order of their numbers.
 * @param windowSlots the region's; consent and leaf are bound to it.
 * @throws Error for a log that is no event of the register.
 */
export function registryEvents(logs: readonly ChainLog[], windowSlots: 4 | 96): RegistryEvent[] {
  return logs.map((log) => eventOf(log, windowSlots)).sort((one, other) => one.number - other.number);
}

/** How many of the events follow each other from a number on, each once. */
export function contiguous(events: readonly RegistryEvent[], from: number): RegistryEvent[] {
  const end = events.findIndex((event, index) => event.number !== from + index);
  return end === -1 ? [...events] : events.slice(0, end);
}

function eventOf({ block, topics, data }: ChainLog, windowSlots: 4 | 96): RegistryEvent {
  return { ...registryEventOf(topics, data, windowSlots), block };
}
