// Owns how much of a window a household claims: by its policy, within what its meter was enrolled for, never more than was
// measured and never the other way. It refuses a claim that no proof exists for.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimsWithin } from "../../clients/household/claim-policy.ts";
import { WIDEST_LIMITS } from "../../clients/household/enrolment-request.ts";
import { totalsOf } from "../../evidence/meter-statement.ts";
import { MAX_READING_WH } from "../../protocol/limits.ts";

const inWords = (claims: ReturnType<typeof claimsWithin>["claims"]) =>
  claims.map(({ isExport, claimedWh }) => `${isExport ? "+" : "-"}${claimedWh}`).join(" ");

describe("claims of a window", () => {
  test("rejects: a policy that is not whole numbers", () => {
    for (const policy of [{ stepWh: 0 }, { stepWh: 0.5 }, { mostWh: -1 }, { mostWh: Number.NaN }])
      expect(() => claimsWithin([1], policy, WIDEST_LIMITS), JSON.stringify(policy)).toThrow(RangeError);
  });

  test("behavior: all of it without a policy, in steps and up to a bound with one", () => {
    const netWh = [130, -70, 40, -90, 0];
    const claimed = (policy: object) => inWords(claimsWithin(netWh, policy, WIDEST_LIMITS).claims);
    expect(claimed({})).toBe("+130 -70 +40 -90 -0");
    expect(claimed({ stepWh: 50 })).toBe("+100 -50 +0 -50 -0");
    expect(claimed({ mostWh: 75 })).toBe("+75 -70 +40 -75 -0");
    expect(claimed({ mostWh: 0 })).toBe("+0 -0 +0 -0 -0");
    expect(claimsWithin(netWh, { stepWh: 50 }, WIDEST_LIMITS).isCut, "by its own policy").toBe(false);
  });

  test("behavior: a meter's limits cut what is above them, in the policy's steps, and earlier slots come first", () => {
    const limits = { nameplateWh: 120, connectionWh: 80, saleCapWh: 200, purchaseCapWh: 100 };
    const netWh = [130, -90, 110, -60, 50];
    const whole = claimsWithin(netWh, {}, limits);
    expect([inWords(whole.claims), whole.isCut]).toEqual(["+120 -80 +80 -20 +0", true]);
    const stepped = claimsWithin(netWh, { stepWh: 50 }, limits);
    expect([inWords(stepped.claims), stepped.isCut]).toEqual(["+100 -50 +100 -50 +0", true]);
  });

  test("property: whatever was measured, claims keep its direction, policy and limits", () => {
    const wh = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: MAX_READING_WH }));
    const limits = fc.record({ nameplateWh: wh, connectionWh: wh, saleCapWh: wh, purchaseCapWh: wh });
    const reading = fc.integer({ min: -2_000, max: 2_000 });
    const policy = fc.record({ stepWh: fc.integer({ min: 1, max: 300 }), mostWh: wh }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(reading, { minLength: 4, maxLength: 4 }), policy, limits, (netWh, how, within) => {
        const { claims } = claimsWithin(netWh, how, within);
        claims.forEach(({ isExport, claimedWh }, slot) => {
          const net = netWh[slot] as number;
          expect(isExport).toBe(net > 0);
          expect(claimedWh).toBeLessThanOrEqual(Math.min(Math.abs(net), how.mostWh ?? MAX_READING_WH));
          expect(claimedWh % (how.stepWh ?? 1)).toBe(0);
        });
        const totals = totalsOf(claims);
        expect(totals?.largestSaleWh).toBeLessThanOrEqual(within.nameplateWh);
        expect(totals?.largestPurchaseWh).toBeLessThanOrEqual(within.connectionWh);
        expect(totals?.salesWh).toBeLessThanOrEqual(within.saleCapWh);
        expect(totals?.purchasesWh).toBeLessThanOrEqual(within.purchaseCapWh);
      }),
    );
  });
});
