// Owns the way from a provider's account to its object. It refuses accounts that their region does not know, because every invented
// one would make an object.

import type { Env } from "../durable-objects/environment.ts";
import type { Hex } from "../protocol/fields.ts";
import { Refusal } from "./problems.ts";
import { regionOf } from "./region-access.ts";

/** Accounts that were there, by region and address: an account is never closed. */
const known = new Set<string>();
const MOST_KNOWN = 4_096;

/** The object of an account. @throws Refusal `region_not_found`, `account_not_found` */
export async function providerOf(env: Env, region: string, account: Hex) {
  const name = `${region}/${account}`;
  const object = await regionOf(env, region);
  if (!known.has(name)) {
    if ((await object.account(account)) === null) throw new Refusal("account_not_found", { account });
    if (known.size >= MOST_KNOWN) known.clear();
    known.add(name);
  }
  return env.PROVIDER.getByName(name);
}
