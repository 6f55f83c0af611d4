// Owns a chain as votes are read from it: the newest block that all endpoints have, and what all of them say of it. It refuses
// to go on where they differ; a call that may revert is told as one of them tells it, because the contract judges it again.

import type {
  Attempt,
  ChainView,
  ContractLog,
  ContractRead,
  LogSpan,
} from "../../governance/proposals/chain-view.ts";
import type { WeiRead } from "../../governance/proposals/vote-settings.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type AgreedChain, callAt, decode, hexText, type Pin, troubleOf } from "../mirror/agreed-chain.ts";
import type { Rpc } from "../mirror/rpc.ts";

export class AgreedView implements ChainView, WeiRead {
  readonly #chain: AgreedChain;
  readonly #pin: Pin;
  readonly block: ChainView["block"];

  constructor(chain: AgreedChain, pin: Pin) {
    this.#chain = chain;
    this.#pin = pin;
    this.block = { number: pin.number, hash: pin.hash, timeS: pin.timeS };
  }

  async read<T extends readonly unknown[]>(reads: { [K in keyof T]: ContractRead<T[K]> }): Promise<T> {
    return (reads as readonly unknown[]).length === 0
      ? ([] as unknown as T)
      : this.#chain.read<T>(this.#pin, reads);
  }

  async attempt(calls: readonly { readonly from: Hex; readonly to: Hex; readonly data: Hex }[]) {
    if (calls.length === 0) return [];
    const [rpc] = this.#chain.rpcs as readonly [Rpc, ...Rpc[]];
    const block = { blockHash: this.#pin.hash, requireCanonical: true };
    try {
      const answers = await rpc.ask(
        calls.map(({ from, to, data }) => callAt(to, data, block, from)),
        this.#chain.signal,
      );
      return answers.map(
        (answer): Attempt =>
          "result" in answer
            ? { output: decode(rpc, hexText, answer.result) }
            : { reverted: answer.error.data, message: answer.error.message },
      );
    } catch (error) {
      throw troubleOf(error);
    }
  }

  logs({ address, events, fromBlock, toBlock }: LogSpan): Promise<readonly ContractLog[]> {
    return this.#chain.logs({ address, topics: [events], fromBlock, toBlock });
  }

  weiOf(account: Hex): Promise<bigint> {
    return this.#chain.weiOf(this.#pin, account);
  }
}
