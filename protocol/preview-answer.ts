// Owns the shapes of a preview: what is asked, and what each resource, provider and account would have received beside what was
// paid. It refuses amounts as numbers: a month's turnover of a full region passes what JSON can hold, so they are decimal texts.

import { z } from "zod";
import { address, bounded, count, instantS, regionId } from "./fields.ts";
import { draftSchema } from "./governed-values.ts";
import { MAX_PREVIEW_EPOCHS, MAX_REGION_MICROS } from "./limits.ts";

const tokens = z.string().meta({ description: "token base units" });
const micros = (description: string) => z.string().meta({ description });

/** How a preview is made, beside what shall change. */
export const previewOptions = z.strictObject({
  epochs: bounded(1, MAX_PREVIEW_EPOCHS)
    .default(MAX_PREVIEW_EPOCHS)
    .meta({ description: "how many of the newest closed epochs are paid once more" }),
  account: address.optional().meta({ description: "whose own row is answered wherever it stands" }),
  tokenMicros: bounded(0, MAX_REGION_MICROS).optional().meta({
    description: "what a token of 10^18 base units is taken to be worth, for what self-trading gains",
  }),
});
export type PreviewOptions = z.infer<typeof previewOptions>;

export const previewRequest = previewOptions.extend({ region: regionId, values: draftSchema });

const resource = z.enum(["energy", "compute", "bandwidth"]);
const outcome = z.strictObject({
  rewards: tokens,
  feesMicros: micros("take rate of sales; to the treasury"),
  networkMicros: micros("network fee of purchases; to the grid operator"),
  receivedMicros: micros("from sales at prices above zero, after the fee"),
});
const compared = z.strictObject({ soldWh: count, boughtWh: count, paid: outcome, preview: outcome });

const selfTrade = z.strictObject({
  breakEvenMicrosPerToken: z.string().nullable().meta({
    description: "while a token is worth no more, trading with oneself never pays; null: never at all",
  }),
  feeMicros: micros("take rate of the kWh"),
  networkMicros: micros("network fee of the kWh"),
  reward: tokens,
  paysAboveMicrosPerToken: z
    .string()
    .nullable()
    .meta({ description: "what a token must be worth before this kWh pays; null: it earns nothing" }),
  gainMicros: z
    .string()
    .nullable()
    .meta({ description: "reward less cost at `tokenMicros`; null where it was not given" }),
});

export const previewAnswer = z
  .strictObject({
    region: z.string(),
    epochs: z.array(
      compared.extend({
        epoch: count,
        parametersVersion: count,
        voteVersion: count,
        startS: instantS,
        emission: tokens,
        previewEmission: tokens,
      }),
    ),
    restartsEmission: z.boolean().meta({
      description: "the change is one of the chain's terms, with which the emission begins anew",
    }),
    total: compared,
    resources: z.array(
      compared.extend({
        resource,
        weight: count,
        previewWeight: count,
      }),
    ),
    providers: z
      .array(compared.extend({ account: address, resource }))
      .meta({ description: "those that delivered, what changes most first" }),
    accounts: z
      .array(compared.extend({ account: address }))
      .meta({ description: "everybody who traded, what changes most first" }),
    leftOut: z
      .strictObject({ providers: count, accounts: count })
      .meta({ description: "rows beyond what one answer names" }),
    own: compared
      .extend({ account: address })
      .nullable()
      .meta({ description: "the account that was asked for; null where it did not trade" }),
    selfTrading: z
      .strictObject({
        priceMicrosPerKwh: micros("mean of the epochs' sales; 0 where there were none"),
        inForce: selfTrade,
        preview: selfTrade,
        change: z.enum(["none", "easier", "harder"]).meta({
          description: "easier: it would pay at a lower worth of the token than now",
        }),
      })
      .meta({ description: "a kWh sold to oneself in the newest epoch, and from what token price it pays" }),
    unchanged: z.array(z.string()).meta({
      description: "changed values that no past epoch can show: deliveries and prices stay as they were",
    }),
  })
  .meta({ id: "Preview", description: "Closed epochs paid once more under other values" });

export type PreviewRequest = z.input<typeof previewRequest>;
export type PreviewAnswer = z.infer<typeof previewAnswer>;
