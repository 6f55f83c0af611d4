// Owns what whoever sells compute signs, with a session key of its account that may sell it: asks, their cancels, reports and what
// is given up or settled. It refuses to sign for longer than what it signs can matter.

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { type CommandOf, commandSchemas } from "../protocol/commands.ts";
import { type Hex, NO_HASH } from "../protocol/fields.ts";
import { MAX_COMMAND_LIFE_S } from "../protocol/limits.ts";
import { commandDigest, type SigningDomain } from "../protocol/typed-data.ts";
import { hexOf } from "./bytes.ts";
import { sessionKeyOf, signSession } from "./session-signature.ts";

/** Market seconds in which what has no end of its own must reach its region. */
const SIGNED_FOR_SECONDS = 600;
/** Clocks differ: no command is signed for as long as one may live. Market seconds. */
const LONGEST_SECONDS = MAX_COMMAND_LIFE_S - 3_600;

type Signable = "report_result" | "settle_obligation" | "place_resource_order" | "cancel_resource_order";
type Own<T extends Signable> = Omit<CommandOf<T>, "account" | "region" | "nonce" | "expiresAtS">;

/** Who sells, and where. */
export interface SellerIdentity {
  readonly account: Hex;
  /** Seed of the session key. */
  readonly seed: Hex;
  readonly region: string;
  readonly domain: SigningDomain;
  /** Market time now. */
  readonly atS: () => number;
}

/** What was sold. From its deadline on nothing that is said of it counts; until then everything does, however late. */
export interface Sold {
  readonly obligationId: number;
  readonly deadlineS: number;
}

/** Signs for one seller. */
export class SellerKey {
  readonly identity: SellerIdentity;
  readonly key: Hex;
  readonly #seed: Uint8Array;

  constructor(identity: SellerIdentity) {
    this.identity = identity;
    this.#seed = hexToBytes(identity.seed.slice(2));
    this.key = sessionKeyOf(identity.seed);
  }

  report(
    { obligationId, deadlineS, jobDigest }: Sold & { readonly jobDigest: Hex },
    fuelMega: number,
    outputHash: Hex,
  ) {
    return this.#sign<"report_result">(
      { type: "report_result", obligationId, fuelMega, jobDigest, outputHash },
      deadlineS,
    );
  }

  /** Nothing will be delivered of it: the buyer has its money back at once. */
  giveUp(sold: Sold) {
    return this.settle(sold, { deliveredMega: 0, jobDigest: NO_HASH, outputHash: NO_HASH }, true);
  }

  settle(
    { obligationId, deadlineS }: Sold,
    delivered: Pick<CommandOf<"settle_obligation">, "deliveredMega" | "jobDigest" | "outputHash">,
    isFinal: boolean,
  ) {
    const { deliveredMega, jobDigest, outputHash } = delivered;
    return this.#sign<"settle_obligation">(
      { type: "settle_obligation", obligationId, deliveredMega, jobDigest, outputHash, isFinal },
      deadlineS,
    );
  }

  /** An ask for jobs. */
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

  /** Takes an ask out of the book; good until `untilS` where it is for later. */
  cancel(orderId: number, untilS?: number) {
    return this.#sign<"cancel_resource_order">({ type: "cancel_resource_order", orderId }, untilS);
  }

  /** What a commitment to a run's result is salted with: the same after a restart, and nobody else's to guess. */
  salt(obligationId: number): Hex {
    const words = utf8ToBytes(`${this.identity.region} ${obligationId}`);
    return hexOf(sha256(concatBytes(utf8ToBytes("polder-commitment-salt\n"), this.#seed, words)));
  }

  /** Signs what is no command. */
  protected signDigest(digest: Uint8Array): Hex {
    return signSession(this.#seed, digest);
  }

  #sign<T extends Signable>(own: Own<T>, untilS?: number) {
    const { account, region, domain, atS } = this.identity;
    const nowS = atS();
    const nonce = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    const expiresAtS = Math.min(untilS ?? nowS + SIGNED_FOR_SECONDS, nowS + LONGEST_SECONDS);
    // Decoded, as what comes through the gateway is: the journal's text has a command's fields in their one order.
    const command = commandSchemas[own.type].parse({
      ...own,
      account,
      region,
      nonce,
      expiresAtS,
    }) as CommandOf<T>;
    const signature = this.signDigest(commandDigest(domain, command));
    return { chainId: domain.chainId, command, signature, sessionKey: this.key };
  }
}
