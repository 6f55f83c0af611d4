// Owns the paths about promised resources: the books, orders in them, and the settlement of trades. It refuses nothing by itself:
// authentication and the region do. Jobs are bought for whoever sends them, in jobs.ts, and reported over a seller's socket.

import { z } from "zod";
import { signedSchema } from "../../evidence/signed-command.ts";
import { bookAnswer, obligationAnswer, resourceOrderAnswer } from "../../protocol/answers.ts";
import { commandSchemas } from "../../protocol/commands.ts";
import { address, obligationId, orderId, regionId } from "../../protocol/fields.ts";
import { product } from "../../protocol/products.ts";
import { acceptedAnswer } from "../answers.ts";
import { eitherSchema } from "../authentication.ts";
import { numeral, regionParams } from "../parts.ts";
import { Refusal } from "../problems.ts";
import { regionOf } from "../region-access.ts";
import { type Application, route } from "../router.ts";
import { submit } from "./commands.ts";

const tag = "resources";
const accountParams = z.strictObject({ region: regionId, account: address });

/** Registers the paths. */
export function resourceRoutes(application: Application): void {
  orderRoutes(application);
  settlementRoute(application);
  readRoutes(application);
}

function orderRoutes(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/resource-orders",
      tag,
      summary: "Place an order in a product's continuous book",
      description:
        "It trades at once at the prices that rest, each trade an obligation to deliver, and what is left rests or not. A buyer's money for both goes into escrow.",
      accepts: "api-key",
      params: regionParams,
      body: eitherSchema("place_resource_order"),
      answers: acceptedAnswer,
      status: 201,
    },
    ({ context, params, body }) => submit(context, params.region, "place_resource_order", body, 201),
  );
  route(
    application,
    {
      method: "delete",
      path: "/v1/regions/:region/resource-orders/:order",
      tag,
      summary: "Take an order out of its book at once",
      description: "With an API key the body may be left out.",
      accepts: "api-key",
      params: z.strictObject({ region: regionId, order: numeral(orderId) }),
      body: signedSchema(commandSchemas.cancel_resource_order),
      isBodyOptional: true,
      answers: acceptedAnswer,
    },
    ({ context, params, body }) =>
      submit(context, params.region, "cancel_resource_order", body, 200, { orderId: params.order }),
  );
}

function settlementRoute(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/obligations/:obligation/settlements",
      tag,
      summary: "Settle what was delivered of a trade, on evidence",
      description:
        "Sent by the seller or the buyer, with the buyer's voucher as evidence. What nobody settled by the deadline goes back to the buyer.",
      accepts: "api-key",
      params: z.strictObject({ region: regionId, obligation: numeral(obligationId) }),
      body: eitherSchema("settle_obligation"),
      answers: acceptedAnswer,
      status: 201,
    },
    ({ context, params, body }) =>
      submit(context, params.region, "settle_obligation", body, 201, { obligationId: params.obligation }),
  );
}

function readRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/books/:product",
      tag,
      summary: "What rests in a product's book, by price",
      params: z.strictObject({ region: regionId, product }),
      answers: bookAnswer,
    },
    async ({ context, env, params }) =>
      context.json(await (await regionOf(env, params.region)).book(params.product)),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/accounts/:account/resource-orders",
      tag,
      summary: "Orders that rest in the continuous books",
      params: accountParams,
      answers: z.strictObject({ orders: z.array(resourceOrderAnswer) }),
    },
    async ({ context, env, params }) =>
      context.json({ orders: await (await regionOf(env, params.region)).resourceOrders(params.account) }),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/accounts/:account/obligations",
      tag,
      summary: "Trades to deliver or to pay for that are not settled yet",
      params: accountParams,
      answers: z.strictObject({ obligations: z.array(obligationAnswer) }),
    },
    async ({ context, env, params }) =>
      context.json({ obligations: await (await regionOf(env, params.region)).obligations(params.account) }),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/obligations/:obligation",
      tag,
      summary: "One trade that is not settled yet: what its seller looks at before it works",
      params: z.strictObject({ region: regionId, obligation: numeral(obligationId) }),
      answers: obligationAnswer,
    },
    async ({ context, env, params: { region, obligation } }) => {
      const found = await (await regionOf(env, region)).obligation(obligation);
      if (found === null) throw new Refusal("obligation_not_found", { obligationId: obligation });
      return context.json(found);
    },
  );
}
