// Owns what a provider's node signs: what every seller does, and its hello. It refuses to sign anything else.

import { REWRITER_VERSION } from "../../compute/metering/fuel-schedule.ts";
import { type SellerIdentity, SellerKey } from "../../evidence/seller-key.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { NodeFrame } from "../../protocol/provider-frames.ts";
import { statementDigest } from "../../protocol/typed-data.ts";

export type NodeIdentity = SellerIdentity;

/** Signs for one node. */
export class NodeKey extends SellerKey {
  hello(challenge: Hex, room: number, holds: readonly number[]): NodeFrame {
    const { region, account, domain } = this.identity;
    const digest = statementDigest(domain, "ProviderHello", { region, account, challenge });
    return {
      type: "hello",
      chainId: domain.chainId,
      region,
      account,
      sessionKey: this.key,
      signature: this.signDigest(digest),
      rewriter: REWRITER_VERSION,
      room,
      holds: [...holds],
    };
  }
}
