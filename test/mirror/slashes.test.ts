// Owns the promise that what an audit showed to be wrong costs its seller a share of its stake, once, and only where no vote says
// otherwise. It refuses to ask the mirror what it did: the contract says it.

import {
  type AbiFunction,
  encodeErrorResult,
  encodeFunctionResult,
  getAbiItem,
  toFunctionSelector,
} from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { providerStakeAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import { STAKE_TIMES, TREASURY } from "../support/chain-contracts.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { authorise, type Draft, session, word } from "../support/market.ts";
import { audited, buyJob, commitAudits, order, result } from "../support/resource-drafts.ts";
import { EPOCH_SECONDS, MirroredWorld, OPENED_AT_S, REFEREE_KEY, UNIT, WORD } from "./mirrored-world.ts";

const [DORAS_KEY, EMILS_KEY, FAYS_KEY, GUS_KEY] = [0x5e1, 0x5e2, 0x5e3, 0x5e4].map(word) as [
  Hex,
  Hex,
  Hex,
  Hex,
];
const STAKE = 80n * UNIT;
/** A tenth, as the world's values have it. */
const SHARE = 8n * UNIT;
const REFEREE = session(REFEREE_KEY);

describe.skipIf(!hasAnvil)("slashes (skipped where npm has no anvil for the machine)", () => {
  let world: MirroredWorld;
  let dora: Hex;
  let emil: Hex;
  /** Sells, and has nothing at stake. */
  let fay: Hex;
  let gus: Hex;
  let buyer: Hex;
  let atS = OPENED_AT_S;
  let jobs = 0;

  const pass = async (seconds: number) => {
    atS += seconds;
    await world.goTo(atS);
  };
  const accept = async ({ command, signer, evidence }: Draft) => {
    const outcome = await world.region.decideBy(signer, command, evidence);
    if ("rejection" in outcome) throw new Error(JSON.stringify(outcome.rejection));
    return outcome.answer;
  };
  const read = (functionName: string, args: readonly unknown[]) =>
    world.chain.client.readContract({
      address: world.providerStake.address,
      abi: providerStakeAbi,
      functionName,
      args: [WORD, ...args],
    } as never) as Promise<never>;
  const slashes = async (): Promise<number> => Number((await read("countsOf", []))[1]);
  const slash = (number: number): Promise<Record<string, unknown>> => read("slashOf", [number]);
  const looks = async (count: number) => {
    for (let look = 0; look < count; look += 1) {
      await world.poll();
      await world.finalise();
    }
    return world.poll();
  };

  /** A seller reports what the referee then does not come to. */
  async function lie(
    seller: Hex,
    key: Hex,
  ): Promise<{ jobDigest: Hex; outputHash: Hex; reportedAtS: number }> {
    jobs += 1;
    const jobDigest = word(0x10b0 + jobs);
    await accept(order({ atS } as never, seller, "sell", 100, 100_000));
    const { events } = await accept(buyJob(buyer, 10, 100_000, { jobDigest }));
    const traded = events.find(({ type }) => type === "resource_traded") as { firstObligation: number };
    const id = traded.firstObligation;
    await pass(5);
    const said = { jobDigest, signer: session(key), output: 0xbad, attested: { agreedBy: [REFEREE] } };
    const reported = await accept(result(seller, id, 5, said));
    await pass(5);
    await accept(audited(id, 5, 0x600d, REFEREE));
    const [sale] = await world.region.failedAudits(reported.entry);
    expect(sale).toMatchObject({ account: seller, nodeKey: key, jobDigest, outputHash: word(0xbad) });
    // What is left of the ask is nobody's next job.
    const { restingOrders } = world.region.engine.state.tables;
    const orderId = restingOrders.columns.id[restingOrders.rows - 1];
    await accept({
      command: { type: "cancel_resource_order", account: seller, orderId },
      signer: { scheme: "wallet", address: seller },
      evidence: null,
    } as never);
    return { jobDigest, outputHash: word(0xbad), reportedAtS: sale?.reportedAtS as number };
  }

  beforeAll(async () => {
    world = await MirroredWorld.start();
    const { chain, quote, providerStake } = world;
    [dora, emil, fay, buyer, gus] = chain.accounts as [Hex, Hex, Hex, Hex, Hex];
    const approve = { ...quote, functionName: "approve", args: [providerStake.address, 1_000n * UNIT] };
    for (const account of [emil, gus]) {
      await chain.send(quote, "mint", [account, 1_000n * UNIT]);
      await chain.client.writeContract({ ...approve, account } as never);
    }
    await world.govern();
    await world.provide(dora, "stake", [DORAS_KEY, STAKE]);
    await world.provide(emil, "stake", [EMILS_KEY, STAKE]);
    await world.provide(gus, "stake", [GUS_KEY, STAKE]);
    for (const account of [fay, buyer]) await world.deposit(account, 100n * UNIT);
    await pass(60);
    await world.poll();
    for (const [account, key] of [
      [dora, DORAS_KEY],
      [emil, EMILS_KEY],
      [fay, FAYS_KEY],
      [gus, GUS_KEY],
    ] as [Hex, Hex][])
      await accept(authorise(account, key, { resources: ["compute"], sessionExpiresAtS: atS + 86_400 }));
    await accept(commitAudits(Math.floor(atS / EPOCH_SECONDS), word(0x5ec), REFEREE));
    await pass(1);
  });
  afterEach(() => {
    world.restore();
  });
  afterAll(async () => {
    await world?.stop();
  });

  test("rejects: where nobody stakes, nothing is sent, and the failed audit waits in its region", async () => {
    await lie(dora, DORAS_KEY);
    const { settings } = world;
    world.settings = { ...settings, providerStake: `0x${"00".repeat(20)}` };
    world.restart();
    expect((await looks(2)).slashesWaiting).toBe(0);
    world.settings = settings;
    world.restart();
    expect(await slashes()).toBe(0);
  });

  test("behavior: it is queued once, with the evidence, whatever is forgotten and however often one looks", async () => {
    await world.poll();
    expect(await slashes()).toBe(1);
    expect(await slash(1)).toMatchObject({ amountMicros: SHARE, stage: 1 });
    // In a block that is not final yet: neither forgotten nor sent again.
    world.restart();
    expect(await world.poll()).toMatchObject({ slashesWaiting: 1, slashesOnChain: 0 });
    await world.finalise();
    expect(await world.poll()).toMatchObject({
      slashesWaiting: 0,
      slashesOnChain: 1,
      lastSlashRefusal: null,
    });
    world.memory.values.clear();
    world.restart();
    await looks(3);
    expect(await slashes()).toBe(1);
  });

  test("behavior: one that no endpoint took, or that is in no block when the mirror dies, is sent once", async () => {
    await lie(emil, EMILS_KEY);
    for (const endpoint of world.endpoints)
      endpoint.lie = ({ method, answer }) => {
        if (method === "eth_sendRawTransaction") answer.error = { code: -32_000, message: "not now" };
        if (method === "eth_sendRawTransaction") delete answer.result;
      };
    // The chain has it, and the mirror was told otherwise.
    await world.chain.client.setAutomine(false);
    expect((await world.poll()).problem).toMatchObject({ code: "slash_delayed" });
    world.restore();
    for (let look = 0; look < 3; look += 1) {
      await world.poll();
      world.restart();
    }
    expect(await slashes()).toBe(1);
    await world.chain.client.mine({ blocks: 1 });
    await world.chain.client.setAutomine(true);
    expect(await looks(3)).toMatchObject({ slashesWaiting: 0, slashesOnChain: 2, problem: null });
    expect(await slash(2)).toMatchObject({ amountMicros: SHARE, stage: 1 });
    expect(await slashes()).toBe(2);
  });

  test("rejects: a seller with nothing at stake, and one whose share is used up; both are told and passed over", async () => {
    await lie(fay, FAYS_KEY);
    await lie(dora, DORAS_KEY);
    const told = await looks(2);
    expect(told).toMatchObject({ slashesWaiting: 0, slashesOnChain: 2 });
    expect(told.slashesPassedOver).toEqual({ ProviderStake_OtherKey: 1, ProviderStake_NothingToSlash: 1 });
    expect(told.lastSlashRefusal).toMatchObject({ account: dora, refusal: "ProviderStake_NothingToSlash" });
    expect((await world.poll()).problem).toBeNull();
    expect(await slashes()).toBe(2);
  });

  test("rejects: an endpoint that refuses a slash for good, or says how little it may be: it delays one, and no more", async () => {
    const abi = providerStakeAbi;
    const startsOf = (name: "queueSlash" | "mostSlashMicros") =>
      toFunctionSelector(getAbiItem({ abi, name }) as AbiFunction);
    const [queue, most] = [startsOf("queueSlash"), startsOf("mostSlashMicros")];
    const other = encodeErrorResult({ abi, errorName: "ProviderStake_OtherKey", args: [FAYS_KEY, fay] });
    const little = encodeFunctionResult({ abi, functionName: "mostSlashMicros", result: 1n });
    // One refuses; whichever is asked alone how much it may be says almost nothing.
    for (const [place, endpoint] of world.endpoints.entries())
      endpoint.lie = ({ params: [call, block], answer }) => {
        const { data = "" } = (call ?? {}) as { readonly data?: string };
        if (data.startsWith(most) && block === "latest") answer.result = little;
        if (!data.startsWith(queue) || place === 0) return;
        delete answer.result;
        answer.error = { code: 3, message: "execution reverted", data: other };
      };
    await lie(gus, GUS_KEY);
    expect(await looks(4)).toMatchObject({ slashesWaiting: 0, slashesOnChain: 3 });
    expect(await slash(3)).toMatchObject({ amountMicros: SHARE, stage: 1 });
    await world.chain.send(world.providerStake, "cancelSlashes", [WORD, 3n, 3n]);
  });

  test("behavior: what a vote cancels is not executed; what it lets stand is, when it is due, to the treasury", async () => {
    await world.chain.send(world.providerStake, "cancelSlashes", [WORD, 1n, 1n]);
    const treasury = () =>
      world.chain.client.readContract({
        ...world.quote,
        functionName: "balanceOf",
        args: [TREASURY],
      } as never);
    const before = (await treasury()) as bigint;
    await pass(STAKE_TIMES.slashDelaySeconds - 3_600);
    await looks(2);
    expect((await slash(2)).stage).toBe(1);
    await pass(3_600);
    await looks(3);
    expect([(await slash(1)).stage, (await slash(2)).stage]).toEqual([3, 2]);
    expect(await treasury()).toBe(before + SHARE);
    expect(await slashes()).toBe(3);
  });
});
