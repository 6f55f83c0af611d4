// Owns drafts of the commands about promised resources, with the facts that a verifier of their evidence would have found.
// It refuses to know a region; the drafts of everything else are in market.ts.

import { auditCommitmentOf, NO_BLOCK } from "../../protocol/audits.ts";
import type { Hex, Side } from "../../protocol/fields.ts";
import type { ProductName } from "../../protocol/products.ts";
import type { TimeInForce } from "../../protocol/resource-commands.ts";
import type { DeliveryFacts, VerifiedSigner } from "../../protocol/verified-facts.ts";
import { address, admit, type Draft, type Market, wallet, word } from "./market.ts";

/** The key that `open` says a region signs its receipts with. */
const REFEREE: VerifiedSigner = { scheme: "session", key: word(0xee) };

/** What a test says of an order beyond its side, quantity and price. */
export interface Terms {
  readonly product?: ProductName;
  readonly timeInForce?: TimeInForce;
  /** Seconds that it rests from now on. */
  readonly restSeconds?: number;
  readonly signer?: VerifiedSigner;
}

/** An order in the continuous book: `quantityMega` at a price for a million of them. */
export function order(
  market: Market,
  account: Hex,
  side: Side,
  quantityMega: number,
  priceMicrosPerTera: number,
  { product = "compute-job", timeInForce = "good_till_time", restSeconds = 86_400, signer }: Terms = {},
): Draft {
  const rests = timeInForce === "good_till_time" || timeInForce === "post_only";
  const command = {
    type: "place_resource_order",
    account,
    product,
    side,
    quantityMega,
    priceMicrosPerTera,
    timeInForce,
    goodTillS: rests ? market.atS + restSeconds : 0,
  } as const;
  return { command, signer: signer ?? wallet(account), evidence: null };
}

export function withdrawOrder(
  account: Hex,
  orderId: number,
  signer: VerifiedSigner = wallet(account),
): Draft {
  return { command: { type: "cancel_resource_order", account, orderId } as const, signer, evidence: null };
}

/** What a test says of a settlement beyond how much was delivered. */
export interface Settlement {
  readonly isFinal?: boolean;
  readonly signer?: VerifiedSigner;
  /** Whose agreement the evidence holds; null for no evidence at all. */
  readonly agreedBy?: readonly VerifiedSigner[] | null;
  readonly facts?: Partial<DeliveryFacts>;
}

/** Settles an obligation on evidence that `buyer` agreed to, unless told otherwise. */
export function delivered(
  account: Hex,
  obligationId: number,
  deliveredMega: number,
  buyer: Hex,
  { isFinal = false, signer, agreedBy = [wallet(buyer)], facts = {} }: Settlement = {},
): Draft {
  const said = { deliveredMega, jobDigest: word(0x10b), outputHash: word(0x0a7) };
  const command = { type: "settle_obligation", account, obligationId, ...said, isFinal } as const;
  const evidence: DeliveryFacts | null =
    agreedBy === null
      ? null
      : { kind: "delivery", means: "voucher", obligation: obligationId, ...said, agreedBy, ...facts };
  return { command, signer: signer ?? wallet(account), evidence };
}

/** Buys a job of `replicas` sellers. */
export function buyJob(
  account: Hex,
  fuelMega: number,
  priceMicrosPerTera: number,
  { replicas = 1, jobDigest = word(0x10b), signer = wallet(account) }: Partial<Purchase> = {},
): Draft {
  const command = { type: "buy_job", account, jobDigest, fuelMega, priceMicrosPerTera, replicas } as const;
  return { command, signer, evidence: null };
}

interface Purchase {
  readonly replicas: number;
  readonly jobDigest: Hex;
  readonly signer: VerifiedSigner;
}

/** Reports that a job came to `output` and used so much, attested by the region unless told otherwise. */
export function result(
  account: Hex,
  obligationId: number,
  fuelMega: number,
  {
    output = 0x0a7,
    jobDigest = word(0x10b),
    signer = wallet(account),
    attested = {},
  }: Partial<Reported> = {},
): Draft {
  const outputHash = word(output);
  const command = { type: "report_result", account, obligationId, fuelMega, jobDigest, outputHash } as const;
  const about = { obligation: obligationId, deliveredMega: fuelMega, jobDigest, outputHash };
  const facts = { kind: "delivery", means: "job_result", agreedBy: [REFEREE], ...about } as const;
  return { command, signer, evidence: attested === null ? null : { ...facts, ...attested } };
}

interface Reported {
  readonly output: number;
  readonly jobDigest: Hex;
  readonly signer: VerifiedSigner;
  /** What its attestation says otherwise; null where there is none. */
  readonly attested: Partial<DeliveryFacts> | null;
}

/** The region's edge has seen nothing sound of a run, by its seller's fault unless told otherwise. */
export function released(
  obligationId: number,
  jobDigest = word(0x10b),
  { signer = REFEREE, hasFailed = true }: { signer?: VerifiedSigner; hasFailed?: boolean } = {},
): Draft {
  const command = { type: "release_run", obligationId, jobDigest, hasFailed } as const;
  return { command, signer, evidence: null };
}

/** Gives up what a seller will not deliver. */
export function givenUp(account: Hex, obligationId: number): Draft {
  return delivered(account, obligationId, 0, account, { isFinal: true, agreedBy: null });
}

/** Binds an epoch's audits to a secret. */
export function commitAudits(epoch: number, secret: Hex, signer = REFEREE): Draft {
  const command = { type: "commit_audits", epoch, commitment: auditCommitmentOf(secret) } as const;
  return { command, signer, evidence: null };
}

export function revealAudits(epoch: number, secret: Hex, signer = REFEREE): Draft {
  return { command: { type: "reveal_audits", epoch, secret } as const, signer, evidence: null };
}

/** The referee ran a job again, and came to `output`. */
export function audited(obligationId: number, fuelMega: number, output = 0x0a7, signer = REFEREE): Draft {
  const block = { blockNumber: 0, blockHash: NO_BLOCK };
  const command = {
    type: "record_audit",
    obligationId,
    fuelMega,
    outputHash: word(output),
    ...block,
  } as const;
  return { command, signer, evidence: null };
}

/** A session key's scope with room for compute beside energy. */
export const COMPUTE_SCOPE = {
  resources: ["energy", "compute"] as ("energy" | "compute")[],
  leastAskMicrosPerTera: 1,
  highestBidMicrosPerTera: 1_000_000_000,
  dailyMega: 1_000_000_000,
};

/** Everything that may happen to trades of compute: one is settled, one lapses, one order is cancelled and one expires. */
export function tradeCompute(market: Market, seller: Hex, buyer: Hex): void {
  market.accept(order(market, seller, "sell", 1_000, 500_000));
  market.accept(order(market, buyer, "buy", 300, 600_000));
  const first = market.state.header.nextObligation - 1;
  market.accept(order(market, buyer, "buy", 100, 500_000, { timeInForce: "immediate_or_cancel" }));
  market.accept(delivered(seller, first, 250, buyer, { isFinal: true }));
  const bid = market.accept(order(market, buyer, "buy", 50, 400_000)).number;
  market.accept(withdrawOrder(buyer, bid));
  market.accept(order(market, buyer, "buy", 50, 300_000, { restSeconds: 30 }));
  tradeJobs(market, buyer);
}

/** One job has a seller and is reported; of three sellers of another two agree, and of three of the last none; one is audited. */
function tradeJobs(market: Market, buyer: Hex): void {
  const sellers = [0xb1, 0xb2, 0xb3].map(address);
  for (const seller of sellers) {
    market.accept(admit(seller));
    market.accept(order(market, seller, "sell", 1_000, 400_000));
  }
  market.accept(buyJob(buyer, 40, 400_000));
  market.accept(result(sellers[0] as Hex, market.state.header.nextObligation - 1, 20));
  for (const [number, outputs] of [
    [1, 2, 1],
    [1, 2, 3],
  ].entries()) {
    const jobDigest = word(0x20b + number);
    market.accept(buyJob(buyer, 30, 400_000, { jobDigest, replicas: 3 }));
    const first = market.state.header.nextObligation - 3;
    for (const [index, output] of outputs.entries())
      market.accept(result(sellers[index] as Hex, first + index, 25, { jobDigest, output }));
  }
  const epoch = Math.floor(market.atS / 7_200);
  market.accept(commitAudits(epoch, word(epoch)));
  const jobDigest = word(0x30b);
  market.accept(buyJob(buyer, 20, 400_000, { jobDigest }));
  const last = market.state.header.nextObligation - 1;
  market.accept(result(sellers[0] as Hex, last, 20, { jobDigest }));
  market.accept(audited(last, 19));
  market.accept(buyJob(buyer, 10, 400_000, { jobDigest: word(0x40b) }));
  market.accept(released(market.state.header.nextObligation - 1, word(0x40b)));
}
