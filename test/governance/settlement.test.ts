// Owns the promise that the contracts as exported take what TypeScript makes: a report of its sum tree, a claim by its path, the
// deposits' chain, a region's name. It refuses figures from the contracts' own tests.

import { type Address, encodeAbiParameters, type Hex, keccak256 } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type SumLeaf, SumTree } from "../../evidence/sum-tree.ts";
import {
  DELAY_SECONDS,
  type DeployedRegion,
  deployRegion,
  EMISSION,
  EPOCH_SECONDS,
  FIRST_EPOCH,
  REGION,
  UNIT,
} from "../support/deployed-region.ts";
import { type Contract, hasAnvil } from "../support/local-chain.ts";

const NO_HASH: Hex = `0x${"00".repeat(32)}`;

/** Each account holds 3 units and asked for another; the last one earned all. */
function leavesOf(accounts: readonly Address[]): SumLeaf[] {
  return accounts.map((account, index) => ({
    account,
    sums: {
      withdrawalsMicros: UNIT,
      heldMicros: 3n * UNIT,
      rewards: index === accounts.length - 1 ? EMISSION : 0n,
    },
  }));
}

describe.skipIf(!hasAnvil)("settlement on a chain (skipped where npm has no anvil for the machine)", () => {
  let region: DeployedRegion;
  const balanceOf = (token: Contract, account: Address) =>
    region.chain.client.readContract({ ...token, functionName: "balanceOf", args: [account] });

  beforeAll(async () => {
    region = await deployRegion();
  });
  afterAll(async () => {
    await region?.chain.stop();
  });

  test("behavior: deposits, a report and claims, made in TypeScript", { timeout: 30_000 }, async () => {
    const { chain, quote, settlement, rewardToken } = region;
    const { accounts } = chain;
    await chain.send(quote, "mint", [accounts[0], 1_000n * UNIT]);
    await chain.send(quote, "approve", [settlement.address, 1_000n * UNIT]);
    let depositsHash = NO_HASH;
    for (const [index, account] of accounts.entries()) {
      await chain.send(settlement, "deposit", [REGION, account, 4n * UNIT]);
      const parts = [
        { type: "bytes32" },
        { type: "bytes32" },
        { type: "uint256" },
        { type: "address" },
        { type: "uint256" },
      ];
      depositsHash = keccak256(
        encodeAbiParameters(parts, [depositsHash, REGION, BigInt(index + 1), account, 4n * UNIT]),
      );
    }
    const tree = new SumTree(leavesOf(accounts));
    const report = {
      epoch: FIRST_EPOCH,
      stateHash: keccak256("0x01"),
      journalRoot: keccak256("0x02"),
      lastDeposit: accounts.length,
      depositsHash,
      certificateRoot: keccak256("0x03"),
      sumRoot: tree.root,
      totals: tree.totals,
    };
    await chain.client.setNextBlockTimestamp({ timestamp: (FIRST_EPOCH + 1n) * BigInt(EPOCH_SECONDS) });
    await chain.client.mine({ blocks: 1 });
    await chain.send(settlement, "report", [REGION, report]);

    const last = accounts.at(-1) as Address;
    const claim = tree.claimOf(last);
    const args = [REGION, FIRST_EPOCH, claim?.leaf, claim?.path];
    await expect(chain.send(settlement, "withdraw", args)).rejects.toThrow("Settlement_EpochNotFinal");
    await chain.client.increaseTime({ seconds: DELAY_SECONDS });
    await chain.client.mine({ blocks: 1 });
    await chain.send(settlement, "withdraw", args);
    await chain.send(settlement, "claimRewards", args);
    expect(await balanceOf(quote, last)).toBe(UNIT);
    expect(await balanceOf(rewardToken, last)).toBe(EMISSION);
    await expect(chain.send(settlement, "withdraw", args)).rejects.toThrow("Settlement_NothingToClaim");
  });
});
