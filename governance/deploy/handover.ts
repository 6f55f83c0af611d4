// Owns how a deployment becomes the vote's: roles of the timelock, ownership, and whoever deploys with nothing left. It refuses
// to call that done before all of it was read back, and a timelock in which anybody else has a role.

import type { Hex } from "../../protocol/fields.ts";
import { type Addresses, contractOf } from "./contracts.ts";
import { type DeployCalls, isSame } from "./deploy-calls.ts";
import { DeployRefused } from "./refusals.ts";
import { type Role, roleHolders } from "./role-holders.ts";

/** What the timelock owns. Token and governor have no owner. */
const OWNED = ["settlement", "meterRegistry", "callList", "rewardParameters", "providerStake"] as const;

/** Gives everything away, as far as it is not; the last step is whoever deploys laying down the timelock's administration. */
export async function handOver(calls: DeployCalls, addresses: Addresses): Promise<void> {
  const { timelock, governor } = addresses;
  const contract = contractOf(addresses, "timelock");
  const hasRole = async (role: Role, account: Hex): Promise<readonly [Hex, boolean]> => {
    const word = (await calls.read(contract, role)) as Hex;
    return [word, (await calls.read(contract, "hasRole", [word, account])) as boolean];
  };
  for (const role of ["PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"] as const) {
    const [word, isGranted] = await hasRole(role, governor);
    if (!isGranted) await calls.send(contract, "grantRole", [word, governor]);
  }
  for (const name of OWNED) {
    const owned = contractOf(addresses, name);
    if (isSame(await calls.read(owned, "owner"), timelock)) continue;
    await calls.sendAsOwner(owned, "transferOwnership", [timelock]);
    calls.report(`${name} belongs to the timelock`);
  }
  const [admin, isAdmin] = await hasRole("DEFAULT_ADMIN_ROLE", calls.deployer);
  if (!isAdmin) return;
  await calls.send(contract, "renounceRole", [admin, calls.deployer]);
  calls.report("whoever deployed has nothing left to decide");
}

/**
 * @param sinceBlock before which no contract was there.
 * @throws DeployRefused where anything governed belongs to somebody else, or anybody else has a role in the timelock
 */
export async function requireHandedOver(
  calls: DeployCalls,
  addresses: Addresses,
  sinceBlock: number,
): Promise<void> {
  const { timelock, governor } = addresses;
  for (const name of OWNED) {
    const found = await calls.read(contractOf(addresses, name), "owner");
    if (!isSame(found, timelock))
      throw new DeployRefused(`${name} belongs to ${found}, and not to the timelock ${timelock}`);
  }
  const holders = await roleHolders(calls.client, timelock, sinceBlock);
  for (const [role, found] of holders) {
    const only = role === "DEFAULT_ADMIN_ROLE" ? timelock : governor;
    if (found.length !== 1 || !isSame(found[0], only))
      throw new DeployRefused(`${role} of the timelock is ${only}'s alone, and ${found.join(", ")} has it`);
  }
}
