// Owns the project's main job from outside: a neighbourhood trades through the real HTTP path, everything matchable
// trades, nobody is worse off, no micro is lost, and the journal is audited. It refuses a run that only says so.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ScenarioResult } from "../../clients/scenario/summary.ts";
import { runToEnd } from "../support/client-process.ts";
import { hasAnvil } from "../support/local-chain.ts";

const DATA = join(import.meta.dirname, "../../../shared/data");
const TIMEOUT_MS = 240_000;
/** Few homes: what is told of many is the same, and each of their days is a proof. */
const QUICK = ["--days", "1"];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-scenario-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = (...args: string[]) => runToEnd("scenario/main.ts", ["neighbourhood", ...args]);

/** Runs the scenario; its last line is the result and everything before it is progress. */
async function resultOf(...args: string[]): Promise<ScenarioResult> {
  const { status, stdout, stderr } = await scenario("--json", ...args);
  const lines = stdout.trimEnd().split("\n");
  expect(status, stderr).toBe(0);
  expect(lines).toHaveLength(1);
  expect(stderr).toMatch(/settled \d+ of \d+ days/);
  return JSON.parse(lines[0] as string) as ScenarioResult;
}

/** What must hold of every run, whatever the ladders. */
function expectSound(result: ScenarioResult): void {
  const figures = [
    "orders",
    "meteredSurplusWh",
    "meteredNeedWh",
    "matchableWh",
    "tradedWh",
    "settledMicros",
    "feesMicros",
    "networkMicros",
    "dustMicros",
    "conservationDriftMicros",
    "proofs",
    "claimedSurplusWh",
    "claimedNeedWh",
    "provedWh",
  ] as const;
  for (const name of figures) expect(result[name], name).toSatisfy(Number.isSafeInteger);
  expect(result).toMatchObject({
    auditOk: true,
    auditFailure: null,
    conservationDriftMicros: 0,
    missedWindows: 0,
  });
  if (hasAnvil) {
    // Every micro that was deposited is back in somebody's wallet, and it took as long as the cap wants.
    const deposited = result.homes * 10_000_000_000;
    expect(result.withdrawal).toMatchObject({
      depositedMicros: deposited,
      withdrawnMicros: deposited,
      chainDriftMicros: 0,
    });
    expect(result.withdrawal?.epochs).toBeGreaterThan(5);
  } else expect(result.withdrawal).toBeNull();
  expect(result.receipts).toBeGreaterThan(0);
  expect(result.provedWh, "every traded Wh rests on proofs of both sides").toBe(result.tradedWh);
  expect(result.claimedSurplusWh, "every measured Wh is claimed").toBe(result.meteredSurplusWh);
  expect(result.claimedNeedWh).toBe(result.meteredNeedWh);
  expect(result.proofs, "a home's day is one proof, and none where nothing was measured").toBeGreaterThan(0);
  expect(result.proofs).toBeLessThanOrEqual(result.homes * result.days);
  expect(result.secondsPerProof).toBeGreaterThan(0);
  expect(result.tradedWh).toBeLessThanOrEqual(result.matchableWh);
  expect(result.matchableWh).toBeLessThanOrEqual(Math.min(result.meteredSurplusWh, result.meteredNeedWh));
  expect(result.tradedShare).toBeCloseTo(result.tradedWh / result.matchableWh, 9);
  expect(result.households).toHaveLength(result.homes);
  const sum = (pick: (household: ScenarioResult["households"][0]) => number) =>
    result.households.reduce((total, household) => total + pick(household), 0);
  expect(sum(({ soldWh }) => soldWh)).toBe(result.tradedWh);
  expect(sum(({ boughtWh }) => boughtWh)).toBe(result.tradedWh);
  for (const { name, gainMicros, worseSlots, tariffCostMicros, costMicros } of result.households) {
    expect(gainMicros, name).toBe(tariffCostMicros - costMicros);
    expect(gainMicros, name).toBeGreaterThanOrEqual(0);
    expect(worseSlots, name).toBe(0);
  }
}

/** What the default orders promise besides. */
function expectEverythingTraded(result: ScenarioResult): void {
  expect(result.matchableWh).toBeGreaterThan(0);
  expect(result.tradedWh).toBe(result.matchableWh);
  expect(result.tradedShare).toBe(1);
  for (const name of ["settledMicros", "feesMicros", "networkMicros"] as const)
    expect(result[name]).toBeGreaterThan(0);
  // Everybody who traded gained.
  for (const { soldWh, boughtWh, gainMicros } of result.households)
    expect(gainMicros > 0).toBe(soldWh + boughtWh > 0);
}

describe("what cannot be run", () => {
  test(
    "rejects: options, folders and ladders that are none, in one line and with status 1",
    async () => {
      const broken = join(folder, "broken.json");
      writeFileSync(broken, "[{]");
      const cases: [string[], RegExp][] = [
        [["--days", "0"], /whole number from 1 to 366/],
        [["--data", join(folder, "absent")], /absent/],
        [["--take-rate", "2001"], /whole number from 0 to 2000/],
        [["--network-fee", "0,02"], /not a plain decimal/],
        [["--feed-in", "much"], /not a plain decimal/],
        [["--orders", broken], /JSON/],
        [["--pace", "slow"], /number of seconds above 0/],
        [["--homes", "1"], /whole number from 2 to 500/],
      ];
      await Promise.all(
        cases.map(async ([args, reason]) => {
          const { status, stdout, stderr } = await scenario("--json", ...args);
          expect({ status, stdout }, args.join(" ")).toEqual({ status: 1, stdout: "" });
          expect(stderr).toMatch(reason);
        }),
      );
    },
    TIMEOUT_MS,
  );
});

describe("generated homes", () => {
  test(
    "behavior: four homes trade a day, and all that can be matched is",
    async () => {
      const result = await resultOf("--homes", "4", ...QUICK);
      expectSound(result);
      expectEverythingTraded(result);
      expect(result).toMatchObject({
        scenario: "neighbourhood",
        dataset: "generated-1",
        homes: 4,
        days: 1,
        proofs: 4,
      });
      expect(result.orders, "one order a side and home").toBe(8);
    },
    TIMEOUT_MS,
  );

  test(
    "behavior: opposed ladders of equal steps trade a part of it, and are audited all the same",
    async () => {
      const prices = [100, 140, 180, 220, 260, 290];
      const ladder = (inOrder: readonly number[]) =>
        inOrder.map((limit, index) => ({
          limitPerKwh: (limit / 1000).toFixed(3),
          ...(index < prices.length - 1 ? { capWhPerSlot: 30 } : {}),
        }));
      const ladders = join(folder, "opposed.json");
      writeFileSync(
        ladders,
        JSON.stringify([
          { side: "sell", steps: ladder(prices) },
          { side: "buy", steps: ladder(prices.toReversed()) },
        ]),
      );
      const result = await resultOf("--homes", "3", ...QUICK, "--orders", ladders);
      expectSound(result);
      expect(result.tradedShare).toBeGreaterThan(0);
      expect(result.tradedShare).toBeLessThan(1);
      expect(readFileSync(ladders, "utf8"), "the file is only read").toContain('"0.100"');
    },
    TIMEOUT_MS,
  );
});

/** Measured homes are no part of the project: where the folder is absent the test says so and is skipped. */
const withData = (name: string) => test.skipIf(!existsSync(join(DATA, name)));

describe("measured homes", () => {
  withData("fontana-17-homes-hourly")(
    "behavior: homes of fontana-17-homes-hourly trade two days (skipped without their data)",
    async () => {
      const data = ["--data", join(DATA, "fontana-17-homes-hourly"), "--feed-in", "0.05"];
      const result = await resultOf(...data, "--homes", "3", "--days", "2");
      expectSound(result);
      expectEverythingTraded(result);
      expect(result).toMatchObject({ homes: 3, days: 2, proofs: 6 });
    },
    TIMEOUT_MS,
  );

  withData("bondi-flats-halfhour")(
    "behavior: flats of bondi-flats-halfhour trade a day (skipped without their data)",
    async () => {
      const result = await resultOf("--data", join(DATA, "bondi-flats-halfhour"), "--homes", "4", ...QUICK);
      expectSound(result);
      expectEverythingTraded(result);
    },
    TIMEOUT_MS,
  );
});
