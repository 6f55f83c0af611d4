// Owns whether a region's proofs may be judged by this release at all: under the key that the vote on its chain has named. It
// refuses to judge them under another one.

import { circuitWord, verificationKeyHash } from "../../evidence/verification-keys.ts";
import { rewardParametersAbi } from "../../governance/generated/abi.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import type { SettlementClient } from "../chain/settlement-client.ts";

const NO_KEY = `0x${"00".repeat(32)}`;

/** The vote has named another key than this release verifies under. */
export class OtherKey extends Error {
  override readonly name = "OtherKey";
}

/**
 * @param rewardParameters where the vote names keys; the zero address where nothing is voted on.
 * @throws OtherKey where the named key of the region's meter proofs is not this release's
 */
export async function requireVotedKey(
  settlement: SettlementClient,
  rewardParameters: Hex,
  block: number,
): Promise<void> {
  if (rewardParameters === NO_ADDRESS) return;
  const blockNumber = BigInt(block);
  const { client } = settlement.connection;
  const windowSlots = Number(await settlement.read("windowSlotsOf", [settlement.word]));
  const circuit = windowSlots === 4 ? "meter-4" : "meter-96";
  const named = await client.readContract({
    ...{ address: rewardParameters, abi: rewardParametersAbi, blockNumber },
    functionName: "verificationKeyHash",
    args: [circuitWord(circuit)],
  });
  const ours = verificationKeyHash(circuit);
  if (named !== NO_KEY && named !== ours)
    throw new OtherKey(
      `the vote has named ${named} as the key of ${circuit}, and this release verifies under ${ours}: audit with the release that has it`,
    );
}
