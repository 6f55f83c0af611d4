// Owns that a deployment names the keys that proofs are verified under, as far as nobody has. It refuses nothing: other keys than
// this release's are what a vote has named since.

import { CIRCUIT_NAMES, circuitWord, verificationKeyHash } from "../../evidence/verification-keys.ts";
import { type Addresses, contractOf } from "./contracts.ts";
import type { DeployCalls } from "./deploy-calls.ts";

const NO_KEY = `0x${"00".repeat(32)}`;

/** Names this release's keys. */
export async function nameKeys(calls: DeployCalls, addresses: Addresses): Promise<void> {
  const contract = contractOf(addresses, "rewardParameters");
  for (const name of CIRCUIT_NAMES) {
    const word = circuitWord(name);
    if ((await calls.read(contract, "verificationKeyHash", [word])) !== NO_KEY) continue;
    await calls.sendAsOwner(contract, "setVerificationKey", [word, verificationKeyHash(name)]);
    calls.report(`proofs of ${name} are verified under a named key`);
  }
}
