// Owns random commands about promised resources, valid and invalid mixed, on few accounts, prices and keys. It refuses to
// choose kind inputs.

import fc from "fast-check";
import { obligationAt } from "../../market/resources/obligations.ts";
import { jobAt, purchaseRow } from "../../market/resources/purchases.ts";
import { addressOf } from "../../market/state.ts";
import { readHex } from "../../market/table.ts";
import type { Hex, Side } from "../../protocol/fields.ts";
import type { ProductName } from "../../protocol/products.ts";
import type { DeliveryFacts, VerifiedSigner } from "../../protocol/verified-facts.ts";
import { address, authorise, type Draft, type Market, revoke, session, wallet, word } from "./market.ts";
import {
  audited,
  buyJob,
  COMPUTE_SCOPE,
  commitAudits,
  delivered,
  order,
  released,
  result,
  withdrawOrder,
} from "./resource-drafts.ts";

type Action = (market: Market) => Draft | number;

const owner = fc.integer({ min: 1, max: 4 }).map(address);
const key = fc.integer({ min: 1, max: 9 });
/** Keys of their own, so that those of energy orders stay what they are. */
const keyWord = (account: Hex, number: number): Hex =>
  word(0x5000 + Number.parseInt(account, 16) * 16 + (number % 3));
const signerOf = (account: Hex, number: number): VerifiedSigner =>
  number <= 4 ? session(keyWord(account, number)) : wallet(account);

const placing: fc.Arbitrary<Action> = fc
  .record({
    account: owner,
    side: fc.constantFrom<Side>("sell", "buy"),
    quantity: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 4_000 })),
    price: fc.oneof(fc.integer({ min: 99_000, max: 101_000 }), fc.integer({ min: 1, max: 2_000_000 })),
    product: fc.constantFrom<ProductName>("compute-job", "compute-job", "compute-job", "compute-lease-day"),
    timeInForce: fc.constantFrom(
      "good_till_time" as const,
      "good_till_time" as const,
      "good_till_time" as const,
      "immediate_or_cancel" as const,
      "fill_or_kill" as const,
      "post_only" as const,
    ),
    restSeconds: fc.oneof(fc.integer({ min: -1, max: 900 }), fc.integer({ min: 1, max: 40_000 })),
    key,
  })
  .map(({ account, side, quantity, price, product, timeInForce, restSeconds, key: number }) => (market) => {
    const signer = signerOf(account, number);
    return order(market, account, side, quantity, price, { product, timeInForce, restSeconds, signer });
  });

const cancelling: fc.Arbitrary<Action> = fc
  .record({ account: owner, pick: fc.nat(1_000), any: fc.nat(9), key })
  .map(({ account, pick, any, key: number }) => (market) => {
    const { columns, rows } = market.state.tables.restingOrders;
    const row = rows === 0 ? -1 : pick % rows;
    if (row < 0 || any === 0) return withdrawOrder(account, 1 + pick, signerOf(account, number));
    const holder = addressOf(market.state, columns.account[row] as number);
    const sender = any === 1 ? account : holder;
    return withdrawOrder(sender, columns.id[row] as number, signerOf(sender, number));
  });

const settling: fc.Arbitrary<Action> = fc
  .record({
    pick: fc.nat(1_000),
    share: fc.integer({ min: 0, max: 11 }),
    isFinal: fc.boolean(),
    by: fc.integer({ min: 0, max: 12 }),
    key,
    spoil: fc.constantFrom<Partial<DeliveryFacts>>({}, {}, {}, {}, {}, {}, { obligation: 7_777 }),
  })
  .map(({ pick, share, isFinal, by, key: number, spoil }) => (market) => {
    const { obligations } = market.state.tables;
    if (obligations.rows === 0) return 60;
    const one = obligationAt(obligations, pick % obligations.rows);
    const [buyer, seller] = [addressOf(market.state, one.buyer), addressOf(market.state, one.seller)];
    const left = one.quantityMega - one.deliveredMega;
    // Up to a tenth more than what is left.
    const mega = Math.max(0, one.deliveredMega + Math.floor((left * share) / 10));
    const sender = by === 0 ? address(1) : by === 1 ? buyer : seller;
    const agreedBy = by === 2 ? null : by === 3 ? [wallet(seller)] : [signerOf(buyer, number)];
    return delivered(sender, one.id, mega, buyer, {
      isFinal,
      agreedBy,
      facts: spoil,
      signer: signerOf(sender, 9 - number),
    });
  });

const buying: fc.Arbitrary<Action> = fc
  .record({
    account: owner,
    fuel: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 400 })),
    price: fc.oneof(fc.integer({ min: 100_000, max: 102_000 }), fc.integer({ min: 1, max: 2_000_000 })),
    replicas: fc.integer({ min: 1, max: 3 }),
    key,
  })
  .map(({ account, fuel, price, replicas, key: number }) => () => {
    const signer = signerOf(account, number);
    return buyJob(account, fuel, price, { replicas, jobDigest: word(fuel), signer });
  });

const reporting: fc.Arbitrary<Action> = fc
  .record({
    pick: fc.nat(1_000),
    share: fc.integer({ min: 8, max: 11 }),
    output: fc.constantFrom(1, 1, 1, 1, 2, 3),
    by: fc.integer({ min: 0, max: 15 }),
    key: fc.integer({ min: 4, max: 12 }),
  })
  .map(({ pick, share, output, by, key: number }) => (market) => {
    const { obligations, purchases } = market.state.tables;
    const jobs = Array.from({ length: obligations.rows }, (_, row) => obligationAt(obligations, row)).filter(
      ({ purchase, quantityMega }) =>
        quantityMega > 0 && jobAt(purchases, purchaseRow(purchases, purchase)) !== null,
    );
    const one = jobs[pick % Math.max(1, jobs.length)];
    if (one === undefined) return 60;
    const seller = addressOf(market.state, by === 0 ? one.buyer : one.seller);
    const job = jobAt(purchases, purchaseRow(purchases, one.purchase));
    if (by === 1) return delivered(seller, one.id, 0, seller, { isFinal: true, agreedBy: null });
    if (by === 3) return released(one.id, job?.jobDigest, { hasFailed: share > 8 });
    return result(
      seller,
      one.id,
      Math.ceil((one.quantityMega * Math.min(share, 10 + (pick % 7 === 0 ? 1 : 0))) / 10),
      {
        output,
        jobDigest: by === 2 ? word(0) : (job?.jobDigest ?? word(0)),
        signer: signerOf(seller, number),
        attested: by === 4 ? { deliveredMega: one.quantityMega + 1 } : by === 5 ? null : {},
      },
    );
  });

const authorising: fc.Arbitrary<Action> = fc
  .record({
    account: owner,
    key,
    limit: fc.integer({ min: 0, max: 4_000 }),
    lifeS: fc.integer({ min: 60, max: 20_000 }),
  })
  .map(
    ({ account, key: number, limit, lifeS }) =>
      (market) =>
        authorise(account, keyWord(account, number), {
          ...COMPUTE_SCOPE,
          resources: limit % 7 === 0 ? ["energy"] : COMPUTE_SCOPE.resources,
          sides: limit % 5 === 0 ? ["sell"] : ["sell", "buy"],
          dailyMega: limit * 4,
          spendingLimitMicros: limit,
          sessionExpiresAtS: market.atS + lifeS,
        }),
  );

const revoking: fc.Arbitrary<Action> = fc
  .record({ account: owner, key, pick: fc.nat(100) })
  .map(({ account, key: number, pick }) => (market) => {
    const { sessions } = market.state.tables;
    const row = pick % Math.max(1, sessions.rows);
    // Mostly a key that there is; sometimes one of somebody else's.
    if (number > 6 || sessions.rows === 0) return revoke(account, keyWord(account, number));
    const holder = addressOf(market.state, sessions.columns.account[row] as number);
    return revoke(holder, readHex(sessions.columns.key, row, 32));
  });

/** Anything that somebody may do about compute next. */
export const resourceAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: placing },
  { weight: 2, arbitrary: cancelling },
  { weight: 5, arbitrary: settling },
  { weight: 4, arbitrary: buying },
  { weight: 7, arbitrary: reporting },
  { weight: 3, arbitrary: authorising },
  { weight: 1, arbitrary: revoking },
);

/** Binds this epoch's audits or the next one's. */
const committing: fc.Arbitrary<Action> = fc.integer({ min: -1, max: 2 }).map(
  (ahead) =>
    ({ atS }) =>
      commitAudits(Math.floor(atS / 7_200) + ahead, word(ahead + 9)),
);

const auditing: fc.Arbitrary<Action> = fc
  .record({ pick: fc.nat(1_000), output: fc.constantFrom(1, 1, 1, 2), more: fc.constantFrom(0, 0, 0, 1) })
  .map(({ pick, output, more }) => (market) => {
    const { obligations } = market.state.tables;
    const reported = Array.from({ length: obligations.rows }, (_, row) =>
      obligationAt(obligations, row),
    ).filter(({ quantityMega, reportedMega }) => quantityMega > 0 && reportedMega > 0);
    const one = reported[pick % Math.max(1, reported.length)];
    return one === undefined ? 60 : audited(one.id, one.reportedMega + more, output);
  });

/** Plenty of one price, so that jobs find their sellers. */
const offering: fc.Arbitrary<Action> = fc
  .record({ account: owner, quantity: fc.integer({ min: 200, max: 4_000 }) })
  .map(
    ({ account, quantity }) =>
      (market) =>
        order(market, account, "sell", quantity, 100_000, { restSeconds: 20_000 }),
  );

/** Anything that somebody may do about jobs next. */
export const jobAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: offering },
  { weight: 4, arbitrary: buying },
  { weight: 9, arbitrary: reporting },
  { weight: 1, arbitrary: committing },
  { weight: 1, arbitrary: auditing },
  { weight: 1, arbitrary: resourceAction },
  { weight: 1, arbitrary: fc.integer({ min: 30, max: 900 }).map((seconds) => () => seconds) },
);
