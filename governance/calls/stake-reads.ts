// Owns the questions to the contract of providers' stakes, and what its events come to. It refuses an event that is not there, and
// figures beyond what a region counts.

import { decodeFunctionResult, encodeFunctionData, type PublicClient } from "viem";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { providerStakeAbi } from "../generated/abi.ts";

/** How a provider stood after something happened to its stake. The newest of an account says everything. */
export interface StakeEvent {
  /** From 1, without gaps. */
  readonly number: number;
  readonly account: Hex;
  /** Public key that signs its results. */
  readonly nodeKey: Hex;
  /** At stake and free of queued slashes. Micros. */
  readonly stakedMicros: number;
  readonly isUnbonding: boolean;
}

/** A call's data, and how its answer is read. */
export interface StakeQuestion<T> {
  readonly data: Hex;
  /** @throws Error for bytes that are no such answer */
  readonly decode: (answer: Hex) => T;
}

/** Events asked for together. */
const QUESTIONS = 50;

/** How many stake events a region has. @param region its name as contracts have it */
export function stakeEventCount(region: Hex): StakeQuestion<number> {
  const call = { abi: providerStakeAbi, functionName: "countsOf" } as const;
  return {
    data: encodeFunctionData({ ...call, args: [region] }),
    decode: (data) => counted(decodeFunctionResult({ ...call, data })[0]),
  };
}

/** One of them. @param region its name as contracts have it */
export function stakeEventOf(region: Hex, number: number): StakeQuestion<StakeEvent> {
  const call = { abi: providerStakeAbi, functionName: "stakeEventOf" } as const;
  return {
    data: encodeFunctionData({ ...call, args: [region, BigInt(number)] }),
    decode: (data) => {
      const { account, nodeKey, bondedMicros, isUnbonding } = decodeFunctionResult({ ...call, data });
      if (account === NO_ADDRESS) throw new RangeError(`there is no stake event ${number}`);
      return {
        number,
        account: account.toLowerCase() as Hex,
        nodeKey,
        stakedMicros: counted(bondedMicros),
        isUnbonding,
      };
    },
  };
}

/**
 * A region's stake events in their order. The contract itself is asked, not its logs: it keeps every event.
 * @param region its name as contracts have it.
 * @param blockNumber as of which block; the newest one without it.
 * @throws Error where the address does not answer as such a contract
 */
export async function readStakeEvents(
  client: PublicClient,
  to: Hex,
  region: Hex,
  blockNumber?: bigint,
): Promise<StakeEvent[]> {
  const ask = async <T>({ data, decode }: StakeQuestion<T>): Promise<T> => {
    const answer = await client.call({ to, data, ...(blockNumber === undefined ? {} : { blockNumber }) });
    return decode(answer.data ?? "0x");
  };
  const count = await ask(stakeEventCount(region));
  const events: StakeEvent[] = [];
  while (events.length < count) {
    const from = events.length + 1;
    const numbers = Array.from({ length: Math.min(QUESTIONS, count - from + 1) }, (_, step) => from + step);
    events.push(...(await Promise.all(numbers.map((number) => ask(stakeEventOf(region, number))))));
  }
  return events;
}

/** The providers that events leave with something at stake, by account. @param events in their order */
export function stakesAfter(events: readonly StakeEvent[]): Map<Hex, StakeEvent> {
  const stakes = new Map<Hex, StakeEvent>();
  for (const event of events) {
    if (event.stakedMicros === 0) stakes.delete(event.account);
    else stakes.set(event.account, event);
  }
  return stakes;
}

/** @throws RangeError where it is larger than can be counted */
function counted(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("a number of the chain is too large");
  return Number(value);
}
