// Owns the promise that every closed epoch is reported as the region has it, once, whatever happens on the way, and that nothing
// else ever is. It refuses to take the mirror's word: the contract and its claims say what was reported.

import { privateKeyToAccount } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeReport } from "../../durable-objects/mirror/epoch-reports.ts";
import { decodeLeaves, encodeLeaves, SumTree } from "../../evidence/sum-tree.ts";
import { reportCall } from "../../governance/calls/report-call.ts";
import type { Hex } from "../../protocol/fields.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { address } from "../support/market.ts";
import {
  DELAY_SECONDS,
  EPOCH_SECONDS,
  FIRST_EPOCH,
  MIRROR,
  MIRROR_KEY,
  MirroredWorld,
  UNIT,
  WORD,
} from "./mirrored-world.ts";

const ANN = address(0xa11);

describe.skipIf(!hasAnvil)("reports (skipped where npm has no anvil for the machine)", () => {
  let world: MirroredWorld;
  beforeEach(async () => {
    world = await MirroredWorld.start(1);
    await world.deposit(ANN, 100n * UNIT);
    await world.finalise();
    await world.poll();
  });
  afterEach(async () => {
    await world?.stop();
  });

  const read = (functionName: string, args: readonly unknown[]) =>
    world.chain.client.readContract({ ...world.settlement, functionName, args });
  const reported = async () =>
    Number(((await read("regionOf", [WORD])) as { reportedEpoch: bigint }).reportedEpoch);
  const claim = async (epoch: number, account: Hex) => {
    const kept = await world.region.epochReport(epoch);
    return new SumTree(decodeLeaves(kept?.leaves as Uint8Array)).claimOf(account);
  };
  const nonce = () => world.chain.client.getTransactionCount({ address: MIRROR });
  const owner = (name: string, args: readonly unknown[]) => world.chain.send(world.settlement, name, args);

  test("rejects: a report whose sums are not the deposits; it is not sent", async () => {
    await world.closeEpoch(FIRST_EPOCH);
    world.between({
      epochReport: async (epoch: number) => {
        const kept = await world.region.epochReport(epoch);
        const leaves = decodeLeaves(kept?.leaves as Uint8Array).map(({ account, sums }) => ({
          account,
          sums: { ...sums, heldMicros: sums.heldMicros + 1n },
        }));
        return { ...kept, leaves: encodeLeaves(leaves) };
      },
    });
    expect((await world.poll()).problem).toMatchObject({
      code: "report_unbalanced",
      facts: { epoch: FIRST_EPOCH, depositedMicros: "100000000" },
    });
    expect(await nonce()).toBe(0);
  });

  test("rejects: to report for another operator, or what the contract would refuse", async () => {
    await owner("setOperator", [WORD, address(0x0e)]);
    await world.closeEpoch(FIRST_EPOCH);
    expect((await world.poll()).problem).toMatchObject({ code: "other_operator" });
    await owner("setOperator", [WORD, MIRROR]);
    await world.finalise();
    world.between({
      epochReport: async (epoch: number) => {
        const kept = await world.region.epochReport(epoch);
        const leaves = decodeLeaves(kept?.leaves as Uint8Array).map(({ account, sums }) => ({
          account,
          sums: { ...sums, rewards: 10n ** 20n },
        }));
        return { ...kept, leaves: encodeLeaves(leaves) };
      },
    });
    expect((await world.poll()).problem).toMatchObject({
      code: "report_refused",
      facts: { refusal: "Settlement_AboveEmission" },
    });
    expect(await nonce()).toBe(0);
    // A wallet without gas: kept, and sent when it has some.
    world.reached = world.region;
    await world.chain.client.setBalance({ address: MIRROR, value: 0n });
    world.restart();
    expect((await world.poll()).problem).toMatchObject({ code: "gas_missing" });
    await world.chain.client.setBalance({ address: MIRROR, value: 10n ** 20n });
    await world.poll();
    await expect.poll(reported).toBe(FIRST_EPOCH);
    expect(await nonce()).toBe(1);
  });

  test("behavior: epoch after epoch, with a withdrawal that the contract pays; behind by one after the other", async () => {
    await world.region.accept(ANN, { type: "withdraw", account: ANN, amountMicros: 30_000_000 });
    await world.closeEpoch(FIRST_EPOCH);
    await world.poll();
    await expect.poll(reported).toBe(FIRST_EPOCH);
    await world.finalise();
    expect(await world.poll()).toMatchObject({
      lastClosedEpoch: FIRST_EPOCH,
      lastReportedEpoch: FIRST_EPOCH,
      lastFinalEpoch: null,
      reportInFlight: null,
      problem: null,
    });
    await world.goTo((FIRST_EPOCH + 1) * EPOCH_SECONDS + 65 + DELAY_SECONDS + 30);
    expect(await world.poll()).toMatchObject({ lastFinalEpoch: FIRST_EPOCH, problem: null });
    const paid = await claim(FIRST_EPOCH, ANN);
    await owner("withdraw", [WORD, BigInt(FIRST_EPOCH), paid?.leaf, paid?.path]);
    expect(
      await world.chain.client.readContract({ ...world.quote, functionName: "balanceOf", args: [ANN] }),
    ).toBe(30n * UNIT);
    // Three more epochs have closed before anybody looks again.
    await world.closeEpoch(FIRST_EPOCH + 3);
    for (let polls = 0; polls < 4; polls += 1) await world.poll();
    await expect.poll(reported).toBe(FIRST_EPOCH + 3);
    await world.finalise();
    expect(await world.poll()).toMatchObject({ lastReportedEpoch: FIRST_EPOCH + 3, problem: null });
    expect(await nonce()).toBe(4);
  });

  test("behavior: a report that stays out is sent again at a higher fee, by a mirror that was restarted in between", async () => {
    const { client } = world.chain;
    await world.closeEpoch(FIRST_EPOCH);
    await client.setAutomine(false);
    const sent = (await world.poll()).reportInFlight;
    expect(sent).toMatchObject({ epoch: FIRST_EPOCH, nonce: 0, timesSent: 1 });
    for (let polls = 0; polls < 7; polls += 1) {
      world.restart();
      await world.poll();
    }
    const again = await world.status();
    expect(again.reportInFlight).toMatchObject({ epoch: FIRST_EPOCH, nonce: 0, timesSent: 2 });
    expect(again.reportInFlight?.transaction).not.toBe(sent?.transaction);
    expect(again.problem).toMatchObject({ code: "report_delayed" });
    await client.mine({ blocks: 1 });
    await client.setAutomine(true);
    await world.finalise();
    expect(await world.poll()).toMatchObject({
      lastReportedEpoch: FIRST_EPOCH,
      reportInFlight: null,
      problem: null,
    });
    expect(await nonce()).toBe(1);
  });

  test("behavior: a mirror that died before, or after, it sent a report sends the same one; it counts once", async () => {
    const endpoint = world.endpoints[0];
    if (endpoint === undefined) throw new Error("no endpoint");
    await world.closeEpoch(FIRST_EPOCH);
    // The connection breaks as the report is sent; whether it arrived is not known.
    endpoint.lie = ({ method }) => {
      if (method === "eth_sendRawTransaction") throw new TypeError("connection reset");
    };
    await world.poll();
    await expect.poll(reported).toBe(FIRST_EPOCH);
    endpoint.honest();
    world.restart();
    await world.poll();
    await world.finalise();
    expect(await world.poll()).toMatchObject({ lastReportedEpoch: FIRST_EPOCH, problem: null });
    expect(await nonce()).toBe(1);
    // It never arrived.
    await world.closeEpoch(FIRST_EPOCH + 1);
    let isDead = true;
    endpoint.respond = () =>
      isDead && endpoint.asked.at(-1) === "eth_sendRawTransaction"
        ? Promise.reject(new TypeError("gone"))
        : null;
    const { reportInFlight, problem } = await world.poll();
    expect(reportInFlight).toMatchObject({ epoch: FIRST_EPOCH + 1, timesSent: 0 });
    expect(problem).toMatchObject({ code: "report_delayed" });
    isDead = false;
    world.restart();
    await world.poll();
    await expect.poll(reported).toBe(FIRST_EPOCH + 1);
    expect(await nonce()).toBe(2);
    // What was kept is lost: the chain says what was reported.
    world.memory.values.clear();
    world.restart();
    await world.finalise();
    expect(await world.poll()).toMatchObject({ lastReportedEpoch: FIRST_EPOCH + 1, problem: null });
    expect(await nonce()).toBe(2);
  });

  test("behavior: a frozen region reports nothing; what a release dropped is reported again; an upheld one is over", async () => {
    for (const epoch of [FIRST_EPOCH, FIRST_EPOCH + 1]) {
      await world.closeEpoch(epoch);
      await world.poll();
    }
    await expect.poll(reported).toBe(FIRST_EPOCH + 1);
    await owner("freeze", [WORD, BigInt(FIRST_EPOCH)]);
    await world.deposit(ANN, UNIT).catch(() => {});
    await world.closeEpoch(FIRST_EPOCH + 2);
    expect(await world.poll()).toMatchObject({
      stage: "frozen",
      problem: { code: "frozen", facts: { epoch: FIRST_EPOCH } },
    });
    expect(await nonce()).toBe(2);
    await owner("release", [WORD]);
    await expect.poll(reported).toBe(FIRST_EPOCH);
    await world.finalise();
    for (let polls = 0; polls < 3; polls += 1) await world.poll();
    await expect.poll(reported).toBe(FIRST_EPOCH + 2);
    await owner("freeze", [WORD, BigInt(FIRST_EPOCH + 1)]);
    await owner("uphold", [WORD]);
    await world.finalise();
    expect((await world.poll()).problem).toMatchObject({ code: "upheld" });
    const held = await claim(FIRST_EPOCH, ANN);
    await owner("exit", [WORD, BigInt(FIRST_EPOCH), held?.leaf, held?.path]);
    await world.closeEpoch(FIRST_EPOCH + 3);
    const before = world.region.hash;
    expect(await world.poll()).toMatchObject({
      stage: "exiting",
      lastFinalEpoch: FIRST_EPOCH,
      problem: { code: "exiting" },
    });
    expect(world.region.hash).toBe(before);
    expect(await nonce()).toBe(4);
  });

  test("rejects: to go on behind a report that is not the region's own", async () => {
    await world.closeEpoch(FIRST_EPOCH);
    const report = await makeReport(world.region, FIRST_EPOCH, FIRST_EPOCH);
    const thief = privateKeyToAccount(MIRROR_KEY);
    const { client } = world.chain;
    const data = reportCall(WORD, { ...report, stateHash: `0x${"66".repeat(32)}` });
    const hash = await client.sendTransaction({ account: thief, to: world.settlement.address, data });
    await client.waitForTransactionReceipt({ hash });
    await world.closeEpoch(FIRST_EPOCH + 1);
    expect((await world.poll()).problem).toMatchObject({
      code: "reported_otherwise",
      facts: { epoch: FIRST_EPOCH },
    });
    await expect.poll(reported).toBe(FIRST_EPOCH);
  });

  test("behavior: of an epoch before the region's first nothing is reported, in time", async () => {
    // The region opens two epochs after its contract's first.
    const late = FIRST_EPOCH + 2;
    world.between({
      mirrored: async () => ({ ...(await world.region.mirrored()), firstEpoch: late, lastClosedEpoch: null }),
    });
    // The deposit that the region has counted belongs to its first epoch.
    await world.poll();
    expect(await nonce()).toBe(0);
    await world.goTo(late * EPOCH_SECONDS + 5);
    await world.poll();
    await world.poll();
    await expect.poll(reported).toBe(late - 1);
    await world.finalise();
    expect((await world.poll()).problem).toBeNull();
  });
});

describe.skipIf(!hasAnvil)(
  "reports through two endpoints (skipped where npm has no anvil for the machine)",
  () => {
    test("behavior: one that lies about the newest block delays a report, and no more", async () => {
      const world = await MirroredWorld.start(2);
      try {
        const { client } = world.chain;
        const reportedEpoch = async () => {
          const args = [WORD];
          const books = await client.readContract({ ...world.settlement, functionName: "regionOf", args });
          return Number((books as { reportedEpoch: bigint }).reportedEpoch);
        };
        for (const endpoint of world.endpoints)
          endpoint.lie = ({ method, answer }) => {
            // A nonce with a gap before it, and fees that would empty the wallet.
            if (method === "eth_getTransactionCount") answer.result = "0x7";
            if (method === "eth_maxPriorityFeePerGas") answer.result = `0x${(10n ** 20n).toString(16)}`;
          };
        await world.closeEpoch(FIRST_EPOCH);
        expect((await world.poll()).reportInFlight).toMatchObject({ nonce: 7 });
        expect(await reportedEpoch()).toBe(FIRST_EPOCH - 1);
        for (const endpoint of world.endpoints) endpoint.honest();
        await world.poll();
        await expect.poll(reportedEpoch).toBe(FIRST_EPOCH);
        await world.finalise();
        expect(await world.poll()).toMatchObject({ reportInFlight: null, problem: null });
        const spentWei = 10n ** 20n - (await client.getBalance({ address: MIRROR }));
        // A fifth of a million gas at a tip of fifty gwei is a hundredth of what there was to lose.
        expect(spentWei).toBeLessThan(10n ** 17n);
        expect(await client.getTransactionCount({ address: MIRROR })).toBe(1);
      } finally {
        await world.stop();
      }
    });
  },
);
