// Owns where a wallet's private key comes from: the environment or an encrypted file. It refuses keys on a command line, two
// sources at once, and to let a key into any message.

import type { LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Hex } from "../../protocol/fields.ts";
import { readKeystore } from "./keystore-file.ts";
import { askPassword } from "./password-prompt.ts";

/** Variables that hold a wallet's key, in order; the second is what the commands of the market have always read. */
const KEY_VARIABLES = ["POLDER_KEY", "POLDER_WALLET_KEY"] as const;

/**
 * The wallet of a command: of the file that was named, else of POLDER_KEYSTORE, else of POLDER_KEY or POLDER_WALLET_KEY.
 * @param keystore a file named on the command line.
 * @throws Error where there is none, or which one is meant is not clear
 */
export async function walletFrom(keystore?: string): Promise<LocalAccount> {
  const named = keystore ?? process.env.POLDER_KEYSTORE;
  const inEnvironment = keyOfEnvironment();
  if (named === undefined) {
    if (inEnvironment === null)
      throw new Error("set POLDER_KEY to a wallet's private key, or name its encrypted file with --keystore");
    return accountOf(inEnvironment.key, inEnvironment.variable);
  }
  if (keystore === undefined && inEnvironment !== null)
    throw new Error(`POLDER_KEYSTORE and ${inEnvironment.variable} are both set: which wallet is meant?`);
  return accountOf(readKeystore(named, await askPassword(`password of ${named}: `)), named);
}

/** The key of the environment, or null. @throws Error where two differ or one is malformed */
function keyOfEnvironment(): { readonly key: Hex; readonly variable: string } | null {
  const found = KEY_VARIABLES.flatMap((variable) => {
    const key = process.env[variable];
    return key === undefined ? [] : [{ variable, key }];
  });
  const [first, second] = found;
  if (first === undefined) return null;
  if (second !== undefined && second.key.toLowerCase() !== first.key.toLowerCase())
    throw new Error(`${first.variable} and ${second.variable} are both set, and differ`);
  // The value is not shown: a typing error does not make it harmless.
  if (!/^0x[0-9a-fA-F]{64}$/.test(first.key))
    throw new Error(`${first.variable} is not 0x and 64 hex digits`);
  return { key: first.key as Hex, variable: first.variable };
}

/** @throws Error for a number that is no key: zero, or beyond the curve's order */
function accountOf(key: Hex, source: string): LocalAccount {
  try {
    return privateKeyToAccount(key);
  } catch {
    throw new Error(`${source} holds no key of a wallet`);
  }
}
