// Owns who may speak for a provider: whoever signs this connection's challenge with a session key of the account that may
// sell compute, and counts fuel as this deployment does. It refuses every other hello, with the code that says why.

import { REWRITER_VERSION } from "../../compute/metering/fuel-schedule.ts";
import { verifySession } from "../../evidence/session-signature.ts";
import type { Account } from "../../protocol/answers.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { NodeFrame } from "../../protocol/provider-frames.ts";
import { type SigningDomain, statementDigest } from "../../protocol/typed-data.ts";

export type Hello = Extract<NodeFrame, { type: "hello" }>;

export interface Admitting {
  readonly domain: SigningDomain;
  readonly region: string;
  readonly account: Hex;
  readonly challenge: Hex;
  readonly atS: number;
  /** Asks the region, once a connection. */
  readonly readAccount: (account: Hex) => Promise<Account | null>;
}

/** Why a hello is not accepted, or null. Signature first: it costs the region nothing. */
export async function refuseHello(hello: Hello, admitting: Admitting): Promise<Rejection | null> {
  const { domain, region, account, challenge, atS, readAccount } = admitting;
  if (hello.chainId !== domain.chainId)
    return rejected("wrong_chain", { expected: domain.chainId, got: hello.chainId });
  if (hello.region !== region) return rejected("wrong_region", { expected: region, got: hello.region });
  if (hello.account !== account) return rejected("not_account_owner", { expected: account });
  // By another version an honest node would report what no referee comes to.
  if (hello.rewriter !== REWRITER_VERSION)
    return rejected("rewriter_differs", { expected: REWRITER_VERSION, got: hello.rewriter });
  const digest = statementDigest(domain, "ProviderHello", { region, account, challenge });
  const verdict = await verifySession(hello.sessionKey, digest, hello.signature);
  if (!verdict.ok) return rejected(verdict.code, verdict.facts);
  const known = await readAccount(account);
  if (known === null) return rejected("account_unknown", { account });
  const session = known.sessions.find(({ key }) => key === hello.sessionKey);
  if (session === undefined) return rejected("session_unknown");
  if (session.isRevoked) return rejected("session_revoked");
  if (session.expiresAtS <= atS) return rejected("session_expired", { expiredAtS: session.expiresAtS });
  if (!session.resources.includes("compute"))
    return rejected("session_scope", { limit: "resources", asked: "compute" });
  if (!session.sides.includes("sell")) return rejected("session_scope", { limit: "sides", asked: "sell" });
  return null;
}
