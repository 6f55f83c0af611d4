// Owns which wallets everybody holds the keys of: those that local chains come with. It refuses to name their keys.

import { mnemonicToAccount, privateKeyToAddress } from "viem/accounts";
import { bytesToHex } from "viem/utils";
import type { Hex } from "../../protocol/fields.ts";

/** Printed by anvil, hardhat and their guides. Whatever is sent to its wallets on another chain is swept at once. */
const MNEMONIC = "test test test test test test test test test test test junk";
/** Local chains make ten or twenty; some set-ups ask for more. */
const KNOWN_WALLETS = 50;

let known: ReadonlySet<string> | null = null;

/** Whether a wallet is one of those that local chains come with. @param account in either case */
export function isWellKnownWallet(account: string): boolean {
  known ??= new Set(wellKnownWallets());
  return known.has(account.toLowerCase());
}

function wellKnownWallets(): string[] {
  // The words are stretched once; the wallets are children of one node.
  const node = mnemonicToAccount(MNEMONIC, { path: "m/44'/60'/0'/0" }).getHdKey();
  return Array.from({ length: KNOWN_WALLETS }, (_, index) => {
    const { privateKey } = node.deriveChild(index);
    if (privateKey === null) throw new Error("the node has no private half");
    return privateKeyToAddress(bytesToHex(privateKey)).toLowerCase() as Hex;
  });
}
