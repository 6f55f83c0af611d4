// Owns what agents may expect of the prover beside them: a queue, proofs that verify, failures that stay with their
// window, and no process left. It refuses a prover that a dead process or a bad window stops.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WindowInputs } from "../../circuits/meter-witness.ts";
import type { ProvedWindow } from "../../circuits/prover.ts";
import { ProverFault, WindowProver } from "../../clients/household/window-prover.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import { verifyMeterProofs } from "../../evidence/meter-proof.ts";
import { sampleWindow } from "../../tools/sample-household.ts";
import { eventually, isAlive } from "../support/client-region.ts";
import { keyOf } from "../support/proofs.ts";

const verifiers = {
  4: new Groth16Verifier(await keyOf("meter-4")),
  96: new Groth16Verifier(await keyOf("meter-96")),
};

function isValid(inputs: WindowInputs, { proof, root, nullifier, claims, firstSlot }: ProvedWindow): boolean {
  const { context, account } = inputs;
  const statement = { context, firstSlot, root, account, nullifier, claims };
  const [verdict] = verifyMeterProofs(verifiers[context.windowSlots], [{ statement, proof }]);
  return verdict?.ok === true;
}

const good = sampleWindow(4);
const unsigned: WindowInputs = { ...good, netWh: good.netWh.map((wh) => wh - 1) };

describe("windows that are not proved", () => {
  test("rejects: a window that no proof exists for, in words, and the windows beside it are proved", async () => {
    const prover = new WindowProver();
    try {
      const [before, bad, after] = await Promise.allSettled(
        [good, unsigned, good].map((one) => prover.prove(one)),
      );
      expect(bad).toMatchObject({ status: "rejected", reason: { name: "ProofImpossible" } });
      expect(String((bad as PromiseRejectedResult).reason)).toMatch(
        /the gateway did not sign these readings/,
      );
      for (const one of [before, after]) expect(one?.status).toBe("fulfilled");
      expect(prover.made).toBe(2);
    } finally {
      await prover.close();
    }
  });

  test("rejects: whatever waits, and whatever comes later, when it is closed; no process is left", async () => {
    const prover = new WindowProver();
    const asked = [good, good].map((one) => prover.prove(one));
    const outcomes = Promise.allSettled(asked);
    expect(prover.pending).toBe(2);
    const [pid] = prover.processIds;
    await prover.close();
    for (const { status } of await outcomes) expect(status).toBe("rejected");
    await expect(prover.prove(good)).rejects.toThrow(new ProverFault("the prover was closed"));
    expect([prover.pending, prover.made, prover.processIds]).toEqual([0, 0, []]);
    expect(isAlive(pid as number)).toBe(false);
    await prover.close();
  });

  test("rejects: a window under which two processes die; the next one is proved by a third", async () => {
    const prover = new WindowProver();
    try {
      const first = prover.prove(good).catch((error: unknown) => error);
      const next = prover.prove(good);
      for (const _ of [1, 2]) {
        const [pid] = prover.processIds;
        process.kill(pid as number, "SIGKILL");
        expect(await eventually(() => prover.processIds[0] !== pid && prover.processIds.length === 1)).toBe(
          true,
        );
      }
      expect(await first).toEqual(new ProverFault("the proving process ended (SIGKILL)"));
      expect(isValid(good, await next)).toBe(true);
    } finally {
      await prover.close();
    }
  });
});

describe("a prover", () => {
  let prover: WindowProver;
  beforeAll(() => {
    prover = new WindowProver({ processes: 2, idleMs: 300 });
  });
  afterAll(() => prover.close());

  test("behavior: proves windows of both lengths, some at a time, and counts what is pending and made", async () => {
    const windows = [good, sampleWindow(96), sampleWindow(4, { firstSlot: good.firstSlot + 4 })];
    const proofs = windows.map((one) => prover.prove(one));
    expect([prover.pending, prover.made, prover.secondsPerProof]).toEqual([3, 0, 0]);
    expect(prover.processIds).toHaveLength(2);
    for (const [index, proved] of (await Promise.all(proofs)).entries())
      expect(isValid(windows[index] as WindowInputs, proved), `window ${index}`).toBe(true);
    expect([prover.pending, prover.made]).toEqual([0, 3]);
    expect(prover.secondsPerProof).toBeGreaterThan(0);
  });

  test("behavior: a process that died is replaced unasked, and its window is proved all the same", async () => {
    const proof = prover.prove(good);
    const [pid] = prover.processIds;
    process.kill(pid as number, "SIGKILL");
    expect(isValid(good, await proof)).toBe(true);
    expect(prover.processIds).not.toContain(pid);
  });

  test("behavior: what Ctrl-C sends to every process of a terminal does not end a proof", async () => {
    await prover.prove(good);
    const pids = [...prover.processIds];
    const proof = prover.prove(good);
    for (const pid of pids) process.kill(pid, "SIGINT");
    expect(isValid(good, await proof)).toBe(true);
    expect(prover.processIds).toEqual(pids);
  });

  test("behavior: without work its processes end, and come back with the next window", async () => {
    await prover.prove(good);
    const pids = [...prover.processIds];
    expect(pids.length).toBeGreaterThan(0);
    expect(await eventually(() => !pids.some(isAlive))).toBe(true);
    expect(prover.processIds).toEqual([]);
    expect(isValid(good, await prover.prove(good))).toBe(true);
  });
});

/** A program that asks for a proof, says which process proves, and does as it is told then. */
const program = (then: string) => `
  import { WindowProver } from ${JSON.stringify(join(import.meta.dirname, "../../clients/household/window-prover.ts"))};
  import { sampleWindow } from ${JSON.stringify(join(import.meta.dirname, "../../tools/sample-household.ts"))};
  const prover = new WindowProver();
  const proof = prover.prove(sampleWindow(4));
  console.log(prover.processIds[0]);
  ${then}`;

describe("a program that proves", () => {
  test("behavior: ends by itself after its last proof, without closing anything", async () => {
    const text = program("await proof; console.log('proved');");
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", text], {
      encoding: "utf8",
      timeout: 20_000,
    });
    const [pid, proved] = out.trim().split("\n");
    expect(proved).toBe("proved");
    expect(await eventually(() => !isAlive(Number(pid)))).toBe(true);
  });

  test("behavior: takes its proving process with it when it is killed", async () => {
    const args = ["--input-type=module", "-e", program("")];
    const killed = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(killed.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    killed.kill("SIGKILL");
    expect(await eventually(() => !isAlive(pid))).toBe(true);
  });
});
