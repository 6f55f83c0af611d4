// Owns the promise that no request, however it was made, is answered with anything but what the OpenAPI document says:
// a documented status, a problem of the closed table, and a state that only an accepted command changed.

import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { commandSchema } from "../../protocol/commands.ts";
import { ERRORS, isErrorCode } from "../../protocol/errors.ts";
import { commandId } from "../../protocol/typed-data.ts";
import requests from "../corpus/requests.json" with { type: "json" };
import { gateway, OPENED_AT_S, useMarketTime } from "../durable-objects/region-under-test.ts";
import { hostile, mutated, mutatedText } from "../support/fuzz.ts";
import { DOMAIN } from "../support/market.ts";
import {
  GatewayUnderTest,
  ORIGIN,
  operator,
  type Reply,
  request,
  type SignedBody,
} from "./gateway-under-test.ts";

useMarketTime();

interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

let polder: GatewayUnderTest;
let operations: readonly (readonly [method: string, path: string, documented: Operation])[];
let valid: readonly SignedBody[];
/** The region's state after the last request. */
let hash: unknown;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: OPENED_AT_S * 1000 });
  polder = await GatewayUnderTest.furnished();
  const { paths } = (await request("GET", "/openapi.json")).json as { paths: Paths };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method.toUpperCase(), path, operation] as const),
  );
  hash = await polder.region.stateHash();
  const order = polder.command("place_order", polder.orderFields());
  const { command, evidence } = polder.readings([1, 2, 3, 4]);
  valid = [
    polder.bySession(polder.sessionSeed, order),
    await polder.signed(polder.home, polder.command("place_order", polder.orderFields({ hours: [1, 2] }))),
    polder.bySession(
      polder.sessionSeed,
      polder.command("cancel_order", { account: polder.account, orderId: 1 }),
    ),
    polder.bySession(polder.sessionSeed, command, evidence),
    await polder.enrol(`0x${"41".repeat(32)}`),
    await polder.signed(polder.home, polder.sessionCommand(`0x${"42".repeat(32)}`)),
    await polder.signed(
      operator,
      polder.command("credit_test_quote", { account: polder.account, amountMicros: 5 }),
    ),
    await polder.signed(operator, polder.openCommand()),
  ];
});

/** Expects an answer that the document allows: a problem of the table with its status, or a success of this path. */
function expectDocumented({ status, headers, json, text }: Reply, operation: Operation | null): void {
  if (status < 400) {
    expect(operation === null ? [] : Object.keys(operation.responses)).toContain(String(status));
    return;
  }
  expect(headers.get("content-type"), text).toContain("application/problem+json");
  expect(status).toBe(json.status);
  expectProblem(json);
}

/** Expects a problem of the closed table, word for word, and never a fault of ours. */
function expectProblem(json: Reply["json"]): void {
  const text = JSON.stringify(json);
  expect(isErrorCode(json.code), text).toBe(true);
  expect(json.code, text).not.toBe("internal_fault");
  const { status: told, transient, meaning } = ERRORS[json.code as keyof typeof ERRORS];
  expect(json).toEqual({
    type: `/docs/errors#${json.code}`,
    title: meaning,
    status: told,
    code: json.code,
    transient,
    facts: json.facts,
  });
  for (const fact of Object.values(json.facts as object))
    expect(fact === null || typeof fact !== "object").toBe(true);
}

/** Sends and expects a documented answer; the state may have changed only where the answer is a success. */
async function send(
  method: string,
  path: string,
  operation: Operation | null,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const reply = await request(method, path, body, headers);
  expectDocumented(reply, operation);
  const after = await polder.region.stateHash();
  if (reply.status >= 400 || method === "GET") expect(after).toEqual(hash);
  hash = after;
  return reply;
}

/** What the document says of a method at a path, or null. */
const documented = (method: string, path: string): Operation | null =>
  operations.find(([one, at]) => one === method && at === path)?.[2] ?? null;

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : (JSON.stringify(value) ?? "");
const piece = fc.oneof(
  fc.constantFrom(
    "0",
    "1",
    "-1",
    "1e3",
    "0x10",
    "",
    "%",
    "%00",
    "%ff",
    "..",
    "%2e%2e",
    "constructor",
    "__proto__",
    "null",
  ),
  fc.maxSafeInteger().map(String),
  hostile.map((value) => encodeURIComponent(textOf(value).toWellFormed().slice(0, 60))),
);
const NAMES = [
  "from",
  "until",
  "to",
  "tariff",
  "retailMicrosPerKwh",
  "feedInMicrosPerKwh",
  "format",
  "near",
  "__proto__",
];
const query = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), piece), { maxLength: 3 })
  .map((pairs) => (pairs.length === 0 ? "" : `?${pairs.map((pair) => pair.join("=")).join("&")}`));

describe("requests that are kept because they were once answered wrongly", () => {
  test.each(requests.map((one) => [one.name, one] as const))(
    "regression: %s",
    async (_name, { input, outcome }) => {
      const [method, path] = input.split(" ") as [string, string];
      const reply = await polder.get(path.replace("ACCOUNT", polder.account));
      expect(method).toBe("GET");
      expect(reply.json?.code ?? String(reply.status), reply.text).toBe(outcome);
    },
  );
});

describe("every path of the OpenAPI document", () => {
  test("property: whatever stands in path, query, method, headers and body, the answer is documented and nothing changed", async () => {
    const shape = fc.record({
      which: fc.nat(),
      pieces: fc.array(piece, { minLength: 3, maxLength: 3 }),
      isOurs: fc.boolean(),
      query,
      method: fc.option(fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH"), { freq: 2 }),
      body: fc.option(fc.oneof(hostile.map(textOf), mutatedText(fc.constant('{"side":"sell","steps":[]}')))),
      authorization: fc.option(fc.constantFrom("Bearer", "Bearer polder_", "Basic x", "bearer ")),
      accept: fc.option(fc.constantFrom("text/csv", "*/*", "application/json;q=0")),
    });
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(shape, async (tried) => {
        const [own, path] = operations[tried.which % operations.length] as (typeof operations)[0];
        let index = 0;
        const filled = path.replaceAll(/\{([a-zA-Z]+)\}/g, (_all, name: string) => {
          if (name === "region" && tried.isOurs) return polder.name;
          if (name === "account" && tried.isOurs) return polder.account;
          index += 1;
          return tried.pieces[index % 3] as string;
        });
        const method = tried.method ?? own;
        const hasBody = tried.body !== null && method !== "GET";
        const reply = await send(
          method,
          `${filled}${tried.query}`,
          documented(method, path),
          hasBody ? (tried.body as string) : undefined,
          {
            ...(tried.authorization === null ? {} : { authorization: tried.authorization }),
            ...(tried.accept === null ? {} : { accept: tried.accept }),
          },
        ).catch((error: unknown) => {
          throw new Error(`${method} ${filled}${tried.query}: ${error}`);
        });
        seen.add(reply.json?.code ?? String(reply.status));
      }),
      { numRuns: 250 },
    );
    for (const code of ["malformed_request", "method_not_allowed", "200"]) expect([...seen]).toContain(code);
  });

  test("property: with an API key, changed orders are accepted only as what they then say", async () => {
    const plain = fc.constant({
      side: "sell",
      steps: [{ limitPriceMicrosPerKwh: 100_000, capWhPerSlot: 10 }],
      hours: [1, 2],
      replaces: 0,
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated(plain), hostile), async (body) => {
        const path = "/v1/regions/{region}/orders";
        const operation = documented("POST", path);
        const reply = await send("POST", `${polder.path}/orders`, operation, textOf(body), polder.apiKey);
        if (reply.status !== 201) return;
        const { steps, side } = body as { steps: unknown; side: unknown };
        expect(reply.json.events.at(-1)).toMatchObject({ type: "order_placed", steps, side });
      }),
      { numRuns: 60 },
    );
  });
});

describe("depth", () => {
  test("rejects: bodies nested as deep as they may be long, at every place of a signed command", async () => {
    const deep = (size: number) => `${"[".repeat(size)}${"]".repeat(size)}`;
    const command = { responses: {} };
    for (const text of [
      deep(8_000),
      `{"command":${deep(7_900)}}`,
      `{"evidence":${deep(7_900)}}`,
      JSON.stringify(valid[0]).replace('"steps":[', `"steps":[${deep(6_500)},`),
      `${'{"command":'.repeat(1_300)}1${"}".repeat(1_300)}`,
    ])
      expect((await send("POST", `${polder.path}/commands`, command, text)).json.code).toBe(
        "malformed_request",
      );
  });
});

describe("command sockets", () => {
  test("property: every frame, however it was changed, gets one answer: a problem of the table or its own acceptance", async () => {
    const frames = fc.array(
      fc.oneof(
        mutated(fc.nat(7).map((which) => ({ id: which, ...valid[which] }))).map(textOf),
        mutatedText(fc.nat(7).map((which) => JSON.stringify({ id: which, ...valid[which] }))),
        hostile.map(textOf),
      ),
      { minLength: 30, maxLength: 50, size: "max" },
    );
    const ids = new Set(valid.map((signed) => commandId(DOMAIN, signed.command)));
    await fc.assert(
      fc.asyncProperty(frames, async (texts) => {
        const { webSocket } = await gateway.fetch(`${ORIGIN}${polder.path}/commands`, {
          headers: { upgrade: "websocket" },
        });
        if (webSocket === null) throw new Error("no socket");
        // A socket's own ping is answered by the platform.
        const sent = texts.map((text) => text.toWellFormed()).filter((text) => text !== "ping");
        const answers: Reply["json"][] = [];
        const all = new Promise<void>((resolve) => {
          webSocket.addEventListener("message", ({ data }) => {
            answers.push(JSON.parse(String(data)));
            if (answers.length === sent.length) resolve();
          });
        });
        webSocket.accept();
        for (const text of sent) webSocket.send(text);
        await all;
        webSocket.close();
        for (const { accepted, problem } of answers) {
          if (accepted === undefined) expectProblem(problem);
          else expect(ids).toContain(accepted.commandId);
        }
      }),
      { numRuns: 6 },
    );
    hash = await polder.region.stateHash();
  });
});

describe("signed commands that were changed on their way", () => {
  test("property: none is accepted but one that means the same byte for byte", async () => {
    let same = 0;
    const change = fc
      .nat()
      .chain((which) =>
        fc.oneof(
          mutated(fc.constant(null).map(() => valid[which % valid.length])).map(textOf),
          mutatedText(fc.constant(null).map(() => JSON.stringify(valid[which % valid.length]))),
        ),
      );
    const ids = new Set(valid.map(({ command }) => commandId(DOMAIN, command)));
    await fc.assert(
      fc.asyncProperty(change, async (text) => {
        const reply = await send("POST", `${polder.path}/commands`, { responses: { 200: {} } }, text);
        if (reply.status !== 200) return;
        same += 1;
        const { command } = JSON.parse(text) as SignedBody;
        expect(ids).toContain(commandId(DOMAIN, commandSchema.parse(command)));
        expect(reply.json.commandId).toBe(commandId(DOMAIN, commandSchema.parse(command)));
      }),
      { numRuns: 150 },
    );
    // Hex in upper case means the same, so some are taken; otherwise nothing valid was near.
    expect(same).toBeGreaterThan(0);
  });
});
