// Owns the paths that change something: orders, readings, session keys, meters, test money, parameters, and any signed
// command. It refuses nothing by itself: authentication and the region do.

import { z } from "zod";
import type { Env } from "../../durable-objects/environment.ts";
import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Region } from "../../durable-objects/region.ts";
import type { ShownProof } from "../../evidence/meter-proof.ts";
import {
  anySigned,
  type ProvedSubmission,
  type Submission,
  signedSchema,
} from "../../evidence/signed-command.ts";
import { orderAnswer } from "../../protocol/answers.ts";
import { type CommandType, commandSchemas } from "../../protocol/commands.ts";
import { bytes32, orderId, regionId } from "../../protocol/fields.ts";
import { acceptedAnswer } from "../answers.ts";
import { eitherSchema, submissionOf } from "../authentication.ts";
import { accepted, numeral, regionParams } from "../parts.ts";
import { Refusal } from "../problems.ts";
import { verifyProof } from "../proof-desk.ts";
import { regionOf } from "../region-access.ts";
import { type Application, type RequestContext, route } from "../router.ts";
import { connect } from "../sockets.ts";

const KEY_NOTE =
  "Signed by wallet or session key; or, with an API key as bearer token, just the command's own fields.";
const orderParams = z.strictObject({ region: regionId, order: numeral(orderId) });

/** Registers the paths. */
export function commandRoutes(application: Application): void {
  orderRoutes(application);
  otherSessionRoutes(application);
  signedRoutes(application);
}

/** Verifies a request's command and has its region decide it. */
async function submit(
  context: RequestContext,
  region: string,
  type: CommandType | null,
  body: unknown,
  status: 200 | 201,
  fixed: Record<string, unknown> = {},
): Promise<Response> {
  const object = await regionOf(context.env, region);
  const { submission, shown } = await submissionOf(context, region, type, body, fixed);
  // Any wallet can name itself the operator of a region that is registered and not open yet.
  if (submission.command.type === "open_region") throw new Refusal("not_operator", { path: "/v1/regions" });
  const outcome =
    shown === null ? await object.submit(submission) : await prove(context.env, object, submission, shown);
  return accepted(context, outcome, status);
}

/** Cheapest first: the region says whether a proof is worth verifying before it is, and decides when it holds. */
async function prove(
  env: Env,
  region: DurableObjectStub<Region>,
  submission: Submission,
  shown: ShownProof,
): Promise<Outcome> {
  if (!isProved(submission)) throw new Error(`${submission.command.type} shows a proof`);
  const preflight = await region.preflight(submission);
  if (!("isSuspect" in preflight)) return preflight;
  const { isSuspect, ticket } = preflight;
  const verdict = await verifyProof(env, shown, isSuspect);
  if (verdict.ok) return region.submit(submission, ticket);
  const outcome = await region.proofFailed(submission.command, ticket);
  if (verdict.reason === "malformed") throw new Refusal("evidence_malformed", { path: verdict.path });
  return outcome;
}

function isProved(submission: Submission): submission is ProvedSubmission {
  return submission.command.type === "submit_readings";
}

function orderRoutes(application: Application): void {
  const tag = "orders";
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/orders",
      tag,
      summary: "Place a standing order",
      description: `Applies to slots that start after it was accepted. ${KEY_NOTE}`,
      accepts: "api-key",
      params: regionParams,
      body: eitherSchema("place_order"),
      answers: acceptedAnswer,
      status: 201,
    },
    ({ context, params, body }) => submit(context, params.region, "place_order", body, 201),
  );
  route(
    application,
    {
      method: "put",
      path: "/v1/regions/:region/orders/:order",
      tag,
      summary: "Replace an order in one step",
      description: KEY_NOTE,
      accepts: "api-key",
      params: orderParams,
      body: eitherSchema("place_order"),
      answers: acceptedAnswer,
    },
    ({ context, params, body }) =>
      submit(context, params.region, "place_order", body, 200, { replaces: params.order }),
  );
  route(
    application,
    {
      method: "delete",
      path: "/v1/regions/:region/orders/:order",
      tag,
      summary: "Cancel an order from the next slot on",
      description: `${KEY_NOTE} With an API key the body may be left out.`,
      accepts: "api-key",
      params: orderParams,
      body: signedSchema(commandSchemas.cancel_order),
      isBodyOptional: true,
      answers: acceptedAnswer,
    },
    ({ context, params, body }) =>
      submit(context, params.region, "cancel_order", body, 200, { orderId: params.order }),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/orders/:order",
      tag,
      summary: "One order of the book",
      params: orderParams,
      answers: orderAnswer,
    },
    async ({ context, env, params }) => {
      const order = await (await regionOf(env, params.region)).order(params.order);
      if (order === null) throw new Refusal("order_not_found", { orderId: params.order });
      return context.json(order);
    },
  );
}

function otherSessionRoutes(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/readings",
      tag: "readings",
      summary: "Claim a window's net readings with a proof of the meter",
      description: `Accepted from the window's end until it closes. ${KEY_NOTE}`,
      accepts: "api-key",
      params: regionParams,
      body: eitherSchema("submit_readings"),
      answers: acceptedAnswer,
      status: 201,
    },
    ({ context, params, body }) => submit(context, params.region, "submit_readings", body, 201),
  );
  route(
    application,
    {
      method: "delete",
      path: "/v1/regions/:region/sessions/:key",
      tag: "keys",
      summary: "Revoke a session key and end its orders",
      description: `${KEY_NOTE} With an API key the body may be left out; a key may revoke itself.`,
      accepts: "api-key",
      params: z.strictObject({ region: regionId, key: bytes32 }),
      body: signedSchema(commandSchemas.revoke_session),
      isBodyOptional: true,
      answers: acceptedAnswer,
    },
    ({ context, params, body }) =>
      submit(context, params.region, "revoke_session", body, 200, { key: params.key }),
  );
}

/** Paths that only the signature of a wallet opens, the operator's, an installer's or the mirror's. */
const SIGNED_PATHS = [
  [
    "sessions",
    "authorise_session",
    "keys",
    "Authorise a session key (wallet); an API key is one whose seed travels as bearer token",
  ],
  ["meters", "enrol_meter", "meters", "Enrol a meter, or rotate its key or secret (installer)"],
  ["meters/revocations", "revoke_meter", "meters", "Revoke a meter, or remove it at once (installer)"],
  ["installers", "appoint_installers", "operator", "Name all installers of the region (operator)"],
  ["accounts", "admit_account", "operator", "Open an account that has no money yet (operator)"],
  [
    "credits",
    "credit_test_quote",
    "operator",
    "Credit test money (operator; only in regions marked quote=test)",
  ],
  ["withdrawals", "withdraw", "money", "Take free money out, to be paid on the chain (wallet)"],
  ["deposits", "credit_deposit", "money", "Credit a deposit of the chain (the region's mirror)"],
  [
    "terms",
    "schedule_terms",
    "money",
    "Take over terms that were scheduled on the chain (the region's mirror)",
  ],
  [
    "votes",
    "schedule_parameters",
    "money",
    "Take over parameters that a vote has set on the chain (the region's mirror)",
  ],
  ["stakes", "record_stake", "money", "Take over how a provider's stake stands (the region's mirror)"],
  ["certificates", "commit_certificate", "certificates", "Commit to a secret for certificates (wallet)"],
  ["parameters", "set_parameters", "operator", "Set the parameters from the next epoch on (operator)"],
] as const;

function signedRoutes(application: Application): void {
  for (const [path, type, tag, summary] of SIGNED_PATHS) {
    route(
      application,
      {
        method: "post",
        path: `/v1/regions/:region/${path}`,
        tag,
        summary,
        params: regionParams,
        body: signedSchema(commandSchemas[type]),
        answers: acceptedAnswer,
        status: 201,
      },
      ({ context, params, body }) => submit(context, params.region, type, body, 201),
    );
  }
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/commands",
      tag: "keys",
      summary: "Any signed command",
      params: regionParams,
      body: anySigned,
      answers: acceptedAnswer,
    },
    ({ context, params, body }) => submit(context, params.region, null, body, 200),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/commands",
      tag: "keys",
      summary: "Signed commands over a WebSocket",
      description:
        'Send a signed command with a number of your own, {"id": 7, "chainId", "command", "signature", "sessionKey"}; the answer is {"id": 7, "accepted"} or {"id": 7, "problem"}. Several may be on their way; commands of one socket are decided in their order. What carries evidence is sent by POST.',
      params: regionParams,
      status: 101,
      answers: { contentType: "text/plain", description: "switching protocols" },
    },
    ({ context, env, params }) => connect(context, env.INTAKE, params.region, "sockets_full"),
  );
}
