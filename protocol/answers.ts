// Owns the shapes of what a deployment answers: objects read state into them, the OpenAPI document shows them, the SDK
// returns them. It refuses nothing: answers are ours.

import { z } from "zod";
import { parametersSchema } from "./commands.ts";
import {
  address,
  bytes32,
  commitment,
  count,
  entryNumber,
  instantS,
  orderId,
  side,
  slotNumber,
} from "./fields.ts";
import { PROMISED_RESOURCES, product, RESOURCES } from "./products.ts";
import { profileSchema } from "./profile.ts";

const signed = z.int();
const voteVersion = count.meta({
  description: "version on the chain of the figures in force; 0 before a vote has changed any",
});
const curveSide = z.strictObject({ priceMicros: z.array(signed), cumulativeWh: z.array(count) });

export const slotAnswer = z
  .strictObject({
    slot: slotNumber,
    parametersVersion: count,
    voteVersion,
    priceMicrosPerKwh: signed.nullable(),
    surplusWh: count,
    needWh: count,
    offeredWh: count,
    askedWh: count,
    tradedWh: count,
    networkMicros: count,
    feeMicros: count,
    dustMicros: count,
    entry: entryNumber,
    traders: count,
    settledMicros: signed.meta({ description: "what buyers paid in all, network fee included" }),
    curve: z.strictObject({ bids: curveSide, asks: curveSide }),
  })
  .meta({
    id: "Slot",
    description: "A cleared quarter-hour: one price, totals, and the aggregated curve of what meters proved",
  });

export const marketAnswer = z
  .strictObject({
    region: z.string(),
    atS: instantS,
    slot: slotNumber,
    windowFirstSlot: slotNumber,
    windowSlots: z.union([z.literal(4), z.literal(96)]),
    epochSlots: count,
    firstSlot: slotNumber,
    nextSlot: slotNumber,
    nextDueS: instantS,
    parametersVersion: count,
    voteVersion,
    parameters: parametersSchema,
    entries: count,
    accounts: count,
    liveOrders: count,
    meters: count,
    provedAccounts: count,
    quote: z.enum(["test", "settlement"]),
    depositedMicros: count,
    withdrawnMicros: count,
    outflow: z.strictObject({ epoch: count, capMicros: count, leftMicros: count }).nullable().meta({
      description: "what may still be withdrawn before the epoch closes; null where the money is test money",
    }),
    lastCleared: slotAnswer.nullable(),
  })
  .meta({ id: "Market" });

export const orderAnswer = z
  .strictObject({
    orderId,
    account: address,
    side,
    steps: z.array(z.strictObject({ limitPriceMicrosPerKwh: signed, capWhPerSlot: count })),
    fromSlot: slotNumber,
    untilSlot: slotNumber.nullable(),
    hours: z.array(count),
    session: count,
    isLive: z.boolean(),
  })
  .meta({ id: "Order" });

export const accountAnswer = z
  .strictObject({
    account: address,
    number: count,
    freeMicros: count,
    escrowMicros: count,
    withdrawnMicros: count.meta({
      description: "asked out of the region since it began; the chain pays it against a final report",
    }),
    rewards: z.string(),
    liveOrders: count,
    epochSoldWh: count,
    epochBoughtWh: count,
    epochFeesMicros: count,
    certificate: commitment
      .nullable()
      .meta({ description: "commitment to the certificates' secret, or null where there is none" }),
    provider: z
      .strictObject({
        nodeKey: bytes32.meta({ description: "public key that signs its results" }),
        stakedMicros: count.meta({ description: "on the chain, without what queued slashes hold back" }),
        isUnbonding: z.boolean(),
      })
      .nullable()
      .meta({ description: "what it has at stake as a provider, or null where it never had" }),
    sessions: z.array(
      z.strictObject({
        session: count,
        key: bytes32,
        sides: z.array(side),
        leastAskMicrosPerKwh: signed,
        highestBidMicrosPerKwh: signed,
        dailyWh: count,
        resources: z.array(z.enum(RESOURCES)),
        leastAskMicrosPerTera: count,
        highestBidMicrosPerTera: count,
        dailyMega: count,
        spendingLimitMicros: count,
        spentMicros: count,
        expiresAtS: instantS,
        isRevoked: z.boolean(),
      }),
    ),
  })
  .meta({ id: "Account" });

export const registryAnswer = z
  .strictObject({
    firstSlot: slotNumber,
    root: bytes32.meta({ description: "what proofs of this window are made against" }),
    leaves: z
      .array(bytes32)
      .meta({ description: "by position; zero where there is none, ends with the last one" }),
  })
  .meta({
    id: "Registry",
    description:
      "Every meter's leaf of one window. Take all of them and make your own path: asking for one would tell which meter is yours",
  });

/** A settled slot of a bill, before it is held against a tariff. Amounts are changes of the balance. */
export const settledLine = z.strictObject({
  slot: slotNumber,
  startS: instantS,
  meteredWh: signed.meta({ description: "what was claimed and proved: at most what was metered" }),
  tradedWh: signed,
  priceMicrosPerKwh: signed.nullable(),
  amountMicros: signed.meta({ description: "change of the balance; a purchase is negative" }),
  feeMicros: count.meta({ description: "take-rate fee of a sale" }),
  networkMicros: count.meta({ description: "network fee inside a purchase's amount" }),
  reward: z
    .string()
    .nullable()
    .meta({ description: "part of the epoch's reward; null until the epoch has closed" }),
  evidence: entryNumber.meta({ description: "journal entry that holds the evidence" }),
  wasCut: z.boolean().meta({ description: "cut to what the balance or a session key could bear" }),
});

const billLine = settledLine.extend({
  restMicros: signed.meta({ description: "what was not traded, under the tariff; a cost is negative" }),
  tariffMicros: signed.meta({ description: "the whole slot under the tariff alone" }),
  gainMicros: signed.meta({ description: "amount + rest - tariff" }),
});

const billTotals = {
  meteredExportWh: count,
  meteredImportWh: count,
  soldWh: count,
  boughtWh: count,
  amountMicros: signed,
  feeMicros: count,
  networkMicros: count,
  restMicros: signed,
  tariffMicros: signed,
  gainMicros: signed,
};

export const billAnswer = z
  .strictObject({
    account: address,
    region: z.string(),
    currency: z.string(),
    tariff: z.strictObject({ name: z.string(), retailMicrosPerKwh: signed, feedInMicrosPerKwh: signed }),
    from: slotNumber,
    until: slotNumber,
    next: slotNumber.nullable().meta({ description: "where the next page begins, or null" }),
    totals: z.strictObject(billTotals),
    lines: z.array(billLine),
  })
  .meta({ id: "Bill" });

export const epochAnswer = z
  .strictObject({
    epoch: count,
    parametersVersion: count,
    voteVersion,
    deliveredWh: count,
    feesMicros: count,
    emission: z.string(),
    nextEmission: z.string(),
    soldWh: z.record(z.string(), count).meta({ description: "of everybody who sold or bought" }),
    boughtWh: z.record(z.string(), count),
    rewards: z.record(z.string(), z.string()).meta({ description: "for the energy sold" }),
    resources: z
      .array(
        z.strictObject({
          resource: z.enum(PROMISED_RESOURCES),
          units: z.string().meta({ description: "delivered by everybody: megafuel or megabytes" }),
          feesMicros: count,
          deliveredMega: z.record(z.string(), count),
          rewards: z
            .record(z.string(), z.string())
            .meta({ description: "on top of those for other resources" }),
          providerFeesMicros: z
            .record(z.string(), count)
            .meta({ description: "of each provider's deliveries; empty for an epoch of earlier rules" }),
        }),
      )
      .meta({
        description: "what else was delivered in the epoch; an account's reward is the sum of all its own",
      }),
    certificates: z.array(address).meta({
      description: "accounts that stand in the epoch's certificate tree, in the order of its leaves",
    }),
    entry: entryNumber.meta({ description: "the journal entry that closed it" }),
  })
  .meta({ id: "Epoch" });

export const parametersAnswer = z
  .strictObject({
    version: count,
    fromEpoch: count.meta({ description: "the first epoch it holds in, until a later version's first" }),
    restartsEmission: z.boolean(),
    voteVersion,
    parameters: parametersSchema,
  })
  .meta({ id: "Parameters", description: "Parameters of a region and the epochs they hold in" });

export const certificatesAnswer = z
  .strictObject({
    epoch: count,
    root: bytes32,
    leaves: z.array(bytes32).meta({ description: "by position; the rest of the tree is empty" }),
  })
  .meta({
    id: "Certificates",
    description:
      "The certificate tree of a closed epoch: Poseidon, four children a node, eight levels. Whoever makes a certificate takes all leaves and finds its own.",
  });

const sums = z.strictObject({
  withdrawalsMicros: z.string(),
  heldMicros: z.string(),
  rewards: z.string().meta({ description: "token base units" }),
});

export const reportAnswer = z
  .strictObject({
    epoch: count,
    entry: entryNumber,
    stateHash: bytes32,
    journalRoot: bytes32.meta({ description: "the journal's chain hash at that entry" }),
    lastDeposit: count,
    depositsHash: bytes32,
    certificateRoot: bytes32,
    sumRoot: bytes32,
    totals: sums,
  })
  .meta({ id: "Report", description: "What a region reports of a closed epoch to the chain" });

export const leafAnswer = z
  .strictObject({
    epoch: count,
    sumRoot: bytes32,
    totals: sums,
    leaf: z.strictObject({ account: address, sums }),
    path: z.strictObject({
      position: z.string(),
      siblings: z.array(z.strictObject({ hash: bytes32, sums })),
    }),
  })
  .meta({
    id: "Leaf",
    description:
      "What an account is owed at the end of an epoch and the path that shows it; whoever keeps it can leave without anybody's help",
  });

const bookSide = z.array(
  z.strictObject({
    priceMicrosPerTera: count,
    restingMega: z.string().meta({ description: "decimal: of many orders it may pass what a number holds" }),
    orders: count,
  }),
);

export const bookAnswer = z
  .strictObject({
    product,
    asks: bookSide.meta({ description: "best first" }),
    bids: bookSide,
    entry: entryNumber.meta({ description: "the journal entry after which it stood so" }),
  })
  .meta({ id: "Book", description: "What rests in the continuous book of a product, by price" });

export const resourceOrderAnswer = z
  .strictObject({
    orderId,
    account: address,
    product,
    side,
    restingMega: count,
    priceMicrosPerTera: count,
    goodTillS: instantS,
    session: count,
  })
  .meta({ id: "ResourceOrder" });

export const obligationAnswer = z
  .strictObject({
    obligationId: count,
    product,
    buyer: address,
    seller: address,
    buyOrderId: orderId,
    sellOrderId: orderId,
    boughtBy: bytes32.nullable().meta({
      description: "session key that bought it, whose word counts to the end; null where the wallet did",
    }),
    quantityMega: count,
    deliveredMega: count.meta({ description: "settled so far" }),
    priceMicrosPerTera: count,
    paidMicros: count,
    takeRateBps: count,
    deadlineS: instantS,
    job: z
      .strictObject({ jobDigest: bytes32, replicas: count })
      .nullable()
      .meta({ description: "what its seller is to run; null where no job in particular was bought" }),
    result: z
      .strictObject({
        fuelMega: count,
        outputHash: bytes32,
        payableAtS: instantS.meta({ description: "when it is settled at the latest" }),
        isDisputed: z.boolean().meta({ description: "others report something else and no majority agrees" }),
      })
      .nullable()
      .meta({ description: "what its seller has reported of the job" }),
  })
  .meta({ id: "Obligation", description: "A trade that is not settled yet" });

export const headAnswer = z
  .strictObject({ entry: entryNumber, hash: z.string(), atS: instantS })
  .meta({ id: "Head" });
export const profileAnswer = profileSchema.meta({ id: "Profile" });

export type ClearedSlot = z.infer<typeof slotAnswer>;
export type Curve = ClearedSlot["curve"];
export type Market = z.infer<typeof marketAnswer>;
export type Order = z.infer<typeof orderAnswer>;
export type Registry = z.infer<typeof registryAnswer>;
export type Account = z.infer<typeof accountAnswer>;
export type SettledLine = z.infer<typeof settledLine>;
export type BillLine = z.infer<typeof billLine>;
export type Bill = z.infer<typeof billAnswer>;
export type Epoch = z.infer<typeof epochAnswer>;
export type ParametersAnswer = z.infer<typeof parametersAnswer>;
export type Certificates = z.infer<typeof certificatesAnswer>;
export type ReportAnswer = z.infer<typeof reportAnswer>;
export type LeafAnswer = z.infer<typeof leafAnswer>;
export type Book = z.infer<typeof bookAnswer>;
export type ResourceOrder = z.infer<typeof resourceOrderAnswer>;
export type OpenObligation = z.infer<typeof obligationAnswer>;
export type Head = z.infer<typeof headAnswer>;

/** A bill as CSV (RFC 4180), starts as ISO 8601 instants. Nothing in it needs quoting. */
export function billCsv(lines: readonly BillLine[]): string {
  const names = Object.keys(billLine.shape) as (keyof BillLine)[];
  const head = names.map((name) => (name === "startS" ? "start" : name));
  const rows = lines.map((line) =>
    names.map((name) =>
      name === "startS" ? new Date(line.startS * 1000).toISOString() : (line[name] ?? ""),
    ),
  );
  return [head, ...rows].map((cells) => `${cells.join(",")}\r\n`).join("");
}
