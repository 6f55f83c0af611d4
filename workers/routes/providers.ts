// Owns the paths about providers of compute: their records, and the socket of a provider's node. It refuses requests that ask for no upgrade
// and regions that nobody registered; who may speak on the socket is its object's to judge.

import { z } from "zod";
import { address, regionId } from "../../protocol/fields.ts";
import { reputationAnswer } from "../../protocol/provider-answers.ts";
import { regionParams } from "../parts.ts";
import { Refusal } from "../problems.ts";
import { regionOf } from "../region-access.ts";
import { type Application, route } from "../router.ts";

const tag = "providers";
const providerParams = z.strictObject({ region: regionId, account: address });

/** Registers the paths. */
export function providerRoutes(application: Application): void {
  recordRoutes(application);
  socketRoute(application);
}

function recordRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/providers",
      tag,
      summary: "Who sells compute here: records and stakes, the most reliable first",
      description:
        "Every figure follows from the journal. Reads say at most a page of providers; one account's record is at its own path.",
      params: regionParams,
      answers: z.strictObject({ providers: z.array(reputationAnswer) }),
    },
    async ({ context, env, params }) =>
      context.json({ providers: await (await regionOf(env, params.region)).providers() }),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/providers/:account",
      tag,
      summary: "A provider's record and stake",
      params: providerParams,
      answers: reputationAnswer,
    },
    async ({ context, env, params }) => {
      const record = await (await regionOf(env, params.region)).provider(params.account);
      if (record === null) throw new Refusal("account_not_found", { account: params.account });
      return context.json(record);
    },
  );
}

function socketRoute(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/providers/:account/socket",
      tag,
      summary: "The socket of a provider's node: runs go out over it, results come back",
      description:
        "The object sends a challenge; the node answers with a ProviderHello signed by a session key of the account that may sell compute. A new connection replaces the one before.",
      params: providerParams,
      answers: { contentType: "application/octet-stream", description: "switches to a WebSocket" },
      status: 101,
    },
    async ({ context, env, params }) => {
      if (context.req.header("upgrade")?.toLowerCase() !== "websocket") throw new Refusal("upgrade_required");
      const region = await regionOf(env, params.region);
      // Every invented account would make an object.
      if ((await region.account(params.account)) === null)
        throw new Refusal("account_not_found", { account: params.account });
      const response = await env.PROVIDER.getByName(`${params.region}/${params.account}`).fetch(
        context.req.raw,
      );
      if (response.status === 503) throw new Refusal("sockets_full", { shards: 1 });
      return response;
    },
  );
}
