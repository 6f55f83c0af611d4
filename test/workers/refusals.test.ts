// Owns the promise that every refusal reaches a caller over HTTP with its code and facts, and changes nothing.

import { bn254 } from "@noble/curves/bn254.js";
import { beforeEach, describe, expect, test } from "vitest";
import { gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import type { MeterProof } from "../../evidence/meter-proof.ts";
import type { Command } from "../../protocol/commands.ts";
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
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  installer,
  operator,
  type Readings,
  request,
  walletOf,
} from "./gateway-under-test.ts";

const COORDINATE_ORDER = bn254.fields.Fp.ORDER;

useMarketTime();

let polder: GatewayUnderTest;
beforeEach(async () => {
  polder = await GatewayUnderTest.furnished();
});

const order = (more = {}) => polder.command("place_order", polder.orderFields(more));
/** (−A, −B, C): the same statement, another proof. */
function malleated(proof: MeterProof["proof"]): MeterProof["proof"] {
  const minus = (value: string | undefined) => String(COORDINATE_ORDER - BigInt(value as string));
  const [ax, ay, az] = proof.pi_a;
  const [bx, by, bz] = proof.pi_b as [string[], string[], string[]];
  return {
    ...proof,
    pi_a: [ax as string, minus(ay), az as string],
    pi_b: [bx, [minus(by[0]), minus(by[1])], bz],
  };
}

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

describe("enrolments", () => {
  test("rejects: consent to another commitment, of another gateway, region or none, and a key of small order", async () => {
    const seed = word(0x31);
    const good = await polder.enrol(seed);
    const other = await polder.enrol(word(0x32));
    const send = (body: unknown) => () => polder.post("/meters", body);
    await polder.refuse("gateway_signature_invalid", send({ ...good, evidence: other.evidence }));
    const elsewhere = await new GatewayUnderTest().enrol(seed);
    await polder.refuse("gateway_signature_invalid", send({ ...good, evidence: elsewhere.evidence }));
    const secret = polder.enrolCommand(seed, { commitment: "5" });
    await polder.refuse(
      "gateway_signature_invalid",
      send(await polder.signed(installer, secret, good.evidence)),
    );
    await polder.refuse("evidence_malformed", send({ ...good, evidence: undefined }));
    await polder.refuse("evidence_malformed", send({ ...good, evidence: polder.readings([]).evidence }));
    const identity = polder.enrolCommand(seed, { gatewayX: "0", gatewayY: "1" });
    await polder.refuse("gateway_key_invalid", send(await polder.signed(installer, identity, good.evidence)));
    expectAccepted(await polder.post("/meters", good), 201);
    await polder.refuse("meter_exists", send(await polder.enrol(seed)));
  });

  test("rejects: an enrolment by the operator, a rotation of nothing, a revocation of nothing", async () => {
    const command = polder.enrolCommand(word(0x31));
    const { evidence } = await polder.enrol(word(0x31));
    await polder.refuse("not_installer", async () =>
      polder.post("/meters", await polder.signed(operator, command, evidence)),
    );
    await polder.refuse("meter_not_found", async () =>
      polder.post("/meters", await polder.enrol(word(0x31), { replaces: word(9) })),
    );
    await polder.refuse("meter_not_found", async () => {
      const revocation = polder.command("revoke_meter", { gateway: word(9), isEmergency: true });
      return polder.post("/meters/revocations", await polder.signed(installer, revocation));
    });
  });

  test("rejects: the registry of a window that is over, too far ahead, or none", async () => {
    for (const slot of [FIRST_SLOT - 4, FIRST_SLOT + 1, FIRST_SLOT + 400])
      await polder.refuse("registry_not_found", () => polder.get(`/registry/${slot}`));
    expect((await polder.get(`/registry/${FIRST_SLOT}`)).json).toMatchObject({ firstSlot: FIRST_SLOT });
  });
});

describe("readings", () => {
  const send = ({ command, evidence }: Readings) =>
    polder.post("/readings", polder.bySession(polder.sessionSeed, command, evidence));
  const refuse = (code: ErrorCode, readings: Readings) => polder.refuse(code, () => send(readings));

  test("rejects: a window of the future, one that is half over, one that is unaligned, one of another length", async () => {
    goTo(MIDNIGHT_S + 1_800);
    expect(await refuse("window_not_over", polder.readings([1, 2, 3, 4]))).toEqual({
      endsAtS: MIDNIGHT_S + 3_600,
      atS: MIDNIGHT_S + 1_800,
    });
    await refuse("window_not_over", polder.readings([1, 2, 3, 4], FIRST_SLOT + 400));
    goTo(MIDNIGHT_S + 3_600);
    await refuse("window_unaligned", polder.readings([1, 2, 3, 4], FIRST_SLOT + 1));
    await refuse("window_length_wrong", polder.readings(new Array(96).fill(0)));
    await refuse("evidence_malformed", polder.readings([1, 2, 3, 4, 5]));
  });

  test("rejects: a window that has cleared, also before its alarm went off", async () => {
    goTo(deadlineS(FIRST_SLOT));
    // The command itself makes the region do what is due first; the state after that is what must not change.
    await send(polder.readings([1, 2, 3, 4], FIRST_SLOT + 400));
    await refuse("window_closed", polder.readings([1, 2, 3, 4]));
    await refuse("window_closed", polder.readings([1, 2, 3, 4], FIRST_SLOT - 400));
  });

  test("rejects: the same window twice, also with other claims, and then accepts another meter's", async () => {
    const shed = word(0x5bed);
    expectAccepted(await polder.post("/meters", await polder.enrol(shed)), 201);
    goTo(MIDNIGHT_S + 3_600);
    const first = await polder.proved([100, 200, 300, -400]);
    expectAccepted(await send(first), 201);
    const less = await polder.proved([100, 200, 300, -400], { policy: { mostWh: 150 } });
    await refuse("window_already_proved", less);
    await refuse("window_already_proved", { ...first, command: { ...first.command, nonce: 7 } as Command });
    expectAccepted(await send(await polder.proved([-30, 0, 60, 70], { seed: shed })), 201);
    const { json } = await polder.get("/market");
    expect(json.provedAccounts).toBe(1);
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

  test("rejects: a proof about other meters than the window's, also those before an emergency", async () => {
    expectAccepted(await polder.post("/meters", await polder.enrol(word(0x31))), 201);
    goTo(MIDNIGHT_S + 3_600);
    const { root } = (await polder.get(`/registry/${FIRST_SLOT}`)).json;
    const facts = await refuse("registry_root_wrong", polder.readings([1, 2, 3, 4]));
    expect(facts).toEqual({ root, shown: word(1) });
    const good = await polder.proved([1, 2, 3, 4]);
    const gateway = gatewayIdOfSeed(word(0x31));
    const removal = polder.command("revoke_meter", { gateway, isEmergency: true });
    expectAccepted(await polder.post("/meters/revocations", await polder.signed(installer, removal)), 201);
    await refuse("registry_root_wrong", good);
    expectAccepted(await send(await polder.proved([1, 2, 3, 4])), 201);
  });

  test("rejects: a proof for other claims, another account or window, or with the pairing spoilt; three and no more", async () => {
    const stranger = addressOf(walletOf(2));
    goTo(MIDNIGHT_S + 3_600);
    const good = await polder.proved([1, -2, 3, 4]);
    const { evidence } = good as { evidence: MeterProof };
    const other = async (fields: Record<string, unknown>, more: Partial<MeterProof> = {}) => ({
      command: { ...good.command, nonce: 99, ...fields } as Command,
      evidence: { ...evidence, ...more },
    });
    await refuse("evidence_malformed", { command: good.command, evidence: undefined });
    // A direction that is spelt twice is no spelling.
    await refuse("evidence_malformed", await other({}, { heldBack: [0] }));
    await refuse("proof_invalid", await other({ netWh: [2, -2, 3, 4] }));
    const elsewhere = await polder.proved([1, -2, 3, 4], { account: stranger });
    await refuse("proof_invalid", { command: good.command, evidence: elsewhere.evidence });
    // Coordinates that are no point cost nearly as much as a pairing.
    const pi_a = [evidence.proof.pi_a[0], "1", "1"] as string[];
    await refuse("evidence_malformed", await other({}, { proof: { ...evidence.proof, pi_a } }));
    await refuse("proof_attempts_exhausted", good);
    // Another account's are its own, and so is another window.
    const account = addressOf(operator);
    const credit = polder.command("credit_test_quote", { account, amountMicros: 1 });
    expectAccepted(await polder.post("/credits", await polder.signed(operator, credit)), 201);
    const theirs = await polder.proved([1, -2, 3, 4], { account });
    expectAccepted(
      await polder.post("/readings", await polder.signed(operator, theirs.command, theirs.evidence)),
      201,
    );
    goTo(MIDNIGHT_S + 7_200);
    const next = await polder.proved([5, 6, -7, 8], { firstSlot: FIRST_SLOT + 4 });
    expectAccepted(await send(next), 201);
  });

  test("behavior: a malleated proof is a proof, and its nullifier is used", async () => {
    goTo(MIDNIGHT_S + 3_600);
    const good = await polder.proved([10, -20, 30, 40]);
    expectAccepted(await send(good), 201);
    const evidence = good.evidence as MeterProof;
    const command = { ...good.command, nonce: 98 } as Command;
    const proof = malleated(evidence.proof);
    await refuse("window_already_proved", { command, evidence: { ...evidence, proof } });
  });

  test("behavior: proofs that come together are verified together, each for itself, and sent again get their answer", async () => {
    // The lowest byte tells no households apart: a household's meters would share a secret, and so a nullifier.
    const seeds = [0x6100, 0x6200, 0x6300, 0x6400].map(word);
    for (const seed of seeds) expectAccepted(await polder.post("/meters", await polder.enrol(seed)), 201);
    goTo(MIDNIGHT_S + 3_600);
    const all = await Promise.all(seeds.map((seed) => polder.proved([9, 8, -7, -6], { seed })));
    const spoilt = {
      command: { ...(all[1] as Readings).command, netWh: [9, 9, -7, -6] } as Command,
      evidence: (all[1] as Readings).evidence,
    };
    const replies = await Promise.all([all[0], spoilt, all[2], all[3]].map((one) => send(one as Readings)));
    expect(replies.map(({ json, status }) => json.code ?? status)).toEqual([201, "proof_invalid", 201, 201]);
    expect((await send(all[0] as Readings)).json).toEqual(replies[0]?.json);
  });

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
    ["/installers", polder.command("appoint_installers", { installers: [polder.account] })],
    ["/accounts", polder.command("admit_account", { account: addressOf(walletOf(7)) })],
    ["/credits", polder.command("credit_test_quote", { account: polder.account, amountMicros: 5 })],
    ["/parameters", polder.command("set_parameters", { parameters: PARAMETERS })],
  ];

  test("rejects: appointing, admitting, crediting and setting parameters by anybody else, with not_operator", async () => {
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

  test("rejects: an account that is open, parameters out of bounds, too much money, installers out of order", async () => {
    const send = async (path: string, command: ReturnType<GatewayUnderTest["command"]>) =>
      polder.post(path, await polder.signed(operator, command));
    await polder.refuse("account_exists", () =>
      send("/accounts", polder.command("admit_account", { account: polder.account })),
    );
    const installers = [addressOf(installer), addressOf(installer)];
    await polder.refuse("malformed_request", () =>
      send("/installers", polder.command("appoint_installers", { installers })),
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
    expectAccepted(await real.open({ quote: "settlement", mirror: addressOf(operator) }), 201);
    const command = real.command("credit_test_quote", { account: real.account, amountMicros: 5 });
    await real.refuse("quote_not_test", async () =>
      real.post("/credits", await real.signed(operator, command)),
    );
  });
});
