// Owns the promises of a provider's object: only the account's node is let in, each run goes out once and ends once, whatever a
// node says twice, late or falsely, and asks of a node that is gone leave the book.

import { describe, expect, test } from "vitest";
import { REWRITER_VERSION } from "../../compute/metering/fuel-schedule.ts";
import { RECONNECTION_MS, SHOW_WITHIN_MS } from "../../durable-objects/provider/run-times.ts";
import { AWAY_AFTER_MS } from "../../durable-objects/provider.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_UNASKED_FRAMES } from "../../protocol/limits.ts";
import {
  CLOSE_FLOOD,
  CLOSE_MALFORMED,
  CLOSE_NOT_ADMITTED,
  CLOSE_REPLACED,
} from "../../protocol/provider-frames.ts";
import { commitmentOf } from "../../protocol/run-results.ts";
import { word } from "../support/market.ts";
import { addressOf, request, walletOf } from "../workers/gateway-under-test.ts";
import { DOUBTED_FOR_S, ProviderUnderTest, until } from "./provider-under-test.ts";
import { goTo, rest, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
const quiet = useQuietConsole();

const seconds = (): number => Math.floor(Date.now() / 1000);

describe("a provider's socket", () => {
  test("rejects: no upgrade, a region nobody registered, an account that is none", async () => {
    const { polder, path } = await ProviderUnderTest.furnished();
    await polder.refuse("upgrade_required", () => request("GET", path));
    const headers = { upgrade: "websocket" };
    const nowhere = await request("GET", path.replace(polder.name, "nowhere"), undefined, headers);
    expect(nowhere.json.code).toBe("region_not_found");
    const stranger = addressOf(walletOf(0x999));
    await polder.refuse("account_not_found", () => polder.get(`/providers/${stranger}/socket`, headers));
  });

  test("rejects: a hello of another key, scope, account, region, chain or challenge, each by its code", async () => {
    const provider = await ProviderUnderTest.furnished();
    const buys = word(0xb1);
    await provider.authorise(buys, { sides: ["buy"] });
    const energy = word(0xe1);
    await provider.authorise(energy, { resources: ["energy"] });
    const cases: [string, Hex, object][] = [
      ["session_unknown", word(0x404), {}],
      ["session_scope", buys, {}],
      ["session_scope", energy, {}],
      ["not_account_owner", provider.seed, { account: provider.polder.account }],
      ["wrong_region", provider.seed, { region: "elsewhere" }],
      ["wrong_chain", provider.seed, { chainId: 1 }],
      ["rewriter_differs", provider.seed, { rewriter: REWRITER_VERSION + 1 }],
      ["rewriter_differs", provider.seed, { rewriter: undefined }],
      ["signature_invalid", provider.seed, { signature: provider.keyOf().cancel(1).signature }],
    ];
    for (const [code, seed, bend] of cases) {
      const node = await provider.stranger(provider.keyOf(seed));
      node.hello([], bend);
      await until(() => node.closed !== null);
      expect(node.closed).toEqual({ code: CLOSE_NOT_ADMITTED, reason: code });
    }
    expect(await provider.stub.isConnected()).toBe(false);
  });

  test("rejects: what is no frame, and frames before the hello", async () => {
    const provider = await ProviderUnderTest.furnished();
    const cases: [number, (node: Awaited<ReturnType<typeof provider.stranger>>) => void][] = [
      [CLOSE_MALFORMED, (node) => node.sendRaw("{")],
      [CLOSE_MALFORMED, (node) => node.sendRaw('{"type":"nothing"}')],
      [CLOSE_MALFORMED, (node) => node.sendRaw(new Uint8Array([1, 2, 3]))],
      [CLOSE_MALFORMED, (node) => node.sendRaw(new Uint8Array(64).fill(255))],
      [CLOSE_NOT_ADMITTED, (node) => node.accept(1)],
    ];
    for (const [code, act] of cases) {
      const node = await provider.stranger();
      act(node);
      await until(() => node.closed !== null);
      expect(node.closed?.code).toBe(code);
    }
  });

  test("behavior: a new connection of the account replaces the one before, and a stranger does not", async () => {
    const provider = await ProviderUnderTest.furnished();
    const first = await provider.node();
    const stranger = await provider.stranger(provider.keyOf(word(0x404)));
    stranger.hello();
    await until(() => stranger.closed !== null);
    expect(first.closed).toBeNull();
    const second = await provider.node();
    await until(() => first.closed !== null);
    expect(first.closed?.code).toBe(CLOSE_REPLACED);
    await provider.running(second, provider.order(7));
  });

  test("rejects: a flood of frames that nobody asked for", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    for (let sent = 0; sent < MAX_UNASKED_FRAMES + 5; sent += 1) node.accept(1_000 + sent);
    await until(() => node.closed !== null);
    expect(node.closed?.code).toBe(CLOSE_FLOOD);
    expect(provider.told).toEqual([]);
  });
});

describe("a run", () => {
  test("behavior: it goes out with its input, comes back checked, is reported and told once", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    const order = provider.order(11);
    const run = await provider.running(node, order);
    expect(run).toMatchObject({ jobDigest: order.jobDigest, description: order.description });
    expect(node.frames.find(({ frame }) => frame === run)?.parts).toEqual([order.input]);
    expect(await provider.dispatch(order)).toBe("accepted");
    expect(node.of("run")).toHaveLength(1);
    node.sendResult(run);
    await until(() => provider.told.length === 1);
    // There is no such obligation in this region: the report is refused for good, and the desk hears of the result all the same.
    expect(provider.outcomes()[0]).toMatchObject({
      kind: "result",
      end: "exited",
      exitCode: 0,
      fuelUsed: 1_500_000,
      entry: null,
      stdout: new TextEncoder().encode("done\n"),
    });
    expect(node.of("over")).toMatchObject([{ obligationId: 11, entry: null }]);
    node.sendResult(run, { stdout: "another\n" });
    await until(() => node.of("over").length === 2);
    expect(provider.told).toHaveLength(1);
    expect(node.closed).toBeNull();
  });

  test("rejects: outputs, fuel, hashes and reports that do not fit, and the desk hears which", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    const other = provider.keyOf(word(0x404));
    const lies: [string, Parameters<typeof node.sendResult>[1]][] = [
      ["output_hash_wrong", { outputHash: word(3) }],
      ["fuel_wrong", { fuelMega: 1 }],
      ["fuel_beyond_limit", { fuelUsed: 101_000_000 }],
      ["output_beyond_limit", { stdout: "x".repeat(1_001) }],
      ["report_of_another_run", { jobDigest: word(4) }],
      ["report_of_another_run", { aboutObligation: 999 }],
      ["report_of_another_key", { signer: other }],
    ];
    const before = await provider.polder.region.stateHash();
    for (const [index, [reason, said]] of lies.entries()) {
      const run = await provider.running(node, provider.order(100 + index));
      node.sendResult(run, said);
      await until(() => provider.told.length === index + 1);
      expect(provider.outcomes().at(-1)).toEqual({ kind: "gave_up", reason });
      // The truth comes too late.
      node.sendResult(run);
    }
    await rest(20);
    expect(provider.told).toHaveLength(lies.length);
    expect(await provider.polder.region.stateHash()).toEqual(before);
  });

  test("behavior: a result that is to be committed to first is shown only when it is asked for, and only that one", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    const run = await provider.running(node, provider.order(21, { commitFirst: true }));
    node.sendResult(run);
    await rest(20);
    expect(provider.told).toEqual([]);
    const [frame] = node.result(run);
    const { outputHash } = (frame as { report: { command: { outputHash: Hex } } }).report.command;
    const commitment = commitmentOf(outputHash, node.key.salt(21));
    node.send({ type: "committed", obligationId: 21, commitment });
    await until(() => provider.told.length === 1);
    expect(provider.told[0]).toMatchObject({ obligationId: 21, commitment });
    node.send({ type: "committed", obligationId: 21, commitment: word(9) });
    node.sendResult(run);
    await rest(20);
    expect(provider.told).toHaveLength(1);
    await provider.stub.reveal(21);
    await until(() => node.of("reveal").length === 1);
    node.sendResult(run, { salt: word(1) });
    await until(() => provider.told.length === 2);
    expect(provider.outcomes()).toEqual([{ kind: "gave_up", reason: "commitment_broken" }]);

    const honest = await provider.running(node, provider.order(22, { commitFirst: true }));
    await provider.stub.reveal(22);
    node.send({
      type: "committed",
      obligationId: 22,
      commitment: commitmentOf(outputHash, node.key.salt(22)),
    });
    await until(() => node.of("reveal").length === 2);
    node.sendResult(honest);
    await until(() => provider.outcomes().length === 2);
    expect(provider.outcomes()[1]).toMatchObject({ kind: "result", outputHash });

    // One that binds a result and does not show it keeps the others waiting for seconds, and not for the trade's hour.
    await provider.running(node, provider.order(23, { commitFirst: true }));
    node.send({ type: "committed", obligationId: 23, commitment });
    await until(() => provider.told.length === 5);
    await provider.stub.reveal(23);
    await until(() => node.of("reveal").length === 3);
    goTo(seconds() + SHOW_WITHIN_MS / 1_000 + 1);
    await provider.ring();
    await until(() => provider.outcomes().length === 3);
    expect(provider.outcomes()[2]).toEqual({ kind: "gave_up", reason: "overdue" });
  });

  test("behavior: a node that takes a run and never answers has it taken away when its time is up", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    const run = await provider.running(node, provider.order(31));
    goTo(seconds() + 15);
    await provider.ring();
    expect(provider.told).toEqual([]);
    goTo(seconds() + 5);
    await provider.ring();
    await until(() => provider.told.length === 1);
    expect(provider.outcomes()).toEqual([{ kind: "gave_up", reason: "overdue" }]);
    await until(() => node.of("over").length === 1);
    // The result is too late, whatever it is, and from whichever connection.
    node.sendResult(run);
    await until(() => node.of("over").length === 2);
    node.leave();
    await until(async () => !(await provider.stub.isConnected()));
    const back = await provider.node([31]);
    await until(() => back.of("over").length === 1);
    expect(back.of("over")).toMatchObject([{ obligationId: 31, entry: null, reason: "overdue" }]);
    expect(provider.told).toHaveLength(1);
  });

  test("behavior: a desk that cannot be told is told again, and bytes are kept until nobody can doubt them", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    provider.deskFaults = 2;
    const run = await provider.running(node, provider.order(41));
    node.sendResult(run);
    await until(() => provider.deskFaults === 1);
    expect(quiet.lines().join()).toContain("could not be told");
    for (let rings = 0; rings < 3 && provider.told.length === 0; rings += 1) {
      goTo(seconds() + 60);
      await provider.ring();
    }
    expect(provider.outcomes()).toMatchObject([{ kind: "result" }]);
    expect((await provider.stub.keptRun(41))?.input).toEqual(new Uint8Array([1, 2, 3]));
    goTo(seconds() + DOUBTED_FOR_S + 60);
    await provider.ring();
    expect(await provider.stub.keptRun(41)).toBeNull();
    expect(provider.told).toHaveLength(1);
  });
});

describe("a node that comes and goes", () => {
  test("behavior: nobody is there: away, and the asks that it left a will for are out of the book", async () => {
    const provider = await ProviderUnderTest.furnished();
    goTo(seconds() + RECONNECTION_MS / 1_000);
    expect(await provider.dispatch(provider.order(51))).toBe("away");
    const node = await provider.node();
    const orderId = await provider.ask();
    node.send({ type: "will", cancels: [node.key.cancel(orderId, seconds() + 3_600)] });
    await rest(20);
    node.leave();
    await until(async () => !(await provider.stub.isConnected()));
    expect(await provider.resting()).toEqual([orderId]);
    expect(await provider.dispatch(provider.order(52))).toBe("away");
    await until(async () => (await provider.resting()).length === 0);
    expect(await provider.dispatch(provider.order(52))).toBe("away");
  });

  test("behavior: one that does not come back has its asks taken out after a while; one that does has not", async () => {
    const provider = await ProviderUnderTest.furnished();
    const orderId = await provider.ask();
    const first = await provider.node();
    first.send({ type: "will", cancels: [first.key.cancel(orderId, seconds() + 3_600)] });
    await rest(20);
    first.leave();
    await until(async () => !(await provider.stub.isConnected()));
    const second = await provider.node();
    goTo(seconds() + AWAY_AFTER_MS / 1000 + 1);
    await provider.ring();
    expect(await provider.resting()).toEqual([orderId]);
    second.leave();
    await until(async () => !(await provider.stub.isConnected()));
    goTo(seconds() + AWAY_AFTER_MS / 1000 + 1);
    await provider.ring();
    await until(async () => (await provider.resting()).length === 0);
  });

  test("behavior: a node that is full says so, gives the obligation up, and its asks leave the book", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    const orderId = await provider.ask();
    node.send({ type: "will", cancels: [node.key.cancel(orderId, seconds() + 3_600)] });
    const answer = provider.dispatch(provider.order(61));
    await until(() => node.of("run").length === 1);
    const [run] = node.of("run");
    if (run === undefined) throw new Error("no run");
    node.send({ type: "full", obligationId: 61, giveUp: node.key.giveUp(run) });
    expect(await answer).toBe("full");
    await until(() => node.of("withdrawn").length === 1);
    expect(node.of("withdrawn")).toEqual([{ type: "withdrawn", orders: [orderId] }]);
    await until(async () => (await provider.resting()).length === 0);
    expect(await provider.dispatch(provider.order(61))).toBe("full");
  });

  test("behavior: a node that says nothing to a run counts as away, and cannot take it later", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    expect(await provider.dispatch(provider.order(71))).toBe("away");
    node.accept(71);
    // It hears that it is over, each time it speaks of it, and on a new connection too.
    await until(() => node.of("over").length === 2);
    expect(await provider.dispatch(provider.order(71))).toBe("away");
    node.leave();
    await until(async () => !(await provider.stub.isConnected()));
    await provider.evict();
    await provider.listen();
    const back = await provider.node([71]);
    await until(() => back.of("over").length === 1);
    expect(back.of("over")).toMatchObject([{ obligationId: 71, reason: "away" }]);
    expect(back.of("run")).toEqual([]);
  });

  test("behavior: an object that was started anew waits for its node before it says that it is away", async () => {
    const provider = await ProviderUnderTest.furnished();
    const answer = provider.dispatch(provider.order(75));
    await rest(20);
    const node = await provider.node();
    await until(() => node.of("run").length === 1);
    node.accept(75);
    expect(await answer).toBe("accepted");
  });

  test("behavior: after a break it gets what it lacks, keeps what it has, and hears of what is over", async () => {
    const provider = await ProviderUnderTest.furnished();
    const first = await provider.node();
    const kept = await provider.running(first, provider.order(81));
    await provider.running(first, provider.order(82));
    first.leave();
    await until(async () => !(await provider.stub.isConnected()));
    await provider.evict();
    await provider.listen();
    const second = await provider.node([81, 999]);
    await until(() => second.of("run").length === 1 && second.of("over").length === 1);
    expect(second.of("run").map(({ obligationId }) => obligationId)).toEqual([82]);
    expect(second.of("over")).toMatchObject([{ obligationId: 999, reason: "unknown" }]);
    second.sendResult(kept);
    await until(() => provider.told.length === 1);
    expect(provider.outcomes()).toMatchObject([{ kind: "result" }]);
  });

  test("behavior: an object that sleeps still knows its node", async () => {
    const provider = await ProviderUnderTest.furnished();
    const node = await provider.node();
    await provider.evict();
    await provider.listen();
    const run = await provider.running(node, provider.order(91));
    node.sendResult(run);
    await until(() => provider.told.length === 1);
  });
});
