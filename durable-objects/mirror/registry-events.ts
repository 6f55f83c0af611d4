// Owns how an event of the register of meters becomes the command of the same content. It refuses logs that are none of its
// events, and a row of numbers with a gap.

import { decodeEventLog, encodeEventTopics } from "viem";
import { meterRegistryAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { ChainLog, LogQuery } from "./agreed-chain.ts";
import type { ChainDraft } from "./mirrored-region.ts";

/** An event as a command, with the consent that an enrolment carries. */
export interface RegistryEvent {
  readonly number: number;
  readonly block: number;
  readonly draft: ChainDraft;
  readonly evidence?: unknown;
}

const NAMES = ["InstallersAppointed", "MeterEnrolled", "MeterRevoked"] as const;
const SIGNATURES = NAMES.map((eventName) => {
  const [topic] = encodeEventTopics({ abi: meterRegistryAbi, eventName });
  return topic as Hex;
});

/** The logs of a region's events with these numbers. */
export function registryQuery(
  address: Hex,
  region: Hex,
  numbers: readonly number[],
  fromBlock: number,
  toBlock: number,
): LogQuery {
  const words = numbers.map((number): Hex => `0x${number.toString(16).padStart(64, "0")}`);
  return { address, topics: [SIGNATURES, region, words], fromBlock, toBlock };
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
  const { eventName, args } = decodeEventLog({
    abi: meterRegistryAbi,
    topics: topics as [Hex, ...Hex[]],
    data,
    strict: true,
  });
  if (eventName === "OwnershipTransferred") throw new Error("no event of the register");
  const nonce = Number(args.number);
  const place = { number: nonce, block };
  if (eventName === "InstallersAppointed") {
    const installers = args.installers.map((installer) => installer.toLowerCase() as Hex);
    return { ...place, draft: { type: "appoint_installers", nonce, installers } };
  }
  if (eventName === "MeterRevoked")
    return {
      ...place,
      draft: { type: "revoke_meter", nonce, gateway: args.gateway, isEmergency: args.isEmergency },
    };
  const { enrolment, consent } = args;
  const { connection, nameplateWh, connectionWh, saleCapWh, purchaseCapWh, replaces } = enrolment;
  return {
    ...place,
    draft: {
      type: "enrol_meter",
      nonce,
      gatewayX: enrolment.gatewayX.toString(),
      gatewayY: enrolment.gatewayY.toString(),
      commitment: enrolment.commitment.toString(),
      connection,
      nameplateWh,
      connectionWh,
      saleCapWh,
      purchaseCapWh,
      windowSlots,
      replaces,
    },
    evidence: {
      kind: "gateway-consent",
      signature: { r8: [consent.r8X.toString(), consent.r8Y.toString()], s: consent.s.toString() },
    },
  };
}
