// Owns the rules of the proving page's policy form and figures: which texts are a policy, and that what is shown as kept
// back and claimed adds up to what was measured.

import { describe, expect, test } from "vitest";
import { claimsOf } from "../../evidence/claim-policy.ts";
import { claimFigures, policyOf } from "../../web/figures/claims.ts";

describe("claims of the proving page", () => {
  test.each([
    ["", ""],
    ["", "0"],
    ["", "1.5"],
    ["", "-50"],
    ["", "1e3"],
    ["", "50 Wh"],
    ["much", "50"],
    ["-1", "50"],
    ["12345678", "50"],
  ])("rejects: the policy of at most '%s' in steps of '%s'", (most, step) => {
    expect(policyOf(most, step)).toBeNull();
  });

  test("behavior: an empty cap is none, and a cap of zero claims nothing", () => {
    expect(policyOf("", " 50 ")).toEqual({ stepWh: 50 });
    expect(policyOf("0", "1")).toEqual({ stepWh: 1, mostWh: 0 });
  });

  test("behavior: claimed and kept back come to what was measured, each way", () => {
    const netWh = [1_194, -327, 38, 0, -50];
    const { slots, ...sums } = claimFigures(netWh, claimsOf(netWh, { stepWh: 50, mostWh: 1_000 }));
    expect(sums).toEqual({ soldWh: 1_000, boughtWh: 350, keptExportWh: 232, keptImportWh: 27, keptSlots: 3 });
    expect(sums.soldWh + sums.keptExportWh).toBe(1_194 + 38);
    expect(sums.boughtWh + sums.keptImportWh).toBe(327 + 50);
    expect(slots[2]).toEqual({ isExport: true, readingWh: 38, claimedWh: 0 });
  });
});
