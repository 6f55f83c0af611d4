// Owns the transactions of a deployment's wallet that are in no block yet: each is kept before it is sent, under its nonce, and
// sent again at a higher fee when it stays out. It refuses a second transaction for one thing before the first is done.

import { keccak256, serializeTransaction } from "viem";
import { z } from "zod";
import { signParts } from "../../evidence/wallet-key.ts";
import type { ChainProblem } from "../../protocol/chain-answer.ts";
import type { Hex } from "../../protocol/fields.ts";
import { decode, quantity, troubleOf } from "./agreed-chain.ts";
import type { MirrorMemory } from "./mirror-memory.ts";
import { type Rpc, RpcFault } from "./rpc.ts";

/** What is sent, beside what it is for. */
export interface Posting {
  /** Another contract than the one that the outbox is for. */
  readonly to?: Hex;
  readonly data: Hex;
  readonly gas: number;
}

/** A transaction on its way. */
export type Sent<P extends Posting> = P & SentFields;

interface SentFields {
  readonly nonce: number;
  readonly maxFeeWei: bigint;
  readonly tipWei: bigint;
  readonly raw: Hex;
  readonly transaction: Hex;
  readonly sentAtMs: number;
  readonly timesSent: number;
  /** Polls since it was sent last. */
  readonly polls: number;
}

/** The newest block as one endpoint has it. Nothing but what to send rests on it: the contract judges it again. */
export interface LatestView {
  readonly rpc: Rpc;
  readonly nonce: number;
  readonly timeS: number;
  readonly baseFeeWei: bigint;
  readonly tipWei: bigint;
}

export interface OutboxOptions<P extends Posting> {
  readonly chainId: number;
  /** The contract that is called, where a transaction names no other. */
  readonly to: Hex;
  readonly key: Hex;
  /** Whose key that is. */
  readonly account: Hex;
  readonly memory: MirrorMemory;
  /** What a transaction is for: there is one at a time for each. */
  readonly nameOf: (posting: P) => string;
  /** What is in the way of one that no endpoint takes. */
  readonly problemOf: (posting: P, error: string) => ChainProblem;
}

/** Polls that a transaction may stay out before it is sent again at a higher fee. */
const PATIENCE_POLLS = 6;
/** An endpoint that names absurd fees must not empty the wallet; a base fee above this lets reports wait. */
const MAX_FEE_WEI = 5_000_000_000_000n;
const MAX_TIP_WEI = 50_000_000_000n;
/** Nodes replace a transaction only by one that pays a tenth more; an eighth is safely above. */
const raised = (fee: bigint) => fee + fee / 8n + 1n;
/** What nodes say of a transaction that they have, or that is in a block: it need not be sent to them. */
const KNOWN = /already known|known transaction|already imported|nonce too low/i;

const wei = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(BigInt);
const latestBlock = z.object({ timestamp: quantity, baseFeePerGas: wei });

/** A wallet's transactions. */
export class Outbox<P extends Posting> {
  readonly #rpcs: readonly Rpc[];
  readonly #options: OutboxOptions<P>;

  constructor(rpcs: readonly Rpc[], options: OutboxOptions<P>) {
    this.#rpcs = rpcs;
    this.#options = options;
  }

  /** Whether anything is on its way. */
  async isEmpty(): Promise<boolean> {
    return (await this.#load()).length === 0;
  }

  /** The transaction for something that is in no block yet. */
  async inFlight(name: string): Promise<Sent<P> | null> {
    return (await this.#load()).find((one) => this.#options.nameOf(one) === name) ?? null;
  }

  /**
   * The newest block by the first endpoint that answers; another one begins each time, so that none can hold reports up.
   * @throws ChainTrouble when none answers
   */
  async latest(turn: number, signal?: AbortSignal): Promise<LatestView> {
    let last: unknown;
    for (let step = 0; step < this.#rpcs.length; step += 1) {
      const rpc = this.#rpcs[(turn + step) % this.#rpcs.length] as Rpc;
      try {
        return await this.#latestOf(rpc, signal);
      } catch (error) {
        last = error;
      }
    }
    throw troubleOf(last);
  }

  /** Forgets what is in a block, and sends again what is not: under the next free nonces, the first at a higher fee. */
  async settle(view: LatestView, signal?: AbortSignal): Promise<ChainProblem | null> {
    const all = await this.#load();
    for (const { nonce } of all) if (nonce < view.nonce) await this.#options.memory.delete(keyOf(nonce));
    const open = all.filter(({ nonce }) => nonce >= view.nonce);
    const isFirstLate = (open[0]?.polls ?? 0) >= PATIENCE_POLLS;
    let problem: ChainProblem | null = null;
    for (const [place, one] of open.entries()) {
      const nonce = view.nonce + place;
      const isLate = place === 0 && one.polls >= PATIENCE_POLLS;
      // A node that forgot the first forgets those behind it too: they are told again, as they are.
      const isDue = isFirstLate || one.timesSent === 0 || one.nonce !== nonce;
      let next: Sent<P> = { ...one, polls: one.polls + 1 };
      if (isLate || one.nonce !== nonce)
        next = { ...this.#sign(one, nonce, view, one), timesSent: one.timesSent };
      if (next.nonce !== one.nonce) await this.#options.memory.delete(keyOf(one.nonce));
      await this.#keep(next);
      if (isDue) problem ??= await this.#send(next, signal);
    }
    return problem;
  }

  /** Keeps and sends a transaction. @returns what is in the way, or null */
  async post(posting: P, view: LatestView, signal?: AbortSignal): Promise<ChainProblem | null> {
    const all = await this.#load();
    const { nameOf } = this.#options;
    if (all.some((one) => nameOf(one) === nameOf(posting)))
      throw new Error(`a transaction for ${nameOf(posting)} is on its way`);
    const nonce = Math.max(view.nonce, ...all.map((one) => one.nonce + 1));
    const sent = this.#sign(posting, nonce, view, null);
    await this.#keep(sent);
    return this.#send(sent, signal);
  }

  async #latestOf(rpc: Rpc, signal?: AbortSignal): Promise<LatestView> {
    const [nonce, block, tip] = await rpc.ask(
      [
        { method: "eth_getTransactionCount", params: [this.#options.account, "latest"] },
        { method: "eth_getBlockByNumber", params: ["latest", false] },
        { method: "eth_maxPriorityFeePerGas", params: [] },
      ],
      signal,
    );
    const [count, newest] = [nonce, block].map((answer) => {
      if (answer !== undefined && "result" in answer) return answer.result;
      throw rpc.fault("refused", `the newest block: ${answer?.error.message}`);
    });
    const { timestamp, baseFeePerGas } = decode(rpc, latestBlock, newest);
    // Not every endpoint suggests a tip.
    const tipWei = tip !== undefined && "result" in tip ? decode(rpc, wei, tip.result) : 1_000_000_000n;
    return { rpc, nonce: decode(rpc, quantity, count), timeS: timestamp, baseFeeWei: baseFeePerGas, tipWei };
  }

  /** @param before the version that it takes the place of, which must be outbid. */
  #sign(posting: P, nonce: number, view: LatestView, before: SentFields | null): Sent<P> {
    const { chainId, key } = this.#options;
    const { to = this.#options.to, data, gas } = posting;
    const { tipWei, maxFeeWei } = feesOf(view, before);
    const transaction = {
      type: "eip1559",
      chainId,
      nonce,
      to,
      data,
      gas: BigInt(gas),
      maxFeePerGas: maxFeeWei,
      maxPriorityFeePerGas: tipWei < maxFeeWei ? tipWei : maxFeeWei,
    } as const;
    const raw = serializeTransaction(
      transaction,
      signParts(key, keccak256(serializeTransaction(transaction))),
    );
    return {
      ...posting,
      ...{ nonce, maxFeeWei, tipWei, raw },
      transaction: keccak256(raw),
      sentAtMs: Date.now(),
      timesSent: 0,
      polls: 0,
    };
  }

  /** Tells every endpoint: one may forget it. */
  async #send(sent: Sent<P>, signal?: AbortSignal): Promise<ChainProblem | null> {
    const call = { method: "eth_sendRawTransaction", params: [sent.raw] };
    const answers = await Promise.all(
      this.#rpcs.map(async (rpc) => {
        try {
          const [answer] = await rpc.ask([call], signal);
          if (answer === undefined || "result" in answer || KNOWN.test(answer.error.message)) return null;
          return answer.error.message;
        } catch (error) {
          if (error instanceof RpcFault) return error.message;
          throw error;
        }
      }),
    );
    const isSent = answers.includes(null);
    await this.#keep({ ...sent, timesSent: sent.timesSent + (isSent ? 1 : 0), sentAtMs: Date.now() });
    if (isSent) return null;
    const error = answers[0] ?? "";
    if (/insufficient funds/i.test(error)) return { code: "gas_missing", facts: { error } };
    // Too cheap to replace another of this nonce: the next poll outbids it.
    if (/underpriced|fee too low/i.test(error))
      await this.#keep({ ...sent, timesSent: 1, polls: PATIENCE_POLLS });
    return this.#options.problemOf(sent, error);
  }

  #keep(sent: Sent<P>): Promise<void> {
    return this.#options.memory.put(keyOf(sent.nonce), sent);
  }

  /** In the order of their nonces. */
  async #load(): Promise<readonly Sent<P>[]> {
    const found = await this.#options.memory.list<Sent<P>>({ prefix: KEY_PREFIX });
    return [...found.values()].sort((one, other) => one.nonce - other.nonce);
  }
}

/** What a transaction offers now. @param before the version that must be outbid, if there is one. */
export function feesOf(
  { baseFeeWei, tipWei }: Pick<LatestView, "baseFeeWei" | "tipWei">,
  before: Pick<SentFields, "maxFeeWei" | "tipWei"> | null,
): Pick<SentFields, "maxFeeWei" | "tipWei"> {
  const least = (wanted: bigint, old: bigint | undefined, most: bigint) => {
    const floor = old === undefined ? 0n : raised(old);
    const fee = wanted > floor ? wanted : floor;
    return fee > most ? most : fee;
  };
  const tip = least(tipWei, before?.tipWei, MAX_TIP_WEI);
  return { tipWei: tip, maxFeeWei: least(2n * baseFeeWei + tip, before?.maxFeeWei, MAX_FEE_WEI) };
}

const KEY_PREFIX = "sent/";
const keyOf = (nonce: number) => `${KEY_PREFIX}${nonce}`;
