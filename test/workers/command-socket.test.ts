// Owns the promises of command sockets: the same refusals and answers as a POST, in order, many at once, and one caller's
// rubbish is not its neighbours' trouble.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { CLOSE_REFUSED, type Intake } from "../../durable-objects/intake.ts";
import {
  MAX_BODY_BYTES,
  MAX_COMMANDS_IN_FLIGHT,
  MAX_REFUSALS_PER_SOCKET,
  MAX_SOCKETS_PER_INTAKE,
} from "../../protocol/limits.ts";
import { env, gateway, rest, useMarketTime } from "../durable-objects/region-under-test.ts";
import { expectAccepted, GatewayUnderTest, ORIGIN, operator, type SignedBody } from "./gateway-under-test.ts";

useMarketTime();

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever came
type Frame = any;

/** A caller with a socket. */
class Caller {
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly socket: WebSocket;
  #id = 0;

  constructor(response: Response) {
    const { webSocket } = response;
    if (webSocket === null) throw new Error(`no socket but ${response.status}`);
    this.socket = webSocket;
    this.socket.addEventListener("message", ({ data }) => void this.frames.push(JSON.parse(String(data))));
    this.socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
    this.socket.accept();
  }

  static async of(polder: GatewayUnderTest): Promise<Caller> {
    return new Caller(await upgrade(polder.path));
  }

  /** Sends a frame and waits until one more has come back. */
  async exchange(frame: unknown): Promise<Frame> {
    const before = this.frames.length;
    this.socket.send(frame as string);
    await until(() => this.frames.length > before);
    return this.frames.at(-1);
  }

  command(signed: SignedBody): Promise<Frame> {
    this.#id += 1;
    return this.exchange(JSON.stringify({ id: this.#id, ...signed }));
  }
}

const upgrade = (path: string) =>
  gateway.fetch(`${ORIGIN}${path}/commands`, { headers: { upgrade: "websocket" } });

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 400 && !condition(); turns += 1) await rest(5);
  expect(condition()).toBe(true);
}

let polder: GatewayUnderTest;
const order = (more = {}) =>
  polder.bySession(polder.sessionSeed, polder.command("place_order", polder.orderFields(more)));

beforeEach(async () => {
  polder = await GatewayUnderTest.furnished();
});

describe("a command socket", () => {
  test("rejects: a request without upgrade, and a region nobody registered", async () => {
    await polder.refuse("upgrade_required", () => polder.get("/commands"));
    const nowhere = await upgrade("/v1/regions/nowhere");
    expect(await nowhere.json()).toMatchObject({ code: "region_not_found" });
  });

  test("rejects: what is no command, each with a problem, the number where one could be read, and nothing changed", async () => {
    const caller = await Caller.of(polder);
    const before = await polder.region.stateHash();
    const signed = order();
    const readings = polder.readings([1, 2, 3, 4]);
    const cases: [unknown, number | null, string][] = [
      [new Uint8Array([1, 2, 3]), null, "malformed_request"],
      ["{", null, "malformed_json"],
      ["[]", null, "malformed_request"],
      ["null", null, "malformed_request"],
      [JSON.stringify({ ...signed }), null, "malformed_request"],
      [JSON.stringify({ id: -1, ...signed }), -1, "malformed_request"],
      [JSON.stringify({ id: 1.5, ...signed }), null, "malformed_request"],
      [JSON.stringify({ id: 5, ...signed, more: 1 }), 5, "malformed_request"],
      [JSON.stringify({ id: 6, ...signed, chainId: 1 }), 6, "wrong_chain"],
      [`{"id":7,"pad":"${"x".repeat(MAX_BODY_BYTES)}"}`, null, "body_too_large"],
      [
        JSON.stringify({
          id: 8,
          ...polder.bySession(polder.sessionSeed, readings.command, readings.evidence),
        }),
        8,
        "evidence_by_post_only",
      ],
      [
        JSON.stringify({
          id: 9,
          ...(await polder.signed(operator, polder.enrolCommand(polder.gatewaySeed))),
        }),
        9,
        "evidence_by_post_only",
      ],
      [
        JSON.stringify({ id: 10, ...(await polder.signed(operator, polder.openCommand())) }),
        10,
        "not_operator",
      ],
      [JSON.stringify({ id: 11, ...order(), signature: order().signature }), 11, "signature_invalid"],
    ];
    for (const [frame, id, code] of cases) {
      const answer = await caller.exchange(frame);
      expect(answer, code).toMatchObject({ id, problem: { code, type: `/docs/errors#${code}` } });
    }
    const elsewhere = { ...order(), command: { ...order().command, region: "elsewhere" } };
    expect(await caller.command(elsewhere)).toMatchObject({ problem: { code: "wrong_region" } });
    expect(caller.closed).toBeNull();
    expect(await polder.region.stateHash()).toEqual(before);
  });

  test("rejects: more commands at once than a socket may have on their way; the others are decided", async () => {
    const caller = await Caller.of(polder);
    const signed = order({ replaces: 999_999 });
    await polder.region.inside(({ engine }) => {
      const submit = engine.submit.bind(engine);
      engine.submit = async (submission) => {
        await rest(200);
        return submit(submission);
      };
    });
    for (let id = 1; id <= MAX_COMMANDS_IN_FLIGHT + 5; id += 1)
      caller.socket.send(JSON.stringify({ id, ...signed }));
    await until(() => caller.frames.length === MAX_COMMANDS_IN_FLIGHT + 5);
    const codes = caller.frames.map(({ problem }) => problem.code);
    expect(codes.filter((code) => code === "overloaded").length).toBeGreaterThan(0);
    expect(codes.filter((code) => code === "order_not_found").length).toBeGreaterThanOrEqual(
      MAX_COMMANDS_IN_FLIGHT,
    );
  });

  test("rejects: a socket that sends nothing but rubbish, by closing it alone", async () => {
    const [loud, quiet] = await Promise.all([Caller.of(polder), Caller.of(polder)]);
    for (let sent = 0; sent < MAX_REFUSALS_PER_SOCKET; sent += 1) loud.socket.send("rubbish");
    await until(() => loud.closed !== null);
    expect(loud.closed).toEqual({ code: CLOSE_REFUSED, reason: "malformed_json" });
    expect(quiet.closed).toBeNull();
    expect(await quiet.command(order())).toHaveProperty("accepted");
  });

  test("behavior: an accepted command is answered as by POST, and sent again either way it is the same answer", async () => {
    const caller = await Caller.of(polder);
    const signed = order();
    const { accepted } = await caller.command(signed);
    expect(accepted).toMatchObject({ entry: expect.any(Number), receipt: { commandId: accepted.commandId } });
    expect(expectAccepted(await polder.post("/commands", signed), 200)).toEqual(accepted);
    expect((await caller.command(signed)).accepted).toEqual(accepted);
  });

  test("behavior: a wallet's commands and session keys' are decided in the order in which they came", async () => {
    const caller = await Caller.of(polder);
    const seed = `0x${"77".repeat(32)}` as const;
    const authorise = await polder.signed(polder.home, polder.sessionCommand(seed));
    const place = polder.bySession(seed, polder.command("place_order", polder.orderFields()));
    const revoke = polder.bySession(
      seed,
      polder.command("revoke_session", { account: polder.account, key: place.sessionKey }),
    );
    const late = polder.bySession(seed, polder.command("place_order", polder.orderFields()));
    for (const [id, signed] of [authorise, place, revoke, late].entries())
      caller.socket.send(JSON.stringify({ id, ...signed }));
    await until(() => caller.frames.length === 4);
    expect(caller.frames.map(({ id, problem }) => [id, problem?.code])).toEqual([
      [0, undefined],
      [1, undefined],
      [2, undefined],
      [3, "session_revoked"],
    ]);
    const entries = caller.frames.slice(0, 3).map(({ accepted }) => accepted.entry);
    expect(entries).toEqual([...entries].sort((left, right) => left - right));
  });

  // Whether two of them meet in a turn is the machine's affair; that none ever does is not.
  test("behavior: commands of many sockets share a journal row and its signature", { retry: 4 }, async () => {
    const callers = await Promise.all(Array.from({ length: 12 }, () => Caller.of(polder)));
    // Signed before the first is sent, so that they are on their way together.
    const orders = callers.map((_, index) =>
      [1, 2].map((capWhPerSlot) =>
        order({ steps: [{ limitPriceMicrosPerKwh: 100_000 + index, capWhPerSlot }] }),
      ),
    );
    callers.forEach(({ socket }, index) => {
      for (const [id, one] of (orders[index] as SignedBody[]).entries())
        socket.send(JSON.stringify({ id, ...one }));
    });
    await until(() => callers.every(({ frames }) => frames.length === 2));
    const answers = callers.flatMap(({ frames }) => frames);
    const signatures = new Set(answers.map(({ accepted }) => accepted.receipt.signature));
    expect(signatures.size).toBeLessThan(answers.length);
  });

  test("behavior: a region that fails an intake answers a fault that may be tried again, and the socket goes on", async () => {
    const caller = await Caller.of(polder);
    const broken = await polder.region.inside(({ engine }) => {
      const { submit } = engine;
      engine.submit = () => Promise.reject(new Error("broken on purpose"));
      return () => {
        engine.submit = submit;
      };
    });
    const signed = order();
    expect(await caller.command(signed)).toMatchObject({
      problem: { code: "internal_fault", transient: true },
    });
    await polder.region.inside(broken);
    expect(await caller.command(signed)).toHaveProperty("accepted");
  });

  test("behavior: a full intake passes a caller on to the next, and only when all are full it is refused", async () => {
    const shard = (number: number) => env.INTAKE.getByName(`${polder.name}/${number}`);
    const fill = (number: number) =>
      runInDurableObject(
        shard(number),
        (intake: Intake) => void vi.spyOn(intake, "sockets").mockReturnValue(MAX_SOCKETS_PER_INTAKE),
      );
    await fill(0);
    const next = await Caller.of(polder);
    expect(await shard(1).sockets()).toBe(1);
    expect(await next.command(order())).toHaveProperty("accepted");
    for (let number = 1; number < 16; number += 1) await fill(number);
    const refused = await upgrade(polder.path);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "sockets_full", transient: true });
  });
});
