// Owns who has which role in the timelock, by all events since it was made: the contract answers only for accounts that one
// already suspects. It refuses to guess where an RPC does not show the events.

import type { Hex, PublicClient } from "viem";
import { timelockControllerAbi } from "../generated/abi.ts";

/** Roles by the timelock's own names. */
export const ROLES = ["DEFAULT_ADMIN_ROLE", "PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"] as const;
export type Role = (typeof ROLES)[number];

/** The holders of each role, in lower case and ascending. @param sinceBlock when the timelock was not there yet */
export async function roleHolders(
  client: PublicClient,
  timelock: Hex,
  sinceBlock: number,
): Promise<ReadonlyMap<Role, readonly Hex[]>> {
  const latest = await client.getBlockNumber({ cacheTime: 0 });
  const events = await roleEvents(client, timelock, BigInt(sinceBlock), latest);
  const holders = new Map<Hex, Set<Hex>>();
  for (const { eventName, args } of events) {
    const { role, account } = args as { role: Hex; account: Hex };
    const accounts = holders.get(role) ?? new Set();
    holders.set(role, accounts);
    const holder = account.toLowerCase() as Hex;
    if (eventName === "RoleGranted") accounts.add(holder);
    else accounts.delete(holder);
  }
  const named = await Promise.all(
    ROLES.map(async (role) => {
      const word = await client.readContract({
        address: timelock,
        abi: timelockControllerAbi,
        functionName: role,
      });
      return [role, [...(holders.get(word) ?? [])].toSorted()] as const;
    }),
  );
  return new Map(named);
}

/** Halves the stretch as long as the RPC refuses its length. */
async function roleEvents(
  client: PublicClient,
  timelock: Hex,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<readonly { readonly eventName: string; readonly args: unknown }[]> {
  try {
    const events = await client.getContractEvents({
      address: timelock,
      abi: timelockControllerAbi,
      fromBlock,
      toBlock,
      strict: true,
    });
    return events.filter(({ eventName }) => eventName === "RoleGranted" || eventName === "RoleRevoked");
  } catch (error) {
    if (fromBlock >= toBlock) throw error;
    const middle = (fromBlock + toBlock) / 2n;
    const earlier = await roleEvents(client, timelock, fromBlock, middle);
    return [...earlier, ...(await roleEvents(client, timelock, middle + 1n, toBlock))];
  }
}
