// Owns the promise that the block that draws a result is a finalised one after its report, the first one, on a real chain. It
// refuses a chain that mines by itself.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawBlocks } from "../../durable-objects/audits/draw-block.ts";
import { NO_BLOCK } from "../../protocol/audits.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { hasAnvil, type LocalChain, startChain } from "../support/local-chain.ts";
import { address, word } from "../support/market.ts";

const BEGINS_AT_S = 1_800_000_000;

describe.skipIf(!hasAnvil)("the block that draws (skipped where npm has no anvil for the machine)", () => {
  let chain: LocalChain;
  beforeAll(async () => {
    chain = await startChain(BEGINS_AT_S);
    await chain.client.setAutomine(false);
  });
  afterAll(async () => {
    await chain?.stop();
  });

  const env = (rpc: string) =>
    ({
      ...{
        CHAIN_ID: String(LOCAL_CHAIN_ID),
        SETTLEMENT: address(1),
        METER_REGISTRY: "",
        REWARD_PARAMETERS: "",
      },
      ...{ PROVIDER_STAKE: "", CHAIN_RPC: rpc, CHAIN_DEPLOYED_AT: "0", CHAIN_POLL_SECONDS: "1" },
      MIRROR_KEY: word(7).slice(2),
    }) as unknown as Parameters<typeof drawBlocks>[0];
  const blockAfter = (rpc: string, timeS: number) => drawBlocks(env(rpc))(timeS);

  test("behavior: there is none until a later block is final; then it is the first later one, for ever", async () => {
    const mineAt = async (atS: number) => {
      await chain.client.setNextBlockTimestamp({ timestamp: BigInt(atS) });
      await chain.client.mine({ blocks: 1 });
      return chain.client.getBlock();
    };
    const reportedAtS = BEGINS_AT_S + 100;
    await mineAt(reportedAtS);
    const first = await mineAt(reportedAtS + 12);
    expect(await blockAfter(chain.url, reportedAtS)).toBeNull();
    const found = { blockNumber: Number(first.number), blockHash: first.hash };
    for (let later = 1; later <= 8; later += 1) {
      await mineAt(reportedAtS + 12 + 12 * later);
      if (later >= 3) expect(await blockAfter(chain.url, reportedAtS)).toEqual(found);
    }
    expect(await blockAfter(chain.url, reportedAtS + 11)).toEqual(found);
    expect((await blockAfter(chain.url, reportedAtS + 12))?.blockNumber).toBe(found.blockNumber + 1);
  });

  test("behavior: without a chain it is the one that stands for none; with one that is away there is none to go by", async () => {
    expect(await blockAfter("", BEGINS_AT_S)).toEqual({ blockNumber: 0, blockHash: NO_BLOCK });
    await expect(blockAfter("http://127.0.0.1:9", BEGINS_AT_S)).rejects.toThrow("rpc_away");
  });
});
