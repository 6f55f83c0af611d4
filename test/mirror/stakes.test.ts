// Owns the promise that providers' stakes reach the market as they stand on the chain, each event once and in its order, whatever
// happens in between. It refuses to ask the mirror what it did: the region's journal says it.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Outcome } from "../../durable-objects/outcome.ts";
import { providerStakeAbi } from "../../governance/generated/abi.ts";
import { providerStakeBytecode } from "../../governance/generated/bytecode.ts";
import { providerOf } from "../../market/providers.ts";
import { rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { address, word } from "../support/market.ts";
import { MirroredWorld, OPENED_AT_S, REGION, UNIT } from "./mirrored-world.ts";

const [KEY, OTHER_KEY, EMILS_KEY] = [word(0x5e1), word(0x5e2), word(0x5e3)];
const PAUSE_SECONDS = 600;
const STAKE = 80n * UNIT;

describe.skipIf(!hasAnvil)("stakes (skipped where npm has no anvil for the machine)", () => {
  let world: MirroredWorld;
  let dora: Hex;
  let emil: Hex;
  let atS = OPENED_AT_S;

  const provider = (account: Hex) => {
    const { state } = world.region.engine;
    return providerOf(state, state.indexes.accountByAddress.get(account) ?? -1);
  };
  const pass = async (seconds: number) => {
    atS += seconds;
    await world.goTo(atS);
  };

  beforeAll(async () => {
    world = await MirroredWorld.start();
    const { chain, quote, providerStake } = world;
    [dora, emil] = chain.accounts as [Hex, Hex];
    await chain.send(quote, "mint", [emil, 1_000n * UNIT]);
    const approve = { ...quote, functionName: "approve", args: [providerStake.address, 1_000n * UNIT] };
    await chain.client.writeContract({ ...approve, account: emil } as never);
    await world.govern();
  });
  afterEach(() => {
    world.restore();
  });
  afterAll(async () => {
    await world?.stop();
  });

  test("rejects: an address at which nobody answers for stakes", async () => {
    const { settings } = world;
    world.settings = { ...settings, providerStake: address(0xe0a) };
    world.restart();
    await world.poller.poll();
    expect((await world.poller.status()).problem).toMatchObject({ code: "contract_missing" });
    world.settings = settings;
  });

  test("rejects: a stake that is not final, or that the endpoints do not tell alike", async () => {
    const before = world.region.hash;
    await world.provide(dora, "stake", [KEY, STAKE]);
    expect(await world.poll()).toMatchObject({
      stakeEventsMirrored: 0,
      stakeEventsOnChain: 0,
      problem: null,
    });
    await world.finalise();
    const figure = (micros: bigint) => micros.toString(16).padStart(64, "0");
    for (const endpoint of world.endpoints) {
      endpoint.lie = ({ method, answer }) => {
        if (method === "eth_call" && typeof answer.result === "string")
          answer.result = answer.result.replace(figure(STAKE), figure(9n * STAKE));
      };
      await world.poller.poll();
      expect((await world.poller.status()).problem).toMatchObject({ code: "rpcs_disagree" });
      expect(world.region.hash).toBe(before);
      endpoint.honest();
    }
  });

  test("behavior: one look after it is final it is in the journal, under the event's number", async () => {
    expect(await world.poll()).toMatchObject({
      stakeEventsMirrored: 1,
      stakeEventsOnChain: 1,
      problem: null,
    });
    const entry = world.lastEntry();
    expect(entry.command).toMatchObject({ type: "record_stake", region: REGION, nonce: 1, account: dora });
    expect(entry.events).toMatchObject([
      { type: "chain_event_mirrored", stream: "stakes", number: 1 },
      { type: "account_opened", address: dora },
      { type: "stake_recorded", nodeKey: KEY, stakedMicros: Number(STAKE), isUnbonding: false },
    ]);
    expect(provider(dora)).toEqual({ nodeKey: KEY, stakedMicros: Number(STAKE), isUnbonding: false });
  });

  test("rejects: the same event again, by a mirror that forgot all, or that is told of a region that did", async () => {
    const before = world.region.hash;
    world.memory.values.clear();
    world.restart();
    expect(await world.poll()).toMatchObject({ stakeEventsMirrored: 1, problem: null });
    expect(world.region.hash).toBe(before);
    // Another command by its expiry.
    await pass(300);
    world.misled({ stakeEvents: 0 });
    expect((await world.poll()).problem).toMatchObject({
      code: "stake_refused",
      facts: { event: 1, refusal: "chain_event_out_of_order" },
    });
    expect(world.region.hash).toBe(before);
  });

  test("behavior: a mirror that dies before or after the region decided goes on where the region is", async () => {
    await pass(PAUSE_SECONDS);
    await world.provide(dora, "rotateKey", [OTHER_KEY]);
    await world.provide(emil, "stake", [EMILS_KEY, STAKE]);
    await world.finalise();
    const before = provider(dora);
    world.dying("before");
    await world.poll();
    expect([provider(dora), provider(emil)]).toEqual([before, null]);
    world.dying("after");
    await world.poll();
    expect((await world.region.mirrored())?.stakeEvents).toBe(2);
    expect(provider(dora)).toMatchObject({ nodeKey: OTHER_KEY });
    world.restore();
    expect(await world.poll()).toMatchObject({
      stakeEventsMirrored: 3,
      stakeEventsOnChain: 3,
      problem: null,
    });
    expect(provider(emil)).toMatchObject({ nodeKey: EMILS_KEY });
  });

  test("behavior: one that the region can never take is told and does not hold up those after it", async () => {
    await pass(PAUSE_SECONDS);
    await world.provide(dora, "topUp", [UNIT]);
    await world.provide(emil, "topUp", [UNIT]);
    await pass(PAUSE_SECONDS);
    await world.provide(dora, "topUp", [UNIT]);
    await world.finalise();
    world.between({
      submitAll: async (submissions: string) => {
        const [{ command }] = JSON.parse(submissions);
        const refusal: Outcome = { rejection: rejected("node_key_taken", {}) };
        return command.type === "record_stake" && command.nonce === 4
          ? [JSON.stringify(refusal)]
          : world.region.submitAll(submissions);
      },
    });
    expect(await world.poll()).toMatchObject({
      stakeEventsMirrored: 6,
      stakeEventsOnChain: 6,
      problem: { code: "stake_refused", facts: { event: 4, account: dora, refusal: "node_key_taken" } },
    });
    // The later one says all that there is.
    expect(provider(dora)).toMatchObject({ stakedMicros: Number(STAKE + 2n * UNIT) });
    expect((await world.poll()).problem).toBeNull();
  });

  test("behavior: what a queued slash holds back is not at stake, and who is leaving is marked", async () => {
    await pass(PAUSE_SECONDS);
    const { client } = world.chain;
    const operator = world.settings.mirror;
    await client.impersonateAccount({ address: operator });
    const wrong = {
      ...{ region: `0x${Buffer.from(REGION).toString("hex").padEnd(64, "0")}`, account: dora, nodeKey: KEY },
      ...{ jobDigest: word(1), outputHash: word(2), entry: 5n, atS: atS - 1 },
    };
    const queue = { ...world.providerStake, functionName: "queueSlash", args: [wrong, 8n * UNIT] };
    await client.waitForTransactionReceipt({
      hash: await client.writeContract({ ...queue, account: operator } as never),
    });
    await client.stopImpersonatingAccount({ address: operator });
    await world.provide(emil, "beginUnbonding");
    await world.finalise();
    expect(await world.poll()).toMatchObject({ stakeEventsMirrored: 8, problem: null });
    expect(provider(dora)).toMatchObject({ stakedMicros: Number(STAKE - 6n * UNIT), isUnbonding: false });
    expect(provider(emil)).toMatchObject({ stakedMicros: Number(STAKE + UNIT), isUnbonding: true });
  });

  test("rejects: a chain with fewer events than the region took; it is told, and the region stays as it is", async () => {
    const { settings, chain, quote, rewardParameters } = world;
    const owner = chain.accounts[0] as Hex;
    const other = await chain.deploy(providerStakeAbi, providerStakeBytecode, [
      ...[quote.address, settings.settlement, rewardParameters.address, owner, owner],
      ...[3_600n, 86_400n],
    ]);
    await world.finalise();
    const before = world.region.hash;
    world.settings = { ...settings, providerStake: other.address };
    world.restart();
    expect((await world.poll()).problem).toMatchObject({
      code: "stakes_differ",
      facts: { mirrored: 8, onChain: 0 },
    });
    expect(world.region.hash).toBe(before);
    world.settings = settings;
  });
});
