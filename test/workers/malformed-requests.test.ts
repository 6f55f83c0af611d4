// Owns the promise that a malformed request gets a problem with a code and a path, and changes nothing.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { MAX_BODY_BYTES } from "../../protocol/limits.ts";
import { gateway, OPENED_AT_S, useMarketTime } from "../durable-objects/region-under-test.ts";
import { GatewayUnderTest, ORIGIN, operator, type Reply, request } from "./gateway-under-test.ts";

useMarketTime();

let polder: GatewayUnderTest;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: OPENED_AT_S * 1000 });
  polder = await GatewayUnderTest.furnished();
});

const order = (more: Record<string, unknown> = {}) => ({
  side: "sell",
  steps: [{ limitPriceMicrosPerKwh: 100_000, capWhPerSlot: 1_000 }],
  ...more,
});
const step = (more: Record<string, unknown>) =>
  order({ steps: [{ limitPriceMicrosPerKwh: 100_000, capWhPerSlot: 1_000, ...more }] });
/** JSON with a number spelled as given, which no encoder would write. */
const spelled = (number: string): string => JSON.stringify(step({})).replace("1000}", `${number}}`);

describe("bodies that are no JSON", () => {
  const BODIES: Record<string, string | Uint8Array> = {
    nothing: "",
    "half an object": '{"side":"sell"',
    "two values": "{} {}",
    NaN: spelled("NaN"),
    Infinity: spelled("Infinity"),
    "a leading plus": spelled("+1"),
    "a trailing comma": '{"side":"sell",}',
    "single quotes": "{'side':'sell'}",
    "what is not UTF-8": new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
  };
  for (const [what, body] of Object.entries(BODIES)) {
    test(`rejects: ${what}, with malformed_json`, async () => {
      await polder.refuse("malformed_json", async () => {
        const response = await gateway.fetch(`${ORIGIN}${polder.path}/orders`, {
          method: "POST",
          body,
          headers: polder.apiKey,
        });
        return {
          status: response.status,
          headers: response.headers,
          text: "",
          json: await response.json(),
        } as Reply;
      });
    });
  }
});

describe("bodies that are too large", () => {
  const large = JSON.stringify(order({ padding: "x".repeat(MAX_BODY_BYTES) }));

  test("rejects: one that says so, with body_too_large", async () => {
    const facts = await polder.refuse("body_too_large", () => polder.post("/orders", large, polder.apiKey));
    expect(facts).toEqual({ limitBytes: MAX_BODY_BYTES });
  });

  test("rejects: one that does not say how large it is, without reading all of it", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        if (pulled > 1_000) controller.error(new Error("it was read to the end"));
        else controller.enqueue(new Uint8Array(1_024).fill(0x20));
      },
    });
    await polder.refuse("body_too_large", async () => {
      const response = await gateway.fetch(`${ORIGIN}${polder.path}/orders`, {
        method: "POST",
        body: endless,
        headers: polder.apiKey,
      });
      return {
        status: response.status,
        headers: response.headers,
        text: "",
        json: await response.json(),
      } as Reply;
    });
    expect(pulled).toBeLessThan(100);
  });

  test("behavior: one of exactly the limit is read", async () => {
    const body = JSON.stringify(order());
    const padded = body + " ".repeat(MAX_BODY_BYTES - body.length);
    expect((await polder.post("/orders", padded, polder.apiKey)).status).toBe(201);
    await polder.refuse("body_too_large", () => polder.post("/orders", `${padded} `, polder.apiKey));
  });
});

describe("values that a field does not accept", () => {
  const BODIES: Record<string, [unknown, string]> = {
    null: [null, ""],
    "an array": [[], ""],
    "a string": ['"sell"', ""],
    "no fields": [{}, "side"],
    "an unknown field": [order({ colour: "green" }), ""],
    "an unknown field of a step": [step({ colour: "green" }), "steps.0"],
    "a field called __proto__": [JSON.stringify(order()).replace("{", '{"__proto__":{},'), ""],
    "another side": [order({ side: "hold" }), "side"],
    "a ladder without steps": [order({ steps: [] }), "steps"],
    "nine steps": [
      order({
        steps: Array.from({ length: 9 }, (_, index) => ({ limitPriceMicrosPerKwh: index, capWhPerSlot: 1 })),
      }),
      "steps",
    ],
    "a quantity of zero": [step({ capWhPerSlot: 0 }), "steps.0.capWhPerSlot"],
    "a negative quantity": [step({ capWhPerSlot: -1 }), "steps.0.capWhPerSlot"],
    "a quantity above the limit": [step({ capWhPerSlot: 1_000_001 }), "steps.0.capWhPerSlot"],
    "a huge quantity": [spelled("1e308"), "steps.0.capWhPerSlot"],
    "a quantity past all numbers": [spelled("1e999"), "steps.0.capWhPerSlot"],
    "a quantity that no double holds": [spelled("9007199254740993"), "steps.0.capWhPerSlot"],
    "half a Wh": [step({ capWhPerSlot: 0.5 }), "steps.0.capWhPerSlot"],
    "a quantity as text": [step({ capWhPerSlot: "1000" }), "steps.0.capWhPerSlot"],
    "a quantity of null": [step({ capWhPerSlot: null }), "steps.0.capWhPerSlot"],
    "a price above the limit": [
      step({ limitPriceMicrosPerKwh: 10_000_001 }),
      "steps.0.limitPriceMicrosPerKwh",
    ],
    "a price below the limit": [
      step({ limitPriceMicrosPerKwh: -10_000_001 }),
      "steps.0.limitPriceMicrosPerKwh",
    ],
    "hour 24": [order({ hours: [24] }), "hours.0"],
    "an instant after the last one": [order({ validUntilS: 1e15 }), "validUntilS"],
    "a negative nonce": [order({ nonce: -1 }), "nonce"],
  };
  for (const [what, [body, path]] of Object.entries(BODIES)) {
    test(`rejects: ${what}, with malformed_request, naming the field`, async () => {
      const facts = await polder.refuse("malformed_request", () =>
        polder.post("/orders", body, polder.apiKey),
      );
      expect(facts.path).toBe(path);
    });
  }

  test("rejects: hours out of order, with malformed_request, from the region", async () => {
    for (const hours of [
      [2, 1],
      [5, 5],
    ]) {
      await polder.refuse("malformed_request", () => polder.post("/orders", order({ hours }), polder.apiKey));
    }
  });

  const PATHS = [
    "/orders/abc",
    "/orders/0",
    "/orders/-1",
    "/orders/1.5",
    "/orders/NaN",
    "/orders/1e400",
    "/accounts/0x12",
    "/accounts/nobody",
    "/slots/x",
    "/slots/-4",
    "/slots?from=x",
    "/slots?from=-1",
    "/slots?until=1e99",
    "/slots?unknown=1",
    "/journal?from=a",
    "/receipts/none",
    "/accounts/0x1111111111111111111111111111111111111111/bill?retailMicrosPerKwh=99999999",
    "/accounts/0x1111111111111111111111111111111111111111/bill?format=xml",
    "/accounts/0x1111111111111111111111111111111111111111/bill?tariff=none",
  ];
  for (const path of PATHS) {
    test(`rejects: GET ${path}, with malformed_request`, async () => {
      await polder.refuse("malformed_request", () => polder.get(path));
    });
  }

  test("rejects: a place that is not on Earth, and a region's name that is none", async () => {
    for (const near of ["91,0", "0,181", "a,b", "1", "1,2,3", "1e1,2"]) {
      await polder.refuse("malformed_request", () => request("GET", `/v1/regions/nearest?near=${near}`));
    }
    for (const name of ["A", "x", "-a", "a%2Fb", "a".repeat(33), "ünder"]) {
      await polder.refuse("malformed_request", () => request("GET", `/v1/regions/${name}/market`));
    }
  });

  test("rejects: a signed command whose path says something else, with malformed_request", async () => {
    const cancel = polder.command("cancel_order", { account: polder.account, orderId: 5 });
    const body = await polder.signed(polder.home, cancel);
    await polder.refuse("malformed_request", () => request("DELETE", `${polder.path}/orders/6`, body));
    await polder.refuse("malformed_request", () => polder.post("/orders", body));
    const placed = await polder.signed(
      polder.home,
      polder.command("place_order", polder.orderFields({ replaces: 3 })),
    );
    await polder.refuse("malformed_request", () => request("PUT", `${polder.path}/orders/4`, placed));
  });

  test("rejects: a receipt key that is not the deployment's, when a region is opened", async () => {
    const other = new GatewayUnderTest();
    const body = await other.signed(operator, other.openCommand({ receiptKey: `0x${"11".repeat(32)}` }));
    const { profileNamed } = await import("../durable-objects/profile.ts");
    await polder.refuse("malformed_request", () =>
      request("POST", "/v1/regions", { ...body, profile: profileNamed(other.name) }),
    );
    await polder.refuse("region_not_found", () => other.get("/market"));
  });
});
