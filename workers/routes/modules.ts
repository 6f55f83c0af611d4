// Owns the paths of modules: upload, the bytes by their hash, and what is known of them. It refuses whoever has no live key in
// the region, before a byte is read, and what is no command, before anything is kept.

import { z } from "zod";
import { sha256Hex } from "../../durable-objects/digest.ts";
import type { Env } from "../../durable-objects/environment.ts";
import { keepModule, keptModule, originalOf } from "../../durable-objects/module-store.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import { bytes32, type Hex, regionId } from "../../protocol/fields.ts";
import { moduleAnswer } from "../../protocol/jobs.ts";
import { MAX_MODULE_BYTES } from "../../protocol/limits.ts";
import { apiKeyOf } from "../authentication.ts";
import { Refusal, refuse } from "../problems.ts";
import { regionOf } from "../region-access.ts";
import { type Application, type RequestContext, readBytes, route } from "../router.ts";

const tag = "modules";
const CONTENT_TYPE = "application/wasm";
const moduleParams = z.strictObject({ sha256: bytes32 });

/** A module's bytes are its name's: nobody can change them. */
const FOREVER = "public, max-age=31536000, immutable";

/** Registers the paths. */
export function moduleRoutes(application: Application): void {
  route(
    application,
    {
      method: "put",
      path: "/v1/regions/:region/modules/:sha256",
      tag,
      summary: "Upload a module for jobs",
      description:
        "A WASI preview 1 command, with the API key of an account of the region. It is checked and rewritten once; uploading it again gives the same answer. It can be used in every region.",
      params: z.strictObject({ region: regionId, sha256: bytes32 }),
      accepts: "api-key",
      bytes: CONTENT_TYPE,
      answers: moduleAnswer,
    },
    async ({ context, env, params: { region, sha256 } }) => {
      await requireUploader(context, env, region);
      const bytes = await readBytes(context, { limitBytes: MAX_MODULE_BYTES, code: "module_too_large" });
      const found: Hex = `0x${sha256Hex(bytes)}`;
      if (found !== sha256) throw new Refusal("module_hash_mismatch", { sha256: found });
      return context.json(await keepModule(env, sha256, bytes));
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/modules/:sha256",
      tag,
      summary: "A module's bytes, as they were uploaded",
      description:
        "Whoever runs it compares the hash and rewrites for itself: equal bytes are rewritten to equal bytes.",
      params: moduleParams,
      answers: { contentType: CONTENT_TYPE, description: "the module" },
    },
    async ({ context, env, params: { sha256 } }) => {
      const found = await originalOf(env, sha256);
      if (found === null) throw new Refusal("module_not_found", { module: sha256 });
      return context.body(found.body, 200, {
        "content-type": CONTENT_TYPE,
        "content-length": String(found.size),
        "cache-control": FOREVER,
        etag: `"${sha256.slice(2)}"`,
      });
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/modules/:sha256/info",
      tag,
      summary: "What is known of a module",
      params: moduleParams,
      answers: moduleAnswer,
    },
    async ({ context, env, params: { sha256 } }) => {
      const found = await keptModule(env, sha256);
      if (found === null) throw new Refusal("module_not_found", { module: sha256 });
      return context.json(found);
    },
  );
}

/** Only holders of a key in the region upload, each so often: rewriting takes a Worker's time. @throws Refusal */
async function requireUploader(context: RequestContext, env: Env, region: string): Promise<void> {
  const object = await regionOf(env, region);
  const { account, seed } = apiKeyOf(context);
  const type = context.req.header("content-type");
  if (type !== CONTENT_TYPE)
    throw new Refusal("malformed_request", { path: "header.content-type", expected: CONTENT_TYPE });
  const refusal = await object.admitUpload(account, sessionKeyOf(seed));
  if (refusal !== null) refuse(refusal);
}
