// Owns what a caller of the SDK may rely on when whoever answers lies: a named error or an answer of the right shape, in
// bounded time. It refuses an exception of any other class, and one that ends the process from a socket's callback.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Accepted, PolderClient } from "../../clients/sdk/client.ts";
import { CommandSocket } from "../../clients/sdk/command-socket.ts";
import { listen } from "../../clients/sdk/feed.ts";
import { splitLines } from "../../clients/sdk/journal-lines.ts";
import { PolderProblem, pauseMs, problemFrom, TransportFault } from "../../clients/sdk/problem.ts";
import { sessionSigner } from "../../clients/sdk/signer.ts";
import { ClockRefused } from "../../protocol/clock.ts";
import { ERRORS } from "../../protocol/errors.ts";
import { replayCorpus } from "../support/corpus.ts";
import { FakeSocket } from "../support/fake-socket.ts";
import { hostile, mutated, mutatedText } from "../support/fuzz.ts";

type Signed = Awaited<ReturnType<PolderClient["sign"]>>;

const URL = "http://polder.example";
const ACCOUNT = `0x${"11".repeat(20)}` as const;
const RUNS = { numRuns: 300 };

const accepted = (more = {}) => ({ commandId: "0x12", entry: 3, atS: 4, events: [], receipt: {}, ...more });
const problem = {
  type: "/docs/errors#rate_limited",
  title: "t",
  status: 429,
  code: "rate_limited",
  transient: true,
  facts: { retryAfterSeconds: 3 },
};

/** Text of any kind: valid messages with something changed in the value or in the text, and noise. */
const messages = (...valid: object[]): fc.Arbitrary<string> => {
  const value = fc.constantFrom<unknown>(...valid);
  return fc.oneof(
    mutated(value).map((changed) => JSON.stringify(changed) ?? ""),
    mutatedText(value.map((one) => JSON.stringify(one))),
    hostile.map((noise) => (typeof noise === "string" ? noise : (JSON.stringify(noise) ?? ""))),
  );
};

async function allOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

const named = (error: unknown): string => {
  if (error instanceof PolderProblem) return error.code;
  if (error instanceof TransportFault) return "TransportFault";
  throw error;
};

beforeEach(() => {
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const latest = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket;

describe("problem documents", () => {
  replayCorpus("problem", (text) => {
    const found = problemFrom(500, String(text));
    expect(pauseMs(found, 0)).toBeLessThanOrEqual(60_000);
    return named(found);
  });

  test("property: any text is a problem of the table with plain facts, or a transport fault; waits are bounded", () => {
    fc.assert(
      fc.property(messages(problem), fc.nat(20), (text, attempt) => {
        const found = problemFrom(500, text);
        expect(pauseMs(found, attempt)).toBeGreaterThanOrEqual(0);
        expect(pauseMs(found, attempt)).toBeLessThanOrEqual(60_000);
        if (found instanceof TransportFault) return;
        expect(Object.hasOwn(ERRORS, found.code)).toBe(true);
        for (const fact of Object.values(found.facts))
          expect(fact === null || typeof fact !== "object").toBe(true);
      }),
      RUNS,
    );
  });
});

describe("a feed that lies", () => {
  const heard = (text: string): string => {
    const seen: string[] = [];
    const stop = listen(URL, "polder-one", {
      entry: ({ number }) => void seen.push(String(number)),
      resync: (head) => void seen.push(`resync ${head}`),
    });
    latest().say({ type: "hello", entry: 5 });
    latest().tell(text);
    stop();
    return seen.slice(1).join(", ") || "passed over";
  };

  replayCorpus("feed", (text) => heard(String(text)));

  test("property: whatever it says, entries that are told ascend, are whole, and the next true frame is heard", () => {
    const entry = (number: number) => ({ number, atS: 1, events: [{ type: "slot_cleared", slot: 1 }] });
    const frame = { type: "frame", first: 6, last: 7, entries: [entry(6), entry(7)] };
    fc.assert(
      fc.property(
        fc.array(messages(frame, { type: "hello", entry: 5 }), { minLength: 1, maxLength: 4 }),
        (texts) => {
          let last = 0;
          const told: number[] = [];
          const stop = listen(URL, "polder-one", {
            entry: ({ number, atS, events }) => {
              expect(number).toBeGreaterThan(last);
              expect(Number.isSafeInteger(atS)).toBe(true);
              for (const { type } of events) expect(typeof type).toBe("string");
              last = number;
              told.push(number);
            },
            resync: (head) => {
              expect(Number.isSafeInteger(head) && head >= 0).toBe(true);
              // After a hello of the past its entries are told anew.
              last = Math.min(last, head);
            },
          });
          for (const text of texts) latest().tell(text);
          latest().say({ type: "hello", entry: 20 });
          latest().say({ type: "frame", first: 21, last: 21, entries: [entry(21)] });
          expect(told.at(-1)).toBe(21);
          stop();
        },
      ),
      RUNS,
    );
  });
});

describe("a command socket whose other end lies", () => {
  const command = { chainId: 1, command: {}, signature: "0x" } as unknown as Signed;

  /** What becomes of one command when the other end says this. */
  async function becameOf(text: string): Promise<string> {
    const socket = new CommandSocket(new PolderClient(URL), "polder-one", { retries: 0 });
    let became = "waiting";
    const done = socket.send(command).then(
      (answer: Accepted) => {
        expect(Number.isSafeInteger(answer.entry) && Array.isArray(answer.events)).toBe(true);
        became = "accepted";
      },
      (error: unknown) => {
        became = named(error);
      },
    );
    latest().onopen?.();
    latest().tell(text);
    await Promise.resolve();
    await Promise.resolve();
    const before = became;
    socket.close();
    await done;
    return before;
  }

  replayCorpus("command-socket", (text) => becameOf(String(text)));

  test("property: whatever it says, a command is answered, refused by name, or waits until the socket is closed", async () => {
    const answers = messages({ id: 1, accepted: accepted() }, { id: 1, problem });
    await fc.assert(
      fc.asyncProperty(answers, async (text) => {
        await becameOf(text);
      }),
      RUNS,
    );
  });

  test("regression: a server that only talks rubbish is given up after the tries, and not called for ever", async () => {
    class Babbling extends FakeSocket {
      constructor(url: string) {
        super(url);
        queueMicrotask(() => this.onopen?.());
      }
      override send(text: string): void {
        super.send(text);
        queueMicrotask(() => this.tell("{"));
      }
    }
    vi.stubGlobal("WebSocket", Babbling);
    const socket = new CommandSocket(new PolderClient(URL), "polder-one", { retries: 2 });
    await expect(socket.send(command)).rejects.toBeInstanceOf(TransportFault);
    expect(FakeSocket.all).toHaveLength(3);
    socket.close();
  });
});

describe("a deployment that lies over HTTP", () => {
  const deployment = {
    chainId: 31_337,
    settlement: `0x${"00".repeat(20)}`,
    operator: ACCOUNT,
    receiptKey: `0x${"22".repeat(32)}`,
    clock: { origin: "2026-01-01T00:00:00.000Z", rate: 1 },
    atS: 1,
  };
  const answering = (text: string, status = 200, deploymentText = text) =>
    new PolderClient(URL, {
      retries: 0,
      fetch: async (input) =>
        new Response(String(input).endsWith("/v1/deployment") ? deploymentText : text, { status }),
    });
  const signer = sessionSigner(ACCOUNT, `0x${"33".repeat(32)}`);

  const calls: readonly [string, (client: PolderClient) => Promise<unknown>][] = [
    ["deployment", (client) => client.deployment()],
    ["regions", (client) => client.regions()],
    ["nearest", (client) => client.nearestRegions(1, 2)],
    ["market", (client) => client.market("polder-one")],
    ["orders", (client) => client.orders("polder-one", ACCOUNT)],
    ["slots", (client) => allOf(client.slots("polder-one", 0, 9))],
    ["bill", (client) => allOf(client.billPages("polder-one", ACCOUNT, { from: 0, until: 9 }))],
    ["journal", (client) => allOf(client.journal("polder-one"))],
    ["submit", (client) => client.submit("polder-one", signer, { type: "cancel_order", orderId: 1 })],
  ];

  test("property: every call answers a value or throws a named error", async () => {
    const texts = messages(
      deployment,
      problem,
      accepted(),
      { regions: [], next: null },
      { slots: [{}], next: 4 },
      { lines: [{}], next: 4 },
      { orders: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...calls),
        texts,
        fc.constantFrom(200, 201, 404, 429, 500),
        async (call, text, status) => {
          try {
            await call[1](answering(text, status));
          } catch (error) {
            if (!(error instanceof ClockRefused)) named(error);
          }
        },
      ),
      { numRuns: 600 },
    );
  });

  test("rejects: pages that do not go on, answers without their list, and an acceptance without an entry", async () => {
    await expect(allOf(answering('{"slots":[{}],"next":5}').slots("polder-one", 5, 9))).rejects.toThrow(
      "do not go on",
    );
    const bill = (text: string) =>
      allOf(answering(text).billPages("polder-one", ACCOUNT, { from: 5, until: 9 }));
    for (const next of ["5", "4", '"6"', "6.5"])
      await expect(bill(`{"lines":[],"next":${next}}`), next).rejects.toThrow("pages of bill do not go on");
    await expect(bill('{"next":null}')).rejects.toThrow("has no lines");
    await expect(answering('{"regions":{"length":1}}').regions()).rejects.toThrow("has no regions");
    await expect(answering("null").market("polder-one")).rejects.toThrow("unexpected answer 200: null");
    await expect(
      answering("{}", 200, JSON.stringify(deployment)).submit("polder-one", signer, {
        type: "cancel_order",
        orderId: 1,
      }),
    ).rejects.toThrow("not that of an accepted command");
  });

  test("rejects: a journal that breaks off half-way, and a line without end, as transport faults", async () => {
    const breaking = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode("one\ntwo"));
        controller.error(new TypeError("terminated"));
      },
    });
    const client = new PolderClient(URL, { fetch: async () => new Response(breaking) });
    await expect(allOf(client.journal("polder-one"))).rejects.toBeInstanceOf(TransportFault);
    const gone = new PolderClient(URL, { fetch: () => Promise.reject(new TypeError("refused")) });
    await expect(allOf(gone.journal("polder-one"))).rejects.toBeInstanceOf(TransportFault);
    const piece = new Uint8Array(6_000_000).fill(0x20);
    await expect(allOf(splitLines([piece, piece, piece]))).rejects.toThrow(RangeError);
  });

  test("regression: a deployment that could not be read is asked for again", async () => {
    let turn = 0;
    const client = new PolderClient(URL, {
      retries: 0,
      fetch: async () => {
        turn += 1;
        return turn === 1 ? new Response("", { status: 502 }) : new Response(JSON.stringify(deployment));
      },
    });
    await expect(client.deployment()).rejects.toBeInstanceOf(TransportFault);
    expect((await client.deployment()).chainId).toBe(31_337);
    await client.deployment();
    expect(turn).toBe(2);
  });
});
