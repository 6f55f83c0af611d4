// Owns what a provider's node signs, with a session key of its account that may sell compute: its hello, its asks' cancels,
// its reports and what it gives up. It refuses to sign anything else.

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { hexOf } from "../../evidence/bytes.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import type {
  NodeFrame,
  SignedCancel,
  SignedReport,
  SignedSettlement,
} from "../../protocol/provider-frames.ts";
import { commandDigest, type SigningDomain, statementDigest } from "../../protocol/typed-data.ts";

export const NO_HASH: Hex = `0x${"00".repeat(32)}`;

/** Market seconds in which what a node signs must reach its region: a region remembers each command so long. */
const SIGNED_FOR_SECONDS = 600;

/** Whose node it is, and where. */
export interface NodeIdentity {
  readonly account: Hex;
  /** Seed of the session key. */
  readonly seed: Hex;
  readonly region: string;
  readonly domain: SigningDomain;
  /** Market time now. */
  readonly atS: () => number;
}

/** Signs for one node. */
export class NodeKey {
  readonly identity: NodeIdentity;
  readonly key: Hex;
  readonly #seed: Uint8Array;

  constructor(identity: NodeIdentity) {
    this.identity = identity;
    this.#seed = hexToBytes(identity.seed.slice(2));
    this.key = sessionKeyOf(identity.seed);
  }

  hello(challenge: Hex, room: number, holds: readonly number[]): NodeFrame {
    const { region, account, domain } = this.identity;
    const digest = statementDigest(domain, "ProviderHello", { region, account, challenge });
    return {
      type: "hello",
      chainId: domain.chainId,
      region,
      account,
      sessionKey: this.key,
      signature: signSession(this.#seed, digest),
      room,
      holds: [...holds],
    };
  }

  report(obligationId: number, fuelMega: number, jobDigest: Hex, outputHash: Hex): SignedReport {
    return this.#sign({
      type: "report_result",
      ...this.#envelope(SIGNED_FOR_SECONDS),
      obligationId,
      fuelMega,
      jobDigest,
      outputHash,
    });
  }

  /** Nothing will be delivered of it: the buyer has its money back at once. */
  giveUp(obligationId: number): SignedSettlement {
    return this.settle(obligationId, 0, NO_HASH, NO_HASH, true);
  }

  settle(
    obligationId: number,
    deliveredMega: number,
    jobDigest: Hex,
    outputHash: Hex,
    isFinal: boolean,
  ): SignedSettlement {
    return this.#sign({
      type: "settle_obligation",
      ...this.#envelope(SIGNED_FOR_SECONDS),
      obligationId,
      deliveredMega,
      jobDigest,
      outputHash,
      isFinal,
    });
  }

  /** Takes an ask out of the book; good until `untilS`. */
  cancel(orderId: number, untilS: number): SignedCancel {
    const envelope = { ...this.#envelope(0), expiresAtS: untilS };
    return this.#sign({ type: "cancel_resource_order", ...envelope, orderId });
  }

  /** What a commitment to a run's result is salted with: the same after a restart, and nobody else's to guess. */
  salt(obligationId: number): Hex {
    return hexOf(
      sha256(
        concatBytes(
          utf8ToBytes("polder-commitment-salt\n"),
          this.#seed,
          utf8ToBytes(`${this.identity.region} ${obligationId}`),
        ),
      ),
    );
  }

  #envelope(seconds: number) {
    const { account, region, atS } = this.identity;
    const nonce = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    return { account, region, nonce, expiresAtS: atS() + seconds };
  }

  #sign<C extends CommandOf<"report_result" | "settle_obligation" | "cancel_resource_order">>(command: C) {
    const { domain } = this.identity;
    const signature = signSession(this.#seed, commandDigest(domain, command));
    return { chainId: domain.chainId, command, signature, sessionKey: this.key };
  }
}
