// Owns the promise that the relay sends what voters signed, once, and nothing else: refusals first, then ballots, and a process
// that is killed before and after it sends. It refuses a chain, or a deployment, that is not a real one.

import type { Hex, LocalAccount } from "viem";
import { encodeFunctionData } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Stack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { VoteClient } from "../../clients/sdk/vote-client.ts";
import { type SignedBallot, signBallot } from "../../clients/votes/vote-wallet.ts";
import { walletOf } from "../../evidence/wallet-key.ts";
import { type Ballot, ownBallotCall, type Support, signedBallotCall } from "../../governance/forms/ballot.ts";
import { polderGovernorAbi, rewardParametersAbi } from "../../governance/generated/abi.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { type EndpointServer, startEndpoint } from "../mirror/endpoint-server.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { TOKEN, VOTE } from "../support/vote-file.ts";
import { lower, VotedChain } from "../support/voted-chain.ts";
import { startVotedStack } from "../support/voted-stack.ts";

const RELAY_KEY = "7e".repeat(32);
const RELAY = walletOf(`0x${RELAY_KEY}`);
/** Each has a hundred tokens, no ether, and is at the relay once or twice. */
const VOTERS: readonly LocalAccount[] = Array.from({ length: 14 }, (_, place) =>
  privateKeyToAccount(`0x${(0x5000 + place).toString(16).padStart(64, "0")}`),
);
const voter = (place: number): LocalAccount => VOTERS[place] as LocalAccount;
const eventually = { timeout: 15_000, interval: 50 };

describe.skipIf(!hasAnvil)("the relay of ballots (skipped where npm has no anvil for the machine)", () => {
  let world: VotedChain;
  let endpoint: EndpointServer;
  let stack: Stack;
  let client: PolderClient;
  let votes: VoteClient;
  let open: string;
  let made = 0;

  const begin = async (vars: Record<string, string> = {}) => {
    const port = stack?.port ?? 0;
    await stack?.stop();
    stack = await startVotedStack(
      world,
      {
        CHAIN_RPC: endpoint.url,
        RELAY_KEY,
        RELAY_BUDGET_WEI: String(10n ** 18n),
        RELAY_MINIMUM_VOTES: String(2n * TOKEN),
        ...vars,
      },
      { port },
    );
    client = new PolderClient(stack.url, { retries: 0 });
    votes = new VoteClient(client);
  };
  /** A proposal that takes votes, or is about to. */
  const proposed = async (isActive = true): Promise<string> => {
    made += 1;
    const data = encodeFunctionData({
      abi: rewardParametersAbi,
      functionName: "change",
      args: [`0x${"00".repeat(32)}`, [{ parameter: 7, value: 110n }]],
    });
    const target = world.deployment.rewardParameters;
    const id = await world.propose(world.ann, [{ target, data }], `Number ${made}`);
    if (isActive) await world.pass(VOTE.votingDelaySeconds + 1);
    return id.toString();
  };
  /** A proposal that the deployment shows as taking votes. */
  const opened = async (): Promise<string> => {
    const id = await proposed();
    const shown = () =>
      votes.proposal(id).then(
        ({ proposal }) => proposal.state,
        () => null,
      );
    await expect.poll(shown, eventually).toBe("active");
    return id;
  };
  const signed = (
    wallet: LocalAccount,
    proposal: string,
    more: Partial<Ballot> = {},
  ): Promise<SignedBallot> =>
    signBallot(
      wallet,
      { chainId: LOCAL_CHAIN_ID, governor: world.deployment.governor },
      { proposal, support: "for", nonce: 0, reason: "", ...more },
    );
  const refused = async (ballot: object): Promise<[ErrorCode, Record<string, unknown>]> => {
    try {
      await votes.relay(ballot as SignedBallot);
    } catch (error) {
      const { code, facts } = error as { code: ErrorCode; facts: Record<string, unknown> };
      return [code, facts];
    }
    throw new Error("was not refused");
  };
  const governor = (functionName: "hasVoted" | "proposalVotes" | "nonces", args: readonly unknown[]) =>
    world.chain.client.readContract({
      address: world.deployment.governor,
      abi: polderGovernorAbi,
      functionName,
      args,
    } as never) as Promise<unknown>;
  const hasVoted = (proposal: string, wallet: LocalAccount) =>
    governor("hasVoted", [BigInt(proposal), wallet.address]);
  const relayNonce = () => world.chain.client.getTransactionCount({ address: RELAY });
  const spent = async (): Promise<bigint> => BigInt((await votes.overview()).relay?.spentWei ?? -1);
  const stageOf = async (proposal: string, wallet: LocalAccount) =>
    (await votes.voter(proposal, lower(wallet))).relayed?.stage;

  beforeAll(async () => {
    world = await VotedChain.start(
      VOTERS.map((wallet) => ({ account: lower(wallet), amount: String(100n * TOKEN) })),
    );
    endpoint = await startEndpoint(world.chain.url);
    await world.chain.client.setBalance({ address: RELAY, value: 10n ** 19n });
    open = await proposed();
  }, 60_000);
  afterEach(() => world.chain.client.setAutomine(true));
  afterAll(async () => {
    await stack?.stop();
    await endpoint?.stop();
    await world?.stop();
  });

  test("rejects: everything while the deployment has no key for it, with the call for the voter's own wallet", async () => {
    await begin({ RELAY_KEY: "" });
    expect((await votes.overview()).relay).toBeNull();
    const ballot = await signed(voter(0), open, { reason: "because" });
    expect(await refused(ballot)).toEqual([
      "relay_closed",
      { to: world.deployment.governor, data: ownBallotCall(ballot) },
    ]);
    await begin({ GOVERNOR: `0x${"00".repeat(20)}` });
    expect((await refused(ballot))[0]).toBe("governance_missing");
  });

  test("rejects: signatures that are no voter's, and bodies that ask for any other call", async () => {
    await begin();
    const ballot = await signed(voter(0), open);
    const other = await signed(voter(1), open);
    const elsewhere = await signBallot(
      voter(0),
      { chainId: LOCAL_CHAIN_ID, governor: world.deployment.timelock },
      { proposal: open, support: "for", nonce: 0, reason: "" },
    );
    const cases: [object, ErrorCode][] = [
      [{ ...ballot, signature: "0x12" }, "signature_malformed"],
      [{ ...ballot, signature: `${ballot.signature.slice(0, -2)}05` }, "signature_malformed"],
      [{ ...ballot, signature: other.signature }, "signature_invalid"],
      [{ ...ballot, voter: lower(world.ann) }, "signature_invalid"],
      [{ ...ballot, support: "against" }, "signature_invalid"],
      [{ ...ballot, nonce: 1 }, "signature_invalid"],
      [{ ...ballot, reason: "put into my mouth" }, "signature_invalid"],
      [elsewhere, "signature_invalid"],
      [{ ...ballot, support: "maybe" }, "malformed_request"],
      [{ ...ballot, reason: "x".repeat(513) }, "malformed_request"],
      [{ ...ballot, params: "0x01" }, "malformed_request"],
      [{ ...ballot, to: world.deployment.token }, "malformed_request"],
      [{ ...ballot, data: "0xa9059cbb" }, "malformed_request"],
      [{ ...ballot, proposal: "-1" }, "malformed_request"],
    ];
    for (const [body, code] of cases) expect((await refused(body))[0], JSON.stringify(body)).toBe(code);
    expect(await relayNonce()).toBe(0);
    expect(await spent()).toBe(0n);
  });

  test("rejects: proposals that take no votes, voters with too few, another nonce; nothing is sent or spent", async () => {
    const stranger = privateKeyToAccount(`0x${"99".repeat(32)}`);
    const pending = await proposed(false);
    expect(await refused(await signed(voter(0), "12345"))).toEqual([
      "proposal_not_found",
      { proposal: "12345" },
    ]);
    const early = await signed(voter(0), pending);
    await expect.poll(() => refused(early), eventually).toEqual(["vote_not_open", { state: "pending" }]);
    const few = await signed(world.carol, open);
    expect(await refused(few)).toEqual([
      "votes_below_minimum",
      {
        votes: String(TOKEN),
        minimumVotes: String(2n * TOKEN),
        to: world.deployment.governor,
        data: ownBallotCall(few),
      },
    ]);
    expect((await refused(await signed(stranger, open)))[0]).toBe("votes_below_minimum");
    expect(await refused(await signed(voter(0), open, { nonce: 5 }))).toEqual([
      "ballot_nonce_wrong",
      { nonce: 0, got: 5 },
    ]);
    expect(await relayNonce()).toBe(0);
    expect(await spent()).toBe(0n);
  });

  test("rejects: what the governor would not count, when it is asked just before", async () => {
    const ballot = await signed(world.ben, open);
    endpoint.passing = async (methods) => {
      if (!methods.includes("eth_estimateGas")) return;
      endpoint.passing = null;
      await world.govern(world.ben, "castVote", [BigInt(open), 0]);
    };
    expect(await refused(ballot)).toMatchObject([
      "ballot_refused",
      { refusal: "GovernorAlreadyCastVote", voter: world.ben.address },
    ]);
    expect((await refused(ballot))[0]).toBe("already_voted");
    expect([await relayNonce(), await spent()]).toEqual([0, 0n]);
  });

  test("rejects: a voter who asks all the time", async () => {
    const wrong = async (nonce: number) => (await refused(await signed(voter(11), open, { nonce })))[0];
    for (let asked = 1; asked <= 10; asked += 1) expect(await wrong(asked)).toBe("ballot_nonce_wrong");
    const [code, facts] = await refused(await signed(voter(11), open));
    expect([code, facts.limit]).toEqual(["rate_limited", 10]);
    expect(facts.retryAfterSeconds).toBeGreaterThan(0);
    await begin();
    expect(await wrong(1)).toBe("rate_limited");
    // Others are not held up by it.
    expect((await refused(await signed(voter(10), open, { nonce: 3 })))[0]).toBe("ballot_nonce_wrong");
  });

  test("behavior: a ballot is sent once and paid for by the relay; again it is the same answer, another way it is refused", async () => {
    const ballot = await signed(voter(0), open, { reason: "fair to all" });
    const sent = await votes.relay(ballot);
    expect(sent).toMatchObject({ voter: lower(voter(0)), support: "for", stage: "sent" });
    expect(await votes.relay(ballot)).toMatchObject({ transaction: sent.transaction });
    expect((await refused(await signed(voter(0), open, { support: "against" })))[0]).toBe("already_voted");
    await world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => stageOf(open, voter(0)), eventually).toBe("counted");
    expect(await hasVoted(open, voter(0))).toBe(true);
    expect(await governor("nonces", [voter(0).address])).toBe(1n);
    const receipt = await world.chain.client.getTransactionReceipt({ hash: sent.transaction as Hex });
    expect(await spent()).toBe(receipt.gasUsed * receipt.effectiveGasPrice);
    const { ballots } = await votes.proposal(open);
    expect(ballots).toContainEqual(
      expect.objectContaining({ voter: lower(voter(0)), support: "for", reason: "fair to all" }),
    );
    console.log("gas of a relayed ballot with a reason:", receipt.gasUsed);
  });

  test("behavior: killed before it sends, and again after, a ballot gets in once", {
    timeout: 90_000,
  }, async () => {
    const before = await relayNonce();
    for (const [place, isAfter] of [
      [1, false],
      [2, true],
    ] as const) {
      let sends = 0;
      endpoint.passing = async (methods) => {
        if (!methods.includes("eth_sendRawTransaction")) return;
        sends += 1;
        if (sends > 1) return;
        // Noted, but on its way to nobody; or with the endpoint, and the answer lost.
        if (isAfter) setTimeout(() => process.kill(stack.workerdPid, "SIGKILL"), 20);
        else {
          process.kill(stack.workerdPid, "SIGKILL");
          throw new Error("the connection breaks");
        }
      };
      const ballot = await signed(voter(place), open, { support: "abstain" });
      await votes.relay(ballot).catch(() => {});
      await expect.poll(() => hasVoted(open, voter(place)), eventually).toBe(true);
      endpoint.passing = null;
      await world.chain.client.mine({ blocks: 4 });
      await expect.poll(() => stageOf(open, voter(place)).catch(() => null), eventually).toBe("counted");
      expect(await votes.relay(ballot)).toMatchObject({ stage: "counted" });
    }
    expect(await relayNonce()).toBe(before + 2);
  });

  test("behavior: many at once get in, each under its own nonce", async () => {
    const before = await relayNonce();
    const ballots = await Promise.all([3, 4, 5, 6, 7].map((place) => signed(voter(place), open)));
    await world.chain.client.setAutomine(false);
    const sent = await Promise.all(ballots.map((ballot) => votes.relay(ballot)));
    expect(new Set(sent.map(({ transaction }) => transaction)).size).toBe(5);
    await world.chain.client.setAutomine(true);
    await world.chain.client.mine({ blocks: 4 });
    for (const place of [3, 4, 5, 6, 7])
      await expect.poll(() => stageOf(open, voter(place)), eventually).toBe("counted");
    expect(await relayNonce()).toBe(before + 5);
  });

  test("rejects: a second ballot under a nonce that one on its way has; it is taken when that is in a block", async () => {
    const [first, second] = [await opened(), await opened()];
    await world.chain.client.setAutomine(false);
    await votes.relay(await signed(voter(12), first));
    const before = await spent();
    expect(await refused(await signed(voter(12), second))).toEqual([
      "ballot_nonce_wrong",
      { nonce: 1, got: 0, waitsFor: first },
    ]);
    expect(await spent()).toBe(before);
    await world.chain.client.setAutomine(true);
    await world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => stageOf(first, voter(12)), eventually).toBe("counted");
    await votes.relay(await signed(voter(12), second, { nonce: 1 }));
    await world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => stageOf(second, voter(12)), eventually).toBe("counted");
  });

  test("behavior: what a refused ballot has cost stays spent when the voter's next one takes its place", async () => {
    const [first, second] = [await opened(), await opened()];
    const [place, spentBefore] = [voter(13), await spent()];
    await world.chain.client.setAutomine(false);
    const lost = await votes.relay(await signed(place, first));
    const sent = await world.chain.client.getTransaction({ hash: lost.transaction as Hex });
    // The same nonce, used up by another ballot that somebody sends at a higher fee.
    const { wallet } = world.sender(world.ann);
    await wallet.sendTransaction({
      to: sent.to as Hex,
      data: signedBallotCall(await signed(place, second), (await signed(place, second)).signature),
      gas: 300_000n,
      maxFeePerGas: 10n * (sent.maxFeePerGas as bigint),
      maxPriorityFeePerGas: 10n * (sent.maxPriorityFeePerGas as bigint),
    });
    await world.chain.client.setAutomine(true);
    await world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => stageOf(first, place), eventually).toBe("refused");
    const next = await votes.relay(await signed(place, first, { nonce: 1 }));
    await world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => stageOf(first, place), eventually).toBe("counted");
    const receipts = await Promise.all(
      [lost, next].map(({ transaction }) =>
        world.chain.client.getTransactionReceipt({ hash: transaction as Hex }),
      ),
    );
    expect(receipts.map(({ status }) => status)).toEqual(["reverted", "success"]);
    const paid = receipts.reduce(
      (sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice,
      0n,
    );
    expect(await spent()).toBe(spentBefore + paid);
  });

  test("behavior: ballots that keep coming do not put off those before them", {
    timeout: 60_000,
  }, async () => {
    const pollMs = 1_500;
    await begin({ CHAIN_POLL_SECONDS: String(pollMs / 1_000) });
    const proposal = await opened();
    const next = async (place: number) => {
      const nonce = Number(await governor("nonces", [voter(place).address]));
      return signed(voter(place), proposal, { nonce });
    };
    await votes.relay(await next(0));
    const beganMs = Date.now();
    let followedMs: number | null = null;
    for (const place of [1, 2, 3, 4]) {
      await new Promise((resolve) => setTimeout(resolve, pollMs / 2));
      await votes.relay(await next(place));
      await world.chain.client.mine({ blocks: 4 });
      if (followedMs === null && (await stageOf(proposal, voter(0))) !== "sent")
        followedMs = Date.now() - beganMs;
    }
    expect(followedMs).not.toBeNull();
    for (const place of [0, 1, 2, 3, 4])
      await expect.poll(() => stageOf(proposal, voter(place)), eventually).toBe("counted");
    await begin();
  });

  test("rejects: ballots beyond the day's budget, with the call that needs no relay; the budget survives a restart", async () => {
    const one = await signed(voter(8), open);
    const spentBefore = await spent();
    await begin({ RELAY_BUDGET_WEI: spentBefore.toString() });
    const [code, facts] = await refused(one);
    expect([code, facts]).toMatchObject([
      "relay_budget_spent",
      {
        budgetWei: spentBefore.toString(),
        spentWei: spentBefore.toString(),
        to: world.deployment.governor,
        data: ownBallotCall(one),
      },
    ]);
    expect(await hasVoted(open, voter(8))).toBe(false);
    await begin({ RELAY_BUDGET_WEI: (spentBefore + 1_000n).toString() });
    expect(await refused(one)).toMatchObject(["relay_budget_spent", { wouldCostWei: expect.any(String) }]);
    await world.chain.client.setBalance({ address: RELAY, value: 5n });
    await begin();
    expect(await refused(one)).toMatchObject(["relay_budget_spent", { relayHasWei: "5" }]);
    expect(await spent()).toBe(spentBefore);
    // The call that was shown, from the voter's own wallet.
    await world.chain.client.setBalance({ address: voter(8).address, value: 10n ** 18n });
    const { client: own, wallet } = world.sender(voter(8));
    const hash = await wallet.sendTransaction({ to: facts.to as Hex, data: facts.data as Hex });
    await own.waitForTransactionReceipt({ hash });
    expect(await hasVoted(open, voter(8))).toBe(true);
    await world.chain.client.setBalance({ address: RELAY, value: 10n ** 19n });
    expect((await refused(one))[0]).toBe("already_voted");
  });

  test("behavior: a ballot that somebody takes out of the pool and sends first counts once; the relay paid for its try", async () => {
    const ballot = await signed(voter(9), open);
    await world.chain.client.setAutomine(false);
    const sent = await votes.relay(ballot);
    const pending = await world.chain.client.getTransaction({ hash: sent.transaction as Hex });
    const { wallet } = world.sender(world.ann);
    await wallet.sendTransaction({
      to: pending.to as Hex,
      data: pending.input,
      gas: 300_000n,
      maxFeePerGas: 10n * (pending.maxFeePerGas as bigint),
      maxPriorityFeePerGas: 10n * (pending.maxPriorityFeePerGas as bigint),
    });
    await world.chain.client.setAutomine(true);
    await world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => hasVoted(open, voter(9)), eventually).toBe(true);
    await expect.poll(() => stageOf(open, voter(9)), eventually).toMatch(/refused|counted/);
    expect((await refused(ballot))[0]).toBe("already_voted");
    const [against, inFavour] = (await governor("proposalVotes", [BigInt(open)])) as bigint[];
    expect([against, inFavour]).toEqual([39_999n * TOKEN, 800n * TOKEN]);
  });

  test("rejects: votes on a proposal whose time is over", async () => {
    await world.pass(VOTE.votingPeriodSeconds + 1);
    const late: Support = "for";
    await expect
      .poll(async () => refused(await signed(voter(10), open, { support: late })), eventually)
      .toMatchObject(["vote_not_open", { state: "defeated" }]);
  });
});
