// Owns the paths about regions: the directory, the nearest, opening one, its market, slots and epochs. It refuses to
// register a region for anybody but the deployment's operator.

import { z } from "zod";
import { directoryOf } from "../../durable-objects/directory.ts";
import { marketClock, receiptSeed, signingDomain } from "../../durable-objects/environment.ts";
import {
  mirrorOf,
  providerStakeOf,
  registryOf,
  rewardParametersOf,
} from "../../durable-objects/mirror/settings.ts";
import { governorOf } from "../../durable-objects/votes/vote-settings.ts";
import { receiptKeyOf } from "../../evidence/receipt.ts";
import { signedSchema } from "../../evidence/signed-command.ts";
import {
  epochAnswer,
  marketAnswer,
  parametersAnswer,
  profileAnswer,
  registryAnswer,
  slotAnswer,
} from "../../protocol/answers.ts";
import { marketTimeS } from "../../protocol/clock.ts";
import { commandSchemas } from "../../protocol/commands.ts";
import { address, bytes32, count, instantS, regionId, slotNumber } from "../../protocol/fields.ts";
import { MAX_PAGE_ROWS } from "../../protocol/limits.ts";
import { profileSchema } from "../../protocol/profile.ts";
import { acceptedAnswer } from "../answers.ts";
import { submissionOf } from "../authentication.ts";
import { wakeEdges } from "../edge-access.ts";
import { wakeMirror } from "../mirror-access.ts";
import { accepted, numeral, page, regionParams } from "../parts.ts";
import { Refusal, refuse } from "../problems.ts";
import { profileOf, regionOf, registerProfile } from "../region-access.ts";
import { type Application, type RequestContext, route } from "../router.ts";

/** Registers the paths. */
export function regionRoutes(application: Application): void {
  deploymentRoutes(application);
  directoryRoutes(application);
  marketRoutes(application);
  parametersRoute(application);
  registryRoute(application);
}

function deploymentRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/health",
      tag: "deployment",
      summary: "Is this deployment alive, and what time is it in the market",
      answers: z.strictObject({ ok: z.literal(true), atS: instantS }),
    },
    ({ context, env }) => context.json({ ok: true, atS: marketTimeS(marketClock(env), Date.now()) }),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/deployment",
      tag: "deployment",
      summary: "What signatures and receipts of this deployment are bound to",
      answers: z.strictObject({
        chainId: count,
        settlement: address,
        meterRegistry: address,
        rewardParameters: address,
        governor: address.meta({ description: "whose votes it shows; zero where there is none" }),
        providerStake: address,
        mirror: address.meta({
          description: "wallet that says what the chain says; zero where there is none",
        }),
        operator: z.string(),
        receiptKey: bytes32,
        clock: z.strictObject({ origin: z.string(), rate: z.number() }),
        atS: instantS,
      }),
    },
    ({ context, env }) => {
      const clock = marketClock(env);
      return context.json({
        ...signingDomain(env),
        meterRegistry: registryOf(env),
        rewardParameters: rewardParametersOf(env),
        governor: governorOf(env),
        providerStake: providerStakeOf(env),
        mirror: mirrorOf(env),
        operator: env.OPERATOR,
        receiptKey: receiptKeyOf(receiptSeed(env)),
        clock: { origin: env.CLOCK_ORIGIN, rate: clock.rate },
        atS: marketTimeS(clock, Date.now()),
      });
    },
  );
}

const nearQuery = z.strictObject({
  near: z
    .string()
    .regex(/^-?\d{1,2}(\.\d{1,8})?,-?\d{1,3}(\.\d{1,8})?$/, "must be latitude,longitude in degrees")
    .optional(),
});

function directoryRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions",
      tag: "regions",
      summary: "Every region",
      answers: z.strictObject({ regions: z.array(profileAnswer) }),
    },
    async ({ context, env }) => context.json({ regions: await directoryOf(env).list() }),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/nearest",
      tag: "regions",
      summary: "Regions by distance",
      description: "From `near`, or from where the request entered the network.",
      query: nearQuery,
      answers: z.strictObject({
        regions: z.array(z.strictObject({ profile: profileAnswer, distanceKm: z.number() })),
      }),
    },
    async ({ context, env, query }) => {
      const [latitude, longitude] = placeOf(context, query.near);
      return context.json({ regions: await directoryOf(env).nearest(latitude, longitude) });
    },
  );
  openingRoutes(application);
}

function openingRoutes(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/regions",
      tag: "regions",
      summary: "Register and open a region (operator)",
      body: signedSchema(commandSchemas.open_region).extend({ profile: profileSchema }),
      answers: acceptedAnswer,
      status: 201,
    },
    async ({ context, env, body }) => {
      const { profile, ...signed } = body;
      const { submission } = await submissionOf(context, profile.region, "open_region", signed);
      const { signer } = submission;
      const isOperator = signer.scheme === "wallet" && signer.address === env.OPERATOR.toLowerCase();
      if (!isOperator || profile.operator !== signer.address) throw new Refusal("not_operator");
      if (signed.command.receiptKey !== receiptKeyOf(receiptSeed(env))) {
        throw new Refusal("malformed_request", {
          path: "command.receiptKey",
          expected: "this deployment's receipt key",
        });
      }
      await registerProfile(env, profile);
      const outcome = await env.REGION.getByName(profile.region).submit(submission);
      await wakeMirror(env);
      context.executionCtx.waitUntil(wakeEdges(env));
      return accepted(context, outcome, 201);
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region",
      tag: "regions",
      summary: "A region's profile and market",
      params: regionParams,
      answers: z.strictObject({ profile: profileAnswer, market: marketAnswer.nullable() }),
    },
    async ({ context, env, params }) => {
      const profile = await profileOf(env, params.region);
      return context.json({ profile, market: await env.REGION.getByName(params.region).market() });
    },
  );
}

function registryRoute(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/registry/:firstSlot",
      tag: "meters",
      summary: "Every meter's leaf of a window that is open, running or next",
      params: z.strictObject({ region: regionId, firstSlot: numeral(slotNumber) }),
      answers: registryAnswer,
    },
    async ({ context, env, params }) => {
      const registry = await (await regionOf(env, params.region)).registry(params.firstSlot);
      if (registry === null) throw new Refusal("registry_not_found", { firstSlot: params.firstSlot });
      return context.json(registry);
    },
  );
}

function marketRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/market",
      tag: "market",
      summary: "The market now",
      params: regionParams,
      answers: marketAnswer,
    },
    async ({ context, env, params }) => {
      const market = await (await regionOf(env, params.region)).market();
      return market === null ? refuse({ code: "region_not_open", facts: {} }) : context.json(market);
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/slots",
      tag: "market",
      summary: "Cleared slots in [from, until), a page at a time",
      params: regionParams,
      query: page,
      answers: z.strictObject({ slots: z.array(slotAnswer), next: slotNumber.nullable() }),
    },
    async ({ context, env, params, query }) => {
      const slots = await (await regionOf(env, params.region)).slots(query.from, query.until);
      const last = slots.at(-1);
      return context.json({
        slots,
        next: slots.length < MAX_PAGE_ROWS || last === undefined ? null : last.slot + 1,
      });
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/slots/:slot",
      tag: "market",
      summary: "One cleared slot: price, totals, curve",
      params: z.strictObject({ region: regionId, slot: numeral(slotNumber) }),
      answers: slotAnswer,
    },
    async ({ context, env, params }) => {
      const [slot] = await (await regionOf(env, params.region)).slots(params.slot, params.slot + 1);
      if (slot === undefined) throw new Refusal("slot_not_found", { slot: params.slot });
      return context.json(slot);
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/epochs",
      tag: "market",
      summary: "Closed epochs in [from, until) and what they rewarded",
      params: regionParams,
      query: page,
      answers: z.strictObject({ epochs: z.array(epochAnswer) }),
    },
    async ({ context, env, params, query }) =>
      context.json({ epochs: await (await regionOf(env, params.region)).epochs(query.from, query.until) }),
  );
}

function parametersRoute(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/parameters",
      tag: "market",
      summary: "Every version of the parameters, and the epochs it holds in",
      params: regionParams,
      answers: z.strictObject({ parameters: z.array(parametersAnswer) }),
    },
    async ({ context, env, params }) =>
      context.json({ parameters: [...(await (await regionOf(env, params.region)).parameters())] }),
  );
}

/** From the query, else from the platform's geolocation of the request, else the origin of coordinates. */
function placeOf(context: RequestContext, near: string | undefined): [number, number] {
  const cf = context.req.raw.cf as { latitude?: string; longitude?: string } | null | undefined;
  const [latitude, longitude] = near === undefined ? [cf?.latitude, cf?.longitude] : near.split(",");
  const place: [number, number] = [Number(latitude ?? 0), Number(longitude ?? 0)];
  if (Math.abs(place[0]) > 90 || Math.abs(place[1]) > 180) {
    throw new Refusal("malformed_request", { path: "query.near", expected: "a place on Earth" });
  }
  return place;
}
