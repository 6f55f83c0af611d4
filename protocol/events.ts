// Owns the events: what became true in a region, past tense, with every amount in it, so that a state can be rebuilt
// by whatever code is deployed later without deciding anything again. Accounts, sessions and meters are small numbers.

import { z } from "zod";
import { ladderStep, parametersSchema } from "./commands.ts";
import {
  accountNumber,
  address,
  amountMicros,
  bounded,
  bytes32,
  commitment,
  count,
  entryNumber,
  instantS,
  regionId,
  side,
  slotNumber,
} from "./fields.ts";
import { PROMISED_RESOURCES } from "./products.ts";
import { TREE_DEPTH, TREE_LEAVES } from "./quad-tree.ts";
import {
  auditsCommitted,
  auditsRevealed,
  obligationSettled,
  obligationsLapsed,
  resourceOrderEnded,
  resourceOrderPlaced,
  resourceTraded,
  resultReported,
  resultsAwaited,
} from "./resource-events.ts";

const signed = bounded(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const voteVersion = count.meta({
  description: "version on the chain that the figures are of; 0 before a vote has changed any",
});
/** A slot after every possible one: "until further notice". */
export const NO_END_SLOT = 9_000_000;
const endSlot = bounded(0, NO_END_SLOT);

/** Entries of earlier rules say nothing of providers. */
const journaledParameters = parametersSchema.partial({ providerMinimumStake: true, auditRateBps: true });

const regionOpened = z.strictObject({
  type: z.literal("region_opened"),
  region: regionId,
  timeZone: z.string(),
  windowSlots: z.union([z.literal(4), z.literal(96)]),
  epochSlots: count,
  quote: z.enum(["test", "settlement"]),
  operator: address,
  gridOperator: address,
  treasury: address,
  mirror: address,
  receiptKey: bytes32,
  parameters: journaledParameters,
  firstSlot: slotNumber,
});

const parametersSet = z.strictObject({
  type: z.literal("parameters_set"),
  version: count,
  fromEpoch: count,
  restartsEmission: z
    .boolean()
    .meta({ description: "true: the emission begins anew with that epoch, and does not go on falling" }),
  voteVersion,
  parameters: journaledParameters,
});

const accountOpened = z.strictObject({ type: z.literal("account_opened"), account: accountNumber, address });

const quoteCredited = z.strictObject({
  type: z.literal("quote_credited"),
  account: accountNumber,
  amountMicros,
});

const chainEventMirrored = z.strictObject({
  type: z.literal("chain_event_mirrored"),
  stream: z.enum(["deposits", "registry", "terms", "parameters", "stakes"]),
  number: count.meta({ description: "the event's number on the chain" }),
});

const depositCredited = z.strictObject({
  type: z.literal("deposit_credited"),
  account: accountNumber,
  amountMicros,
  depositsHash: bytes32.meta({ description: "hash of all deposits up to this one, as the contract has it" }),
});

const withdrawn = z.strictObject({
  type: z.literal("withdrawn"),
  account: accountNumber,
  amountMicros,
});

const stakeRecorded = z.strictObject({
  type: z.literal("stake_recorded"),
  account: accountNumber,
  nodeKey: bytes32,
  stakedMicros: count.meta({ description: "without what queued slashes hold back" }),
  isUnbonding: z.boolean(),
});

const sessionAuthorised = z.strictObject({
  type: z.literal("session_authorised"),
  session: count,
  account: accountNumber,
  key: bytes32,
  resources: bounded(0, 7),
  sides: bounded(0, 3),
  leastAskMicrosPerKwh: signed,
  highestBidMicrosPerKwh: signed,
  dailyWh: count,
  // Entries of earlier rules have none of these: their keys trade energy only.
  leastAskMicrosPerTera: count.optional(),
  highestBidMicrosPerTera: count.optional(),
  dailyMega: count.optional(),
  spendingLimitMicros: count,
  expiresAtS: instantS,
});

const sessionRevoked = z.strictObject({
  type: z.literal("session_revoked"),
  session: count,
  fromSlot: slotNumber,
});

const installersAppointed = z.strictObject({
  type: z.literal("installers_appointed"),
  installers: z.array(address),
});

const registryRoot = z.strictObject({ fromSlot: slotNumber, root: bytes32 });
export type RegistryRoot = z.infer<typeof registryRoot>;
const changedNodes = z
  .array(bytes32)
  .length(TREE_DEPTH)
  .meta({ description: "the nodes above the leaf after the change, lowest first; the last is the root" });

const meterEnrolled = z.strictObject({
  type: z.literal("meter_enrolled"),
  meter: count,
  replaced: count.meta({ description: "the meter whose place this one takes, or 0" }),
  position: bounded(0, TREE_LEAVES - 1),
  gateway: bytes32,
  connection: bytes32,
  leaf: bytes32,
  nameplateWh: count,
  connectionWh: count,
  saleCapWh: count,
  purchaseCapWh: count,
  fromSlot: slotNumber,
  nodes: changedNodes,
});

const meterRevoked = z.strictObject({
  type: z.literal("meter_revoked"),
  meters: z
    .array(count)
    .min(1)
    .meta({ description: "enrolments of the key that end; more than one only in an emergency" }),
  fromSlot: slotNumber,
  position: bounded(0, TREE_LEAVES - 1),
  leaf: bytes32.meta({ description: "what stands at the position in the newest tree now: mostly nothing" }),
  nodes: changedNodes,
  roots: z
    .array(registryRoot)
    .meta({ description: "the roots of all windows not closed yet, by their start" }),
});

const orderPlaced = z.strictObject({
  type: z.literal("order_placed"),
  order: entryNumber,
  account: accountNumber,
  session: count.meta({ description: "0 when the wallet signed" }),
  side,
  steps: z.array(ladderStep),
  fromSlot: slotNumber,
  untilSlot: endSlot,
  hours: bounded(0, 2 ** 24 - 1).meta({ description: "bit h set: trades in UTC hour h" }),
});

const orderEnded = z.strictObject({
  type: z.literal("order_ended"),
  order: entryNumber,
  untilSlot: endSlot,
  reason: z.enum(["cancelled", "replaced", "session_revoked"]),
});

const readingsAccepted = z.strictObject({
  type: z.literal("readings_accepted"),
  account: accountNumber,
  nullifier: bytes32,
  firstSlot: slotNumber,
  netWh: z.array(signed),
});

const slotCleared = z.strictObject({
  type: z.literal("slot_cleared"),
  slot: slotNumber,
  parametersVersion: count,
  voteVersion,
  priceMicrosPerKwh: signed.nullable(),
  surplusWh: count.meta({ description: "metered export of all accounts" }),
  needWh: count.meta({ description: "metered import of all accounts" }),
  offeredWh: count.meta({ description: "of the surplus, what orders offered and could bear" }),
  askedWh: count.meta({ description: "of the need, what orders asked for and could pay" }),
  tradedWh: count,
  networkMicros: count,
  feeMicros: count,
  dustMicros: count,
  accounts: z.array(accountNumber).meta({ description: "those that traded, ascending" }),
  filledWh: z.array(signed).meta({ description: "per account: sold positive, bought negative" }),
  amountMicros: z.array(signed).meta({ description: "per account: change of its balance" }),
  chargeMicros: z
    .array(count)
    .meta({ description: "per account: the seller's fee or the buyer's network fee" }),
  sessions: z.array(count),
  sessionWh: z.array(count),
  sessionMicros: z.array(count).meta({ description: "what orders of the session spent, at most" }),
  cut: z.array(accountNumber).meta({ description: "those whose steps were cut to what they could bear" }),
});

const windowClosed = z.strictObject({
  type: z.literal("window_closed"),
  firstSlot: slotNumber,
  endedOrders: z
    .array(entryNumber)
    .meta({ description: "orders that can no longer apply and leave the book" }),
  endedSessions: z.array(count).meta({ description: "session keys that expired or were revoked" }),
  endedMeters: z.array(count).meta({ description: "meters whose revocation has taken effect" }),
});

const epochClosed = z.strictObject({
  type: z.literal("epoch_closed"),
  epoch: count,
  parametersVersion: count,
  voteVersion,
  deliveredWh: count,
  feesMicros: count,
  emission: z.string(),
  accounts: z.array(accountNumber).meta({ description: "those that sold or bought, ascending" }),
  soldWh: z.array(count),
  boughtWh: z.array(count),
  rewards: z.array(z.string()).meta({ description: "token base units, decimal" }),
  // A bit only: with every commitment in it, the entry of a full region would not fit a row of the database.
  certified: z.array(bounded(0, 1)).meta({
    description:
      "per account: 1 where it has a commitment. Those are the leaves of the certificate tree in this order, each Poseidon(its last commitment, sold, bought)",
  }),
  nextEmission: z.string(),
  // Entries of earlier rules, which knew energy only, have none.
  resources: z
    .array(
      z.strictObject({
        resource: z.enum(PROMISED_RESOURCES),
        units: z.string().meta({ description: "delivered and settled since the epoch before closed" }),
        feesMicros: count,
        accounts: z.array(accountNumber).meta({ description: "those that delivered, ascending" }),
        deliveredMega: z.array(count),
        rewards: z.array(z.string()).meta({ description: "on top of what an account earned with others" }),
        // Entries of earlier rules do not say whose the fees were.
        providerFeesMicros: z.array(count).optional(),
      }),
    )
    .optional(),
});

const certificateCommitted = z.strictObject({
  type: z.literal("certificate_committed"),
  account: accountNumber,
  commitment,
});

export const eventSchema = z.discriminatedUnion("type", [
  regionOpened,
  parametersSet,
  accountOpened,
  quoteCredited,
  chainEventMirrored,
  depositCredited,
  withdrawn,
  stakeRecorded,
  sessionAuthorised,
  sessionRevoked,
  installersAppointed,
  meterEnrolled,
  meterRevoked,
  orderPlaced,
  orderEnded,
  readingsAccepted,
  slotCleared,
  windowClosed,
  epochClosed,
  certificateCommitted,
  resourceOrderPlaced,
  resourceTraded,
  resourceOrderEnded,
  obligationSettled,
  obligationsLapsed,
  resultReported,
  resultsAwaited,
  auditsCommitted,
  auditsRevealed,
]);

export type MarketEvent = z.infer<typeof eventSchema>;
export type EventType = MarketEvent["type"];
export type EventOf<T extends EventType> = Extract<MarketEvent, { type: T }>;
export type SlotCleared = EventOf<"slot_cleared">;
export type EpochClosed = EventOf<"epoch_closed">;
