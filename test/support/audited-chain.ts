// Owns a region that settles on a chain, as an audit without a network is given it: how it was opened, who its mirror is, and
// what the chain is said to have. It refuses to have a chain.

import { privateKeyToAccount } from "viem/accounts";
import { audit } from "../../clients/audit/audit.ts";
import type { MirroredChain } from "../../clients/audit/mirrored-events.ts";
import { walletSigner } from "../../clients/sdk/signer.ts";
import { receiptKeyOf } from "../../evidence/receipt.ts";
import { type Journal, OPENED_AT_S, operator, type Step, sign } from "./client-journal.ts";
import { DOMAIN, GRID, PARAMETERS, TREASURY, word } from "./market.ts";

export const mirror = walletSigner(privateKeyToAccount(word(0x3312)));

/** Opens a region that settles on the chain. */
export function settledOpening(): Promise<Step> {
  return sign(OPENED_AT_S, operator, {
    type: "open_region",
    timeZone: "Europe/Amsterdam",
    windowSlots: 4,
    epochSlots: 8,
    quote: "settlement",
    operator: operator.account,
    gridOperator: GRID,
    treasury: TREASURY,
    mirror: mirror.account,
    receiptKey: receiptKeyOf(word(7)),
    parameters: PARAMETERS,
  });
}

type Mirrored = Awaited<ReturnType<MirroredChain["again"]>>;

/** Audits a journal against a chain that has some of everything, and `later` when it is asked again. */
export function auditAgainst(journal: Journal, has: Partial<Mirrored>, later: Partial<Mirrored> = has) {
  const nothing: Mirrored = { deposits: [], registryEvents: null, versions: null, stakeEvents: null };
  return audit(DOMAIN, journal.lines, {
    chain: {
      record: { stage: "open", ...nothing, ...has },
      again: async () => ({ ...nothing, ...later }),
      depositTimeS: async () => 0,
    },
  });
}
