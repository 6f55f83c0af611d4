// Owns the shape of a case that provokes one refusal of the market, and the region most of them begin with. It refuses
// to know any code.

import type { ErrorCode } from "../../../protocol/errors.ts";
import type { Hex } from "../../../protocol/fields.ts";
import { type Market, MIDNIGHT_S, openMarket, settle } from "../market.ts";

export interface RejectionCase {
  readonly code: ErrorCode;
  readonly when: string;
  readonly run: () => void;
}

/** Two homes with a meter each, at a moment at which the first window can be proved. */
export function provable(): { market: Market; ann: Hex; bob: Hex } {
  const market = openMarket();
  const [ann, bob] = settle(market, 2) as [Hex, Hex];
  market.to(MIDNIGHT_S + 3_600);
  return { market, ann, bob };
}
