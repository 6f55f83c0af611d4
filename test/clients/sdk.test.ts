// Owns what a caller of the SDK may rely on: one signed command however often it is sent, refusals with their code and
// facts, and a feed that says when something may have been missed. It refuses hidden retries of lasting refusals.

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { HouseholdKeys } from "../../clients/local/neighbourhood.ts";
import { type Draft, PolderClient } from "../../clients/sdk/client.ts";
import { type FeedEntry, listen } from "../../clients/sdk/feed.ts";
import { splitLines } from "../../clients/sdk/journal-lines.ts";
import { PolderProblem, TransportFault } from "../../clients/sdk/problem.ts";
import { type Signer, sessionSigner } from "../../clients/sdk/signer.ts";
import type { Entry } from "../../market/journal.ts";
import { problemOf, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { eventually, type OpenRegion, openRegionAt, REGION } from "../support/client-region.ts";
import { FakeSocket } from "../support/fake-socket.ts";

let region: OpenRegion;
let home: HouseholdKeys & { readonly signer: Signer };

beforeAll(async () => {
  // Nearly wall speed: nothing clears in the middle of a test.
  region = await openRegionAt(2);
  home = await region.household("ann");
});

afterAll(() => region.stop());
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A fetch that keeps what is sent, and may spoil answers by their turn. */
function spied(spoil: (turn: number, real: () => Promise<Response>) => Promise<Response>, retries = 5) {
  const sent: string[] = [];
  const spy: typeof fetch = async (input, init) => {
    const real = () => fetch(input, init);
    if (init?.method !== "POST") return real();
    sent.push(String(init.body));
    return spoil(sent.length, real);
  };
  return { sent, client: new PolderClient(region.stack.url, { fetch: spy, retries }) };
}

const order: Extract<Draft, { type: "place_order" }> = {
  type: "place_order",
  side: "sell",
  steps: [{ limitPriceMicrosPerKwh: 120_000, capWhPerSlot: 500 }],
  validFromS: 0,
  validUntilS: 0,
  hours: [],
  replaces: 0,
};

const problemAnswer = (...[code, facts]: Parameters<typeof rejected>): Response => {
  const problem = problemOf(rejected(code, facts));
  return new Response(JSON.stringify(problem), { status: problem.status });
};

async function timesInJournal(commandId: Hex): Promise<number> {
  let times = 0;
  for await (const line of region.client.journal(REGION))
    if ((JSON.parse(line) as { entry: Entry }).entry.commandId === commandId) times += 1;
  return times;
}

async function problemOfCall(call: Promise<unknown>): Promise<PolderProblem> {
  const problem = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(problem).toBeInstanceOf(PolderProblem);
  return problem as PolderProblem;
}

describe("refusals", () => {
  test("rejects: with code, status and facts of the table, and at once where trying again cannot help", async () => {
    const { sent, client } = spied((_turn, real) => real());
    const gone = await problemOfCall(
      client.submit(REGION, home.signer, { type: "cancel_order", orderId: 999_999 }),
    );
    expect(gone).toMatchObject({ code: "order_not_found", status: 404, transient: false });
    expect(gone.facts).toEqual({ orderId: 999_999 });
    expect(gone.message).toContain("order_not_found");
    expect(sent).toHaveLength(1);
    const bad = await problemOfCall(client.submit(REGION, home.signer, { ...order, steps: [] }));
    expect(bad).toMatchObject({ code: "malformed_request", status: 400 });
    expect(bad.facts.path).toContain("steps");
    const nobody = sessionSigner(home.account, `0x${"77".repeat(32)}`);
    expect(await problemOfCall(client.submit(REGION, nobody, order))).toMatchObject({
      code: "session_unknown",
      status: 401,
    });
    expect(await problemOfCall(client.market("nowhere"))).toMatchObject({ code: "region_not_found" });
    const journalOfNowhere = client.journal("nowhere").next();
    expect(await problemOfCall(journalOfNowhere)).toMatchObject({ code: "region_not_found" });
    expect(await problemOfCall(client.slot(REGION, 1))).toMatchObject({ code: "slot_not_found" });
  });

  test("rejects: an answer that is not one of ours, as a transport fault", async () => {
    const answers = (text: string, status: number) =>
      new PolderClient("http://127.0.0.1:1", {
        fetch: async () => new Response(text, { status }),
        retries: 0,
      });
    await expect(answers("<h1>welcome</h1>", 200).regions()).rejects.toBeInstanceOf(TransportFault);
    await expect(answers("<h1>bad gateway</h1>", 502).regions()).rejects.toThrow(
      "unexpected answer 502: <h1>bad",
    );
    await expect(answers('{"code":"made_up"}', 400).regions()).rejects.toBeInstanceOf(TransportFault);
    await expect(new PolderClient("http://127.0.0.1:1", { retries: 0 }).regions()).rejects.toThrow(
      "no answer from http://127.0.0.1:1",
    );
  });

  test("rejects: a transient refusal only after its tries are used up", async () => {
    const { sent, client } = spied(async () => problemAnswer("overloaded", { queued: 4_096 }), 2);
    expect(await problemOfCall(client.submit(REGION, home.signer, order))).toMatchObject({
      code: "overloaded",
      transient: true,
    });
    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
  });

  test("rejects: a window that is not over at once, for it may last hours", async () => {
    const { sent, client } = spied(async () => problemAnswer("window_not_over", { endsAtS: 1 }));
    expect(await problemOfCall(client.submit(REGION, home.signer, order))).toMatchObject({
      code: "window_not_over",
    });
    expect(sent).toHaveLength(1);
  });
});

describe("one command, however often it is sent", () => {
  test.each([
    ["before it arrives", async () => Promise.reject(new TypeError("connection refused"))],
    [
      "after it was accepted",
      async (real: () => Promise<Response>) => {
        await (await real()).text();
        throw new TypeError("connection reset");
      },
    ],
    [
      "in the middle of its answer",
      async (real: () => Promise<Response>) => {
        const text = await (await real()).text();
        const broken = new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(text.slice(0, 40)));
            controller.error(new TypeError("terminated"));
          },
        });
        return new Response(broken, { status: 200 });
      },
    ],
    [
      "with half an answer that ends as if it were whole",
      async (real: () => Promise<Response>) => new Response((await (await real()).text()).slice(0, 40)),
    ],
    ["by a fault of the region", async () => problemAnswer("internal_fault")],
  ] as [string, (real: () => Promise<Response>) => Promise<Response>][])(
    "behavior: a connection that breaks %s costs nothing: the same signed command is sent again",
    async (_when, breakOnce) => {
      const { sent, client } = spied((turn, real) => (turn === 1 ? breakOnce(real) : real()));
      const accepted = await client.submit(REGION, home.signer, order);
      expect(sent).toHaveLength(2);
      expect(sent[1]).toBe(sent[0]);
      expect(await timesInJournal(accepted.commandId)).toBe(1);
      const { receipt } = await client.receipt(REGION, accepted.commandId);
      expect(receipt).toEqual(accepted.receipt);
      expect(await client.receipt(REGION, accepted.entry)).toEqual(accepted);
    },
  );

  test("behavior: the same signed command is answered the same, and another one is another order", async () => {
    const { client } = region;
    const signed = await client.sign(REGION, home.signer, order);
    const path = `/v1/regions/${REGION}/commands`;
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => client.send("POST", path, signed)));
    for (const other of others) expect(other).toEqual(first);
    const another = await client.submit(REGION, home.signer, order);
    expect(another.entry).not.toBe((first as { entry: number }).entry);
  });

  test("behavior: a limit of rate is waited out as long as it says", async () => {
    const startedMs = Date.now();
    const { sent, client } = spied(async (turn, real) =>
      turn === 1 ? problemAnswer("rate_limited", { retryAfterSeconds: 1 }) : real(),
    );
    await client.submit(REGION, home.signer, order);
    expect(sent).toHaveLength(2);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(990);
  });
});

async function collected(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe("a bill of several pages", () => {
  test("behavior: each page is asked for from where the one before ended, with the same question", async () => {
    const asked: string[] = [];
    const client = new PolderClient("https://polder.example", {
      fetch: async (input) => {
        const { searchParams } = new URL(String(input));
        asked.push(searchParams.toString());
        const from = Number(searchParams.get("from"));
        const next = from + 2 < 7 ? from + 2 : null;
        return new Response(JSON.stringify({ lines: [{ slot: from }, { slot: from + 1 }], next }));
      },
    });
    const slots: number[] = [];
    for await (const { lines } of client.billPages(REGION, home.account, {
      from: 3,
      until: 7,
      tariff: "flat",
    }))
      slots.push(...lines.map(({ slot }) => slot));
    expect(slots).toEqual([3, 4, 5, 6]);
    expect(asked).toEqual(["from=3&until=7&tariff=flat", "from=5&until=7&tariff=flat"]);
  });
});

describe("lines of a journal", () => {
  test("behavior: only a line feed ends a line, wherever the pieces are cut", async () => {
    const bytes = new TextEncoder().encode("\ufeffone\r\ntwo\rö\u2028\n\nlast");
    const expected = ["\ufeffone\r", "two\rö\u2028", "", "last"];
    for (let size = 1; size <= bytes.length; size += 1) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(await collected(splitLines(pieces))).toEqual(expected);
    }
    expect(await collected(splitLines([]))).toEqual([]);
    expect(await collected(splitLines([new TextEncoder().encode("one\n")]))).toEqual(["one"]);
  });
});

function listenToFake() {
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  const seen: (string | number)[] = [];
  const stop = listen("https://polder.example/", "polder-one", {
    entry: ({ number }) => seen.push(number),
    resync: (head) => seen.push(`resync ${head}`),
    state: (isConnected) => seen.push(isConnected ? "connected" : "lost"),
  });
  const latest = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket;
  return { seen, stop, latest };
}

describe("the feed", () => {
  test("behavior: a gap is told, old entries are not told twice, and what is not a frame is passed over", () => {
    const { seen, stop, latest } = listenToFake();
    expect(latest().url).toBe("wss://polder.example/v1/regions/polder-one/feed");
    latest().onopen?.();
    latest().say({ type: "hello", entry: 10 });
    latest().frame(11, 12);
    latest().say({ type: "something else" });
    latest().frame(15, 16);
    latest().frame(15, 17);
    expect(seen).toEqual(["connected", "resync 10", 11, 12, "resync 16", 15, 16, 17]);
    stop();
  });

  test("regression: a frame that was on its way during the hello does not bring back what the hello had", () => {
    const { seen, stop, latest } = listenToFake();
    latest().say({ type: "hello", entry: 10 });
    latest().frame(6, 8);
    latest().frame(9, 11);
    expect(seen).toEqual(["resync 10", 11]);
    stop();
  });

  test("behavior: what was taken in is acknowledged before the region thinks it is behind", () => {
    const { stop, latest } = listenToFake();
    latest().say({ type: "hello", entry: 0 });
    for (let entry = 1; entry <= 10; entry += 1) latest().frame(entry, entry, "x".repeat(20_000));
    const acknowledged = latest().sent.map((text) => Number(/^ack (\d+)$/.exec(text)?.[1]));
    expect(acknowledged.length).toBeGreaterThanOrEqual(2);
    for (const characters of acknowledged) expect(characters).toBeLessThan(262_144 / 2);
    stop();
  });

  test("behavior: a lost connection is made again and asks to read anew; a stopped listener stays silent", async () => {
    const { seen, stop, latest } = listenToFake();
    latest().onopen?.();
    latest().say({ type: "hello", entry: 3 });
    const first = latest();
    first.close();
    expect(await eventually(() => latest() !== first)).toBe(true);
    latest().onopen?.();
    latest().say({ type: "hello", entry: 7 });
    latest().frame(8, 8);
    expect(seen).toEqual(["connected", "resync 3", "lost", "connected", "resync 7", 8]);
    stop();
    const count = FakeSocket.all.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(FakeSocket.all).toHaveLength(count);
  });

  test("behavior: on a real region entries come in order without a hole, also across a kill of workerd", async () => {
    const entries: FeedEntry[] = [];
    const heads: number[] = [];
    const stop = listen(region.stack.url, REGION, {
      entry: (entry) => entries.push(entry),
      resync: (head) => heads.push(head),
    });
    const credit = () =>
      region.client.submit(REGION, region.operator, {
        type: "credit_test_quote",
        account: home.account,
        amountMicros: 1,
      });
    expect(await eventually(() => heads.length === 1)).toBe(true);
    const before = [await credit(), await credit(), await credit()];
    expect(await eventually(() => entries.length === 3)).toBe(true);
    expect(entries.map(({ number }) => number)).toEqual(before.map(({ entry }) => entry));
    expect(entries[0]?.events).toEqual([
      expect.objectContaining({ type: "quote_credited", amountMicros: 1 }),
    ]);
    process.kill(region.stack.workerdPid, "SIGKILL");
    expect(await eventually(() => heads.length === 2)).toBe(true);
    expect(heads[1]).toBe(before[2]?.entry);
    const after = await credit();
    expect(await eventually(() => entries.at(-1)?.number === after.entry)).toBe(true);
    stop();
  });
});
