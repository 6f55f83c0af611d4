// Owns the paths about providers of compute: their records, the socket of a provider's node, and those of leases. It refuses
// requests that ask for no upgrade and accounts that are none; who may speak, and what may be run, is the provider's object's to judge.

import { z } from "zod";
import { address, type Hex, obligationId, regionId } from "../../protocol/fields.ts";
import { reputationAnswer } from "../../protocol/provider-answers.ts";
import { numeral, regionParams } from "../parts.ts";
import { Refusal } from "../problems.ts";
import { providerOf } from "../provider-access.ts";
import { regionOf } from "../region-access.ts";
import { type Application, type RequestContext, route } from "../router.ts";

const tag = "providers";
const providerParams = z.strictObject({ region: regionId, account: address });
const leaseParams = z.strictObject({ region: regionId, account: address, obligation: numeral(obligationId) });
const upgrade = { contentType: "application/octet-stream", description: "switches to a WebSocket" };

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
      answers: upgrade,
      status: 101,
    },
    ({ context, params }) => connect(context, params),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/providers/:account/leases/:obligation/socket",
      tag,
      summary: "The socket of a lease: its buyer's runs go straight to the provider's node",
      description:
        "The object sends a challenge; the buyer answers with a LeaseHello signed by its wallet or by a session key of its that may buy compute. Then come runs, and vouchers for what they add up to.",
      params: leaseParams,
      answers: upgrade,
      status: 101,
    },
    ({ context, params }) => connect(context, params),
  );
}

/** Connects a caller to a provider's object. @throws Refusal */
async function connect(
  context: RequestContext,
  { region, account }: { readonly region: string; readonly account: Hex },
): Promise<Response> {
  if (context.req.header("upgrade")?.toLowerCase() !== "websocket") throw new Refusal("upgrade_required");
  const response = await (await providerOf(context.env, region, account)).fetch(context.req.raw);
  if (response.status === 503) throw new Refusal("sockets_full", { shards: 1 });
  return response;
}
