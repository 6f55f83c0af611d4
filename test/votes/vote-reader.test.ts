// Owns the promise that votes are shown as the chain has them: their state, the quorum of their snapshot, who executed them, and
// nothing that was asked more often than a block. It refuses a chain that is not a real one.

import { type Abi, encodeFunctionData, type Hex, keccak256, stringToHex, toBytes } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VoteReader } from "../../durable-objects/votes/vote-reader.ts";
import { describedBy } from "../../governance/calls/vote-abi.ts";
import {
  polderGovernorAbi,
  polderTokenAbi,
  rewardParametersAbi,
  settlementAbi,
  timelockControllerAbi,
} from "../../governance/generated/abi.ts";
import { ballotsIn, delegatesIn } from "../../governance/proposals/proposal-reads.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import type { ProposalAnswer } from "../../protocol/vote-answer.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { TOKEN, VOTE } from "../support/vote-file.ts";
import { lower, REGION_ID, VotedChain } from "../support/voted-chain.ts";
import { HistoryInMemory } from "./kept-history.ts";

const TAKE_RATE = 7;
const FOR = 1;
const AGAINST = 0;
const WORD = stringToHex(REGION_ID, { size: 32 });

describe.skipIf(!hasAnvil)("votes read (skipped where npm has no anvil for the machine)", () => {
  let world: VotedChain;
  const kept = new HistoryInMemory();
  let asked: string[] = [];
  /** Told of each request's methods; what it answers is answered instead. */
  let spoil: ((methods: readonly string[]) => string | null) | null = null;
  let nowMs = 0;

  const settings = () => ({
    chainId: LOCAL_CHAIN_ID,
    settlement: world.deployment.settlement,
    meterRegistry: world.deployment.meterRegistry,
    rewardParameters: world.deployment.rewardParameters,
    providerStake: world.deployment.providerStake,
    rpcs: [world.chain.url],
    deployedAtBlock: world.deployment.deployedAtBlock,
    pollMs: 1_000,
    roots: {
      governor: world.deployment.governor,
      settlement: world.deployment.settlement,
      meterRegistry: world.deployment.meterRegistry,
      providerStake: world.deployment.providerStake,
    },
  });
  /** Another one each time, as after a restart: what it knows is what was kept. */
  const reader = (changes: object = {}, blocksAtOnce = 1_000) =>
    new VoteReader({
      blocksAtOnce,
      settings: { ...settings(), ...changes },
      kept,
      wallMs: () => nowMs,
      fetch: async (url, init) => {
        const calls = [JSON.parse(String(init?.body))].flat() as { method: string }[];
        const methods = calls.map(({ method }) => method);
        asked.push(...methods);
        const instead = spoil?.(methods) ?? null;
        return instead === null ? fetch(url, init) : new Response(instead);
      },
    });
  const proposals = async (): Promise<readonly ProposalAnswer[]> => (await reader().snapshot()).proposals();
  const proposal = async (id: bigint): Promise<ProposalAnswer> => {
    const found = (await proposals()).find((one) => one.id === id.toString());
    if (found === undefined) throw new Error("the proposal is not shown");
    return found;
  };
  const takeRate = (value: bigint) => ({
    target: world.deployment.rewardParameters,
    data: encodeFunctionData({
      abi: rewardParametersAbi,
      functionName: "change",
      args: [WORD, [{ parameter: TAKE_RATE, value }]],
    }),
  });

  beforeAll(async () => {
    world = await VotedChain.start();
  });
  afterAll(async () => {
    await world?.stop();
  });

  test("rejects: a governor that Settlement does not belong to, and contracts that are none", async () => {
    const { settlement, meterRegistry, providerStake, token } = world.deployment;
    const other = { governor: token, settlement, meterRegistry, providerStake };
    await expect(reader({ roots: other }).snapshot()).rejects.toMatchObject({
      problem: { code: "rpc_refused" },
    });
    await expect(reader({ chainId: 1 }).snapshot()).rejects.toMatchObject({
      problem: { code: "wrong_chain" },
    });
    expect(kept.rows.size).toBe(0);
  });

  test("rejects: an endpoint that breaks off in the middle leaves nothing half read", async () => {
    let logs = 0;
    spoil = (methods) => {
      logs += methods.filter((method) => method === "eth_getLogs").length;
      return logs >= 2 ? "<html>" : null;
    };
    await expect(reader().snapshot()).rejects.toMatchObject({ problem: { code: "rpc_malformed" } });
    spoil = null;
    expect([kept.rows.size, kept.kept]).toEqual([0, null]);
    const { history } = await reader().snapshot();
    expect(history.delegates.size).toBe(3);
  });

  test("behavior: members are their own delegates, the most votes first; a delegation moves them", async () => {
    const { history } = await reader().snapshot();
    expect(delegatesIn(history, 10)).toEqual([
      { account: lower(world.ann), votes: String(60_000n * TOKEN), delegators: 1 },
      { account: lower(world.ben), votes: String(39_999n * TOKEN), delegators: 1 },
      { account: lower(world.carol), votes: String(TOKEN), delegators: 1 },
    ]);
    const token = { address: world.deployment.token, abi: polderTokenAbi as Abi };
    await world.as(lower(world.carol), token.address, token.abi, "delegate", [lower(world.ben)]);
    expect(delegatesIn((await reader().snapshot()).history, 10).slice(1)).toEqual([
      { account: lower(world.ben), votes: String(40_000n * TOKEN), delegators: 2 },
    ]);
    await world.as(lower(world.carol), token.address, token.abi, "delegate", [lower(world.carol)]);
  });

  test("behavior: a pending proposal's quorum is said to be today's, an active one's is its snapshot's", async () => {
    const id = await world.propose(world.ann, [takeRate(120n)], "# Lower it\nbecause");
    const pending = await proposal(id);
    expect(pending).toMatchObject({
      title: "Lower it",
      proposer: lower(world.ann),
      state: "pending",
      waitsFor: "snapshot",
      quorum: { votes: String(40_000n * TOKEN), isAtSnapshot: false, isReached: false },
      calls: [{ contract: "rewardParameters", words: expect.stringContaining("takeRateBps to 120") }],
      changes: [{ region: REGION_ID, values: [{ name: "takeRateBps", value: "120", current: null }] }],
    });
    expect(pending.secondsLeft).toBe(VOTE.votingDelaySeconds + 1);
    await world.pass(VOTE.votingDelaySeconds + 1);
    // The supply grows after the snapshot: what it takes now is not what it took then.
    await world.as(world.deployment.settlement, world.deployment.token, polderTokenAbi as Abi, "mint", [
      lower(world.carol),
      50n * TOKEN,
    ]);
    await world.pass(1);
    const active = await proposal(id);
    expect(active).toMatchObject({
      state: "active",
      waitsFor: "end",
      quorum: { votes: String(40_000n * TOKEN), isAtSnapshot: true, asOfS: active.snapshotS },
    });
    const { timestamp } = await world.chain.client.getBlock();
    const now = await world.chain.client.readContract({
      address: world.deployment.governor,
      abi: polderGovernorAbi,
      functionName: "quorum",
      args: [timestamp - 1n],
    });
    expect(now).toBe(40_010n * TOKEN);
  });

  test("behavior: ballots are counted with their reasons, and a late quorum is seen to extend", async () => {
    const [open] = await proposals();
    const id = BigInt((open as ProposalAnswer).id);
    await world.govern(world.carol, "castVoteWithReason", [id, AGAINST, "too low"]);
    // Past the point from which reaching the quorum leaves less than the extension.
    await world.pass(VOTE.votingPeriodSeconds - 30);
    await world.govern(world.ann, "castVote", [id, FOR]);
    const { history } = await reader().snapshot();
    expect(ballotsIn(history, id.toString(), 10)).toMatchObject([
      { voter: lower(world.ann), support: "for", weight: String(60_000n * TOKEN) },
      { voter: lower(world.carol), support: "against", weight: String(TOKEN), reason: "too low" },
    ]);
    const extended = await proposal(id);
    expect(extended).toMatchObject({
      isExtended: true,
      quorum: { isReached: true },
      votes: { for: String(60_000n * TOKEN), against: String(TOKEN), abstain: "0" },
    });
    expect(extended.endsAtS).toBeGreaterThan((open as ProposalAnswer).endsAtS);
  });

  test("behavior: queued it has an operation of the timelock and a time; executed it is the governor's", async () => {
    const [open] = await proposals();
    const id = BigInt((open as ProposalAnswer).id);
    await world.pass(VOTE.lateQuorumSeconds + 2);
    expect(await proposal(id)).toMatchObject({ state: "succeeded", etaS: null, waitsFor: null });
    await world.govern(world.ben, "queue", [id]);
    const queued = await proposal(id);
    expect(queued).toMatchObject({ state: "queued", waitsFor: "eta", executedBy: null });
    const [operation] = await (await reader().snapshot()).operations();
    expect(operation).toMatchObject({
      id: queued.operationId,
      proposal: id.toString(),
      state: "waiting",
      readyAtS: queued.etaS,
    });
    await world.pass(VOTE.timelockDelaySeconds);
    await world.govern(world.ben, "execute", [id]);
    expect(await proposal(id)).toMatchObject({ state: "executed", executedBy: "governor" });
    expect((await (await reader().snapshot()).form(REGION_ID))?.values[TAKE_RATE]).toMatchObject({
      name: "takeRateBps",
      current: "120",
      isCoolingDown: true,
    });
  });

  test("behavior: what the timelock executed past the governor is told as that, also what no proposal made", async () => {
    const timelock = { address: world.deployment.timelock, abi: timelockControllerAbi as Abi };
    const stranger = "0x00000000000000000000000000000000000000f1" as Hex;
    for (const role of ["EXECUTOR_ROLE", "PROPOSER_ROLE", "CANCELLER_ROLE"])
      await world.asTimelock(timelock.address, timelock.abi, "grantRole", [
        keccak256(toBytes(role)),
        stranger,
      ]);
    const guardianship = {
      target: world.deployment.settlement,
      data: encodeFunctionData({
        abi: settlementAbi,
        functionName: "setGuardian",
        args: ["0x00000000000000000000000000000000000000aa"],
      }),
    };
    const passed = async (description: string): Promise<ProposalAnswer> => {
      const id = await world.propose(world.ann, [guardianship], description);
      await world.pass(VOTE.votingDelaySeconds + 1);
      await world.govern(world.ann, "castVote", [id, FOR]);
      await world.pass(VOTE.votingPeriodSeconds + 1);
      await world.govern(world.ann, "queue", [id]);
      await world.pass(VOTE.timelockDelaySeconds);
      return proposal(id);
    };
    const salt = (description: string): Hex => {
      const hash = keccak256(toBytes(describedBy(description, lower(world.ann))));
      return `0x${((BigInt(world.deployment.governor) << 96n) ^ BigInt(hash)).toString(16).padStart(64, "0")}`;
    };
    const none: Hex = `0x${"00".repeat(32)}`;
    const direct = await passed("direct");
    const batch = [[guardianship.target], [0n], [guardianship.data], none, salt("direct")];
    await world.as(stranger, timelock.address, timelock.abi, "executeBatch", batch);
    expect(await proposal(BigInt(direct.id))).toMatchObject({ state: "executed", executedBy: "timelock" });
    const stopped = await passed("stopped");
    await world.as(stranger, timelock.address, timelock.abi, "cancel", [stopped.operationId]);
    expect(await proposal(BigInt(stopped.id))).toMatchObject({ state: "cancelled", cancelledBy: "timelock" });
    const own = [guardianship.target, 0n, guardianship.data, none, `0x${"01".repeat(32)}`];
    const delay = BigInt(VOTE.timelockDelaySeconds);
    await world.as(stranger, timelock.address, timelock.abi, "schedule", [...own, delay]);
    const [newest] = await (await reader().snapshot()).operations();
    expect(newest).toMatchObject({
      proposal: null,
      state: "waiting",
      calls: [{ words: expect.stringContaining("guardian who may freeze") }],
    });
    await world.pass(VOTE.timelockDelaySeconds);
    expect((await (await reader().snapshot()).operations())[0]).toMatchObject({ state: "ready" });
    await world.as(stranger, timelock.address, timelock.abi, "execute", own);
    expect((await (await reader().snapshot()).operations())[0]).toMatchObject({ state: "executed" });
  });

  test("invariant: a hundred who look at one block ask the chain once, and after a second only whether it is still the same", async () => {
    const one = reader();
    await one.snapshot();
    asked = [];
    const all = await Promise.all(
      Array.from({ length: 100 }, async () => (await one.snapshot()).proposals()),
    );
    expect(new Set(all).size).toBe(1);
    const calls = asked.filter((method) => method === "eth_call").length;
    nowMs += 1_001;
    asked = [];
    await Promise.all(Array.from({ length: 100 }, async () => (await one.snapshot()).proposals()));
    expect(asked.sort()).toEqual(["eth_blockNumber", "eth_chainId", "eth_getBlockByNumber"]);
    console.log("calls for all proposals, once a block:", calls);
  });

  test("rejects: to show proposals where an event of one is missing", async () => {
    const late = { ...settings(), deployedAtBlock: Number(await world.chain.client.getBlockNumber()) };
    const anew = new VoteReader({ settings: late, kept: new HistoryInMemory(), wallMs: () => 0 });
    await expect((await anew.snapshot()).proposals()).rejects.toThrow(
      /the governor has 3 proposals, and events of 0 were found/,
    );
  });

  test("invariant: what is kept and read on from says the same as what was read from the beginning", async () => {
    await world.chain.client.mine({ blocks: 4 });
    const known = await reader().snapshot();
    const anew = new VoteReader({ settings: settings(), kept: new HistoryInMemory(), wallMs: () => 0 });
    const fresh = await anew.snapshot();
    for (const kind of ["proposals", "operations", "delegates", "ballots"] as const)
      expect([...known.history[kind]].sort()).toEqual([...fresh.history[kind]].sort());
    expect(await known.proposals()).toEqual(await fresh.proposals());
  });

  test("behavior: a long search that breaks off goes on from where it was", async () => {
    const before = kept.kept as number;
    await world.chain.client.mine({ blocks: 25 });
    spoil = (methods) => (methods.includes("eth_getLogs") && kept.kept !== before ? "<html>" : null);
    await expect(reader({}, 10).snapshot()).rejects.toMatchObject({ problem: { code: "rpc_malformed" } });
    expect(kept.kept).toBe(before + 10);
    spoil = null;
    const { history } = await reader({}, 10).snapshot();
    expect(kept.kept).toBeGreaterThan(before + 20);
    expect(history.proposals.size).toBe(3);
  });
});
