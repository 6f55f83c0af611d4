// Owns the promise that the relay sends what voters signed, once, and nothing else: refusals first, then ballots, and a process
// that is killed before and after it sends. It refuses a chain, or a deployment, that is not a real one.

import type { Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signBallot } from "../../clients/votes/vote-wallet.ts";
import { ownBallotCall, type Support } from "../../governance/forms/ballot.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { TOKEN, VOTE } from "../support/vote-file.ts";
import { lower } from "../support/voted-chain.ts";
import { eventually, RELAY, RelayWorld, voter } from "./relay-world.ts";

describe.skipIf(!hasAnvil)("the relay of ballots (skipped where npm has no anvil for the machine)", () => {
  let relay: RelayWorld;

  beforeAll(async () => {
    relay = await RelayWorld.start();
  }, 60_000);
  afterEach(() => relay.world.chain.client.setAutomine(true));
  afterAll(() => relay?.stop());

  test("rejects: everything while the deployment has no key for it, with the call for the voter's own wallet", async () => {
    await relay.begin({ RELAY_KEY: "" });
    expect((await relay.votes.overview()).relay).toBeNull();
    const ballot = await relay.signed(voter(0), relay.open, { reason: "because" });
    expect(await relay.refused(ballot)).toEqual([
      "relay_closed",
      { to: relay.world.deployment.governor, data: ownBallotCall(ballot) },
    ]);
    await relay.begin({ GOVERNOR: `0x${"00".repeat(20)}` });
    expect((await relay.refused(ballot))[0]).toBe("governance_missing");
  });

  test("rejects: signatures that are no voter's, and bodies that ask for any other call", async () => {
    await relay.begin();
    const ballot = await relay.signed(voter(0), relay.open);
    const other = await relay.signed(voter(1), relay.open);
    const elsewhere = await signBallot(
      voter(0),
      { chainId: LOCAL_CHAIN_ID, governor: relay.world.deployment.timelock },
      { proposal: relay.open, support: "for", nonce: 0, reason: "" },
    );
    const cases: [object, ErrorCode][] = [
      [{ ...ballot, signature: "0x12" }, "signature_malformed"],
      [{ ...ballot, signature: `${ballot.signature.slice(0, -2)}05` }, "signature_malformed"],
      [{ ...ballot, signature: other.signature }, "signature_invalid"],
      [{ ...ballot, voter: lower(relay.world.ann) }, "signature_invalid"],
      [{ ...ballot, support: "against" }, "signature_invalid"],
      [{ ...ballot, nonce: 1 }, "signature_invalid"],
      [{ ...ballot, reason: "put into my mouth" }, "signature_invalid"],
      [elsewhere, "signature_invalid"],
      [{ ...ballot, support: "maybe" }, "malformed_request"],
      [{ ...ballot, reason: "x".repeat(513) }, "malformed_request"],
      [{ ...ballot, params: "0x01" }, "malformed_request"],
      [{ ...ballot, to: relay.world.deployment.token }, "malformed_request"],
      [{ ...ballot, data: "0xa9059cbb" }, "malformed_request"],
      [{ ...ballot, proposal: "-1" }, "malformed_request"],
    ];
    for (const [body, code] of cases) expect((await relay.refused(body))[0], JSON.stringify(body)).toBe(code);
    expect(await relay.relayNonce()).toBe(0);
    expect(await relay.spent()).toBe(0n);
  });

  test("rejects: proposals that take no votes, voters with too few, another nonce; nothing is sent or spent", async () => {
    const stranger = privateKeyToAccount(`0x${"99".repeat(32)}`);
    const pending = await relay.proposed(false);
    expect(await relay.refused(await relay.signed(voter(0), "12345"))).toEqual([
      "proposal_not_found",
      { proposal: "12345" },
    ]);
    const early = await relay.signed(voter(0), pending);
    await expect
      .poll(() => relay.refused(early), eventually)
      .toEqual(["vote_not_open", { state: "pending" }]);
    const few = await relay.signed(relay.world.carol, relay.open);
    expect(await relay.refused(few)).toEqual([
      "votes_below_minimum",
      {
        votes: String(TOKEN),
        minimumVotes: String(2n * TOKEN),
        to: relay.world.deployment.governor,
        data: ownBallotCall(few),
      },
    ]);
    expect((await relay.refused(await relay.signed(stranger, relay.open)))[0]).toBe("votes_below_minimum");
    expect(await relay.refused(await relay.signed(voter(0), relay.open, { nonce: 5 }))).toEqual([
      "ballot_nonce_wrong",
      { nonce: 0, got: 5 },
    ]);
    expect(await relay.relayNonce()).toBe(0);
    expect(await relay.spent()).toBe(0n);
  });

  test("rejects: what the governor would not count, when it is asked just before", async () => {
    const ballot = await relay.signed(relay.world.ben, relay.open);
    relay.endpoint.passing = async (methods) => {
      if (!methods.includes("eth_estimateGas")) return;
      relay.endpoint.passing = null;
      await relay.world.govern(relay.world.ben, "castVote", [BigInt(relay.open), 0]);
    };
    expect(await relay.refused(ballot)).toMatchObject([
      "ballot_refused",
      { refusal: "GovernorAlreadyCastVote", voter: relay.world.ben.address },
    ]);
    expect((await relay.refused(ballot))[0]).toBe("already_voted");
    expect([await relay.relayNonce(), await relay.spent()]).toEqual([0, 0n]);
  });

  test("rejects: a voter who asks all the time", async () => {
    const wrong = async (nonce: number) =>
      (await relay.refused(await relay.signed(voter(11), relay.open, { nonce })))[0];
    for (let asked = 1; asked <= 10; asked += 1) expect(await wrong(asked)).toBe("ballot_nonce_wrong");
    const [code, facts] = await relay.refused(await relay.signed(voter(11), relay.open));
    expect([code, facts.limit]).toEqual(["rate_limited", 10]);
    expect(facts.retryAfterSeconds).toBeGreaterThan(0);
    await relay.begin();
    expect(await wrong(1)).toBe("rate_limited");
    // Others are not held up by it.
    expect((await relay.refused(await relay.signed(voter(10), relay.open, { nonce: 3 })))[0]).toBe(
      "ballot_nonce_wrong",
    );
  });

  test("behavior: a ballot is sent once and paid for by the relay; again it is the same answer, another way it is refused", async () => {
    const ballot = await relay.signed(voter(0), relay.open, { reason: "fair to all" });
    const sent = await relay.votes.relay(ballot);
    expect(sent).toMatchObject({ voter: lower(voter(0)), support: "for", stage: "sent" });
    expect(await relay.votes.relay(ballot)).toMatchObject({ transaction: sent.transaction });
    expect((await relay.refused(await relay.signed(voter(0), relay.open, { support: "against" })))[0]).toBe(
      "already_voted",
    );
    await relay.world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => relay.stageOf(relay.open, voter(0)), eventually).toBe("counted");
    expect(await relay.hasVoted(relay.open, voter(0))).toBe(true);
    expect(await relay.governor("nonces", [voter(0).address])).toBe(1n);
    const receipt = await relay.world.chain.client.getTransactionReceipt({ hash: sent.transaction as Hex });
    expect(await relay.spent()).toBe(receipt.gasUsed * receipt.effectiveGasPrice);
    const { ballots } = await relay.votes.proposal(relay.open);
    expect(ballots).toContainEqual(
      expect.objectContaining({ voter: lower(voter(0)), support: "for", reason: "fair to all" }),
    );
    console.log("gas of a relayed ballot with a reason:", receipt.gasUsed);
  });

  test("behavior: killed before it sends, and again after, a ballot gets in once", {
    timeout: 90_000,
  }, async () => {
    const before = await relay.relayNonce();
    for (const [place, isAfter] of [
      [1, false],
      [2, true],
    ] as const) {
      let sends = 0;
      relay.endpoint.passing = async (methods) => {
        if (!methods.includes("eth_sendRawTransaction")) return;
        sends += 1;
        if (sends > 1) return;
        // Noted, but on its way to nobody; or with the relay.endpoint, and the answer lost.
        if (isAfter) setTimeout(() => process.kill(relay.stack.workerdPid, "SIGKILL"), 20);
        else {
          process.kill(relay.stack.workerdPid, "SIGKILL");
          throw new Error("the connection breaks");
        }
      };
      const ballot = await relay.signed(voter(place), relay.open, { support: "abstain" });
      await relay.votes.relay(ballot).catch(() => {});
      await expect.poll(() => relay.hasVoted(relay.open, voter(place)), eventually).toBe(true);
      relay.endpoint.passing = null;
      await relay.world.chain.client.mine({ blocks: 4 });
      await expect
        .poll(() => relay.stageOf(relay.open, voter(place)).catch(() => null), eventually)
        .toBe("counted");
      expect(await relay.votes.relay(ballot)).toMatchObject({ stage: "counted" });
    }
    expect(await relay.relayNonce()).toBe(before + 2);
  });

  test("behavior: many at once get in, each under its own nonce", async () => {
    const before = await relay.relayNonce();
    const ballots = await Promise.all([3, 4, 5, 6, 7].map((place) => relay.signed(voter(place), relay.open)));
    await relay.world.chain.client.setAutomine(false);
    const sent = await Promise.all(ballots.map((ballot) => relay.votes.relay(ballot)));
    expect(new Set(sent.map(({ transaction }) => transaction)).size).toBe(5);
    await relay.world.chain.client.setAutomine(true);
    await relay.world.chain.client.mine({ blocks: 4 });
    for (const place of [3, 4, 5, 6, 7])
      await expect.poll(() => relay.stageOf(relay.open, voter(place)), eventually).toBe("counted");
    expect(await relay.relayNonce()).toBe(before + 5);
  });

  test("rejects: ballots beyond the day's budget, with the call that needs no relay; the budget survives a restart", async () => {
    const one = await relay.signed(voter(8), relay.open);
    const spentBefore = await relay.spent();
    await relay.begin({ RELAY_BUDGET_WEI: spentBefore.toString() });
    const [code, facts] = await relay.refused(one);
    expect([code, facts]).toMatchObject([
      "relay_budget_spent",
      {
        budgetWei: spentBefore.toString(),
        spentWei: spentBefore.toString(),
        to: relay.world.deployment.governor,
        data: ownBallotCall(one),
      },
    ]);
    expect(await relay.hasVoted(relay.open, voter(8))).toBe(false);
    await relay.begin({ RELAY_BUDGET_WEI: (spentBefore + 1_000n).toString() });
    expect(await relay.refused(one)).toMatchObject([
      "relay_budget_spent",
      { wouldCostWei: expect.any(String) },
    ]);
    await relay.world.chain.client.setBalance({ address: RELAY, value: 5n });
    await relay.begin();
    expect(await relay.refused(one)).toMatchObject(["relay_budget_spent", { relayHasWei: "5" }]);
    expect(await relay.spent()).toBe(spentBefore);
    // The call that was shown, from the voter's own wallet.
    await relay.world.chain.client.setBalance({ address: voter(8).address, value: 10n ** 18n });
    const { client: own, wallet } = relay.world.sender(voter(8));
    const hash = await wallet.sendTransaction({ to: facts.to as Hex, data: facts.data as Hex });
    await own.waitForTransactionReceipt({ hash });
    expect(await relay.hasVoted(relay.open, voter(8))).toBe(true);
    await relay.world.chain.client.setBalance({ address: RELAY, value: 10n ** 19n });
    expect((await relay.refused(one))[0]).toBe("already_voted");
  });

  test("behavior: a ballot that somebody takes out of the pool and sends first counts once; the relay paid for its try", async () => {
    const ballot = await relay.signed(voter(9), relay.open);
    await relay.world.chain.client.setAutomine(false);
    const sent = await relay.votes.relay(ballot);
    await relay.overtake(sent.transaction as Hex);
    await relay.world.chain.client.setAutomine(true);
    await relay.world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => relay.hasVoted(relay.open, voter(9)), eventually).toBe(true);
    await expect.poll(() => relay.stageOf(relay.open, voter(9)), eventually).toMatch(/refused|counted/);
    expect((await relay.refused(ballot))[0]).toBe("already_voted");
    const [against, inFavour] = (await relay.governor("proposalVotes", [BigInt(relay.open)])) as bigint[];
    expect([against, inFavour]).toEqual([39_999n * TOKEN, 800n * TOKEN]);
  });

  test("rejects: votes on a proposal whose time is over", async () => {
    await relay.world.pass(VOTE.votingPeriodSeconds + 1);
    const late: Support = "for";
    await expect
      .poll(
        async () => relay.refused(await relay.signed(voter(10), relay.open, { support: late })),
        eventually,
      )
      .toMatchObject(["vote_not_open", { state: "defeated" }]);
  });
});
