// Owns what the deployment signs as a seller: the operator has authorised the key of its receipts as a session key. It refuses to
// sign anything but asks, their cancels, reports and what is given up.

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { hexOf } from "../../evidence/bytes.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import { type CommandOf, commandSchemas } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { SignedReport, SignedSettlement } from "../../protocol/provider-frames.ts";
import { commandDigest, type SigningDomain } from "../../protocol/typed-data.ts";
import type { RunOrder } from "../job-calls.ts";

const NO_HASH: Hex = `0x${"00".repeat(32)}`;

/** Market seconds in which what is signed must reach the region. */
const SIGNED_FOR_SECONDS = 600;

type Signable = "report_result" | "settle_obligation" | "place_resource_order" | "cancel_resource_order";
type Own<T extends Signable> = Omit<CommandOf<T>, "account" | "region" | "nonce" | "expiresAtS">;

export interface EdgeIdentity {
  readonly seed: Hex;
  readonly account: Hex;
  readonly region: string;
  readonly domain: SigningDomain;
  /** Market time now. */
  readonly atS: () => number;
}

/** Signs for the operator in one region. */
export class EdgeKey {
  readonly key: Hex;
  readonly #identity: EdgeIdentity;

  constructor(identity: EdgeIdentity) {
    this.#identity = identity;
    this.key = sessionKeyOf(identity.seed);
  }

  report(
    { obligationId, jobDigest }: Pick<RunOrder, "obligationId" | "jobDigest">,
    fuelMega: number,
    outputHash: Hex,
  ) {
    const own = { type: "report_result", obligationId, fuelMega, jobDigest, outputHash } as const;
    return this.#sign<"report_result">(own) satisfies SignedReport;
  }

  /** Nothing will be delivered of it: the buyer has its money back at once. */
  giveUp(obligationId: number) {
    return this.#sign<"settle_obligation">({
      type: "settle_obligation",
      obligationId,
      deliveredMega: 0,
      jobDigest: NO_HASH,
      outputHash: NO_HASH,
      isFinal: true,
    }) satisfies SignedSettlement;
  }

  ask(quantityMega: number, priceMicrosPerTera: number, goodTillS: number) {
    return this.#sign<"place_resource_order">({
      type: "place_resource_order",
      product: "compute-job",
      side: "sell",
      quantityMega,
      priceMicrosPerTera,
      timeInForce: "good_till_time",
      goodTillS,
    });
  }

  cancel(orderId: number) {
    return this.#sign<"cancel_resource_order">({ type: "cancel_resource_order", orderId });
  }

  /** What a commitment is salted with: the same after a restart, and nobody else's to guess. */
  salt(obligationId: number): Hex {
    const { seed, region } = this.#identity;
    const words = utf8ToBytes(`polder-edge-salt\n${region}\n${obligationId}`);
    return hexOf(sha256(concatBytes(hexToBytes(seed.slice(2)), words)));
  }

  #sign<T extends Signable>(own: Own<T>) {
    const { account, region, domain, atS, seed } = this.#identity;
    const nonce = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    const envelope = { account, region, nonce, expiresAtS: atS() + SIGNED_FOR_SECONDS };
    // Decoded, as what comes through the gateway is: the journal's text has a command's fields in their one order.
    const command = commandSchemas[own.type].parse({ ...own, ...envelope }) as CommandOf<T>;
    const signature = signSession(seed, commandDigest(domain, command));
    return { chainId: domain.chainId, command, signature, sessionKey: this.key };
  }
}
