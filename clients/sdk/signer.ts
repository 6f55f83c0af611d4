// Owns who signs commands for the SDK: a wallet or a session key. It refuses nothing; what a key may do is the
// region's to say.

import { hexToBytes } from "@noble/hashes/utils.js";
import type { LocalAccount } from "viem";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import type { CommandSignature } from "../../evidence/verified-command.ts";
import type { Command } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { commandDigest, type SigningDomain, typedDataOf } from "../../protocol/typed-data.ts";

/** Signs commands for one account. */
export interface Signer {
  /** The account that signed commands act for. */
  readonly account: Hex;
  sign(domain: SigningDomain, command: Command): Promise<CommandSignature>;
}

/** Signs with a wallet (EIP-712): any viem account that holds its key. */
export function walletSigner(wallet: LocalAccount): Signer {
  return {
    account: wallet.address.toLowerCase() as Hex,
    async sign(domain, command) {
      const data = typedDataOf(domain, command);
      // viem's types follow literal type tables; ours is a table for all commands.
      const signature = await wallet.signTypedData(
        data as unknown as Parameters<typeof wallet.signTypedData>[0],
      );
      return { scheme: "wallet", signature };
    },
  };
}

/** Signs with a session key that the account's wallet has authorised. */
export function sessionSigner(account: Hex, seed: Hex): Signer {
  const key = sessionKeyOf(seed);
  const bytes = hexToBytes(seed.slice(2));
  return {
    account,
    async sign(domain, command) {
      return { scheme: "session", key, signature: signSession(bytes, commandDigest(domain, command)) };
    },
  };
}
