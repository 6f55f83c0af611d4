// Owns the promise of edge compute from outside: a node that makes results up is found, paid nothing and slashed once, and the app
// goes on with honest ones. It refuses figures that the run's own parts contradict.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ComputeResult, isGoodCompute } from "../../clients/scenario/compute-result.ts";
import { runToEnd } from "../support/client-process.ts";
import { hasAnvil } from "../support/local-chain.ts";

const folder = mkdtempSync(join(tmpdir(), "polder-compute-test-"));
const TIMEOUT_MS = 120_000;

describe.skipIf(!hasAnvil)("compute with a liar (skipped where npm has no anvil for the machine)", () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("invariant: each lie is found and goes back, one share of the stake waits to be slashed, the audit is ok", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { status, stdout, stderr } = await runToEnd("scenario/main.ts", ["compute", "--json"], {
      TMPDIR: folder,
    });
    expect(status, stderr).toBe(0);
    const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) as string) as ComputeResult;
    expect(result).toMatchObject({ scenario: "compute", isGood: true, auditOk: true, auditsFailed: 4 });
    const { before, after, liar, byVerdict, audits, slashes } = result;
    expect(before.filter(({ ranBy }) => ranBy.length === 1).map(({ isRight }) => isRight)).toEqual(
      Array(4).fill(false),
    );
    expect(before.find(({ replicas }) => replicas === 3)).toMatchObject({ isRight: true });
    expect(after.every(({ isRight, ranBy }) => isRight && !ranBy.includes(liar.name))).toBe(true);
    expect(byVerdict).toEqual({ audit_failed: 4, audit_passed: 4, agreed: 2, disagreed: 1 });
    expect(audits).toEqual({ recorded: 8, drawn: 8, disputed: 0, missed: 0, undrawn: 0, untold: 0 });
    expect(slashes).toMatchObject({ queued: 1, micros: "5000000" });
    expect(result.paidMicros).toBeGreaterThan(0);
    expect(liar.paidMicros).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    for (const bad of [
      { auditOk: false },
      { liar: { ...liar, paidMicros: 1 } },
      { auditsFailed: 3 },
      { slashes: { ...slashes, queued: 2 } },
      { audits: { ...audits, missed: 1 } },
    ])
      expect(isGoodCompute({ ...result, ...bad })).toBe(false);
  });
});
