// Owns the promise that whoever proves in a simulation can prove what the circuit would let it, and nothing else; and that
// no proof of theirs, and no key, is worth anything to shipping code.

import { groth16 } from "snarkjs";
import { afterAll, describe, expect, test } from "vitest";
import { claimsOf, type WindowInputs } from "../../circuits/meter-witness.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { poseidonKeyOf, signPoseidon } from "../../evidence/eddsa-poseidon.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { packReadings, regionTag, windowMessage } from "../../evidence/gateway-window.ts";
import { meterVerifier, readMeterKey } from "../../evidence/meter-keys.ts";
import { meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { QuadTree } from "../../protocol/quad-tree.ts";
import { malleated, proveByTrapdoor, trapdoorKeyJson, trapdoorVerifier } from "../support/trapdoor-prover.ts";

afterAll(endSnarkThreads);

const SEED = new Uint8Array(32).fill(7);
const SECRET = 123_456_789n;
const LIMITS = { nameplateWh: 900, connectionWh: 800, saleCapWh: 1_500, purchaseCapWh: 1_000 };

/** A window of four or 96 slots that there is a proof of. */
function windowOf(windowSlots: 4 | 96): WindowInputs {
  const context: EvidenceContext = {
    chainId: LOCAL_CHAIN_ID,
    settlement: `0x${"00".repeat(20)}`,
    regionId: "proved",
    windowSlots,
  };
  const netWh = [700, -800, 500, 0, ...new Array<number>(windowSlots - 4).fill(0)];
  const gateway = poseidonKeyOf(SEED);
  const tag = regionTag(context);
  const tree = new QuadTree([5n, meterLeaf(gateway, secretCommitment(SECRET), tag, LIMITS), 6n]);
  return {
    context,
    firstSlot: 960,
    account: `0x${"ab".repeat(20)}`,
    netWh,
    gateway,
    signature: signPoseidon(SEED, windowMessage(tag, 960, packReadings(netWh))),
    secret: SECRET,
    limits: LIMITS,
    path: tree.path(1),
    claims: claimsOf(netWh),
  };
}

const WINDOW = windowOf(4);
const verifier = trapdoorVerifier(4);

describe("a prover that knows its key's secrets", () => {
  test("rejects: everything that no proof exists for, by its reason", () => {
    const claim = (slot: number, isExport: boolean, claimedWh: number) =>
      WINDOW.claims.map((own, index) => (index === slot ? { isExport, claimedWh } : own));
    const cases: [Partial<WindowInputs>, RegExp][] = [
      [{ claims: claim(0, true, 701) }, /above the reading/],
      [{ claims: claim(1, true, 1) }, /direction/],
      [{ claims: claim(3, true, 0) }, /direction/],
      [{ netWh: [701, -800, 500, 0] }, /did not sign/],
      [{ firstSlot: 964 }, /did not sign/],
      [{ secret: SECRET + 1n }, /path/],
      [{ limits: { ...LIMITS, nameplateWh: 899 } }, /path/],
      [{ path: new QuadTree([5n, 6n]).path(1) }, /path/],
      [{ limits: { ...LIMITS, nameplateWh: 699 } }, /nameplate/],
      [{ limits: { ...LIMITS, connectionWh: 799 } }, /connection/],
      [{ limits: { ...LIMITS, saleCapWh: 1_199 } }, /sales/],
      [{ limits: { ...LIMITS, purchaseCapWh: 799 } }, /purchases/],
    ];
    for (const [more, reason] of cases) expect(() => proveByTrapdoor({ ...WINDOW, ...more })).toThrow(reason);
  });

  test("rejects: its proofs, where any one signal is another", () => {
    const { publicSignals: signals, proof } = proveByTrapdoor(WINDOW);
    for (const changed of signals.keys()) {
      const others = signals.map((signal, index) => (index === changed ? `${BigInt(signal) + 1n}` : signal));
      expect(verifier.verify({ signals: others, proof }), `signal ${changed}`).toEqual({
        ok: false,
        reason: "invalid",
      });
    }
  });

  test("rejects: nobody who ships takes its key or its proofs", () => {
    const { publicSignals: signals, proof } = proveByTrapdoor(WINDOW);
    expect(meterVerifier(4, LOCAL_CHAIN_ID).verify({ signals, proof })).toEqual({
      ok: false,
      reason: "invalid",
    });
    for (const slots of [4, 96] as const)
      expect(() => readMeterKey(slots, LOCAL_CHAIN_ID, trapdoorKeyJson(slots))).toThrow(/the manifest names/);
  });

  test("behavior: its proofs hold, also for snarkjs, for both lengths of windows", async () => {
    for (const slots of [4, 96] as const) {
      const { publicSignals: signals, proof } = proveByTrapdoor(windowOf(slots));
      expect(trapdoorVerifier(slots).verify({ signals, proof })).toEqual({ ok: true });
      expect(await groth16.verify(trapdoorKeyJson(slots), signals, proof)).toBe(true);
      // In other bytes too: who accepts a window once does not go by them.
      const again = malleated(proof);
      expect(again).not.toEqual(proof);
      expect(trapdoorVerifier(slots).verify({ signals, proof: again })).toEqual({ ok: true });
    }
  });
});
