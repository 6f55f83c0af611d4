// Owns the promise that the relay's budget and its nonces hold when ballots stand in each other's way. It refuses a chain, or a
// deployment, that is not a real one.

import type { Hex } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signedBallotCall } from "../../governance/forms/ballot.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { eventually, RelayWorld, voter } from "./relay-world.ts";

describe.skipIf(!hasAnvil)("the relay's budget (skipped where npm has no anvil for the machine)", () => {
  let relay: RelayWorld;

  beforeAll(async () => {
    relay = await RelayWorld.start();
    await relay.begin();
  }, 60_000);
  afterEach(() => relay.world.chain.client.setAutomine(true));
  afterAll(() => relay?.stop());

  test("rejects: a second ballot under a nonce that one on its way has; it is taken when that is in a block", async () => {
    const [first, second] = [await relay.opened(), await relay.opened()];
    await relay.world.chain.client.setAutomine(false);
    await relay.votes.relay(await relay.signed(voter(10), first));
    const before = await relay.spent();
    expect(await relay.refused(await relay.signed(voter(10), second))).toEqual([
      "ballot_nonce_wrong",
      { nonce: 1, got: 0, waitsFor: first },
    ]);
    expect(await relay.spent()).toBe(before);
    await relay.world.chain.client.setAutomine(true);
    await relay.world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => relay.stageOf(first, voter(10)), eventually).toBe("counted");
    await relay.votes.relay(await relay.signed(voter(10), second, { nonce: 1 }));
    await relay.world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => relay.stageOf(second, voter(10)), eventually).toBe("counted");
  });

  test("rejects: a ballot that somebody else has sent already and that is in no block yet, without paying for it", async () => {
    const proposal = await relay.opened();
    const [ballot, before] = [await relay.signed(voter(9), proposal), await relay.spent()];
    await relay.world.chain.client.setAutomine(false);
    const { wallet } = relay.world.sender(relay.world.ann);
    const data = signedBallotCall(ballot, ballot.signature);
    await wallet.sendTransaction({ to: relay.world.deployment.governor, data, gas: 300_000n });
    expect((await relay.refused(ballot))[0]).toBe("ballot_refused");
    expect(await relay.spent()).toBe(before);
    await relay.world.chain.client.setAutomine(true);
    await relay.world.chain.client.mine({ blocks: 4 });
    expect(await relay.hasVoted(proposal, voter(9))).toBe(true);
  });

  test("behavior: what a refused ballot has cost stays spent when the voter's next one takes its place", async () => {
    const [first, second] = [await relay.opened(), await relay.opened()];
    const [place, spentBefore] = [voter(11), await relay.spent()];
    await relay.world.chain.client.setAutomine(false);
    const lost = await relay.votes.relay(await relay.signed(place, first));
    // The same nonce, used up by another ballot that somebody sends at a higher fee.
    const other = await relay.signed(place, second);
    await relay.overtake(lost.transaction as Hex, signedBallotCall(other, other.signature));
    await relay.world.chain.client.setAutomine(true);
    await relay.world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => relay.stageOf(first, place), eventually).toBe("refused");
    const next = await relay.votes.relay(await relay.signed(place, first, { nonce: 1 }));
    await relay.world.chain.client.mine({ blocks: 4 });
    await expect.poll(() => relay.stageOf(first, place), eventually).toBe("counted");
    const receipts = await Promise.all(
      [lost, next].map(({ transaction }) =>
        relay.world.chain.client.getTransactionReceipt({ hash: transaction as Hex }),
      ),
    );
    expect(receipts.map(({ status }) => status)).toEqual(["reverted", "success"]);
    const paid = receipts.reduce(
      (sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice,
      0n,
    );
    expect(await relay.spent()).toBe(spentBefore + paid);
  });

  test("behavior: ballots that keep coming do not put off those before them", {
    timeout: 60_000,
  }, async () => {
    const pollMs = 1_500;
    await relay.begin({ CHAIN_POLL_SECONDS: String(pollMs / 1_000) });
    const proposal = await relay.opened();
    const next = async (place: number) => {
      const nonce = Number(await relay.governor("nonces", [voter(place).address]));
      return relay.signed(voter(place), proposal, { nonce });
    };
    await relay.votes.relay(await next(0));
    const beganMs = Date.now();
    let followedMs: number | null = null;
    for (const place of [1, 2, 3, 4]) {
      await new Promise((resolve) => setTimeout(resolve, pollMs / 2));
      await relay.votes.relay(await next(place));
      await relay.world.chain.client.mine({ blocks: 4 });
      if (followedMs === null && (await relay.stageOf(proposal, voter(0))) !== "sent")
        followedMs = Date.now() - beganMs;
    }
    expect(followedMs).not.toBeNull();
    for (const place of [0, 1, 2, 3, 4])
      await expect.poll(() => relay.stageOf(proposal, voter(place)), eventually).toBe("counted");
    await relay.begin();
  });
});
