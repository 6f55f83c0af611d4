// Owns what households of a simulated region send about compute: orders, cancels, settlements with the buyer's voucher, jobs and
// their results. It refuses to know the region's state: whoever trades knows what it was answered.

import { sign } from "viem/accounts";
import { seedOf } from "../../bench/fleet.ts";
import type { Outcome } from "../../durable-objects/outcome.ts";
import { attestDelivery, type DeliveryAttestation } from "../../evidence/delivery-attestation.ts";
import { type VoucherStatement, voucherDigest } from "../../evidence/delivery-voucher.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { PRODUCT_NAMES, type ProductName } from "../../protocol/products.ts";
import { RECEIPT_SEED } from "./object-host.ts";
import {
  DOMAIN,
  HOMES,
  type Household,
  homeOf,
  keyOf,
  type Pen,
  REGION,
  sessionPen,
  walletPen,
} from "./people.ts";
import type { Body } from "./requests.ts";
import type { Step } from "./steps.ts";

/** A trade as its parties know it. */
export interface KnownTrade {
  readonly obligation: number;
  readonly buyer: number;
  readonly seller: number;
  readonly quantity: number;
}

/** A run of a job, as buyer and seller know it. */
export interface KnownRun extends KnownTrade {
  readonly jobDigest: Hex;
}

/** A command about a run, who sends it and how it is signed. */
interface JobStatement {
  readonly who: number | null;
  readonly body: Body;
  readonly pen: Pen;
  readonly evidence?: DeliveryAttestation;
}

const NOTHING = `0x${"00".repeat(32)}` as const;
const REGION_SEED: Hex = `0x${RECEIPT_SEED}`;
const REGION_PEN = sessionPen({
  seed: REGION_SEED,
  key: sessionKeyOf(REGION_SEED),
  sign: (digest) => signSession(REGION_SEED, digest),
});

/** What everybody who trades was told, and the vouchers that were signed. */
export class Trading {
  /** Trades that some party was told of, oldest first. */
  readonly known: KnownTrade[] = [];
  /** Runs of jobs that a buyer was told of, oldest first. */
  readonly runs: KnownRun[] = [];
  readonly #orders: number[][] = HOMES.map(() => []);
  /** Home that placed each order. */
  readonly #placedBy = new Map<number, number>();
  readonly #vouched = new Set<string>();

  /** Takes in what an answer tells. */
  told(outcome: Outcome, who: number): void {
    if ("rejection" in outcome) return;
    let jobDigest: Hex | null = null;
    for (const event of outcome.answer.events as readonly MarketEvent[]) {
      if (event.type === "resource_order_placed") {
        jobDigest = event.job?.jobDigest ?? null;
        this.#placedBy.set(event.order, who);
        if (event.restingMega > 0) this.#orders[who]?.push(event.order);
      } else if (event.type === "resource_traded") this.#traded(event, who, jobDigest);
    }
  }

  #traded(event: EventOf<"resource_traded">, who: number, jobDigest: Hex | null): void {
    for (const [index, id] of event.orders.entries()) {
      const obligation = event.firstObligation + index;
      const other = this.#placedBy.get(id);
      const isKnown = [...this.known, ...this.runs].some((trade) => trade.obligation === obligation);
      if (other === undefined || isKnown) continue;
      const [buyer, seller] = event.side === "buy" ? [who, other] : [other, who];
      const trade = { obligation, buyer, seller, quantity: event.quantityMega[index] as number };
      if (jobDigest === null) this.known.push(trade);
      else this.runs.push({ ...trade, jobDigest });
    }
  }

  /** Whether a home signed that so much of a trade was delivered. */
  vouched(obligation: number, deliveredMega: number, account: string): boolean {
    return this.#vouched.has(`${obligation} ${deliveredMega} ${account}`);
  }

  /** An order in a book; `nowS` is the home's clock. */
  order(step: Extract<Step, { do: "trade" }>, nowS: number): Body {
    const rests = step.timeInForce === "good_till_time" || step.timeInForce === "post_only";
    return {
      type: "place_resource_order",
      account: homeOf(step.who).account,
      product: productOf(step.product),
      side: step.side,
      quantityMega: step.quantity,
      priceMicrosPerTera: step.price,
      timeInForce: step.timeInForce,
      goodTillS: rests ? nowS + step.restsS : 0,
    };
  }

  /** Takes back an order that the home was told of, or null. */
  cancel({ who, which }: Extract<Step, { do: "untrade" }>): Body | null {
    const own = this.#orders[who] ?? [];
    const orderId = own[Math.max(0, own.length - 1 - (which % 3))];
    if (orderId === undefined) return null;
    return { type: "cancel_resource_order", account: homeOf(who).account, orderId };
  }

  /** What is said of a run that is known; null where none is. */
  word({ which, share, output, word }: Extract<Step, { do: "report" }>): JobStatement | null {
    const run = this.runs[Math.max(0, this.runs.length - 1 - (which % 12))];
    if (run === undefined) return null;
    const { obligation: obligationId, seller, quantity, jobDigest } = run;
    if (word === "released")
      return {
        who: null,
        body: { type: "release_run", obligationId, jobDigest, hasFailed: share > 5 },
        pen: REGION_PEN,
      };
    const { account } = homeOf(seller);
    const pen = walletPen(homeOf(seller));
    if (word === "given up") {
      const nothing = { deliveredMega: 0, outputHash: NOTHING, isFinal: true };
      const body: Body = { type: "settle_obligation", account, obligationId, jobDigest, ...nothing };
      return { who: seller, body, pen };
    }
    const fuelMega = Math.max(1, Math.floor((quantity * share) / 10));
    const said = { obligationId, fuelMega, jobDigest, outputHash: seedOf(`output ${output}`) };
    const evidence = attestDelivery(DOMAIN, { region: REGION, ...said }, REGION_SEED);
    return { who: seller, body: { type: "report_result", account, ...said }, pen, evidence };
  }

  /** A settlement of a trade that is known, with what it is evidence for; null where none is. */
  async settlement({ which, share, isFinal, byKey }: Extract<Step, { do: "deliver" }>) {
    const trade = this.known[Math.max(0, this.known.length - 1 - (which % 12))];
    if (trade === undefined) return null;
    const statement = statementOf(trade, Math.floor((trade.quantity * share) / 10));
    const buyer = homeOf(trade.buyer);
    this.#vouched.add(`${statement.obligationId} ${statement.deliveredMega} ${buyer.account}`);
    const evidence = byKey ? voucherBy(buyer, statement) : await voucherOf(buyer, statement);
    return { trade, body: settlementOf(homeOf(trade.seller), statement, isFinal), evidence };
  }
}

/** A voucher that a household's first key signs. */
export function voucherBy(home: Household, statement: VoucherStatement) {
  const { key, sign: signWith } = keyOf(home, 0);
  return {
    kind: "delivery-voucher",
    signature: signWith(voucherDigest(DOMAIN, statement)),
    sessionKey: key,
  };
}

/** A voucher that a household's wallet signs. */
async function voucherOf({ secret }: Household, statement: VoucherStatement) {
  const hash: Hex = `0x${Buffer.from(voucherDigest(DOMAIN, statement)).toString("hex")}`;
  return { kind: "delivery-voucher", signature: await sign({ hash, privateKey: secret, to: "hex" }) };
}

export function statementOf({ obligation }: KnownTrade, deliveredMega: number): VoucherStatement {
  const jobDigest = seedOf(`job ${obligation}`);
  return { region: REGION, obligationId: obligation, deliveredMega, jobDigest, outputHash: NOTHING };
}

/** A settlement as a party to the trade sends it. */
export function settlementOf({ account }: Household, statement: VoucherStatement, isFinal: boolean): Body {
  const { region: _region, ...said } = statement;
  return { type: "settle_obligation", account, ...said, isFinal };
}

/** A job that nobody else buys. */
export function jobOf({ who, fuel, replicas, salt }: Extract<Step, { do: "buy job" }>): Body {
  return {
    type: "buy_job",
    account: homeOf(who).account,
    jobDigest: seedOf(`job ${who} ${salt}`),
    fuelMega: fuel,
    priceMicrosPerTera: 103_000,
    replicas,
  };
}

function productOf(number: number): ProductName {
  return PRODUCT_NAMES[number % PRODUCT_NAMES.length] as ProductName;
}
