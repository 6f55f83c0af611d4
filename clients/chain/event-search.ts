// Owns the search for contracts' events, from a block backwards until whoever asks has enough. It refuses an RPC that answers
// with other logs than those it was asked for.

import { type Address, BaseError, HttpRequestError, type PublicClient } from "viem";
import type { Hex } from "../../protocol/fields.ts";
import { ChainFault } from "./chain-connection.ts";
import { chainLogs, LOG_SPAN } from "./chain-log.ts";

/** An event's log. */
export interface EventLog {
  readonly contract: Hex;
  readonly block: bigint;
  readonly index: number;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** Which: of these contracts, with one of the first topics, and all of the second. */
export interface EventQuery {
  readonly contracts: readonly Hex[];
  readonly names: readonly Hex[];
  readonly second: Hex;
}

/**
 * Searches backwards.
 * @param through the block to begin with; nothing after it is looked at.
 * @param found told of each stretch's logs, the latest stretch first; answers whether that is enough.
 * @returns all logs that were found, in the chain's order.
 * @throws ChainFault for logs that were not asked for, or that stand in one place twice
 */
export async function searchEvents(
  client: PublicClient,
  query: EventQuery,
  through: bigint,
  found: (logs: readonly EventLog[]) => boolean,
): Promise<readonly EventLog[]> {
  let stretches: readonly EventLog[][] = [];
  let span = BigInt(LOG_SPAN);
  for (let to = through; to >= 0n; ) {
    const from = to + 1n > span ? to + 1n - span : 0n;
    let answer: unknown;
    try {
      answer = await ask(client, query, from, to);
    } catch (error) {
      if (!isTooMuch(error) || from === to) throw error;
      span = (to - from + 1n) / 2n;
      continue;
    }
    const logs = logsOf(answer, query, from, to);
    stretches = [logs, ...stretches];
    if (found(logs)) break;
    to = from - 1n;
  }
  return stretches.flat();
}

function ask(client: PublicClient, { contracts, names, second }: EventQuery, from: bigint, to: bigint) {
  return client.request({
    method: "eth_getLogs",
    params: [
      {
        address: [...contracts] as Address[],
        topics: [[...names], second],
        fromBlock: `0x${from.toString(16)}`,
        toBlock: `0x${to.toString(16)}`,
      },
    ],
  });
}

/** An RPC refuses what is too long or too much for it in many words; one that is away says nothing. */
export function isTooMuch(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  const unheard = error.walk((cause) => cause instanceof HttpRequestError);
  return !(unheard instanceof HttpRequestError) || unheard.status !== undefined;
}

function logsOf(answer: unknown, query: EventQuery, from: bigint, to: bigint): EventLog[] {
  const decoded = chainLogs.safeParse(answer);
  if (!decoded.success) throw new ChainFault("the RPC answers something that is no list of logs");
  const places = new Set<string>();
  const logs = decoded.data.map(({ address, topics, data, blockNumber, logIndex }) => {
    const block = BigInt(blockNumber);
    const [name, second] = topics as [Hex, Hex];
    const isAsked =
      query.contracts.includes(address) &&
      query.names.includes(name) &&
      second === query.second &&
      block >= from &&
      block <= to;
    if (!isAsked) throw new ChainFault("the RPC answers with a log that was not asked for");
    const place = `${blockNumber}/${logIndex}`;
    if (places.has(place)) throw new ChainFault("the RPC answers with two logs in one place");
    places.add(place);
    return { contract: address, block, index: logIndex, topics, data };
  });
  return logs.sort((one, other) => Number(one.block - other.block) || one.index - other.index);
}
