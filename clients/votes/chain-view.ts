// Owns a chain as votes are read from it by somebody with an RPC of their own: as of one block. It refuses an RPC that answers
// with other logs than those it was asked for; whom to believe is whoever named the RPC.

import { BaseError, type PublicClient } from "viem";
import type {
  Attempt,
  BlockView,
  ChainView,
  ContractLog,
  ContractRead,
  LogSpan,
} from "../../governance/proposals/chain-view.ts";
import type { WeiRead } from "../../governance/proposals/vote-settings.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type ChainConnection, ChainFault } from "../chain/chain-connection.ts";
import { chainLogs, LOG_SPAN } from "../chain/chain-log.ts";
import { isTooMuch } from "../chain/event-search.ts";

/** Calls under way at a time: the transport sends them as one batch. */
const CALLS_AT_ONCE = 50;

/** A chain as of its newest block. @throws ChainFault, or what the client throws where nobody answers */
export async function chainViewOf({ client }: ChainConnection): Promise<ChainView & WeiRead> {
  const { number: block, hash, timestamp } = await client.getBlock();
  if (block === null || hash === null) throw new ChainFault("the RPC has no newest block");
  return new ClientView(client, { number: Number(block), hash, timeS: Number(timestamp) });
}

class ClientView implements ChainView, WeiRead {
  readonly block: BlockView;
  readonly #client: PublicClient;
  readonly #at: Hex;

  constructor(client: PublicClient, block: BlockView) {
    this.#client = client;
    this.block = block;
    this.#at = `0x${block.number.toString(16)}`;
  }

  async read<T extends readonly unknown[]>(reads: { [K in keyof T]: ContractRead<T[K]> }): Promise<T> {
    const answers = await this.#each(
      reads as readonly ContractRead<unknown>[],
      async ({ to, data, decode }) => decode(await this.#call({ to, data })),
    );
    return answers as unknown as T;
  }

  attempt(calls: readonly { readonly from: Hex; readonly to: Hex; readonly data: Hex }[]) {
    return this.#each(calls, async (call): Promise<Attempt> => {
      try {
        return { output: await this.#call(call) };
      } catch (error) {
        return revertOf(error);
      }
    });
  }

  async logs({ address, events, fromBlock, toBlock }: LogSpan): Promise<readonly ContractLog[]> {
    const all: ContractLog[] = [];
    let span = LOG_SPAN;
    for (let from = fromBlock; from <= toBlock; ) {
      const to = Math.min(toBlock, from + span - 1);
      try {
        all.push(...(await this.#logsIn({ address, events, fromBlock: from, toBlock: to })));
        from = to + 1;
      } catch (error) {
        if (!isTooMuch(error) || from === to) throw error;
        span = Math.ceil((to - from + 1) / 2);
      }
    }
    return all;
  }

  weiOf(account: Hex): Promise<bigint> {
    return this.#client.getBalance({ address: account, blockNumber: BigInt(this.block.number) });
  }

  async #call(call: { readonly from?: Hex; readonly to: Hex; readonly data: Hex }): Promise<Hex> {
    return this.#client.request({ method: "eth_call", params: [call, this.#at] });
  }

  async #logsIn({ address, events, fromBlock, toBlock }: LogSpan): Promise<ContractLog[]> {
    const answer: unknown = await this.#client.request({
      method: "eth_getLogs",
      params: [
        {
          ...{ address, topics: [[...events]] },
          fromBlock: `0x${fromBlock.toString(16)}`,
          toBlock: `0x${toBlock.toString(16)}`,
        },
      ],
    });
    const decoded = chainLogs.safeParse(answer);
    if (!decoded.success) throw new ChainFault("the RPC answers something that is no list of logs");
    const logs = decoded.data.map((log): ContractLog => {
      const { blockNumber: block, logIndex: index, topics, data } = log;
      const isAsked = log.address === address && events.includes(topics[0] as Hex);
      if (!isAsked || block < fromBlock || block > toBlock)
        throw new ChainFault("the RPC answers with a log that was not asked for");
      return { block, index, topics, data };
    });
    if (new Set(logs.map(({ block, index }) => `${block}/${index}`)).size !== logs.length)
      throw new ChainFault("the RPC answers with two logs in one place");
    return logs.sort((one, other) => one.block - other.block || one.index - other.index);
  }

  /** So many at once as the transport puts into a batch. */
  async #each<A, B>(all: readonly A[], ask: (one: A) => Promise<B>): Promise<B[]> {
    const answers: B[] = [];
    for (let from = 0; from < all.length; from += CALLS_AT_ONCE)
      answers.push(...(await Promise.all(all.slice(from, from + CALLS_AT_ONCE).map(ask))));
    return answers;
  }
}

/** What a call reverted with. @throws the error itself where it was not the contract that refused */
function revertOf(error: unknown): Attempt {
  if (!(error instanceof BaseError)) throw error;
  const coded = error.walk((cause) => typeof (cause as { data?: unknown }).data === "string");
  const { data: found } = (coded ?? {}) as { data?: string };
  const data = found !== undefined && /^0x([0-9a-f]{2})*$/.test(found) ? (found as Hex) : null;
  const isRevert = data !== null || /revert/i.test(error.details);
  if (!isRevert) throw error;
  return { reverted: data, message: error.details };
}
