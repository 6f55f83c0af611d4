// Owns what is believed of a chain: what every endpoint says of one finalised block, down to the byte. It refuses to go on where
// they differ, and to believe a single one anywhere but on the local chain.

import { z } from "zod";
import type { Hex } from "../../protocol/fields.ts";
import { type Rpc, type RpcCall, RpcFault } from "./rpc.ts";
import { ChainTrouble } from "./trouble.ts";

/** A finalised block that all endpoints agree on. */
export interface Pin {
  readonly number: number;
  readonly hash: Hex;
  /** The block's own time. Unix seconds. */
  readonly timeS: number;
  /** The newest block that any endpoint knows; nothing rests on it. */
  readonly head: number;
}

/** A question to a contract and how its answer is read. */
export interface Read<T> {
  readonly to: Hex;
  readonly data: Hex;
  /** @throws Error for bytes that are no such answer */
  readonly decode: (answer: Hex) => T;
}

/** An event's log. */
export interface ChainLog {
  readonly block: number;
  readonly index: number;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** Which logs: of one contract, by topics as `eth_getLogs` takes them. */
export interface LogQuery {
  readonly address: Hex;
  readonly topics: readonly (Hex | readonly Hex[] | null)[];
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** Bytes as JSON-RPC spells them. */
export const hexText = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/)
  .toLowerCase() as unknown as z.ZodType<Hex>;
const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .toLowerCase() as unknown as z.ZodType<Hex>;
/** A number as JSON-RPC spells it, within what JavaScript counts exactly. */
export const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,14}$/)
  .transform((text, context) => {
    const value = Number(text);
    if (Number.isSafeInteger(value)) return value;
    context.addIssue("too large");
    return z.NEVER;
  });
/** A number beyond those, as a decimal text. */
const amount = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform((text) => BigInt(text).toString());
const blockSchema = z.object({ number: quantity, hash, timestamp: quantity });
type Block = z.infer<typeof blockSchema>;
const logSchema = z.object({
  address: hexText,
  topics: z.array(hash).max(4),
  data: hexText,
  blockNumber: quantity,
  logIndex: quantity,
  removed: z.literal(false).optional(),
});

/** A chain through all its endpoints at once. */
export class AgreedChain {
  readonly rpcs: readonly Rpc[];
  readonly chainId: number;
  /** Ends what is under way, when a poll has taken too long. */
  signal: AbortSignal | undefined;
  /** Block of the newest pin: an endpoint that fell behind would make what was mirrored look undone. */
  #newest = 0;

  constructor(rpcs: readonly Rpc[], chainId: number) {
    this.rpcs = rpcs;
    this.chainId = chainId;
  }

  /**
   * The finalised block of the endpoint that is furthest behind, which all must have; or, for what may still be undone, the
   * newest such block.
   * @throws ChainTrouble `rpc_away`, `rpc_malformed`, `rpc_refused`, `wrong_chain`, `rpcs_disagree`, `chain_behind`
   */
  async pin(tag: "finalized" | "latest" = "finalized"): Promise<Pin> {
    const tips = await this.#each(async (rpc) => {
      const [id, head, block] = await rpc.need(
        [
          { method: "eth_chainId", params: [] },
          { method: "eth_blockNumber", params: [] },
          { method: "eth_getBlockByNumber", params: [tag, false] },
        ],
        this.signal,
      );
      const chainId = decode(rpc, quantity, id);
      if (chainId !== this.chainId)
        throw new ChainTrouble("wrong_chain", { rpc: rpc.name, expected: this.chainId, got: chainId });
      return { head: decode(rpc, quantity, head), block: decode(rpc, blockSchema, block) };
    });
    const lowest = Math.min(...tips.map(({ block }) => block.number));
    const blocks = await this.#each((rpc, index) => {
      const { block } = tips[index] as { block: Block };
      return block.number === lowest ? Promise.resolve(block) : this.#blockAt(rpc, lowest);
    });
    const { number, hash, timestamp } = this.#same(blocks, { block: lowest });
    if (number !== lowest) throw new ChainTrouble("rpcs_disagree", { block: lowest });
    if (tag === "finalized") this.#advance(lowest);
    return { number, hash, timeS: timestamp, head: Math.max(...tips.map(({ head }) => head)) };
  }

  /** A block that is final, as all endpoints have it. @throws ChainTrouble */
  async blockAt(number: number): Promise<Block> {
    return this.#same(await this.#each((rpc) => this.#blockAt(rpc, number)), { block: number });
  }

  /**
   * Asks contracts as of a pinned block; every endpoint must give the very same bytes.
   * @throws ChainTrouble also `contract_missing`, where an answer cannot be read
   */
  async read<T extends readonly unknown[]>(pin: Pin, reads: { [K in keyof T]: Read<T[K]> }): Promise<T> {
    const all = reads as readonly Read<unknown>[];
    const answers = await this.#each(async (rpc) => {
      const calls = all.map(({ to, data }) =>
        callAt(to, data, { blockHash: pin.hash, requireCanonical: true }),
      );
      const found = await rpc.need(calls, this.signal);
      return found.map((answer) => decode(rpc, hexText, answer));
    });
    const agreed = this.#same(answers, { block: pin.number });
    return all.map(({ to, decode: read }, index) => {
      try {
        return read(agreed[index] as Hex);
      } catch {
        throw new ChainTrouble("contract_missing", { contract: to });
      }
    }) as unknown as T;
  }

  /** What an account has of the chain's own money as of a pinned block. Wei. @throws ChainTrouble */
  async weiOf(pin: Pin, account: Hex): Promise<bigint> {
    const answers = await this.#each(async (rpc) => {
      const params = [account, { blockHash: pin.hash }];
      const [found] = await rpc.need([{ method: "eth_getBalance", params }], this.signal);
      return decode(rpc, amount, found);
    });
    return BigInt(this.#same(answers, { block: pin.number }));
  }

  /** A contract's logs, ascending, each once. Endpoints limit how many blocks or logs they search; that is learnt. */
  async logs(query: LogQuery): Promise<readonly ChainLog[]> {
    const found = await this.#each((rpc) => this.#logsOf(rpc, query));
    return this.#same(found, { fromBlock: query.fromBlock, toBlock: query.toBlock });
  }

  #advance(finalised: number): void {
    if (finalised < this.#newest)
      throw new ChainTrouble("chain_behind", { finalised, mirrored: this.#newest });
    this.#newest = finalised;
  }

  async #logsOf(rpc: Rpc, query: LogQuery): Promise<ChainLog[]> {
    const logs = new Map<string, ChainLog>();
    for (let from = query.fromBlock; from <= query.toBlock; ) {
      const to = Math.min(query.toBlock, from + Math.min(rpc.logSpan, query.toBlock - from + 1) - 1);
      try {
        const [answer] = await rpc.need([logsCall(query, from, to)], this.signal);
        for (const log of decode(rpc, z.array(logSchema), answer)) keepLog(rpc, query, from, to, log, logs);
        from = to + 1;
      } catch (error) {
        const isTooMuch = error instanceof RpcFault && error.kind === "refused" && to > from;
        if (!isTooMuch) throw error;
        rpc.logSpan = Math.floor((to - from + 1) / 2);
      }
    }
    return [...logs.values()].sort((one, other) => one.block - other.block || one.index - other.index);
  }

  async #blockAt(rpc: Rpc, number: number): Promise<Block> {
    const params = [`0x${number.toString(16)}`, false];
    const [block] = await rpc.need([{ method: "eth_getBlockByNumber", params }], this.signal);
    return decode(rpc, blockSchema, block);
  }

  /** Asks all endpoints at once; the first fault in their order is the one that is told. */
  async #each<T>(ask: (rpc: Rpc, index: number) => Promise<T>): Promise<T[]> {
    const settled = await Promise.allSettled(this.rpcs.map(ask));
    return settled.map((outcome) => {
      if (outcome.status === "fulfilled") return outcome.value;
      throw troubleOf(outcome.reason);
    });
  }

  #same<T>(answers: readonly T[], facts: Record<string, number>): T {
    const [first] = answers;
    const text = JSON.stringify(first);
    const other = answers.findIndex((answer) => JSON.stringify(answer) !== text);
    if (other === -1) return first as T;
    const [one, two] = [this.rpcs[0] as Rpc, this.rpcs[other] as Rpc];
    throw new ChainTrouble("rpcs_disagree", { one: one.name, other: two.name, ...facts });
  }
}

/** A call of a contract as of a block: a tag, or a block's hash. */
export function callAt(to: Hex, data: Hex, block: unknown, from?: Hex): RpcCall {
  return { method: "eth_call", params: [{ to, data, ...(from === undefined ? {} : { from }) }, block] };
}

/** Reads an endpoint's value. @throws RpcFault `malformed` */
export function decode<T>(rpc: Rpc, schema: z.ZodType<T>, value: unknown): T {
  const decoded = schema.safeParse(value);
  if (!decoded.success) throw rpc.fault("malformed", "an answer has not the shape it must have");
  return decoded.data;
}

/** What an endpoint's fault is to the mirror. */
export function troubleOf(error: unknown): unknown {
  if (!(error instanceof RpcFault)) return error;
  return new ChainTrouble(`rpc_${error.kind}`, { rpc: error.rpc, error: error.message });
}

function logsCall({ address, topics }: LogQuery, from: number, to: number): RpcCall {
  const [fromBlock, toBlock] = [`0x${from.toString(16)}`, `0x${to.toString(16)}`];
  return { method: "eth_getLogs", params: [{ address, topics, fromBlock, toBlock }] };
}

/** Takes a log that is one of those asked for. Given twice it counts once; given in two versions it is no log. */
function keepLog(
  rpc: Rpc,
  { address, topics }: LogQuery,
  from: number,
  to: number,
  log: z.infer<typeof logSchema>,
  logs: Map<string, ChainLog>,
): void {
  const isAsked = topics.every((wanted, place) => {
    const topic = log.topics[place];
    return wanted === null || (topic !== undefined && [wanted].flat().includes(topic));
  });
  const isInside = log.blockNumber >= from && log.blockNumber <= to;
  if (!isAsked || !isInside || log.address !== address)
    throw rpc.fault("malformed", "a log that was not asked for");
  const kept: ChainLog = {
    block: log.blockNumber,
    index: log.logIndex,
    topics: log.topics,
    data: log.data,
  };
  const key = `${kept.block}/${kept.index}`;
  const known = logs.get(key);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(kept))
    throw rpc.fault("malformed", "two logs in one place");
  logs.set(key, kept);
}
