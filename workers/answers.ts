// Owns the shapes of what is answered, as the OpenAPI document shows them. It refuses nothing: answers are ours.

import { z } from "zod";
import { receiptSchema } from "../evidence/receipt.ts";
import { parametersSchema } from "../protocol/commands.ts";
import { eventSchema } from "../protocol/events.ts";
import {
  address,
  bytes32,
  count,
  entryNumber,
  instantS,
  orderId,
  side,
  slotNumber,
} from "../protocol/fields.ts";
import { profileSchema } from "../protocol/profile.ts";

const signed = z.int();
const curveSide = z.strictObject({ priceMicros: z.array(signed), cumulativeWh: z.array(count) });

export const acceptedAnswer = z
  .strictObject({
    commandId: bytes32,
    entry: entryNumber.meta({
      description: "number of the journal entry; of a placed order also its orderId",
    }),
    atS: instantS,
    events: z.array(eventSchema),
    receipt: receiptSchema,
  })
  .meta({ id: "Accepted", description: "An accepted command. Sent again it gets this same answer." });

export const slotAnswer = z
  .strictObject({
    slot: slotNumber,
    parametersVersion: count,
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
    windowSlots: count,
    epochSlots: count,
    firstSlot: slotNumber,
    nextSlot: slotNumber,
    nextDueS: instantS,
    parametersVersion: count,
    parameters: parametersSchema,
    entries: count,
    accounts: count,
    liveOrders: count,
    meters: count,
    provedAccounts: count,
    depositedMicros: count,
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
    rewards: z.string(),
    liveOrders: count,
    epochSoldWh: count,
    epochFeesMicros: count,
    sessions: z.array(
      z.strictObject({
        session: count,
        key: bytes32,
        sides: z.array(side),
        leastAskMicrosPerKwh: signed,
        highestBidMicrosPerKwh: signed,
        dailyWh: count,
        spendingLimitMicros: count,
        spentMicros: count,
        expiresAtS: instantS,
        isRevoked: z.boolean(),
      }),
    ),
    meters: z.array(
      z.strictObject({
        meter: count,
        gateway: bytes32,
        nameplateWh: count,
        connectionWh: count,
        saleCapWh: count,
        purchaseCapWh: count,
        fromSlot: slotNumber,
        untilSlot: slotNumber.nullable(),
      }),
    ),
  })
  .meta({ id: "Account" });

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
    lines: z.array(
      z.strictObject({
        slot: slotNumber,
        startS: instantS,
        meteredWh: signed,
        tradedWh: signed,
        priceMicrosPerKwh: signed.nullable(),
        amountMicros: signed,
        feeMicros: count,
        networkMicros: count,
        reward: z.string().nullable(),
        evidence: entryNumber,
        wasCut: z.boolean(),
        restMicros: signed.meta({ description: "what was not traded, under the tariff; a cost is negative" }),
        tariffMicros: signed.meta({ description: "the whole slot under the tariff alone" }),
        gainMicros: signed.meta({ description: "amount + rest - tariff" }),
      }),
    ),
  })
  .meta({ id: "Bill" });

export const epochAnswer = z
  .strictObject({
    epoch: count,
    deliveredWh: count,
    feesMicros: count,
    emission: z.string(),
    nextEmission: z.string(),
    soldWh: z.record(z.string(), count),
    rewards: z.record(z.string(), z.string()),
  })
  .meta({ id: "Epoch" });

export const headAnswer = z
  .strictObject({ entry: entryNumber, hash: z.string(), atS: instantS })
  .meta({ id: "Head" });
export const profileAnswer = profileSchema.meta({ id: "Profile" });
