// Owns the way from an HTTP request to a verified command: signed by the caller, or by the gateway for the holder of an
// API key. It refuses whatever is not exactly one of these; nothing of a key is kept.

import { z } from "zod";
import { type Env, marketClock, signingDomain } from "../durable-objects/environment.ts";
import { evidenceSchema } from "../evidence/evidence.ts";
import type { ShownProof } from "../evidence/meter-proof.ts";
import { type ApiKey, parseApiKey, sessionKeyOf, signSession } from "../evidence/session-signature.ts";
import {
  type SignedCommand,
  type Submission,
  signedSchema,
  verifySigned,
} from "../evidence/signed-command.ts";
import { marketTimeS } from "../protocol/clock.ts";
import {
  type Command,
  type CommandType,
  commandSchema,
  commandSchemas,
  SESSION_COMMANDS,
} from "../protocol/commands.ts";
import { instantS, nonce } from "../protocol/fields.ts";
import { MAX_COMMAND_LIFE_S } from "../protocol/limits.ts";
import { commandDigest } from "../protocol/typed-data.ts";
import { malformed, Refusal, refuse } from "./problems.ts";
import type { RequestContext } from "./router.ts";

/** What the holder of an API key may leave out, with what is put in its place. */
const PLAIN_DEFAULTS = {
  validFromS: 0,
  validUntilS: 0,
  hours: [] as number[],
  replaces: 0,
  goodTillS: 0,
  obligationId: 0,
};

type SessionCommand =
  | "place_order"
  | "cancel_order"
  | "submit_readings"
  | "revoke_session"
  | "place_resource_order"
  | "cancel_resource_order"
  | "settle_obligation";

/** The body of a request with an API key: a command's own fields, and its evidence. */
function plainSchema(type: SessionCommand) {
  const { type: _t, account: _a, region: _r, nonce: _n, expiresAtS: _e, ...own } = commandSchemas[type].shape;
  const fields = Object.fromEntries(
    Object.entries(own).map(([name, schema]) => [
      name,
      name in PLAIN_DEFAULTS
        ? (schema as z.ZodType).default(PLAIN_DEFAULTS[name as keyof typeof PLAIN_DEFAULTS])
        : schema,
    ]),
  );
  return z.strictObject({
    ...fields,
    nonce: nonce.optional(),
    expiresAtS: instantS.optional(),
    ...(type === "submit_readings" ? { evidence: evidenceSchema } : {}),
    ...(type === "settle_obligation" ? { evidence: evidenceSchema.optional() } : {}),
  });
}

/** Either form of a session command's body. */
export function eitherSchema(type: SessionCommand) {
  return z.union([signedSchema(commandSchemas[type]), plainSchema(type)]);
}

/** Wall seconds in which a command made for an API key must reach its region. */
const API_KEY_COMMAND_LIFE_SECONDS = 60;

/**
 * The command of a request, verified but for the proof that it may show.
 * @param fixed fields that the path says, over those of a plain body.
 */
export async function submissionOf(
  context: RequestContext,
  region: string,
  type: CommandType | null,
  body: unknown,
  fixed: Record<string, unknown> = {},
): Promise<{ readonly submission: Submission; readonly shown: ShownProof | null }> {
  const isSigned = typeof body === "object" && body !== null && "command" in body;
  const signed = isSigned ? (body as SignedCommand) : signForCaller(context, region, type, body, fixed);
  requireSame(signed.command, type, isSigned ? fixed : {});
  const verdict = await verifySigned(signingDomain(context.env), region, signed);
  return verdict.ok ? verdict : refuse(verdict);
}

/** The path and the signed command must say the same. */
function requireSame(command: Command, type: CommandType | null, fixed: Record<string, unknown>): void {
  if (type !== null && command.type !== type) {
    throw new Refusal("malformed_request", { path: "command.type", expected: type });
  }
  for (const [name, value] of Object.entries(fixed)) {
    if ((command as Record<string, unknown>)[name] !== value) {
      throw new Refusal("malformed_request", { path: `command.${name}`, expected: String(value) });
    }
  }
}

/** Makes and signs the command for the holder of an API key; the journal sees an ordinary session key. */
function signForCaller(
  context: RequestContext,
  region: string,
  type: CommandType | null,
  body: unknown,
  fixed: Record<string, unknown>,
): SignedCommand {
  const key = apiKeyOf(context);
  if (type === null || !SESSION_COMMANDS.has(type))
    throw new Refusal("authentication_missing", { needs: "signature" });
  const { evidence, ...fields } = (body ?? {}) as Record<string, unknown>;
  const decoded = commandSchema.safeParse({
    type,
    account: key.account,
    region,
    nonce: crypto.getRandomValues(new Uint32Array(1))[0],
    expiresAtS: defaultExpiryS(context.env),
    ...fields,
    ...fixed,
  });
  if (!decoded.success) throw malformed(decoded.error);
  const domain = signingDomain(context.env);
  const signature = signSession(key.seed, commandDigest(domain, decoded.data));
  return {
    chainId: domain.chainId,
    command: decoded.data,
    signature,
    sessionKey: sessionKeyOf(key.seed),
    ...(evidence === undefined ? {} : { evidence: evidence as SignedCommand["evidence"] }),
  };
}

/** The API key that a request carries. @throws Refusal */
export function apiKeyOf(context: RequestContext): ApiKey {
  const header = context.req.header("authorization");
  if (header === undefined)
    throw new Refusal("authentication_missing", { needs: "a signed command or an API key" });
  const key = parseApiKey(header.replace(/^Bearer /i, "").trim());
  if (key === null) throw new Refusal("api_key_malformed");
  return key;
}

function defaultExpiryS(env: Env): number {
  const clock = marketClock(env);
  const life = Math.min(MAX_COMMAND_LIFE_S - 60, Math.ceil(API_KEY_COMMAND_LIFE_SECONDS * clock.rate));
  return marketTimeS(clock, Date.now()) + life;
}
