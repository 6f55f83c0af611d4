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

/** The block, or null while none is final. Without a chain: the one that stands for none. @throws ChainTrouble */
export async function blockAfter(env: Env, timeS: number): Promise<DrawBlock | null> {
  if (!hasChain(env)) return { blockNumber: 0, blockHash: NO_BLOCK };
  const { rpcs, chainId, deployedAtBlock } = chainSettings(env);
  const chain = new AgreedChain(
    rpcs.map((url) => new Rpc(url, { timeoutMs: RPC_TIMEOUT_MS })),
    chainId,
  );
  return firstAfter(chain, timeS, deployedAtBlock);
}

/** Blocks' times ascend, so the first one after a moment is found in as many questions as its number has bits. */
export async function firstAfter(
  chain: Pick<AgreedChain, "pin" | "blockAt">,
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
