// Owns the store of modules over HTTP: who may upload, what is refused and by which code, and that stored bytes are what their
// hash says. It refuses a stand-in for the rewriter: the modules are rewritten here, in workerd.

import { beforeEach, describe, expect, test } from "vitest";
import { REWRITER_VERSION } from "../../compute/metering/fuel-schedule.ts";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { keptModule, storedModule } from "../../durable-objects/module-store.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  COMMAND_WINDOW_SECONDS,
  MAX_COMMANDS_PER_ACCOUNT_WINDOW,
  MAX_MODULE_BYTES,
  UPLOAD_AS_COMMANDS,
} from "../../protocol/limits.ts";
import {
  env,
  gateway,
  goTo,
  MIDNIGHT_S,
  OPENED_AT_S,
  useMarketTime,
  useQuietConsole,
} from "../durable-objects/region-under-test.ts";
import { word } from "../support/market.ts";
import { commandOf, leb, moduleOf, named, section } from "../support/module-bytes.ts";
import { expectAccepted, GatewayUnderTest, ORIGIN, type Reply, request } from "./gateway-under-test.ts";

useMarketTime();
const quiet = useQuietConsole();

let polder: GatewayUnderTest;
beforeEach(async () => {
  polder = await GatewayUnderTest.furnished();
});

const nameOf = (bytes: Uint8Array): Hex => `0x${sha256Hex(bytes)}`;

interface Sending {
  readonly name?: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit;
}

/** Uploads with the home's API key, unless told otherwise. */
async function upload(
  bytes: Uint8Array,
  { name = nameOf(bytes), headers, body = bytes }: Sending = {},
): Promise<Reply> {
  const response = await gateway.fetch(`${ORIGIN}${polder.path}/modules/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/wasm", ...polder.apiKey, ...headers },
    body,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

/** A module that no other test has uploaded: its number is in what it does. */
let modules = 0;
function freshModule(): Uint8Array {
  modules += 1;
  return commandOf([0x41, ...signed(modules), 0x1a]);
}

function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}

/** Expects a refusal after which nothing is stored under the name. */
async function refuse(
  code: ErrorCode,
  bytes: Uint8Array,
  sending: Sending = {},
): Promise<Record<string, unknown>> {
  const facts = await polder.refuse(code, () => upload(bytes, sending));
  expect(await keptModule(env, nameOf(bytes))).toBeNull();
  return facts;
}

describe("who uploads", () => {
  test("rejects: nobody, another's account, and a key that was never authorised or is revoked", async () => {
    const bytes = freshModule();
    const key = polder.apiKey.authorization;
    await refuse("authentication_missing", bytes, { headers: { authorization: "" } });
    await refuse("api_key_malformed", bytes, { headers: { authorization: "Bearer polder_me" } });
    const unknown = { authorization: `${key.slice(0, -64)}${word(0xbad).slice(2)}` };
    await refuse("session_unknown", bytes, { headers: unknown });
    const other = { authorization: `Bearer polder_${"77".repeat(20)}${key.slice(-64)}` };
    await refuse("session_unknown", bytes, { headers: other });
    goTo(MIDNIGHT_S + 86_400);
    await refuse("session_expired", bytes, {});
    goTo(OPENED_AT_S);
    expectAccepted(
      await request(
        "DELETE",
        `${polder.path}/sessions/${sessionKeyOf(polder.sessionSeed)}`,
        undefined,
        polder.apiKey,
      ),
      200,
    );
    await refuse("session_revoked", bytes, {});
  });

  test("rejects: an unknown region", async () => {
    const bytes = freshModule();
    const put = (path: string) =>
      gateway.fetch(`${ORIGIN}${path}/modules/${nameOf(bytes)}`, {
        method: "PUT",
        headers: { "content-type": "application/wasm", ...polder.apiKey },
        body: bytes,
      });
    expect(await (await put("/v1/regions/nowhere")).json()).toMatchObject({ code: "region_not_found" });
  });

  test("rejects: more uploads than an account's window holds, until it is over; strangers use up nothing", async () => {
    const bytes = freshModule();
    const unknown = { authorization: `${polder.apiKey.authorization.slice(0, -64)}${word(0xbad).slice(2)}` };
    const most = Math.floor(MAX_COMMANDS_PER_ACCOUNT_WINDOW / UPLOAD_AS_COMMANDS);
    for (let n = 0; n < most + 1; n += 1) await upload(bytes, { headers: unknown });
    goTo(OPENED_AT_S + COMMAND_WINDOW_SECONDS);
    for (let n = 0; n < most; n += 1) expect((await upload(bytes)).status).toBe(200);
    const facts = await polder.refuse("rate_limited", () => upload(bytes));
    expect(facts.retryAfterSeconds).toBe(COMMAND_WINDOW_SECONDS);
    await polder.region.evict();
    await polder.refuse("rate_limited", () => upload(bytes));
    goTo(OPENED_AT_S + 2 * COMMAND_WINDOW_SECONDS);
    expect((await upload(bytes)).status).toBe(200);
  });
});

describe("what is uploaded", () => {
  test("rejects: another hash than the bytes have, and a path that is none", async () => {
    const bytes = freshModule();
    const facts = await refuse("module_hash_mismatch", bytes, { name: word(1) });
    expect(facts).toEqual({ sha256: nameOf(bytes) });
    await refuse("malformed_request", bytes, { name: nameOf(bytes).slice(2) });
    await refuse("malformed_request", bytes, { headers: { "content-type": "application/json" } });
  });

  test("rejects: what is too large, whether it says so or comes in pieces, without reading on", async () => {
    const large = new Uint8Array(MAX_MODULE_BYTES + 1);
    expect(await refuse("module_too_large", large)).toEqual({ limitBytes: MAX_MODULE_BYTES });
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        if (sent > 1_000) throw new Error("somebody reads on");
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    await polder.refuse("module_too_large", () => upload(large, { body: endless, name: word(9) }));
    expect(sent).toBeLessThan(MAX_MODULE_BYTES / 65_536 + 10);
  });

  test("rejects: what is no module, no command, or uses what jobs may not, by name", async () => {
    const importing = (module: string, name: string) =>
      moduleOf(
        section(1, [1, 0x60, 0, 0]),
        section(2, [1, ...named(module), ...named(name), 0, 0]),
        section(3, [1, 0]),
        section(5, [1, 0, 1]),
        section(7, [2, ...named("_start"), 0, 1, ...named("memory"), 2, 0]),
        section(10, [1, 2, 0, 0x0b]),
      );
    expect(await refuse("module_invalid", new TextEncoder().encode("(module)"))).toMatchObject({ offset: 0 });
    expect(await refuse("module_not_command", moduleOf())).toHaveProperty("missing");
    expect(await refuse("module_import_refused", importing("env", "exec"))).toMatchObject({
      module: "env",
      name: "exec",
    });
    goTo(OPENED_AT_S + COMMAND_WINDOW_SECONDS);
    expect(
      await refuse("module_import_refused", importing("wasi_snapshot_preview1", "path_open_all")),
    ).toMatchObject({
      name: "path_open_all",
    });
    expect(await refuse("module_feature_refused", commandOf([0xfe, 0x03, 0x00]))).toHaveProperty("feature");
  });

  test("rejects: bombs of memory, locals and types, quickly", async () => {
    const begunMs = performance.now();
    const memory = moduleOf(section(5, [1, 1, ...leb(65_536), ...leb(65_536)]));
    expect(await refuse("module_limit_exceeded", memory)).toHaveProperty("most");
    await refuse("module_limit_exceeded", commandOf([], { locals: [1, ...leb(4_000_000_000), 0x7f] }));
    await refuse("module_limit_exceeded", moduleOf(section(1, leb(4_000_000_000))));
    expect(performance.now() - begunMs).toBeLessThan(5_000);
  });
});

describe("what is stored", () => {
  test("behavior: an upload is answered, again the same, and given back byte for byte, for ever", async () => {
    const bytes = freshModule();
    const first = await upload(bytes);
    expect(first.status).toBe(200);
    expect(first.json).toEqual({
      module: nameOf(bytes),
      bytes: bytes.length,
      rewrittenBytes: expect.any(Number),
      firstPages: 1,
      rewriterVersion: REWRITER_VERSION,
    });
    expect((await upload(bytes)).json).toEqual(first.json);
    expect((await request("GET", `/v1/modules/${nameOf(bytes)}/info`)).json).toEqual(first.json);
    const response = await gateway.fetch(`${ORIGIN}/v1/modules/${nameOf(bytes)}`);
    expect(response.headers.get("content-type")).toBe("application/wasm");
    expect(response.headers.get("cache-control")).toContain("immutable");
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  });

  test("rejects: a hash under which nothing was uploaded", async () => {
    for (const path of ["", "/info"])
      expect((await request("GET", `/v1/modules/${word(404)}${path}`)).json).toMatchObject({
        code: "module_not_found",
        status: 404,
      });
    expect(await storedModule(env, word(404))).toBeNull();
  });

  test("rejects: bytes that were changed in the store, which an upload puts right", async () => {
    const bytes = freshModule();
    const other = freshModule();
    await upload(bytes);
    const key = `modules/${sha256Hex(bytes)}`;
    await env.MODULES.put(key, other);
    expect(await storedModule(env, nameOf(bytes))).toBeNull();
    expect(quiet.lines().join()).toContain("other bytes");
    await env.MODULES.put(key, other, { sha256: sha256Hex(other) });
    expect(await storedModule(env, nameOf(bytes))).toBeNull();
    expect((await upload(bytes)).status).toBe(200);
    expect((await storedModule(env, nameOf(bytes)))?.original).toEqual(bytes);
  });

  test("behavior: what an older release rewrote, or somebody changed, is rewritten anew from the original", async () => {
    const bytes = freshModule();
    await upload(bytes);
    const made = await storedModule(env, nameOf(bytes));
    const key = `rewritten/${REWRITER_VERSION}/${sha256Hex(bytes)}`;
    await env.MODULES.put(key, Uint8Array.of(1, 2, 3), {
      customMetadata: { sha256: sha256Hex("no"), firstPages: "1" },
    });
    expect(await storedModule(env, nameOf(bytes))).toEqual(made);
    await env.MODULES.delete(key);
    expect(await keptModule(env, nameOf(bytes))).toMatchObject({ rewrittenBytes: made?.rewritten.length });
    expect(await storedModule(env, nameOf(bytes))).toEqual(made);
  });

  test("behavior: what is rewritten without a note of its memory is rewritten anew", async () => {
    const bytes = freshModule();
    const told = (await upload(bytes)).json;
    const { rewritten } = (await storedModule(env, nameOf(bytes))) ?? {};
    const key = `rewritten/${REWRITER_VERSION}/${sha256Hex(bytes)}`;
    const customMetadata = { sha256: sha256Hex(rewritten as Uint8Array) };
    await env.MODULES.put(key, rewritten as Uint8Array, { customMetadata });
    expect(await keptModule(env, nameOf(bytes))).toEqual(told);
  });
});
