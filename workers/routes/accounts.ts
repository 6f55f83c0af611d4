// Owns the paths about an account: balances, keys, meters, orders, and the bill. It refuses nothing: what they show is
// public in the journal anyway (docs/PRIVACY.md).

import { z } from "zod";
import { costUnderTariffMicros } from "../../market/tariff-cost.ts";
import {
  accountAnswer,
  type BillLine,
  billAnswer,
  billCsv,
  orderAnswer,
  type SettledLine,
} from "../../protocol/answers.ts";
import { address, priceMicrosPerKwh, regionId } from "../../protocol/fields.ts";
import { MAX_PAGE_ROWS } from "../../protocol/limits.ts";
import type { Profile, ReferenceTariff } from "../../protocol/profile.ts";
import { numeral, page } from "../parts.ts";
import { Refusal } from "../problems.ts";
import { profileOf, regionOf } from "../region-access.ts";
import { type Application, route } from "../router.ts";

const tag = "accounts";
const accountParams = z.strictObject({ region: regionId, account: address });

const billQuery = page.extend({
  tariff: z
    .string()
    .max(64)
    .optional()
    .meta({ description: "name of one of the region's reference tariffs" }),
  retailMicrosPerKwh: numeral(priceMicrosPerKwh.optional()),
  feedInMicrosPerKwh: numeral(priceMicrosPerKwh.optional()),
  format: z.enum(["json", "csv"]).optional(),
});

/** Registers the paths. */
export function accountRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/accounts/:account",
      tag,
      summary: "Balances, keys and meters",
      params: accountParams,
      answers: accountAnswer,
    },
    async ({ context, env, params }) => {
      const account = await (await regionOf(env, params.region)).account(params.account);
      if (account === null) throw new Refusal("account_not_found", { account: params.account });
      return context.json(account);
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/accounts/:account/orders",
      tag,
      summary: "Orders that have not left the book",
      params: accountParams,
      answers: z.strictObject({ orders: z.array(orderAnswer) }),
    },
    async ({ context, env, params }) =>
      context.json({ orders: await (await regionOf(env, params.region)).orders(params.account) }),
  );
  billRoute(application);
}

function billRoute(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/accounts/:account/bill",
      tag,
      summary: "The bill per slot, beside the same slot under a tariff alone",
      description:
        "As JSON, or as CSV with `format=csv` or `Accept: text/csv`. Changes of the balance: a purchase is negative.",
      params: accountParams,
      query: billQuery,
      answers: billAnswer,
    },
    async ({ context, env, params, query }) => {
      const profile = await profileOf(env, params.region);
      const tariff = tariffOf(profile, query);
      const lines = await env.REGION.getByName(params.region).bill(params.account, query.from, query.until);
      if (lines === null) throw new Refusal("account_not_found", { account: params.account });
      const compared = lines.map((line) => compare(line, tariff));
      if (query.format === "csv" || context.req.header("accept")?.includes("text/csv")) {
        return context.text(billCsv(compared), 200, {
          "content-type": "text/csv; charset=utf-8",
          "content-disposition": `attachment; filename="bill-${params.account}.csv"`,
        });
      }
      const last = compared.at(-1);
      return context.json({
        account: params.account,
        region: params.region,
        currency: profile.currency,
        tariff,
        from: query.from,
        until: query.until,
        next: compared.length < MAX_PAGE_ROWS || last === undefined ? null : last.slot + 1,
        totals: totalsOf(compared),
        lines: compared,
      });
    },
  );
}

function tariffOf(profile: Profile, query: z.infer<typeof billQuery>): ReferenceTariff {
  const named =
    query.tariff === undefined
      ? profile.tariffs[0]
      : profile.tariffs.find(({ name }) => name === query.tariff);
  if (named === undefined)
    throw new Refusal("malformed_request", {
      path: "query.tariff",
      expected: "a tariff of the region's profile",
    });
  const { retailMicrosPerKwh = named.retailMicrosPerKwh, feedInMicrosPerKwh = named.feedInMicrosPerKwh } =
    query;
  const isNamed =
    retailMicrosPerKwh === named.retailMicrosPerKwh && feedInMicrosPerKwh === named.feedInMicrosPerKwh;
  return { name: isNamed ? named.name : "as given", retailMicrosPerKwh, feedInMicrosPerKwh };
}

/** The same slot with what was not traded settled under the tariff, and all of it under the tariff alone. */
function compare(line: SettledLine, { retailMicrosPerKwh, feedInMicrosPerKwh }: ReferenceTariff): BillLine {
  const under = (wh: number): number => 0 - costUnderTariffMicros(wh, retailMicrosPerKwh, feedInMicrosPerKwh);
  const restMicros = under(line.meteredWh - line.tradedWh);
  const tariffMicros = under(line.meteredWh);
  return { ...line, restMicros, tariffMicros, gainMicros: line.amountMicros + restMicros - tariffMicros };
}

function totalsOf(lines: readonly BillLine[]) {
  const sum = (pick: (line: BillLine) => number): number =>
    lines.reduce((total, line) => total + pick(line), 0);
  return {
    meteredExportWh: sum(({ meteredWh }) => Math.max(0, meteredWh)),
    meteredImportWh: sum(({ meteredWh }) => Math.max(0, -meteredWh)),
    soldWh: sum(({ tradedWh }) => Math.max(0, tradedWh)),
    boughtWh: sum(({ tradedWh }) => Math.max(0, -tradedWh)),
    amountMicros: sum(({ amountMicros }) => amountMicros),
    feeMicros: sum(({ feeMicros }) => feeMicros),
    networkMicros: sum(({ networkMicros }) => networkMicros),
    restMicros: sum(({ restMicros }) => restMicros),
    tariffMicros: sum(({ tariffMicros }) => tariffMicros),
    gainMicros: sum(({ gainMicros }) => gainMicros),
  };
}
