// Owns the promise that votes are answered over HTTP as the chain has them, that drafts and proposals come with their effect on
// what was really paid, and that a chain that is away is said to be. It refuses a deployment that is not a real one.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRegion } from "../../clients/local/neighbourhood.ts";
import type { Stack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { VoteClient } from "../../clients/sdk/vote-client.ts";
import type { Draft } from "../../governance/forms/draft.ts";
import { proposalOf } from "../../governance/forms/draft.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID, MAX_DRAFTS_PER_MINUTE, MAX_NEW_REGIONS_PER_MINUTE } from "../../protocol/limits.ts";
import { type EndpointServer, startEndpoint } from "../mirror/endpoint-server.ts";
import { SEED, termsOf, varsOf } from "../support/client-region.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { TOKEN, VOTE } from "../support/vote-file.ts";
import { lower, REGION_ID, VotedChain } from "../support/voted-chain.ts";
import { startVotedStack } from "../support/voted-stack.ts";

/** Half an hour a second: an epoch of an hour is over after two. */
const RATE = 1_800;
const CHANGE: Draft = {
  description: "More for everybody",
  calls: [
    { call: "changeValues", region: REGION_ID, values: { emissionPerEpoch: "1200", takeRateBps: 125 } },
  ],
};

describe.skipIf(!hasAnvil)("votes over HTTP (skipped where npm has no anvil for the machine)", () => {
  let world: VotedChain;
  let endpoint: EndpointServer;
  let stack: Stack;
  let client: PolderClient;
  let votes: VoteClient;
  const refused = async (work: () => Promise<unknown>): Promise<[ErrorCode, object]> => {
    try {
      await work();
    } catch (error) {
      const { code, facts } = error as { code: ErrorCode; facts: object };
      return [code, facts];
    }
    throw new Error("was not refused");
  };

  beforeAll(async () => {
    world = await VotedChain.start();
    endpoint = await startEndpoint(world.chain.url);
    stack = await startVotedStack(world, { ...varsOf(RATE), CHAIN_RPC: endpoint.url });
    client = new PolderClient(stack.url, { retries: 0 });
    votes = new VoteClient(client);
  }, 60_000);
  afterAll(async () => {
    await stack?.stop();
    await endpoint?.stop();
    await world?.stop();
  });

  test("rejects: proposals and regions that are not there, and what is no number or draft", async () => {
    const none = await refused(() => votes.proposal("17"));
    expect(none).toEqual(["proposal_not_found", { proposal: "17" }]);
    expect((await refused(() => votes.preview("17")))[0]).toBe("proposal_not_found");
    expect(await refused(() => votes.parameters("atlantis"))).toEqual([
      "region_not_found",
      { region: "atlantis" },
    ]);
    for (const path of [
      "proposals/x",
      "proposals/-1",
      `proposals/${"1".repeat(79)}`,
      "proposals?from=-1",
      "proposals?more=1",
    ])
      expect((await refused(() => client.get(`/v1/governance/${path}`)))[0], path).toBe("malformed_request");
    const draft = (body: object) => refused(() => client.send("POST", "/v1/governance/drafts", body));
    const proposer = lower(world.ann);
    for (const body of [
      {},
      CHANGE,
      { ...CHANGE, proposer, calls: [] },
      { ...CHANGE, proposer, preview: { epochs: 31 } },
      { ...CHANGE, proposer, more: 1 },
    ])
      expect((await draft(body))[0], JSON.stringify(body)).toBe("malformed_request");
    const other = { call: "otherCall", target: proposer, signature: "f(uint8)", values: ["x"] };
    expect(await draft({ description: "x", calls: [other], proposer })).toEqual([
      "malformed_request",
      { path: "calls.0", expected: "uint8 takes a whole number" },
    ]);
  });

  test("rejects: everything while the chain is away, saying so; afterwards it goes on", async () => {
    await world.chain.client.mine({ blocks: 1 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    endpoint.passing = () => {
      throw new Error("away");
    };
    const [code, facts] = await refused(() => votes.overview());
    expect([code, facts]).toMatchObject(["chain_away", { problem: "rpc_away" }]);
    endpoint.passing = null;
    expect((await votes.overview()).chainId).toBe(LOCAL_CHAIN_ID);
  });

  test("behavior: contracts, settings, token and treasury are the deployment's", async () => {
    const { governor, timelock, token, callList, rewardParameters, settlement, meterRegistry, quote } =
      world.deployment;
    const overview = await votes.overview();
    expect(overview).toMatchObject({
      chainId: LOCAL_CHAIN_ID,
      contracts: { governor, timelock, token, callList, rewardParameters, settlement, meterRegistry, quote },
      settings: {
        votingDelaySeconds: VOTE.votingDelaySeconds,
        votingPeriodSeconds: VOTE.votingPeriodSeconds,
        lateQuorumSeconds: VOTE.lateQuorumSeconds,
        timelockDelaySeconds: VOTE.timelockDelaySeconds,
        quorumPercent: VOTE.quorumPercent,
        proposalThreshold: VOTE.proposalThreshold,
        guardian: lower(world.guardian),
      },
      token: { symbol: "POLDER", decimals: 18, supply: String(200_000n * TOKEN), cap: VOTE.cap },
      treasury: { account: timelock, quoteMicros: "0", tokens: String(100_000n * TOKEN), wei: "0" },
      proposals: 0,
      relay: null,
    });
    await world.chain.client.setBalance({ address: timelock, value: 77n });
    await world.chain.client.mine({ blocks: 1 });
    await expect.poll(async () => (await votes.overview()).treasury.wei).toBe("77");
  });

  test("behavior: a draft of a region without a past has its refusals and no effect; with one, what it would have done", {
    timeout: 60_000,
  }, async () => {
    const proposer = lower(world.ann);
    const early = await votes.checkDraft(CHANGE, proposer, { epochs: 5 });
    expect(early).toMatchObject({ refusals: [], previews: [] });
    const { profile, ...terms } = termsOf({ proofDelaySeconds: 60 });
    await openRegion(client, SEED, { ...terms, profile: { ...profile, region: REGION_ID }, epochSlots: 4 });
    await expect
      .poll(
        async () => (await votes.checkDraft(CHANGE, proposer, { epochs: 5 })).previews[0]?.epochs.length ?? 0,
        {
          timeout: 30_000,
          interval: 500,
        },
      )
      .toBeGreaterThan(0);
    const { previews } = await votes.checkDraft(CHANGE, proposer, { epochs: 1, account: proposer });
    expect(previews).toMatchObject([
      { region: REGION_ID, restartsEmission: true, epochs: [{ previewEmission: "1200" }], own: null },
    ]);
    expect((await votes.checkDraft(CHANGE, proposer)).previews).toEqual([]);
  });

  test("behavior: a proposal's effect is that of its calls, decoded from the chain", {
    timeout: 60_000,
  }, async () => {
    const { targets, calldatas } = proposalOf(CHANGE, lower(world.ann), world.contracts);
    const calls = targets.map((target, place) => ({ target, data: calldatas[place] as Hex }));
    const id = (await world.propose(world.ann, calls, CHANGE.description)).toString();
    await expect.poll(async () => (await votes.proposals()).length).toBe(1);
    const { proposal } = await votes.proposal(id);
    expect(proposal).toMatchObject({
      changes: [
        {
          region: REGION_ID,
          values: [
            { name: "emissionPerEpoch", current: "1000", value: "1200" },
            { name: "takeRateBps", current: "100", value: "125" },
          ],
        },
      ],
    });
    const [preview] = await votes.preview(id, { epochs: 1 });
    expect(preview).toMatchObject({ region: REGION_ID, epochs: [{ previewEmission: "1200" }] });
  });

  test("rejects: more drafts in a minute than the endpoints can bear", { timeout: 60_000 }, async () => {
    const codes: unknown[] = [];
    for (let asked = 0; asked <= 2 * MAX_DRAFTS_PER_MINUTE && !codes.includes("overloaded"); asked += 1)
      codes.push(
        await votes.checkDraft(CHANGE, lower(world.ben)).then(
          () => "answered",
          (error) => error.code,
        ),
      );
    expect(codes).toContain("overloaded");
    // What is read, and not made, is answered all the same.
    expect((await votes.proposals()).length).toBe(1);
  });

  test("rejects: more invented regions in a minute than the endpoints can bear; known ones are answered", {
    timeout: 60_000,
  }, async () => {
    await votes.parameters(REGION_ID);
    const codes: unknown[] = [];
    for (let place = 0; place <= 2 * MAX_NEW_REGIONS_PER_MINUTE && !codes.includes("overloaded"); place += 1)
      codes.push((await refused(() => votes.parameters(`atlantis-${place}`)))[0]);
    expect(codes.slice(0, -1).every((code) => code === "region_not_found")).toBe(true);
    expect(codes.at(-1)).toBe("overloaded");
    expect((await votes.parameters(REGION_ID)).region).toBe(REGION_ID);
  });
});
