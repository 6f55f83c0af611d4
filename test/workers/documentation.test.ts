// Owns the promise that the API explains itself: the OpenAPI document names every path and resolves, the pages answer.

import { describe, expect, test } from "vitest";
import { ERRORS } from "../../protocol/errors.ts";
import { createApplication } from "../../workers/gateway.ts";
import { env } from "../durable-objects/region-under-test.ts";
import { ORIGIN, request } from "./gateway-under-test.ts";

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly responses: Record<string, unknown>;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

const read = async (): Promise<OpenApi> => (await request("GET", "/openapi.json")).json as OpenApi;

/** Every `$ref` inside a value. */
function* referencesIn(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === "$ref") yield String(inner);
    else yield* referencesIn(inner);
  }
}

describe("the OpenAPI document", () => {
  test("invariant: it describes every path that is served under /v1, each with a refusal", async () => {
    const { openapi, paths } = await read();
    expect(openapi).toBe("3.1.0");
    const served = createApplication()
      .routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/v1/"))
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:([a-zA-Z]+)/g, "{$1}")}`);
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(new Set(described)).toEqual(new Set(served));
    expect(described.length).toBeGreaterThan(25);
    for (const operation of Object.values(paths).flatMap((operations) => Object.values(operations))) {
      expect(operation.summary?.length ?? 0).toBeGreaterThan(5);
      expect(Object.keys(operation.responses)).toContain("4XX");
    }
  });

  test("invariant: every reference in it resolves", async () => {
    const document = await read();
    const names = new Set(
      Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`),
    );
    const references = [...new Set(referencesIn(document))];
    expect(references.length).toBeGreaterThan(5);
    expect(references.filter((reference) => !names.has(reference))).toEqual([]);
  });
});

describe("pages", () => {
  test("behavior: /docs shows the document with what is served here, and /docs/errors every code", async () => {
    const docs = await request("GET", "/docs");
    expect([docs.status, docs.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
    expect(docs.text).toContain("/openapi.json");
    expect([...docs.text.matchAll(/(?:src|href)="(https?:)?\/\//g)]).toEqual([]);
    const errors = (await request("GET", "/docs/errors")).text;
    for (const code of Object.keys(ERRORS)) expect(errors).toContain(`id="${code}"`);
  });

  test("behavior: pages of other origins may read the API, and ask first", async () => {
    const read = await request("GET", "/v1/regions", undefined, { origin: "https://elsewhere.example" });
    expect(read.headers.get("access-control-allow-origin")).toBe("*");
    const asked = await request("OPTIONS", "/v1/regions", undefined, {
      origin: "https://elsewhere.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("authorization");
  });

  test("rejects: a fast clock on any chain but the local one, with clock_refused", async () => {
    const elsewhere = { ...env, CHAIN_ID: "1", CLOCK_RATE: "900" };
    const response = await createApplication().request("/v1/health", {}, elsewhere);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      500,
      "clock_refused",
    ]);
  });

  test("rejects: an unknown path and a wrong method, as problems that name the path", async () => {
    expect((await request("GET", "/v1/nowhere")).json).toMatchObject({
      code: "route_not_found",
      facts: { path: "/v1/nowhere" },
    });
    expect((await request("DELETE", "/v1/regions")).json).toMatchObject({ code: "method_not_allowed" });
    expect((await request("GET", "/v1/health")).json).toMatchObject({ ok: true });
    expect(ORIGIN).toMatch(/^https:/);
  });
});
