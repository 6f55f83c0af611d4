// Owns how a path is declared: once, with the schemas that both validate it and describe it in the OpenAPI document.
// It refuses bodies over the limit, what is not JSON, and every value its schemas do not accept.

import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import type { Env } from "../durable-objects/environment.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { MAX_BODY_BYTES } from "../protocol/limits.ts";
import { malformed, problemSchema, Refusal } from "./problems.ts";

export type Application = OpenAPIHono<{ Bindings: Env }>;
export type RequestContext = Context<{ Bindings: Env }>;

type Schema = z.ZodType;
type Shape = z.ZodObject;

/** A path and everything that goes in and out of it. */
interface Definition<P extends Shape, Q extends Shape, B extends Schema> {
  readonly method: "get" | "post" | "put" | "delete";
  /** Hono's form: `/v1/regions/:region`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  /** Absent or `undefined` when the path takes no body. */
  readonly body?: B;
  /** Of a body that may be larger than a command. */
  readonly bodyLimit?: BodyLimit;
  /** Runs before the body is read: what it throws costs no more than that. */
  readonly before?: (request: {
    readonly context: RequestContext;
    readonly env: Env;
    readonly params: z.infer<P>;
  }) => Promise<void>;
  /** Content type of a body that is no JSON; the handler reads it with `readBytes`. */
  readonly bytes?: string;
  /** A body may be left out: the handler gets null. */
  readonly isBodyOptional?: boolean;
  readonly accepts?: "api-key";
  readonly answers: Schema | { readonly contentType: string; readonly description: string };
  readonly status?: 200 | 201 | 101;
  /** The same answer may come with this status, too. */
  readonly otherStatus?: 202;
}

interface Decoded<P extends Shape, Q extends Shape, B extends Schema> {
  readonly context: RequestContext;
  readonly env: Env;
  readonly params: z.infer<P>;
  readonly query: z.infer<Q>;
  readonly body: z.infer<B>;
}

/** Declares a path: registers it for the OpenAPI document and serves it. */
export function route<P extends Shape, Q extends Shape, B extends Schema>(
  application: Application,
  definition: Definition<P, Q, B>,
  handle: (request: Decoded<P, Q, B>) => Promise<Response> | Response,
): void {
  application.openAPIRegistry.registerPath(describe(definition));
  application.on(definition.method.toUpperCase(), definition.path, async (context) => {
    const params = decode(definition.params, context.req.param(), "path");
    const query = decode(definition.query, context.req.query(), "query");
    await definition.before?.({ context, env: context.env, params: params as z.infer<P> });
    const body =
      definition.body === undefined
        ? null
        : await readBody(context, definition.body, definition.isBodyOptional === true, definition.bodyLimit);
    return handle({ context, env: context.env, params, query, body } as Decoded<P, Q, B>);
  });
}

function decode(schema: Shape | undefined, value: Record<string, string>, root: string): unknown {
  const decoded = (schema ?? NOTHING).safeParse(value);
  if (!decoded.success) throw malformed(decoded.error, root);
  return decoded.data;
}

const NOTHING = z.strictObject({});

/** How large a body may be, and what it is refused with beyond. */
export interface BodyLimit {
  readonly limitBytes: number;
  readonly code: ErrorCode;
}

const JSON_LIMIT: BodyLimit = { limitBytes: MAX_BODY_BYTES, code: "body_too_large" };

/** Reads a body of bytes, at most so many of them. @throws Refusal of the limit's code, before more is read */
export function readBytes({ req }: RequestContext, limit: BodyLimit): Promise<Uint8Array> {
  const declared = Number(req.header("content-length") ?? 0);
  if (declared > limit.limitBytes) throw new Refusal(limit.code, { limitBytes: limit.limitBytes });
  return readPieces(req.raw, limit);
}

/** Reads at most the limit, then UTF-8, then JSON, then the schema. */
async function readBody(
  context: RequestContext,
  schema: Schema,
  isOptional: boolean,
  limit: BodyLimit = JSON_LIMIT,
): Promise<unknown> {
  const declared = Number(context.req.header("content-length") ?? 0);
  if (declared > limit.limitBytes) throw new Refusal(limit.code, { limitBytes: limit.limitBytes });
  const isWhole = declared > 0 && context.req.header("transfer-encoding") === undefined;
  const text = decodeText(
    isWhole ? await readWhole(context.req.raw) : await readPieces(context.req.raw, limit),
  );
  if (text === "" && isOptional) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal("malformed_json");
  }
  const decoded = schema.safeParse(value);
  if (!decoded.success) throw malformed(decoded.error);
  return decoded.data;
}

/** A body of a declared length is that long, and reading it at once takes a third of the time. */
async function readWhole(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer());
}

/** A body without a declared length is read piece by piece, so that it cannot be larger than the limit. */
async function readPieces({ body }: Request, limit: BodyLimit = JSON_LIMIT): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  if (body === null) return join(pieces, bytes);
  for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > limit.limitBytes) throw new Refusal(limit.code, { limitBytes: limit.limitBytes });
    pieces.push(piece);
  }
  return join(pieces, bytes);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Refusal("malformed_json");
  }
}

function join(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}

function describe<P extends Shape, Q extends Shape, B extends Schema>(
  definition: Definition<P, Q, B>,
): RouteConfig {
  const {
    method,
    path,
    tag,
    summary,
    description,
    params,
    query,
    body,
    bytes,
    answers,
    status = 200,
    otherStatus,
  } = definition;
  const request = {
    ...(params && { params }),
    ...(query && { query }),
    ...(bytes && {
      body: { required: true, content: { [bytes]: { schema: z.string().meta({ format: "binary" }) } } },
    }),
    ...(body && {
      body: {
        required: definition.isBodyOptional !== true,
        content: { "application/json": { schema: body } },
      },
    }),
  };
  const success =
    answers instanceof z.ZodType
      ? { description: "done", content: { "application/json": { schema: answers } } }
      : { description: answers.description, content: { [answers.contentType]: { schema: z.string() } } };
  const failure = {
    description: "refused; see the code",
    content: { "application/problem+json": { schema: problemSchema } },
  };
  return {
    method,
    path: path.replaceAll(/:([a-zA-Z]+)/g, "{$1}"),
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(definition.accepts && { security: [{}, { apiKey: [] }] }),
    request,
    responses: {
      [status]: success,
      ...(otherStatus && { [otherStatus]: success }),
      "4XX": failure,
      "5XX": failure,
    },
  } as RouteConfig;
}
