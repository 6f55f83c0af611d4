// Owns money that comes from a chain and leaves for it: what is credited, what terms begin to hold when, what an account is
// owed. It refuses a region that a contract would not pay for.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outflowOf } from "../../market/decisions/chain.ts";
import { heldMicros } from "../../market/ledger.ts";
import { versionInEpoch } from "../../market/parameters.ts";
import { deposit, mirrored, openSettlement, terms, withdraw } from "../support/chain-money.ts";
import {
  address,
  enrol,
  FIRST_SLOT,
  type Market,
  PARAMETERS,
  place,
  prove,
  replay,
  setParameters,
  wallet,
} from "../support/market.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const MIRROR = address(0xa5);
const ANN = address(1);
const BOB = address(2);
const EPOCH = FIRST_SLOT / 8;
const endOfEpochS = (epoch: number): number => (epoch + 1) * 8 * 900 + 900;

const inEpoch = (market: Market, epoch: number) => versionInEpoch(market.state.header, epoch).parameters;

function expectReplayed(market: Market): void {
  const rebuilt = replay(market.lines);
  expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
  expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
}

describe("deposits and withdrawals", () => {
  test("behavior: a deposit opens its account, is traded with, and what is left is withdrawn", () => {
    const market = openSettlement({ takeRateBps: 100, outflowCapBps: 10_000 });
    for (const [home, meter] of [
      [ANN, 1],
      [BOB, 2],
    ] as const) {
      market.accept(deposit(market, home, 1_000_000));
      market.accept(mirrored(market, "registry", enrol(meter, {}, wallet(MIRROR))));
    }
    market.accept(place(ANN, "sell", [[90_000, 1_000]]));
    market.accept(place(BOB, "buy", [[100_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [1_000], 2: [-1_000] });
    expect(market.filled(FIRST_SLOT, ANN)).toBe(1_000);
    const earned = market.balance(ANN);
    expect(earned).toBeGreaterThan(1_000_000);
    const { events } = market.accept(withdraw(ANN, earned));
    expect(events).toEqual([{ type: "withdrawn", account: market.account(ANN), amountMicros: earned }]);
    expect(market.balance(ANN)).toBe(0);
    expect(heldMicros(market.state)).toBe(2_000_000 - earned);
    expect(market.state.header.depositedMicros).toBe(2_000_000);
    expectReplayed(market);
  });

  test("behavior: an event that the region refuses is passed over, and later ones are taken", () => {
    const market = openSettlement();
    market.accept(mirrored(market, "registry", enrol(1, {}, wallet(MIRROR))));
    market.refuse(mirrored(market, "registry", enrol(1, {}, wallet(MIRROR))), "meter_exists");
    const later = { ...enrol(2, {}, wallet(MIRROR)) };
    market.accept({ ...later, command: { ...later.command, nonce: 4 } });
    expect(market.state.header.mirrored.registry).toBe(4);
  });

  test("property: nothing leaves that was not deposited, and everything can leave", () => {
    const act = fc.record({
      kind: fc.constantFrom("deposit", "withdraw", "epoch"),
      owner: fc.constantFrom(ANN, BOB),
      amountMicros: fc.integer({ min: 1, max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), fc.integer({ min: 100, max: 10_000 }), (acts, bps) => {
        const market = openSettlement({ outflowCapBps: bps });
        let epoch = EPOCH;
        const closeEpoch = (): void => {
          market.to(endOfEpochS(epoch));
          epoch += 1;
        };
        for (const { kind, owner, amountMicros } of acts) {
          if (kind === "deposit") market.accept(deposit(market, owner, amountMicros));
          else if (kind === "withdraw") market.execute(market.request(withdraw(owner, amountMicros)));
          else closeEpoch();
        }
        for (const owner of [ANN, BOB]) {
          // A hundredth of what is left an epoch: some hundreds of epochs at the most.
          for (let rounds = 0; market.balance(owner) > 0; rounds += 1) {
            expect(rounds).toBeLessThan(1_500);
            const { leftMicros } = outflowOf(market.state);
            if (leftMicros > 0) market.accept(withdraw(owner, Math.min(leftMicros, market.balance(owner))));
            closeEpoch();
          }
        }
        expect(heldMicros(market.state)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});

describe("terms", () => {
  test("behavior: terms hold from their epoch on, and begin the emission anew", () => {
    const market = openSettlement();
    market.accept(terms(market, EPOCH + 2, { emissionPerEpoch: "777", outflowCapBps: 300 }));
    market.to(endOfEpochS(EPOCH));
    expect(market.state.header.emission).toBe("900000");
    expect(outflowOf(market.state)).toMatchObject({ epoch: EPOCH + 1 });
    expect(inEpoch(market, EPOCH + 1).outflowCapBps).toBe(5_000);
    market.to(endOfEpochS(EPOCH + 1));
    expect(market.state.header.emission).toBe("777");
    expect(inEpoch(market, EPOCH + 2).outflowCapBps).toBe(300);
    market.to(endOfEpochS(EPOCH + 2));
    expect(market.state.header.emission).toBe("699");
    expectReplayed(market);
  });

  test("behavior: terms that come while their first epoch runs hold for it", () => {
    const market = openSettlement();
    market.to(endOfEpochS(EPOCH) + 60);
    market.accept(terms(market, EPOCH + 1, { emissionPerEpoch: "500" }));
    expect(market.state.header.emission).toBe("500");
    expectReplayed(market);
  });

  test("behavior: the operator's figures do not restart the emission and leave scheduled terms as they are", () => {
    const market = openSettlement();
    market.accept(terms(market, EPOCH + 3, { emissionPerEpoch: "777", outflowCapBps: 300 }));
    market.accept(setParameters({ networkFeeMicrosPerKwh: 5_000 }));
    market.to(endOfEpochS(EPOCH));
    expect(market.state.header.emission).toBe("900000");
    expect(inEpoch(market, EPOCH + 1)).toEqual({ ...PARAMETERS, networkFeeMicrosPerKwh: 5_000 });
    market.to(endOfEpochS(EPOCH + 2));
    expect(market.state.header.emission).toBe("777");
    expect(inEpoch(market, EPOCH + 3)).toEqual({
      ...PARAMETERS,
      networkFeeMicrosPerKwh: 5_000,
      emissionPerEpoch: "777",
      outflowCapBps: 300,
    });
  });

  test("behavior: newer terms replace what was scheduled for later, and leave the operator's figures", () => {
    const market = openSettlement();
    market.accept(terms(market, EPOCH + 4, { emissionPerEpoch: "4" }));
    market.accept(setParameters({ takeRateBps: 77 }));
    market.accept(terms(market, EPOCH, { emissionPerEpoch: "9000", emissionDecayBps: 0 }));
    expect(market.state.header.emission).toBe("9000");
    for (const [epoch, takeRateBps] of [
      [EPOCH, 0],
      [EPOCH + 1, 77],
      [EPOCH + 4, 77],
    ] as const)
      expect(inEpoch(market, epoch)).toMatchObject({ takeRateBps, emissionPerEpoch: "9000" });
    for (let epoch = EPOCH; epoch < EPOCH + 6; epoch += 1) {
      market.to(endOfEpochS(epoch));
      expect(market.state.header.emission, `after epoch ${epoch}`).toBe("9000");
    }
  });
});

/** The contract's own arithmetic (governance/settlement/Reports.sol), written down a second time. */
class ContractTerms {
  readonly all: { fromEpoch: number; emission: bigint; decayBps: bigint }[];
  #last: { index: number; next: bigint };

  constructor(fromEpoch: number, emission: bigint, decayBps: bigint) {
    this.all = [{ fromEpoch, emission, decayBps }];
    this.#last = { index: 0, next: emission };
  }

  set(fromEpoch: number, emission: bigint, decayBps: bigint): void {
    while ((this.all.at(-1)?.fromEpoch ?? 0) >= fromEpoch) this.all.pop();
    this.all.push({ fromEpoch, emission, decayBps });
  }

  /** What the report of the next epoch may reward. */
  report(epoch: number): bigint {
    const { index, next } = this.#last;
    const moves = (this.all[index + 1]?.fromEpoch ?? Number.POSITIVE_INFINITY) <= epoch;
    const now = this.all[moves ? index + 1 : index] as { emission: bigint; decayBps: bigint };
    const emission = moves ? now.emission : next;
    this.#last = {
      index: moves ? index + 1 : index,
      next: (emission * (10_000n - now.decayBps)) / 10_000n,
    };
    return emission;
  }
}

test("property: whatever is scheduled by the chain and the operator, the region emits what the contract allows", () => {
  const act = fc.record({
    kind: fc.constantFrom("terms", "operator", "epoch", "epoch"),
    ahead: fc.integer({ min: 1, max: 4 }),
    emission: fc.integer({ min: 0, max: 1_000_000 }),
    decayBps: fc.integer({ min: 0, max: 10_000 }),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const market = openSettlement();
      const contract = new ContractTerms(EPOCH, 1_000_000n, 1_000n);
      let epoch = EPOCH;
      for (const { kind, ahead, emission, decayBps } of acts) {
        if (kind === "terms") {
          contract.set(epoch + ahead, BigInt(emission), BigInt(decayBps));
          market.accept(
            terms(market, epoch + ahead, { emissionPerEpoch: String(emission), emissionDecayBps: decayBps }),
          );
        } else if (kind === "operator") {
          const inForce = inEpoch(market, epoch + 1);
          market.accept(setParameters({ ...inForce, takeRateBps: decayBps % 2_000 }));
        } else {
          expect(BigInt(market.state.header.emission)).toBe(contract.report(epoch));
          market.to(endOfEpochS(epoch));
          epoch += 1;
        }
      }
      expectReplayed(market);
    }),
    { numRuns: 200 },
  );
});
