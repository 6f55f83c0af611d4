// Owns random commands that the decoders accept, one arbitrary per command type. It refuses values out of bounds, so
// that a test that wants those spoils one field itself.

import fc from "fast-check";
import type { Command, CommandType, Parameters } from "../../protocol/commands.ts";
import { FIELD_ORDER, type Hex, LAST_INSTANT_S } from "../../protocol/fields.ts";
import * as limits from "../../protocol/limits.ts";
import { PRODUCT_NAMES } from "../../protocol/products.ts";

const digits = (count: number): fc.Arbitrary<Hex> =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: count, maxLength: count })
    .map((hex) => `0x${hex.join("")}` as Hex);

/** Integers with both bounds often among them. */
const within = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min, max }) },
    fc.constantFrom(min, max, Math.max(min, Math.min(max, 0))),
  );

const LAST = Number.MAX_SAFE_INTEGER;
const account = digits(40);
const bytes32 = digits(64);
const instant = within(0, LAST_INSTANT_S);
const price = within(-limits.MAX_ABSOLUTE_PRICE_MICROS_PER_KWH, limits.MAX_ABSOLUTE_PRICE_MICROS_PER_KWH);
const token = fc.oneof(
  fc.constantFrom("0", "9".repeat(30)),
  fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }).map(String),
);
const element = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n }).map(String);
const side = fc.constantFrom("sell" as const, "buy" as const);
const name = fc.stringMatching(/^[a-z][a-z0-9-]{1,31}$/);

const figureFields = {
  networkFeeMicrosPerKwh: within(0, limits.MAX_NETWORK_FEE_MICROS_PER_KWH),
  takeRateBps: within(0, limits.MAX_TAKE_RATE_BPS),
  clearingPriceK: within(0, 10_000),
  proofDelaySeconds: within(1, limits.MAX_PROOF_DELAY_SECONDS),
  rewardWeightEnergy: within(0, 1_000_000),
  rewardWeightCompute: within(0, 1_000_000),
  rewardWeightBandwidth: within(0, 1_000_000),
  shareCapBps: within(0, 10_000),
  rewardPerFee: token,
  providerMinimumStake: within(0, limits.MAX_REGION_MICROS),
  auditRateBps: within(0, 10_000),
};
const parameters: fc.Arbitrary<Parameters> = fc.record({
  ...figureFields,
  emissionPerEpoch: token,
  emissionDecayBps: within(0, 10_000),
  outflowCapBps: within(100, 10_000),
});

const envelope = { region: name, nonce: within(0, LAST), expiresAtS: instant };
const owned = { account, ...envelope };
const type = <T extends CommandType>(value: T): fc.Arbitrary<T> => fc.constant(value);
const window = within(0, limits.MAX_WINDOW_CAP_WH);
const readingWh = within(-limits.MAX_READING_WH, limits.MAX_READING_WH);
const step = fc.record({
  limitPriceMicrosPerKwh: price,
  capWhPerSlot: within(1, limits.MAX_WH_PER_ACCOUNT_SLOT),
});

/** Every command type by its arbitrary. */
export const COMMANDS: { readonly [T in CommandType]: fc.Arbitrary<Extract<Command, { type: T }>> } = {
  open_region: fc.record({
    type: type("open_region"),
    ...envelope,
    timeZone: fc.stringMatching(/^[A-Za-z0-9_+/-]{1,64}$/),
    windowSlots: fc.constantFrom(4 as const, 96 as const),
    epochSlots: within(4, limits.MAX_EPOCH_SLOTS),
    quote: fc.constantFrom("test" as const, "settlement" as const),
    operator: account,
    gridOperator: account,
    treasury: account,
    mirror: account,
    receiptKey: bytes32,
    parameters,
  }),
  set_parameters: fc.record({ type: type("set_parameters"), ...envelope, parameters }),
  credit_test_quote: fc.record({
    type: type("credit_test_quote"),
    ...owned,
    amountMicros: within(1, limits.MAX_REGION_MICROS),
  }),
  credit_deposit: fc.record({
    type: type("credit_deposit"),
    ...owned,
    amountMicros: within(1, limits.MAX_REGION_MICROS),
    previousHash: bytes32,
  }),
  schedule_terms: fc.record({
    type: type("schedule_terms"),
    ...envelope,
    fromEpoch: within(0, LAST),
    outflowCapBps: within(limits.MIN_OUTFLOW_CAP_BPS, 10_000),
    emissionPerEpoch: token,
    emissionDecayBps: within(0, 10_000),
  }),
  schedule_parameters: fc.record({
    type: type("schedule_parameters"),
    ...envelope,
    fromEpoch: within(0, LAST),
    figures: fc.record(figureFields),
  }),
  record_stake: fc.record({
    type: type("record_stake"),
    ...owned,
    nodeKey: bytes32,
    stakedMicros: within(0, limits.MAX_REGION_MICROS),
    isUnbonding: fc.boolean(),
  }),
  withdraw: fc.record({
    type: type("withdraw"),
    ...owned,
    amountMicros: within(1, limits.MAX_REGION_MICROS),
  }),
  authorise_session: fc.record({
    type: type("authorise_session"),
    ...owned,
    key: bytes32,
    resources: fc.array(fc.constantFrom("energy" as const, "compute" as const, "bandwidth" as const), {
      minLength: 1,
      maxLength: 3,
    }),
    sides: fc.array(side, { maxLength: 2 }),
    leastAskMicrosPerKwh: price,
    highestBidMicrosPerKwh: price,
    dailyWh: within(0, LAST),
    leastAskMicrosPerTera: within(0, limits.MAX_REGION_MICROS),
    highestBidMicrosPerTera: within(0, limits.MAX_REGION_MICROS),
    dailyMega: within(0, LAST),
    spendingLimitMicros: within(0, limits.MAX_REGION_MICROS),
    sessionExpiresAtS: instant,
  }),
  revoke_session: fc.record({ type: type("revoke_session"), ...owned, key: bytes32 }),
  appoint_installers: fc.record({
    type: type("appoint_installers"),
    ...envelope,
    installers: fc
      .uniqueArray(account, { maxLength: limits.MAX_INSTALLERS })
      .map((all) => all.sort((left, right) => (left < right ? -1 : 1))),
  }),
  admit_account: fc.record({ type: type("admit_account"), ...owned }),
  enrol_meter: fc.record({
    type: type("enrol_meter"),
    ...envelope,
    gatewayX: element,
    gatewayY: element,
    commitment: element,
    connection: bytes32,
    nameplateWh: within(0, limits.MAX_READING_WH),
    connectionWh: within(0, limits.MAX_READING_WH),
    saleCapWh: window,
    purchaseCapWh: window,
    windowSlots: fc.constantFrom(4 as const, 96 as const),
    replaces: bytes32,
  }),
  revoke_meter: fc.record({
    type: type("revoke_meter"),
    ...envelope,
    gateway: bytes32,
    isEmergency: fc.boolean(),
  }),
  place_order: fc.record({
    type: type("place_order"),
    ...owned,
    side,
    steps: fc.array(step, { minLength: 1, maxLength: limits.MAX_LADDER_STEPS }),
    validFromS: instant,
    validUntilS: instant,
    hours: fc.array(within(0, 23), { maxLength: 24 }),
    replaces: within(0, LAST),
  }),
  cancel_order: fc.record({ type: type("cancel_order"), ...owned, orderId: within(1, LAST) }),
  submit_readings: fc.record({
    type: type("submit_readings"),
    ...owned,
    firstSlot: within(0, LAST_INSTANT_S / 900),
    netWh: fc.array(readingWh, { minLength: 4, maxLength: 96 }),
  }),
  place_resource_order: fc.record({
    type: type("place_resource_order"),
    ...owned,
    product: fc.constantFrom(...PRODUCT_NAMES),
    side,
    quantityMega: within(1, limits.MAX_REGION_MICROS),
    priceMicrosPerTera: within(1, limits.MAX_REGION_MICROS),
    timeInForce: fc.constantFrom(
      "good_till_time" as const,
      "immediate_or_cancel" as const,
      "fill_or_kill" as const,
      "post_only" as const,
    ),
    goodTillS: instant,
  }),
  cancel_resource_order: fc.record({
    type: type("cancel_resource_order"),
    ...owned,
    orderId: within(1, LAST),
  }),
  settle_obligation: fc.record({
    type: type("settle_obligation"),
    ...owned,
    obligationId: within(1, LAST),
    deliveredMega: within(0, LAST),
    jobDigest: bytes32,
    outputHash: bytes32,
    isFinal: fc.boolean(),
  }),
  buy_job: fc.record({
    type: type("buy_job"),
    ...owned,
    jobDigest: bytes32,
    fuelMega: within(1, limits.MAX_REGION_MICROS),
    priceMicrosPerTera: within(1, limits.MAX_REGION_MICROS),
    replicas: within(1, limits.MAX_JOB_REPLICAS),
  }),
  report_result: fc.record({
    type: type("report_result"),
    ...owned,
    obligationId: within(1, LAST),
    fuelMega: within(1, limits.MAX_REGION_MICROS),
    jobDigest: bytes32,
    outputHash: bytes32,
  }),
  commit_audits: fc.record({
    type: type("commit_audits"),
    ...envelope,
    epoch: within(0, LAST),
    commitment: bytes32,
  }),
  reveal_audits: fc.record({
    type: type("reveal_audits"),
    ...envelope,
    epoch: within(0, LAST),
    secret: bytes32,
  }),
  record_audit: fc.record({
    type: type("record_audit"),
    ...envelope,
    obligationId: within(1, LAST),
    fuelMega: within(1, limits.MAX_REGION_MICROS),
    outputHash: bytes32,
    blockNumber: within(0, LAST),
    blockHash: bytes32,
  }),
  release_run: fc.record({
    type: type("release_run"),
    ...envelope,
    obligationId: within(1, LAST),
    jobDigest: bytes32,
    hasFailed: fc.boolean(),
  }),
  commit_certificate: fc.record({
    type: type("commit_certificate"),
    ...owned,
    commitment: fc.bigInt({ min: 1n, max: FIELD_ORDER - 1n }).map(String),
  }),
};

/** Any command. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  ...(Object.values(COMMANDS) as fc.Arbitrary<Command>[]),
);
