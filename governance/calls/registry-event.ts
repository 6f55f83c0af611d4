// Owns how an event of the register of meters reads as the command of the same content. It refuses logs that are none of its
// events.

import { decodeEventLog, encodeEventTopics, type Hex } from "viem";
import type { CommandOf } from "../../protocol/commands.ts";
import { meterRegistryAbi } from "../generated/abi.ts";

type DraftOf<T> = T extends unknown ? Omit<T, "region" | "expiresAtS"> : never;

/** A command without its envelope; its nonce is the event's number. */
export type RegistryDraft = DraftOf<
  CommandOf<"appoint_installers"> | CommandOf<"enrol_meter"> | CommandOf<"revoke_meter">
>;

/** An event as a command, with the consent that an enrolment carries. */
export interface RegistryEvent {
  readonly number: number;
  readonly draft: RegistryDraft;
  readonly evidence?: unknown;
}

const NAMES = ["InstallersAppointed", "MeterEnrolled", "MeterRevoked"] as const;

/** First topics of its events; the second is the region, the third the event's number. */
export const REGISTRY_TOPICS: readonly Hex[] = NAMES.map((eventName) => {
  const [topic] = encodeEventTopics({ abi: meterRegistryAbi, eventName });
  return topic as Hex;
});

/**
 * Reads a log.
 * @param windowSlots the region's; consent and leaf are bound to it.
 * @throws Error for a log that is no event of the register.
 */
export function registryEventOf(topics: readonly Hex[], data: Hex, windowSlots: 4 | 96): RegistryEvent {
  const { eventName, args } = decodeEventLog({
    abi: meterRegistryAbi,
    topics: [...topics] as [Hex, ...Hex[]],
    data,
    strict: true,
  });
  if (eventName === "OwnershipTransferred") throw new Error("no event of the register");
  const nonce = Number(args.number);
  const place = { number: nonce };
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
