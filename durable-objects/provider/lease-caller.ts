// Owns who uses a lease: the session key, or the wallet, that made a signature. It refuses a signature that does not hold; whether
// it is the buyer's is the lease's to say.

import { verifySession } from "../../evidence/session-signature.ts";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";

/** Who asks: a session key, or a wallet that signed. */
export type Caller = { readonly key: Hex } | { readonly wallet: Hex };

/** Whoever made a signature. */
export async function callerOf(
  digest: Uint8Array,
  signature: Hex,
  sessionKey: Hex | null,
): Promise<Caller | { readonly rejection: Rejection }> {
  if (sessionKey === null) {
    const verdict = recoverWallet(digest, signature);
    return verdict.ok ? { wallet: verdict.wallet } : { rejection: rejected(verdict.code, verdict.facts) };
  }
  const verdict = await verifySession(sessionKey, digest, signature);
  return verdict.ok ? { key: sessionKey } : { rejection: rejected(verdict.code, verdict.facts) };
}
