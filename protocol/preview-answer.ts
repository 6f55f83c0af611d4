// Owns the shapes of a preview: what is asked, and what each resource, provider and account would have received beside what was
// paid. It refuses amounts as numbers: a month's turnover of a full region passes what JSON can hold, so they are decimal texts.

import { z } from "zod";
import { address, bounded, count, instantS, regionId } from "./fields.ts";
import { draftSchema } from "./governed-values.ts";
import { MAX_PREVIEW_EPOCHS, MAX_REGION_MICROS } from "./limits.ts";
import { PROMISED_RESOURCES, RESOURCES } from "./products.ts";

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

const resource = z.enum(RESOURCES);
const outcome = z.strictObject({
  rewards: tokens,
  feesMicros: micros("take rate of sales and deliveries; to the treasury"),
  networkMicros: micros("network fee of purchases; to the grid operator"),
  receivedMicros: micros("from sales at prices above zero and deliveries, after the fee"),
});
const compared = z.strictObject({ soldWh: count, boughtWh: count, paid: outcome, preview: outcome });
const ofResource = compared.extend({
  resource,
  units: z.string().meta({ description: "delivered: Wh, megafuel or megabytes" }),
});

const selfTrade = z.strictObject({
  breakEvenMicrosPerToken: z.string().nullable().meta({
    description: "while a token is worth no more, trading with oneself never pays; null: never at all",
  }),
  feeMicros: micros("take rate of it"),
  networkMicros: micros("network fee of it; 0 but for energy"),
  reward: tokens,
  paysAboveMicrosPerToken: z
    .string()
    .nullable()
    .meta({ description: "what a token must be worth before it pays; null: it earns nothing" }),
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
    total: compared.meta({ description: "all resources together" }),
    resources: z.array(ofResource.extend({ weight: count, previewWeight: count })),
    providers: z.array(ofResource.extend({ account: address })).meta({
      description: "those that delivered, a row a resource, what changes most first",
    }),
    accounts: z.array(compared.extend({ account: address })).meta({
      description:
        "everybody who traded energy or delivered another resource, all of it together, what changes most first",
    }),
    leftOut: z
      .strictObject({
        providers: count,
        accounts: count,
        deliveries: z.array(z.strictObject({ epoch: count, resource: z.enum(PROMISED_RESOURCES) })).meta({
          description:
            "delivered in epochs that closed before it was kept whose the fees and sales were: neither in what was paid here nor in what would have been",
        }),
      })
      .meta({ description: "rows beyond what one answer names, and what older epochs do not tell" }),
    own: compared
      .extend({ account: address })
      .nullable()
      .meta({ description: "the account that was asked for; null where it did neither" }),
    selfTrading: z
      .array(
        z.strictObject({
          resource,
          priceMicros: micros("mean of the epochs' sales; 0 where there were none"),
          inForce: selfTrade,
          preview: selfTrade,
          change: z.enum(["none", "easier", "harder"]).meta({
            description: "easier: it would pay at a lower worth of the token than now",
          }),
        }),
      )
      .meta({
        description:
          "per resource: a kWh, terafuel or terabyte sold to oneself in the newest epoch, and from what token price it pays",
      }),
    unchanged: z.array(z.string()).meta({
      description: "changed values that no past epoch can show: deliveries and prices stay as they were",
    }),
  })
  .meta({ id: "Preview", description: "Closed epochs paid once more under other values" });

export type PreviewRequest = z.input<typeof previewRequest>;
export type PreviewAnswer = z.infer<typeof previewAnswer>;
