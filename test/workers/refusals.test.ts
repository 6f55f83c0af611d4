// Owns the promise that every refusal reaches a caller over HTTP with its code and facts, and changes nothing.

import { beforeEach, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../protocol/errors.ts";
import {
  deadlineS,
  FIRST_SLOT,
  goTo,
  MIDNIGHT_S,
  OPENED_AT_S,
  useMarketTime,
} from "../durable-objects/region-under-test.ts";
import { PARAMETERS, word } from "../support/market.ts";
import vectors from "../vectors/signatures.json" with { type: "json" };
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  operator,
  request,
  walletOf,
} from "./gateway-under-test.ts";

useMarketTime();

let polder: GatewayUnderTest;
beforeEach(async () => {
  polder = await GatewayUnderTest.furnished();
});

const order = (more = {}) => polder.command("place_order", polder.orderFields(more));
const byKey = (more = {}) =>
  polder.post(
    "/orders",
    { side: "sell", steps: [{ limitPriceMicrosPerKwh: 100_000, capWhPerSlot: 5 }], ...more },
    polder.apiKey,
  );

describe("orders", () => {
  test("rejects: a ladder out of order", async () => {
    const steps = [2, 1].map((limitPriceMicrosPerKwh) => ({
      limitPriceMicrosPerKwh: limitPriceMicrosPerKwh * 100_000,
      capWhPerSlot: 1,
    }));
    await polder.refuse("ladder_unsorted", () => byKey({ steps }));
    await polder.refuse("ladder_unsorted", () => byKey({ side: "buy", steps: [...steps].reverse() }));
  });

  test("rejects: one meant for slots that have begun, or for none", async () => {
    goTo(MIDNIGHT_S + 1_000);
    await polder.refuse("slot_already_started", () => byKey({ validUntilS: MIDNIGHT_S + 900 }));
    await polder.refuse("slot_already_started", () =>
      byKey({ validFromS: MIDNIGHT_S + 900, validUntilS: MIDNIGHT_S + 1_800 }),
    );
    await polder.refuse("order_span_empty", () =>
      byKey({ validFromS: MIDNIGHT_S + 9_000, validUntilS: MIDNIGHT_S + 9_000 }),
    );
    expectAccepted(await byKey({ validUntilS: MIDNIGHT_S + 2_700 }), 201);
  });

  test("rejects: what a session key may not: side, price, command, expiry", async () => {
    const narrow = word(0x21);
    const session = polder.sessionCommand(narrow, {
      sides: ["sell"],
      leastAskMicrosPerKwh: 150_000,
      sessionExpiresAtS: OPENED_AT_S + 7_200,
    });
    expectAccepted(await polder.post("/sessions", await polder.signed(polder.home, session)), 201);
    const send = (command: ReturnType<typeof order>, path = "/orders") =>
      polder.post(path, polder.bySession(narrow, command));
    expect(await polder.refuse("session_scope", () => send(order({ side: "buy" })))).toMatchObject({
      limit: "sides",
    });
    expect(await polder.refuse("session_scope", () => send(order()))).toMatchObject({
      limit: "leastAskMicrosPerKwh",
    });
    const another = polder.sessionCommand(word(0x22));
    expect(await polder.refuse("session_scope", () => send(another, "/sessions"))).toMatchObject({
      limit: "command",
    });
    const bid = [{ limitPriceMicrosPerKwh: 400_001, capWhPerSlot: 1 }];
    expect(await polder.refuse("session_scope", () => byKey({ side: "buy", steps: bid }))).toMatchObject({
      limit: "highestBidMicrosPerKwh",
    });
    goTo(OPENED_AT_S + 7_200);
    // What became due meanwhile is done with the next command, whatever becomes of that.
    await send(order());
    await polder.refuse("session_expired", () => send(order()));
  });

  test("rejects: a revoked key, and ends its orders", async () => {
    const { entry } = expectAccepted(await byKey(), 201);
    const { sessionKey } = polder.bySession(polder.sessionSeed, order());
    expectAccepted(
      await request("DELETE", `${polder.path}/sessions/${sessionKey}`, undefined, polder.apiKey),
      200,
    );
    await polder.refuse("session_revoked", () => byKey());
    expect((await polder.get(`/orders/${entry}`)).json).toMatchObject({ isLive: false });
    const again = await polder.signed(polder.home, polder.sessionCommand(polder.sessionSeed));
    await polder.refuse("session_exists", () => polder.post("/sessions", again));
  });

  test("rejects: the cancellation and replacement of another's order, and of none", async () => {
    const { entry } = expectAccepted(await byKey(), 201);
    const stranger = walletOf(2);
    const account = addressOf(stranger);
    await polder.post(
      "/credits",
      await polder.signed(operator, polder.command("credit_test_quote", { account, amountMicros: 1 })),
    );
    const cancel = await polder.signed(stranger, polder.command("cancel_order", { account, orderId: entry }));
    await polder.refuse("order_not_owned", () => request("DELETE", `${polder.path}/orders/${entry}`, cancel));
    const replace = await polder.signed(stranger, order({ account, replaces: entry }));
    await polder.refuse("order_not_owned", () => request("PUT", `${polder.path}/orders/${entry}`, replace));
    await polder.refuse("order_not_found", () =>
      request("DELETE", `${polder.path}/orders/987654`, undefined, polder.apiKey),
    );
    await polder.refuse("order_not_found", () => polder.get("/orders/987654"));
    expect((await polder.get(`/orders/${entry}`)).json).toMatchObject({ isLive: true });
  });

  test("rejects: one order too many", async () => {
    const answers = await Promise.all(Array.from({ length: 32 }, () => byKey()));
    for (const answer of answers) expectAccepted(answer, 201);
    await polder.refuse("orders_exhausted", () => byKey());
  });
});

describe("readings", () => {
  const send = ({ command, evidence }: ReturnType<GatewayUnderTest["readings"]>) =>
    polder.post("/readings", polder.bySession(polder.sessionSeed, command, evidence));
  const refuse = (code: ErrorCode, readings: ReturnType<GatewayUnderTest["readings"]>) =>
    polder.refuse(code, () => send(readings));

  test("rejects: a window of the future, one that is half over, one that is unaligned, one of another length", async () => {
    goTo(MIDNIGHT_S + 1_800);
    expect(await refuse("window_not_over", polder.readings([1, 2, 3, 4]))).toEqual({
      endsAtS: MIDNIGHT_S + 3_600,
      atS: MIDNIGHT_S + 1_800,
    });
    await refuse("window_not_over", polder.readings([1, 2, 3, 4], FIRST_SLOT + 400));
    goTo(MIDNIGHT_S + 3_600);
    await refuse("window_unaligned", polder.readings([1, 2, 3, 4], FIRST_SLOT + 1));
    const day = polder.command("submit_readings", {
      account: polder.account,
      firstSlot: FIRST_SLOT,
      netWh: new Array(96).fill(0),
    });
    const { signWindow } = await import("../../evidence/gateway-window.ts");
    const { DOMAIN } = await import("../support/market.ts");
    const evidence = signWindow(
      polder.gatewaySeed,
      { ...DOMAIN, regionId: polder.name, windowSlots: 96 },
      FIRST_SLOT,
      new Array(96).fill(0),
    );
    await refuse("window_length_wrong", { command: day, evidence });
    await refuse("evidence_malformed", {
      ...polder.readings([1, 2, 3, 4]),
      command: polder.command("submit_readings", {
        account: polder.account,
        firstSlot: FIRST_SLOT,
        netWh: [1, 2, 3, 4, 5],
      }),
    });
  });

  test("rejects: a window that has cleared, also before its alarm went off", async () => {
    goTo(deadlineS(FIRST_SLOT));
    // The command itself makes the region do what is due first; the state after that is what must not change.
    await send(polder.readings([1, 2, 3, 4], FIRST_SLOT + 400));
    await refuse("window_closed", polder.readings([1, 2, 3, 4]));
    await refuse("window_closed", polder.readings([1, 2, 3, 4], FIRST_SLOT - 400));
  });

  test("rejects: the same window twice, also with other readings", async () => {
    goTo(MIDNIGHT_S + 3_600);
    expectAccepted(await send(polder.readings([1, 2, 3, 4])), 201);
    await refuse("window_already_proved", polder.readings([1, 2, 3, 4]));
    await refuse("window_already_proved", polder.readings([0, 0, 0, 0]));
  });

  test("rejects: more than nameplate, connection or caps allow", async () => {
    goTo(MIDNIGHT_S + 3_600);
    await refuse("above_nameplate", polder.readings([5_001, 0, 0, 0]));
    await refuse("above_connection", polder.readings([0, -4_001, 0, 0]));
    expect(await refuse("above_window_cap", polder.readings([4_000, 4_000, 4_000, 1]))).toMatchObject({
      side: "sell",
    });
    expect(await refuse("above_window_cap", polder.readings([-4_000, -4_000, -2_001, 0]))).toMatchObject({
      side: "buy",
    });
    expectAccepted(await send(polder.readings([5_000, 5_000, 2_000, -4_000])), 201);
  });

  test("rejects: more than a reading can be, with malformed_request", async () => {
    goTo(MIDNIGHT_S + 3_600);
    const { command, evidence } = polder.readings([1, 2, 3, 4]);
    for (const wh of [2 ** 20, -(2 ** 20), 0.5, 1e300, null, "7"]) {
      const body = {
        ...polder.bySession(polder.sessionSeed, command, evidence),
        command: { ...command, netWh: [1, 2, 3, wh] },
      };
      await polder.refuse("malformed_request", () => polder.post("/readings", body));
    }
  });

  test("rejects: a gateway nobody enrolled, another account's, and one enrolled too late", async () => {
    goTo(MIDNIGHT_S + 100);
    const stranger = addressOf(walletOf(2));
    for (const [seed, more] of [
      [word(0x31), { account: stranger }],
      [word(0x32), {}],
    ] as const) {
      expectAccepted(
        await polder.post("/meters", await polder.signed(operator, polder.enrolCommand(seed, more))),
        201,
      );
    }
    goTo(MIDNIGHT_S + 3_600);
    await refuse("meter_not_found", polder.readings([1, 2, 3, 4], FIRST_SLOT, word(0x33)));
    await refuse("meter_not_owned", polder.readings([1, 2, 3, 4], FIRST_SLOT, word(0x31)));
    await refuse("meter_not_active", polder.readings([1, 2, 3, 4], FIRST_SLOT, word(0x32)));
  });

  test("rejects: no evidence, evidence for other readings, another window, region or account", async () => {
    goTo(MIDNIGHT_S + 3_600);
    const good = polder.readings([1, 2, 3, 4]);
    await refuse("evidence_malformed", { command: good.command, evidence: undefined });
    await refuse("gateway_signature_invalid", { ...good, evidence: polder.readings([1, 2, 3, 5]).evidence });
    await refuse("gateway_signature_invalid", {
      ...good,
      evidence: polder.readings([1, 2, 3, 4], FIRST_SLOT + 4).evidence,
    });
    const elsewhere = new GatewayUnderTest();
    await refuse("gateway_signature_invalid", {
      ...good,
      evidence: elsewhere.readings([1, 2, 3, 4]).evidence,
    });
    expectAccepted(await send(good), 201);
  });

  for (const { name, evidence, verdict } of (
    vectors.gateway as { name: string; evidence: { kind: string }; verdict: { ok: boolean; code?: string } }[]
  ).filter(
    (vector) => vector.verdict.code === "gateway_key_invalid" || vector.verdict.code === "evidence_malformed",
  )) {
    test(`rejects: evidence of the vector "${name}"`, async () => {
      goTo(MIDNIGHT_S + 3_600);
      const { command } = polder.readings([1, 2, 3, 4]);
      const before = await polder.region.stateHash();
      const { json } = await send({ command, evidence });
      // What the decoder of requests can see it refuses first.
      expect([verdict.code, "malformed_request"]).toContain(json.code);
      expect(await polder.region.stateHash()).toEqual(before);
    });
  }

  test("rejects: evidence on a command that has none", async () => {
    const { evidence } = polder.readings([1, 2, 3, 4]);
    const body = { ...(await polder.signed(polder.home, order())), evidence };
    await polder.refuse("evidence_malformed", () => polder.post("/orders", body));
  });

  test("rejects: an API key's readings without evidence, with malformed_request", async () => {
    await polder.refuse("malformed_request", () =>
      polder.post("/readings", { firstSlot: FIRST_SLOT, netWh: [1, 2, 3, 4] }, polder.apiKey),
    );
  });
});

describe("what only the operator may", () => {
  const commands = (): [string, ReturnType<GatewayUnderTest["command"]>][] => [
    ["/meters", polder.enrolCommand(word(0x41))],
    ["/meters/revocations", polder.command("revoke_meter", { account: polder.account, gateway: word(5) })],
    ["/credits", polder.command("credit_test_quote", { account: polder.account, amountMicros: 5 })],
    ["/parameters", polder.command("set_parameters", { parameters: PARAMETERS })],
  ];

  test("rejects: enrolling, revoking, crediting and setting parameters by anybody else, with not_operator", async () => {
    for (const [path, command] of commands()) {
      await polder.refuse("not_operator", async () =>
        polder.post(path, await polder.signed(polder.home, command)),
      );
      await polder.refuse("not_operator", () =>
        polder.post(path, polder.bySession(polder.sessionSeed, command)),
      );
      await polder.refuse("not_operator", async () =>
        polder.post("/commands", await polder.signed(polder.home, command)),
      );
    }
  });

  test("rejects: an API key on paths that want a wallet, with malformed_request", async () => {
    await polder.refuse("malformed_request", () =>
      polder.post("/credits", { account: polder.account, amountMicros: 5 }, polder.apiKey),
    );
  });

  test("rejects: a gateway key that is no key, a second enrolment, a revocation of none", async () => {
    const send = async (path: string, command: ReturnType<GatewayUnderTest["command"]>) =>
      polder.post(path, await polder.signed(operator, command));
    await polder.refuse("gateway_key_invalid", () =>
      send("/meters", polder.enrolCommand(word(0x42), { gatewayX: "0", gatewayY: "1" })),
    );
    await polder.refuse("gateway_key_invalid", () =>
      send("/meters", polder.enrolCommand(word(0x42), { gatewayX: "5", gatewayY: "5" })),
    );
    await polder.refuse("meter_exists", () => send("/meters", polder.enrolCommand(polder.gatewaySeed)));
    await polder.refuse("meter_not_found", () =>
      send(
        "/meters/revocations",
        polder.command("revoke_meter", { account: polder.account, gateway: word(6) }),
      ),
    );
    await polder.refuse("parameters_out_of_bounds", () =>
      send(
        "/parameters",
        polder.command("set_parameters", { parameters: { ...PARAMETERS, proofDelaySeconds: 3_601 } }),
      ),
    );
    await polder.refuse("malformed_request", () =>
      send(
        "/parameters",
        polder.command("set_parameters", { parameters: { ...PARAMETERS, takeRateBps: 2_001 } }),
      ),
    );
    await polder.refuse("region_money_limit", () =>
      send(
        "/credits",
        polder.command("credit_test_quote", { account: polder.account, amountMicros: 4_000_000_000_000_000 }),
      ),
    );
  });

  test("rejects: test money in a region that settles for real", async () => {
    const real = new GatewayUnderTest();
    expectAccepted(await real.open({ quote: "settlement" }), 201);
    const command = real.command("credit_test_quote", { account: real.account, amountMicros: 5 });
    await real.refuse("quote_not_test", async () =>
      real.post("/credits", await real.signed(operator, command)),
    );
  });
});
