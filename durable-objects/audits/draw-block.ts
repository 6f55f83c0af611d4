// Owns which block draws a result: the first finalised one whose time is after the report. It refuses a block that endpoints do not
// agree on.

import { NO_BLOCK } from "../../protocol/audits.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { Env } from "../environment.ts";
import { AgreedChain } from "../mirror/agreed-chain.ts";
import { Rpc } from "../mirror/rpc.ts";
import { chainSettings, hasChain } from "../mirror/settings.ts";

/** As `record_audit` says it. */
export interface DrawBlock {
  readonly blockNumber: number;
  readonly blockHash: Hex;
}

const RPC_TIMEOUT_MS = 10_000;

/** Finds the block after a moment, or null while none is final. @throws ChainTrouble */
export type FindBlock = (timeS: number) => Promise<DrawBlock | null>;

/** As of now, for as long as a look takes. Without a chain every block is the one that stands for none. */
export function drawBlocks(env: Env): FindBlock {
  if (!hasChain(env)) return async () => ({ blockNumber: 0, blockHash: NO_BLOCK });
  const { rpcs, chainId, deployedAtBlock } = chainSettings(env);
  const chain = new AgreedChain(
    rpcs.map((url) => new Rpc(url, { timeoutMs: RPC_TIMEOUT_MS })),
    chainId,
  );
  const told = remembering(chain);
  return (timeS) => firstAfter(told, timeS, deployedAtBlock);
}

type Blocks = Pick<AgreedChain, "pin" | "blockAt">;

/** A chain that is asked for each block once: the moments of a look are near each other, and so are their blocks. */
export function remembering(chain: Blocks): Blocks {
  let pin: ReturnType<Blocks["pin"]> | undefined;
  const blocks = new Map<number, ReturnType<Blocks["blockAt"]>>();
  return {
    pin() {
      pin ??= chain.pin();
      return pin;
    },
    blockAt(number) {
      const block = blocks.get(number) ?? chain.blockAt(number);
      blocks.set(number, block);
      return block;
    },
  };
}

/** Blocks' times ascend, so the first one after a moment is found in as many questions as its number has bits. */
export async function firstAfter(
  chain: Blocks,
  timeS: number,
  firstBlock: number,
): Promise<DrawBlock | null> {
  const pin = await chain.pin();
  if (pin.timeS <= timeS) return null;
  let before = firstBlock - 1;
  let found = { number: pin.number, hash: pin.hash };
  while (found.number - before > 1) {
    const block = await chain.blockAt(Math.floor((before + found.number) / 2));
    if (block.timestamp > timeS) found = block;
    else before = block.number;
  }
  return { blockNumber: found.number, blockHash: found.hash };
}
