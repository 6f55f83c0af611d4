// Owns the promise that what was deposited on the chain is credited once and in its order, and nothing else ever. It refuses to
// ask the mirror what it did: the region's own books say it.

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Outcome } from "../../durable-objects/outcome.ts";
import { rejected } from "../../protocol/errors.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { address, word } from "../support/market.ts";
import { EPOCH_SECONDS, FIRST_EPOCH, MirroredWorld, UNIT, WORD } from "./mirrored-world.ts";

describe.skipIf(!hasAnvil)("deposits and terms (skipped where npm has no anvil for the machine)", () => {
  let world: MirroredWorld;
  beforeAll(async () => {
    world = await MirroredWorld.start();
  });
  afterEach(() => {
    world.reached = world.region;
    world.restart();
  });
  afterAll(async () => {
    await world?.stop();
  });

  test("rejects: a region whose mirror is another wallet; nothing of it is read or changed", async () => {
    const before = world.region.hash;
    world.misled({ mirror: address(0x77) });
    await world.deposit(address(9), UNIT);
    await world.finalise();
    expect((await world.poll()).problem).toMatchObject({ code: "other_mirror" });
    expect(world.region.hash).toBe(before);
  });

  test("rejects: a region with other windows on the chain", async () => {
    const before = world.region.hash;
    world.misled({ epochSlots: 96 });
    expect((await world.poll()).problem).toMatchObject({
      code: "shape_differs",
      facts: { epochSlotsOnChain: 4 },
    });
    expect(world.region.hash).toBe(before);
  });

  test("behavior: other terms than the chain's are told before a report is refused for them; deposits are credited", async () => {
    const [first] = await world.region.parameters();
    world.between({
      parameters: async () => [{ parameters: { ...first?.parameters, outflowCapBps: 9_999 } }],
    });
    expect(await world.poll()).toMatchObject({
      depositsMirrored: 1,
      problem: { code: "terms_differ", facts: { term: "outflowCapBps", here: 9_999, onChain: 5_000 } },
    });
  });

  test("behavior: a deposit is on its account in the first poll after it is final, and not before", async () => {
    await world.deposit(address(1), 5n * UNIT);
    await world.poll();
    expect(world.region.freeMicros(address(1))).toBe(0);
    await world.finalise();
    expect(await world.poll()).toMatchObject({ depositsMirrored: 2, depositsOnChain: 2, problem: null });
    expect(world.region.freeMicros(address(1))).toBe(5_000_000);
    await world.poll();
    expect(world.region.freeMicros(address(1))).toBe(5_000_000);
  });

  test("behavior: what the region refuses waits, in its order, and so does an answer that was lost", async () => {
    for (const who of [2, 3, 4]) await world.deposit(address(who), BigInt(who) * UNIT);
    await world.finalise();
    // Refused from the second on, as by a queue that is full.
    const refusal = JSON.stringify({ rejection: rejected("overloaded") } satisfies Outcome);
    world.between({
      submitAll: async (all: string) => {
        const [first] = JSON.parse(all) as unknown[];
        return [...(await world.region.submitAll(JSON.stringify([first]))), refusal, refusal];
      },
    });
    expect(await world.poll()).toMatchObject({
      depositsMirrored: 3,
      problem: { code: "credit_refused", facts: { deposit: 4, refusal: "overloaded" } },
    });
    // Decided, and the connection breaks before anybody hears of it.
    vi.spyOn(console, "error").mockImplementation(() => {});
    world.between({
      submitAll: async (all: string) => {
        await world.region.submitAll(all);
        throw new Error("the object was moved");
      },
    });
    expect((await world.poll()).problem).toMatchObject({ code: "region_away" });
    world.reached = world.region;
    expect(await world.poll()).toMatchObject({ depositsMirrored: 5, problem: null });
    expect([2, 3, 4].map((who) => world.region.freeMicros(address(who)))).toEqual([2e6, 3e6, 4e6]);
  });

  test("behavior: two mirrors at once credit nothing twice", async () => {
    for (const who of [5, 6, 7]) await world.deposit(address(who), BigInt(who) * UNIT);
    await world.finalise();
    const one = world.poller;
    world.restart();
    await Promise.all([one.poll(), world.poller.poll()]);
    await world.poll();
    expect(await world.status()).toMatchObject({ depositsMirrored: 8, problem: null });
    expect([5, 6, 7].map((who) => world.region.freeMicros(address(who)))).toEqual([5e6, 6e6, 7e6]);
  });

  test("behavior: a crowd's deposits come in turns of one poll", async () => {
    const { client } = world.chain;
    await client.setAutomine(false);
    const { request } = await client.simulateContract({
      ...world.settlement,
      functionName: "deposit",
      args: [WORD, address(8), UNIT],
      account: world.chain.accounts[0] as never,
    });
    for (let made = 0; made < 120; made += 1) await client.writeContract(request);
    await client.setAutomine(true);
    await world.finalise();
    expect(await world.poll()).toMatchObject({ depositsMirrored: 128, problem: null });
    expect(world.region.freeMicros(address(8))).toBe(120e6);
  });

  test("behavior: terms come when they cannot be replaced any more, and only those that stayed", async () => {
    const from = FIRST_EPOCH + 2;
    await world.chain.send(world.settlement, "setTerms", [
      WORD,
      world.terms(from + 1, { outflowCapBps: 1_111 }),
    ]);
    await world.finalise();
    expect(await world.poll()).toMatchObject({ termsOnChain: 1, termsMirrored: 0, problem: null });
    // Earlier ones take their place, and their number.
    await world.chain.send(world.settlement, "setTerms", [WORD, world.terms(from, { outflowCapBps: 2_222 })]);
    await world.goTo((from - 1) * EPOCH_SECONDS + 60);
    expect(await world.poll()).toMatchObject({ termsOnChain: 1, termsMirrored: 1, problem: null });
    const scheduled = world.region.engine.state.header.parameters.filter(
      ({ fromEpoch }) => fromEpoch >= from,
    );
    expect(scheduled.map(({ fromEpoch, parameters }) => [fromEpoch, parameters.outflowCapBps])).toEqual([
      [from, 2_222],
    ]);
  });

  test("behavior: several versions of terms come in their order, and one that comes too late is told", async () => {
    const from = FIRST_EPOCH + 5;
    for (const [later, outflowCapBps] of [
      [0, 3_000],
      [1, 4_000],
    ] as const)
      await world.chain.send(world.settlement, "setTerms", [
        WORD,
        world.terms(from + later, { outflowCapBps }),
      ]);
    await world.goTo((from + 1) * EPOCH_SECONDS + 120);
    const late = await world.poll();
    expect(late).toMatchObject({ termsOnChain: 3, termsMirrored: 3 });
    expect(late.problem).toMatchObject({ code: "terms_passed", facts: { version: 2, fromEpoch: from } });
    expect(world.region.engine.state.header.parameters.at(-1)).toMatchObject({
      fromEpoch: from + 1,
      parameters: { outflowCapBps: 4_000 },
    });
    expect((await world.poll()).problem).toBeNull();
  });

  test("rejects: a chain whose past is another one: no credit, and it says so until the end", async () => {
    const { client } = world.chain;
    // The chain goes back to blocks that were made one after the other, none of them while a transaction came in.
    await world.finalise();
    const snapshot = await client.snapshot();
    await world.deposit(address(0xaa), 3n * UNIT);
    await world.finalise();
    expect(await world.poll()).toMatchObject({ depositsMirrored: 129, problem: null });
    const before = world.region.hash;
    await client.revert({ id: snapshot });
    // Shorter than what was final once. (A node that is just undoing blocks may name none as final for a moment.)
    await vi.waitFor(async () => {
      await world.poller.poll();
      expect((await world.poller.status()).problem).toMatchObject({ code: "chain_behind" });
    });
    // Grown again, without the deposit; then with another in its place, and one behind it.
    await client.mine({ blocks: 12 });
    expect((await world.poll()).problem).toMatchObject({ code: "past_changed", facts: { deposit: 129 } });
    await world.deposit(address(0xbb), 7n * UNIT);
    await world.deposit(address(0xbb), 9n * UNIT);
    await world.finalise();
    world.restart();
    expect((await world.poll()).problem).toMatchObject({
      code: "past_changed",
      facts: { deposit: 129, depositsOnChain: 130 },
    });
    expect(world.region.hash).toBe(before);
    expect(word(0)).not.toBe(before);
  });
});
