// Owns the promise that a vote which was executed reaches the market within one look after it is final, holds from its epoch on and
// no earlier, and is taken once whatever happens in between. It refuses to ask the mirror what it did: the region's journal says it.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Outcome } from "../../durable-objects/outcome.ts";
import { rewardParametersAbi } from "../../governance/generated/abi.ts";
import { rewardParametersBytecode } from "../../governance/generated/bytecode.ts";
import { versionInEpoch } from "../../market/parameters.ts";
import { rejected } from "../../protocol/errors.ts";
import { GOVERNED_BOUNDS, GOVERNED_VALUES } from "../../protocol/governed-values.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { address, word } from "../support/market.ts";
import {
  BEGINS_AT_S,
  EPOCH_SECONDS,
  FIRST_EPOCH,
  MirroredWorld,
  OPENED_AT_S,
  UNIT,
} from "./mirrored-world.ts";

const OPERATOR = word(1).slice(0, 42) as `0x${string}`;

describe.skipIf(!hasAnvil)("votes (skipped where npm has no anvil for the machine)", () => {
  let world: MirroredWorld;
  const inEpoch = (epoch: number) => versionInEpoch(world.region.engine.state.header, epoch);
  const schedule = () => structuredClone(world.region.engine.state.header.parameters);

  beforeAll(async () => {
    world = await MirroredWorld.start();
  });
  afterEach(() => {
    world.restore();
  });
  afterAll(async () => {
    await world?.stop();
  });

  test("behavior: a region that no vote governs is followed as ever", async () => {
    expect(await world.poll()).toMatchObject({ votesMirrored: 0, votesOnChain: 0, problem: null });
  });

  test("rejects: an address at which nobody answers for governed values", async () => {
    const { settings } = world;
    world.settings = { ...settings, rewardParameters: address(0xe0a) };
    world.restart();
    await world.poller.poll();
    expect((await world.poller.status()).problem).toMatchObject({ code: "contract_missing" });
    world.settings = settings;
  });

  test("behavior: other parameters than the chain's are told as long as nothing was voted; deposits are credited", async () => {
    await world.govern({ takeRateBps: 40 });
    await world.deposit(address(9), UNIT);
    await world.finalise();
    const differs = {
      depositsMirrored: 1,
      votesOnChain: 0,
      problem: { code: "votes_differ", facts: { parameter: "takeRateBps", here: 0, onChain: 40 } },
    };
    expect(await world.poll()).toMatchObject(differs);
    expect(await world.poll()).toMatchObject(differs);
    await world.region.accept(OPERATOR, {
      type: "set_parameters",
      parameters: { ...(await world.region.parameters())[0]?.parameters, takeRateBps: 40 },
    });
    expect((await world.poll()).problem).toMatchObject({ facts: { here: 0 } });
  });

  test("rejects: a change that is not final, or that the endpoints do not tell alike", async () => {
    const before = world.region.hash;
    const made = await world.change({ takeRateBps: 60 });
    expect(made).toEqual({ version: 1, fromEpoch: FIRST_EPOCH + 1 });
    expect(await world.poll()).toMatchObject({ votesMirrored: 0, votesOnChain: 0 });
    await world.finalise();
    const [one, two] = world.endpoints;
    const rate = (bps: number) => bps.toString(16).padStart(64, "0");
    for (const endpoint of [one, two]) {
      if (endpoint === undefined) throw new Error("two endpoints are asked");
      endpoint.lie = ({ method, answer }) => {
        if (method === "eth_call" && typeof answer.result === "string" && answer.result.length > 1_000)
          answer.result = answer.result.replace(rate(60), rate(90));
      };
      await world.poller.poll();
      expect((await world.poller.status()).problem).toMatchObject({ code: "rpcs_disagree" });
      expect(world.region.hash).toBe(before);
      endpoint.honest();
    }
  });

  test("behavior: one look after it is final it is in the journal, and holds from its epoch on", async () => {
    expect(await world.poll()).toMatchObject({ votesMirrored: 1, votesOnChain: 1, problem: null });
    const entry = world.lastEntry();
    expect(entry.command).toMatchObject({
      type: "schedule_parameters",
      nonce: 1,
      fromEpoch: FIRST_EPOCH + 1,
    });
    expect(entry.events).toMatchObject([
      { type: "chain_event_mirrored", stream: "parameters", number: 1 },
      { type: "parameters_set", fromEpoch: FIRST_EPOCH + 1, voteVersion: 1, parameters: { takeRateBps: 60 } },
    ]);
    expect([FIRST_EPOCH, FIRST_EPOCH + 1].map((epoch) => inEpoch(epoch).parameters.takeRateBps)).toEqual([
      0, 60,
    ]);
    const outcome = await world.region.decide(OPERATOR, {
      type: "set_parameters",
      parameters: inEpoch(FIRST_EPOCH).parameters,
    });
    expect(outcome).toMatchObject({ rejection: { code: "governed_by_vote", facts: { voteVersion: 1 } } });
  });

  test("rejects: the same version again, by a mirror that forgot all, or that is told of a region that did", async () => {
    const before = world.region.hash;
    world.memory.values.clear();
    world.restart();
    expect(await world.poll()).toMatchObject({ votesMirrored: 1, problem: null });
    expect(world.region.hash).toBe(before);
    // Another command by its expiry.
    await world.goTo(OPENED_AT_S + 300);
    world.misled({ voteVersion: 0 });
    expect((await world.poll()).problem).toMatchObject({
      code: "parameters_refused",
      facts: { version: 1, refusal: "chain_event_out_of_order" },
    });
    expect(world.region.hash).toBe(before);
  });

  test("behavior: a mirror that dies before or after the region decided goes on where the region is", async () => {
    await world.change({ shareCapBps: 9_000 });
    const second = await world.change({ networkFeeMicrosPerKwh: 5_000 });
    await world.finalise();
    const before = schedule();
    world.dying("before");
    await world.poll();
    expect(schedule()).toEqual(before);
    world.dying("after");
    await world.poll();
    expect((await world.region.mirrored())?.voteVersion).toBe(2);
    world.restore();
    expect(await world.poll()).toMatchObject({ votesMirrored: 3, votesOnChain: 3, problem: null });
    // Both for one epoch: the later one holds, with what the first one changed.
    expect(inEpoch(second.fromEpoch)).toMatchObject({
      voteVersion: 3,
      parameters: { takeRateBps: 60, shareCapBps: 9_000, networkFeeMicrosPerKwh: 5_000 },
    });
  });

  test("behavior: one that the region can never keep is told and does not hold up the next", async () => {
    await world.goTo(BEGINS_AT_S + 8 * 86_400);
    await world.change({ takeRateBps: 50 });
    await world.change({ shareCapBps: 8_000 });
    await world.finalise();
    world.between({
      submitAll: async (submissions: string) => {
        const [{ command }] = JSON.parse(submissions);
        const refusal: Outcome = { rejection: rejected("parameters_out_of_bounds", {}) };
        return command.type === "schedule_parameters" && command.nonce === 4
          ? [JSON.stringify(refusal)]
          : world.region.submitAll(submissions);
      },
    });
    expect(await world.poll()).toMatchObject({
      votesMirrored: 5,
      votesOnChain: 5,
      problem: { code: "parameters_refused", facts: { version: 4, refusal: "parameters_out_of_bounds" } },
    });
    expect(world.region.engine.state.header.parameters.at(-1)).toMatchObject({
      voteVersion: 5,
      parameters: { takeRateBps: 50, shareCapBps: 8_000 },
    });
    expect((await world.poll()).problem).toBeNull();
  });

  test("behavior: what comes late holds from the next epoch on; what concerns reports comes as terms as well", async () => {
    await world.goTo(BEGINS_AT_S + 16 * 86_400);
    const { fromEpoch } = await world.change({ emissionPerEpoch: 1_200_000, clearingPriceK: 5_500 });
    await world.finalise();
    // Away for as long as the epoch before, and for the first half of its own.
    await world.goTo(fromEpoch * EPOCH_SECONDS + EPOCH_SECONDS / 2);
    const late = await world.poll();
    expect(late).toMatchObject({ votesMirrored: 6, votesOnChain: 6, termsMirrored: 1, termsOnChain: 1 });
    expect(inEpoch(fromEpoch)).toMatchObject({
      voteVersion: 5,
      parameters: { clearingPriceK: 5_000, emissionPerEpoch: "1200000" },
    });
    expect(inEpoch(fromEpoch + 1)).toMatchObject({
      voteVersion: 6,
      restartsEmission: false,
      parameters: { clearingPriceK: 5_500, emissionPerEpoch: "1200000" },
    });
    await world.closeEpoch(fromEpoch + 1);
    const records = world.region.store.epochs(fromEpoch, fromEpoch + 2);
    expect(records.map(({ record }) => JSON.parse(record))).toMatchObject([
      { epoch: fromEpoch, voteVersion: 5, emission: "1200000" },
      { epoch: fromEpoch + 1, voteVersion: 6, emission: "1080000" },
    ]);
    expect(world.region.engine.state.header.mirrored).toMatchObject({ parameters: 6, terms: 1 });
  });

  test("rejects: a chain with fewer versions than the region took; it is told, and the region stays as it is", async () => {
    const before = schedule();
    const { settings, chain } = world;
    const other = await chain.deploy(rewardParametersAbi, rewardParametersBytecode, [
      settings.settlement,
      chain.accounts[0],
    ]);
    await world.finalise();
    world.settings = { ...settings, rewardParameters: other.address };
    world.restart();
    expect((await world.poll()).problem).toMatchObject({
      code: "votes_differ",
      facts: { voteVersion: 6, onChain: 0 },
    });
    expect(schedule()).toEqual(before);
    world.settings = settings;
  });

  test("invariant: the bounds that drafts are judged by are the contract's", async () => {
    for (const [parameter, name] of GOVERNED_VALUES.entries()) {
      const { least, most } = await world.chain.client.readContract({
        address: world.rewardParameters.address,
        abi: rewardParametersAbi,
        functionName: "boundsOf",
        args: [parameter],
      });
      expect([name, least, most]).toEqual([name, GOVERNED_BOUNDS[name].least, GOVERNED_BOUNDS[name].most]);
    }
  });
});
