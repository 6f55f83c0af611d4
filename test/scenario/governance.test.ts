// Owns the promise of a vote from outside: homes that trade vote on a real chain, and other fees and rewards hold from the next
// epoch on, as they were shown before. It refuses a measure that could not fail: a result with one figure changed is not good.

import { beforeAll, describe, expect, test } from "vitest";
import { type GovernanceResult, isGoodVote } from "../../clients/scenario/governance-result.ts";
import { type Ended, runToEnd } from "../support/client-process.ts";
import { hasAnvil } from "../support/local-chain.ts";

const TIMEOUT_MS = 300_000;
const TOKEN = 10n ** 18n;
/** A micro a seller and slot. */
const MOST_APART_MICROS = 8;

const scenario = (...args: string[]) => runToEnd("scenario/main.ts", ["governance", ...args]);

describe.skipIf(!hasAnvil)(
  "a vote in a region that trades (skipped where npm has no anvil for the machine)",
  () => {
    let ended: Ended;
    let result: GovernanceResult;
    beforeAll(async () => {
      ended = await scenario("--json");
      const lines = ended.stdout.trimEnd().split("\n");
      expect(lines, ended.stderr).toHaveLength(1);
      result = JSON.parse(lines[0] as string) as GovernanceResult;
    }, TIMEOUT_MS);

    test("rejects: an option that it does not have, in one line and with status 1", {
      timeout: 30_000,
    }, async () => {
      const { status, stdout, stderr } = await scenario("--years", "5");
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/unknown option '--years'/);
    });

    test("rejects: a begun epoch that was changed, a preview that was wrong, rewards that were not minted", () => {
      const [first, ...rest] = result.epochs as [GovernanceResult["epochs"][0]];
      const wrong: readonly Partial<GovernanceResult>[] = [
        { epochs: [{ ...first, voteVersion: 1 }, ...rest] },
        { effectFromEpoch: result.executedInEpoch },
        { preview: { ...result.preview, feesApartMicros: MOST_APART_MICROS + 1 } },
        { preview: { ...result.preview, rewardsApart: "1" } },
        { claimedRewards: String(BigInt(result.claimedRewards) - 1n) },
        { epochs: [first] },
        { auditOk: false },
      ];
      for (const change of wrong) {
        expect(isGoodVote({ ...result, ...change }, MOST_APART_MICROS), JSON.stringify(change)).toBe(false);
      }
      expect(isGoodVote(result, MOST_APART_MICROS)).toBe(true);
    });

    test("behavior: fees and rewards change from the next epoch on, and as the preview said", () => {
      expect(ended.status, ended.stderr).toBe(0);
      const { epochs, executedInEpoch, effectFromEpoch } = result;
      expect(result.changes).toEqual([
        { parameter: "takeRateBps", before: "100", after: "150" },
        { parameter: "emissionPerEpoch", before: String(TOKEN), after: String(2n * TOKEN) },
      ]);
      // It is executed less than an hour before the next epoch, in which nobody must be surprised.
      expect(effectFromEpoch).toBe(executedInEpoch + 2);
      const before = epochs.filter(({ epoch }) => epoch < effectFromEpoch);
      const after = epochs.filter(({ epoch }) => epoch >= effectFromEpoch);
      expect([before.length, after.length]).toEqual([3, 1]);
      const [old] = before as [(typeof before)[0]];
      for (const { takeRateBps, feesMicros, rewards } of before)
        expect({ takeRateBps, feesMicros, rewards }).toEqual({
          ...{ takeRateBps: 100, feesMicros: old.feesMicros, rewards: String(TOKEN) },
        });
      for (const { takeRateBps, feesMicros, rewards } of after) {
        expect({ takeRateBps, rewards }).toEqual({ takeRateBps: 150, rewards: String(2n * TOKEN) });
        expect(feesMicros).toBeGreaterThan(old.feesMicros);
      }
      expect(BigInt(result.claimedRewards)).toBe(5n * TOKEN);
      expect(result).toMatchObject({ auditOk: true, isGood: true });
    });

    test("behavior: every step of the vote says what it cost", () => {
      expect(result.steps.map(({ step, by }) => `${by} ${step}`)).toEqual([
        ...["ben delegate", "ada propose", "ada vote", "cleo vote", "ada queue", "ada execute"],
      ]);
      for (const { gas } of result.steps) expect(gas).toBeGreaterThan(21_000);
    });
  },
);
