// Owns the promise of the chain's rules from outside: whatever an operator says, every household has its last micro back, and the
// operator nothing. It refuses a measure that could not fail: where nobody replays, the same run shows the loss.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LieResult, Stop, TrustResult } from "../../clients/scenario/trust-result.ts";
import { type Ended, runToEnd } from "../support/client-process.ts";
import { hasAnvil } from "../support/local-chain.ts";

const TIMEOUT_MS = 300_000;

/** Everything that the runs make is in here. */
const folder = mkdtempSync(join(tmpdir(), "polder-lies-"));
const scenario = (...args: string[]) =>
  runToEnd("scenario/main.ts", ["dishonest-operator", ...args], { TMPDIR: folder });
const jsonOf = ({ stdout, stderr }: Ended): TrustResult => {
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0], stderr).toMatch(/^\{/);
  return JSON.parse(lines[0] as string) as TrustResult;
};

describe.skipIf(!hasAnvil)("an operator that lies (skipped where npm has no anvil for the machine)", () => {
  let ended: Ended;
  let result: TrustResult;
  let unwatched: Ended;
  beforeAll(async () => {
    [ended, unwatched] = await Promise.all([
      scenario("--json"),
      scenario("--only", "pays-itself", "--unwatched", "--json"),
    ]);
    result = jsonOf(ended);
  }, TIMEOUT_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const lieOf = (name: string): LieResult => {
    const found = result.lies.find(({ lie }) => lie === name);
    expect(found, name).toBeDefined();
    return found as LieResult;
  };
  const stopOf = <By extends Stop["by"]>(lie: LieResult, by: By) =>
    lie.stoppedBy.find((stop) => stop.by === by) as Extract<Stop, { by: By }> | undefined;
  const refusals = ({ attempts }: LieResult) => attempts.map(({ refusedWith }) => refusedWith);

  test("rejects: a lie that is none, in one line and with status 1", { timeout: 30_000 }, async () => {
    const { status, stdout, stderr } = await scenario("--only", "the truth", "--json");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/Allowed choices are wrong-sum/);
  });

  test("rejects: a false report that nobody replays is paid, and the run says so with status 1", () => {
    const { lies, isGood, lostMicros, operatorGainedMicros } = jsonOf(unwatched);
    expect({ status: unwatched.status, isGood }).toEqual({ status: 1, isGood: false });
    const [lie] = lies as [LieResult];
    const ada = lie.accounts.find(({ name }) => name === "ada");
    expect(lie.stoppedBy).toEqual([]);
    expect(operatorGainedMicros).toBe(ada?.dueMicros);
    expect(operatorGainedMicros).toBeGreaterThan(0);
    expect(lostMicros).toBeGreaterThanOrEqual(operatorGainedMicros);
  });

  test("invariant: every household has all that was due, the operator nothing, and nothing is left over", () => {
    expect(ended.status, ended.stderr).toBe(0);
    expect(result).toMatchObject({
      scenario: "dishonest-operator",
      isWatched: true,
      isGood: true,
      lostMicros: 0,
      operatorGainedMicros: 0,
    });
    expect(result.tradedWh).toBeGreaterThan(0);
    expect(new Set(Object.values(result.parties)).size, "three parties").toBe(3);
    expect(result.lies.length).toBeGreaterThanOrEqual(7);
    for (const { lie, accounts, operatorGainedMicros, leftInContractMicros, stoppedBy } of result.lies) {
      expect({ operatorGainedMicros, leftInContractMicros }, lie).toEqual({
        operatorGainedMicros: 0,
        leftInContractMicros: 0,
      });
      expect(stoppedBy.length, lie).toBeGreaterThan(0);
      expect(accounts.filter(({ role }) => role === "household").map(({ name }) => name)).toEqual([
        "ada",
        "ben",
        "cleo",
      ]);
      for (const { name, dueMicros, gotBackMicros, differenceMicros, refused } of accounts) {
        expect(gotBackMicros, `${lie}: ${name}`).toBe(dueMicros);
        expect({ differenceMicros, refused }, `${lie}: ${name}`).toEqual({
          differenceMicros: 0,
          refused: null,
        });
        expect(dueMicros, `${lie}: ${name}`).toBeGreaterThan(0);
      }
      // All that was deposited, less what was withdrawn before.
      expect(
        accounts.reduce((sum, { gotBackMicros }) => sum + gotBackMicros, 0),
        lie,
      ).toBe(6_005e6 - 7e6);
    }
  });

  test.each([
    ["wrong-sum", "Settlement_OutOfBalance"],
    ["above-cap", "Settlement_AboveOutflowCap"],
    ["deposit-left-out", "Settlement_DepositLeftOut"],
    ["deposit-to-another", "Settlement_DepositsUnknown"],
  ])("rejects: %s is refused by the contract with %s", (name, error) => {
    const lie = lieOf(name);
    expect(stopOf(lie, "contract")?.error).toBe(error);
    expect(lie.actedBy).toContain("contract");
    expect(refusals(lie)).toContain(error);
  });

  test("rejects: a cap that is passed by a single micro", () => {
    const [attempt] = lieOf("above-cap").attempts;
    const { outflowMicros = "", capMicros = "" } = attempt?.fields ?? {};
    expect(BigInt(outflowMicros) - BigInt(capMicros)).toBe(1n);
  });

  test.each(["wrong-sum", "above-cap", "deposit-left-out", "silence"])(
    "behavior: after %s there is silence, and anybody may leave",
    (name) => {
      const lie = lieOf(name);
      expect(stopOf(lie, "silence")?.seconds).toBeGreaterThan(0);
      expect(lie.actedBy).not.toContain("guardian");
      expect(lie.actedBy.at(-1)).toBe("anybody");
    },
  );

  test.each([
    ["pays-itself", /^epoch \d+ was reported with sumRoot 0x/, "sumRoot"],
    ["deposit-to-another", /^deposit 4 was credited with account 0x/, null],
    ["forked-entry", /^a receipt proves that another entry stood here$/, null],
  ])(
    "rejects: %s is accepted by the contract, found by replay within the delay, and frozen",
    (name, finding, part) => {
      const lie = lieOf(name);
      expect(refusals(lie), "a report was accepted").toContain(null);
      const found = stopOf(lie, "audit");
      expect(found?.finding).toMatch(finding);
      expect(found?.entry).toBeGreaterThan(0);
      expect(found?.difference?.part ?? null).toBe(part);
      expect(found?.secondsLeft).toBeGreaterThan(0);
      expect(lie.actedBy).toEqual(expect.arrayContaining(["guardian", "vote", "anybody"]));
      expect(lie.exitEpoch, "by a report before the false one").toBe(lieOf("silence").exitEpoch);
    },
  );

  test("rejects: what the operator would be paid by its false leaf", () => {
    for (const name of ["wrong-sum", "pays-itself", "above-cap", "deposit-to-another"]) {
      const tried = lieOf(name).attempts.filter(({ what }) => what === "withdraw" || what === "exit");
      expect(
        tried.map(({ what }) => what),
        name,
      ).toEqual(["withdraw", "exit"]);
      for (const { refusedWith } of tried) expect(refusedWith, name).toMatch(/^(Settlement|SumTree)_/);
    }
  });

  test("behavior: a deposit that is left out is found by the audit long before the contract must refuse", () => {
    const lie = lieOf("deposit-left-out");
    expect(stopOf(lie, "audit")?.finding).toMatch(
      /^deposit 4 .* is on the chain, and epoch \d+ began and closed without it$/,
    );
    expect(lie.attempts.filter(({ refusedWith }) => refusedWith === null).length).toBeGreaterThan(1);
  });

  test("behavior: what it started has ended", () => {
    const running = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
    expect(running).not.toContain(folder);
    expect(readdirSync(folder).filter((name) => name.startsWith("polder-"))).toEqual([]);
  });
});
