// Owns the commands: what may be asked of a region, field by field, as decoders. A command is EIP-712 typed data
// (see typed-data.ts); whatever a decoder here does not accept never reaches the market.

import { z } from "zod";
import {
  accountEnvelope,
  address,
  amountMicros,
  bounded,
  bytes32,
  commitment,
  count,
  envelope,
  fieldElement,
  hourOfDay,
  instantS,
  orderId,
  priceMicrosPerKwh,
  readingWh,
  side,
  slotNumber,
  slotWh,
  tokenAmount,
} from "./fields.ts";
import {
  MAX_EPOCH_SLOTS,
  MAX_INSTALLERS,
  MAX_LADDER_STEPS,
  MAX_NETWORK_FEE_MICROS_PER_KWH,
  MAX_PROOF_DELAY_SECONDS,
  MAX_READING_WH,
  MAX_REGION_MICROS,
  MAX_TAKE_RATE_BPS,
  MAX_WINDOW_CAP_WH,
  MIN_OUTFLOW_CAP_BPS,
} from "./limits.ts";
import { RESOURCES } from "./products.ts";
import {
  buyJob,
  cancelResourceOrder,
  commitAudits,
  placeResourceOrder,
  recordAudit,
  releaseRun,
  reportResult,
  revealAudits,
  settleObligation,
} from "./resource-commands.ts";

const basisPoints = (maximum: number) => bounded(0, maximum).meta({ description: "hundredths of a percent" });
const outflowCapBps = bounded(MIN_OUTFLOW_CAP_BPS, 10_000).meta({
  description:
    "the most that may be withdrawn in an epoch, in hundredths of a percent of what the region holds",
});

/** What the vote may set; a slot's and an epoch's parameters are those in force when it began. */
export const parametersSchema = z.strictObject({
  networkFeeMicrosPerKwh: bounded(0, MAX_NETWORK_FEE_MICROS_PER_KWH),
  takeRateBps: basisPoints(MAX_TAKE_RATE_BPS),
  clearingPriceK: bounded(0, 10_000).meta({ description: "where in the price interval: 0 low, 10000 high" }),
  proofDelaySeconds: bounded(1, MAX_PROOF_DELAY_SECONDS),
  emissionPerEpoch: tokenAmount,
  emissionDecayBps: basisPoints(10_000),
  rewardWeightEnergy: bounded(0, 1_000_000),
  rewardWeightCompute: bounded(0, 1_000_000),
  rewardWeightBandwidth: bounded(0, 1_000_000),
  shareCapBps: basisPoints(10_000),
  outflowCapBps,
  rewardPerFee: tokenAmount.meta({ description: "token base units per 10^6 micros of fees paid" }),
  providerMinimumStake: bounded(0, MAX_REGION_MICROS).meta({
    description: "micros that a provider must have at stake to sell, where its region follows a chain",
  }),
  auditRateBps: basisPoints(10_000).meta({ description: "how many of the jobs' results are run again" }),
});
export type Parameters = z.infer<typeof parametersSchema>;

/** The parameters without those that a chain's contract judges reports by. */
export const figuresSchema = parametersSchema.omit({
  emissionPerEpoch: true,
  emissionDecayBps: true,
  outflowCapBps: true,
});
export type Figures = z.infer<typeof figuresSchema>;

const openRegion = z.strictObject({
  type: z.literal("open_region"),
  ...envelope,
  timeZone: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9_+/-]+$/),
  windowSlots: z.union([z.literal(4), z.literal(96)]),
  epochSlots: bounded(4, MAX_EPOCH_SLOTS),
  quote: z.enum(["test", "settlement"]),
  operator: address,
  gridOperator: address,
  treasury: address,
  mirror: address.meta({
    description: "wallet whose commands carry what the chain says; the zero address where quote=test",
  }),
  receiptKey: bytes32,
  parameters: parametersSchema,
});

const setParameters = z.strictObject({
  type: z.literal("set_parameters"),
  ...envelope,
  parameters: parametersSchema,
});

const creditTestQuote = z.strictObject({
  type: z.literal("credit_test_quote"),
  ...accountEnvelope,
  amountMicros,
});

/** A deposit of the chain; its nonce is the deposit's index there. */
const creditDeposit = z.strictObject({
  type: z.literal("credit_deposit"),
  ...accountEnvelope,
  amountMicros,
  previousHash: bytes32.meta({ description: "hash of all deposits before this one, as the contract has it" }),
});

/** Terms that a vote has scheduled on the chain; the nonce is their version there. */
const scheduleTerms = z.strictObject({
  type: z.literal("schedule_terms"),
  ...envelope,
  fromEpoch: count,
  outflowCapBps,
  emissionPerEpoch: tokenAmount,
  emissionDecayBps: basisPoints(10_000),
});

/** Parameters that a vote has set on the chain; the nonce is their version there. */
const scheduleParameters = z.strictObject({
  type: z.literal("schedule_parameters"),
  ...envelope,
  fromEpoch: count.meta({ description: "as the chain has it; what comes late holds from the next epoch on" }),
  figures: figuresSchema,
});

/** How a provider's stake stands on the chain; the nonce is the number of the stake event there. */
const recordStake = z.strictObject({
  type: z.literal("record_stake"),
  ...accountEnvelope,
  nodeKey: bytes32.meta({ description: "public key that signs the provider's results" }),
  stakedMicros: bounded(0, MAX_REGION_MICROS).meta({ description: "without what queued slashes hold back" }),
  isUnbonding: z.boolean().meta({ description: "true: it is leaving, and gets no new work" }),
});

const withdraw = z.strictObject({ type: z.literal("withdraw"), ...accountEnvelope, amountMicros });

const authoriseSession = z.strictObject({
  type: z.literal("authorise_session"),
  ...accountEnvelope,
  key: bytes32,
  resources: z.array(z.enum(RESOURCES)).min(1).max(3),
  sides: z.array(side).min(0).max(2),
  leastAskMicrosPerKwh: priceMicrosPerKwh,
  highestBidMicrosPerKwh: priceMicrosPerKwh,
  dailyWh: bounded(0, Number.MAX_SAFE_INTEGER),
  leastAskMicrosPerTera: bounded(0, MAX_REGION_MICROS),
  highestBidMicrosPerTera: bounded(0, MAX_REGION_MICROS),
  dailyMega: bounded(0, Number.MAX_SAFE_INTEGER).meta({
    description: "what its orders may offer and ask for in a UTC day, megafuel and megabytes together",
  }),
  spendingLimitMicros: bounded(0, MAX_REGION_MICROS),
  sessionExpiresAtS: instantS,
});

const revokeSession = z.strictObject({ type: z.literal("revoke_session"), ...accountEnvelope, key: bytes32 });

const appointInstallers = z.strictObject({
  type: z.literal("appoint_installers"),
  ...envelope,
  installers: z
    .array(address)
    .max(MAX_INSTALLERS)
    .refine((all) => all.every((one, index) => index === 0 || (all[index - 1] as string) < one), {
      message: "must ascend, each once",
    })
    .meta({ description: "all wallets that may enrol and revoke meters, ascending" }),
});

const admitAccount = z.strictObject({ type: z.literal("admit_account"), ...accountEnvelope });

/** A meter's leaf. It names no account: which meter is whose is the household's secret. */
const enrolMeter = z.strictObject({
  type: z.literal("enrol_meter"),
  ...envelope,
  gatewayX: fieldElement,
  gatewayY: fieldElement,
  commitment: fieldElement.meta({ description: "Poseidon(secret); the secret stays with the household" }),
  connection: bytes32.meta({ description: "the registrar's keyed tag of the grid connection" }),
  nameplateWh: bounded(0, MAX_READING_WH),
  connectionWh: bounded(0, MAX_READING_WH),
  saleCapWh: bounded(0, MAX_WINDOW_CAP_WH),
  purchaseCapWh: bounded(0, MAX_WINDOW_CAP_WH),
  windowSlots: z
    .union([z.literal(4), z.literal(96)])
    .meta({ description: "the region's window: consent and leaf are bound to its length" }),
  replaces: bytes32.meta({
    description:
      "gateway whose enrolment this one takes over on the same connection (rotation), or 32 zero bytes",
  }),
});

const revokeMeter = z.strictObject({
  type: z.literal("revoke_meter"),
  ...envelope,
  gateway: bytes32,
  isEmergency: z
    .boolean()
    .meta({ description: "true: also for the window whose evidence is awaited, not only from the next on" }),
});

export const ladderStep = z.strictObject({ limitPriceMicrosPerKwh: priceMicrosPerKwh, capWhPerSlot: slotWh });
export type LadderStep = z.infer<typeof ladderStep>;

const placeOrder = z.strictObject({
  type: z.literal("place_order"),
  ...accountEnvelope,
  side,
  steps: z.array(ladderStep).min(1).max(MAX_LADDER_STEPS),
  validFromS: instantS.meta({ description: "first instant; 0 means from the next slot on" }),
  validUntilS: instantS.meta({
    description: "slots that start at or after this are not traded; 0 means until cancelled",
  }),
  hours: z.array(hourOfDay).max(24).meta({ description: "UTC hours of day, ascending; empty means all" }),
  replaces: z
    // Not a literal: that would let minus zero through, which is another number after its own round trip.
    .union([bounded(0, 0), orderId])
    .meta({ description: "number of the order this one replaces, or 0" }),
});

const cancelOrder = z.strictObject({ type: z.literal("cancel_order"), ...accountEnvelope, orderId });

const submitReadings = z.strictObject({
  type: z.literal("submit_readings"),
  ...accountEnvelope,
  firstSlot: slotNumber,
  netWh: z
    .array(readingWh)
    .min(4)
    .max(96)
    .meta({ description: "what is claimed of each slot: at most what was metered, in the same direction" }),
});

const commitCertificate = z.strictObject({
  type: z.literal("commit_certificate"),
  ...accountEnvelope,
  commitment: commitment.meta({
    description: "Poseidon of the certificates' secret, another than the meter's; replaces the one before",
  }),
});

/** Every command by its `type`. */
export const commandSchemas = {
  open_region: openRegion,
  set_parameters: setParameters,
  credit_test_quote: creditTestQuote,
  credit_deposit: creditDeposit,
  schedule_terms: scheduleTerms,
  schedule_parameters: scheduleParameters,
  record_stake: recordStake,
  withdraw,
  authorise_session: authoriseSession,
  revoke_session: revokeSession,
  appoint_installers: appointInstallers,
  admit_account: admitAccount,
  enrol_meter: enrolMeter,
  revoke_meter: revokeMeter,
  place_order: placeOrder,
  cancel_order: cancelOrder,
  submit_readings: submitReadings,
  commit_certificate: commitCertificate,
  place_resource_order: placeResourceOrder,
  cancel_resource_order: cancelResourceOrder,
  settle_obligation: settleObligation,
  buy_job: buyJob,
  report_result: reportResult,
  commit_audits: commitAudits,
  reveal_audits: revealAudits,
  record_audit: recordAudit,
  release_run: releaseRun,
} as const;

export const commandSchema = z.discriminatedUnion("type", [
  openRegion,
  setParameters,
  creditTestQuote,
  creditDeposit,
  scheduleTerms,
  scheduleParameters,
  recordStake,
  withdraw,
  authoriseSession,
  revokeSession,
  appointInstallers,
  admitAccount,
  enrolMeter,
  revokeMeter,
  placeOrder,
  cancelOrder,
  submitReadings,
  commitCertificate,
  placeResourceOrder,
  cancelResourceOrder,
  settleObligation,
  buyJob,
  reportResult,
  commitAudits,
  revealAudits,
  recordAudit,
  releaseRun,
]);

export type Command = z.infer<typeof commandSchema>;
export type CommandType = Command["type"];
export type CommandOf<T extends CommandType> = Extract<Command, { type: T }>;
export type OpenRegion = CommandOf<"open_region">;
export type PlaceOrder = CommandOf<"place_order">;
export type SubmitReadings = CommandOf<"submit_readings">;

/** Commands that only the region's operator may sign. */
export const OPERATOR_COMMANDS: ReadonlySet<CommandType> = new Set([
  "open_region",
  "set_parameters",
  "credit_test_quote",
  "appoint_installers",
  "admit_account",
]);

/** Commands that only an installer's wallet may sign. */
export const INSTALLER_COMMANDS: ReadonlySet<CommandType> = new Set(["enrol_meter", "revoke_meter"]);

/** Commands that only a region's mirror may sign. */
export const MIRROR_COMMANDS: ReadonlySet<CommandType> = new Set([
  "credit_deposit",
  "schedule_terms",
  "schedule_parameters",
  "record_stake",
]);

/** Commands about the register of meters: a region that settles on a chain takes them from there, through its mirror. */
export const REGISTRY_COMMANDS: ReadonlySet<CommandType> = new Set([
  "appoint_installers",
  "enrol_meter",
  "revoke_meter",
]);

/** Commands that a session key may sign; the rest wants the wallet. */
export const SESSION_COMMANDS: ReadonlySet<CommandType> = new Set([
  "place_order",
  "cancel_order",
  "submit_readings",
  "revoke_session",
  "place_resource_order",
  "cancel_resource_order",
  "settle_obligation",
  "buy_job",
  "report_result",
]);

/** Commands that a region itself signs, with the key of its receipts: of audits, and of runs of which nothing came. */
export const REFEREE_COMMANDS: ReadonlySet<CommandType> = new Set([
  "commit_audits",
  "reveal_audits",
  "record_audit",
  "release_run",
]);
