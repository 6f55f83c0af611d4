// Owns the promise that no witness exists for what a household might try: more than was measured, another direction, a
// limit passed by one, a foreign key, region, window, secret or root. Each names the constraint that refuses.

import { babyjubjub } from "@noble/curves/misc.js";
import { poseidon8 } from "poseidon-lite/poseidon8";
import { beforeAll, describe, expect, test } from "vitest";
import { claimsOf, meterWitness, type WindowInputs } from "../../circuits/meter-witness.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { regionTag } from "../../evidence/gateway-window.ts";
import {
  type MeterLimits,
  meterLeaf,
  meterSignalsOf,
  packClaims,
  type SlotClaim,
  secretCommitment,
} from "../../evidence/meter-statement.ts";
import { QuadTree } from "../../protocol/quad-tree.ts";
import { sampleContext, sampleSecret, sampleWindow } from "../../tools/sample-household.ts";
import { type Inputs, refusedBy } from "../support/circuit-witness.ts";
import { orderEight } from "../support/small-order.ts";

const WIDE: MeterLimits = {
  nameplateWh: 2 ** 20 - 1,
  connectionWh: 2 ** 20 - 1,
  saleCapWh: 2 ** 27 - 1,
  purchaseCapWh: 2 ** 27 - 1,
};
const negative = (value: number) => FIELD_ORDER - BigInt(value);
const sale = (claimedWh: number): SlotClaim => ({ isExport: true, claimedWh });
const purchase = (claimedWh: number): SlotClaim => ({ isExport: false, claimedWh });

/** Honest inputs with wide limits, for readings of which everything is claimed. */
function honest(netWh: number[], changes: Parameters<typeof sampleWindow>[1] = {}): WindowInputs {
  const window = sampleWindow(4, { netWh, limits: WIDE, ...changes });
  const claims = netWh.map((net) => (net > 0 ? sale(net) : purchase(-net)));
  return { ...window, claims };
}

const inputsOf = (window: WindowInputs): Inputs => meterWitness(window).signals;
const tamper = (inputs: Inputs, changes: Inputs): Inputs => ({ ...inputs, ...changes });
const refusal = (inputs: Inputs, wasm?: Uint8Array) => refusedBy("meter-4", inputs, wasm);

describe("meter circuit", () => {
  const window = honest([1_500, -320, 0, 700]);
  let good: Inputs;
  beforeAll(() => {
    good = inputsOf(window);
  });

  test("behavior: honest inputs are accepted, claims of everything and of nothing", async () => {
    const nothing = { ...window, claims: [sale(0), purchase(0), purchase(0), sale(0)] };
    expect(await refusal(good)).toBe("accepted");
    expect(await refusal(inputsOf(nothing))).toBe("accepted");
    expect(await refusal(inputsOf(honest([2 ** 20 - 1, 1 - 2 ** 20, 0, 0])))).toBe("accepted");
  });

  test("rejects: one Wh more than was measured", async () => {
    const packedClaims = packClaims([sale(1_501), purchase(320), purchase(0), sale(700)]);
    const unsoldWh = [negative(1), 0n, 0n, 0n];
    expect(await refusal(tamper(good, { packedClaims, unsoldWh }))).toMatch(/^Num2Bits: .*unsoldWh/);
    // Without the negative difference the signature is over other readings.
    expect(await refusal(tamper(good, { packedClaims }))).toMatch(/^ForceEqualIfEnabled: GatewaySignature/);
  });

  test("rejects: one Wh more in a day's window, at both sides of an element's border and at its end", async () => {
    const day = sampleWindow(96, { limits: WIDE });
    const whole = { ...day, claims: claimsOf(day.netWh) };
    const inputs = inputsOf(whole);
    expect(await refusedBy("meter-96", inputs)).toBe("accepted");
    for (const slot of [0, 10, 11, 95]) {
      const own = whole.claims[slot] as SlotClaim;
      const claims = whole.claims.with(slot, { ...own, claimedWh: own.claimedWh + 1 });
      const unsoldWh = (inputs.unsoldWh as bigint[]).with(slot, negative(1));
      const forged = tamper(inputs, { packedClaims: packClaims(claims), unsoldWh });
      expect(await refusedBy("meter-96", forged), `slot ${slot}`).toMatch(/^Num2Bits: .*unsoldWh/);
    }
  });

  test("rejects: an unsold amount of 2²⁰, in every slot", async () => {
    for (const slot of [0, 1, 2, 3]) {
      const unsoldWh = [0n, 0n, 0n, 0n].with(slot, 2n ** 20n);
      const packed = BigInt((good.packedClaims as string[])[0] as string);
      const packedClaims = [`${packed - (1n << BigInt(20 + 22 * slot))}`];
      // Negative packings are field elements too; what is signed stays the same, so only the range check is left.
      const wrapped = packedClaims.map((text) => (BigInt(text) + FIELD_ORDER) % FIELD_ORDER);
      const inputs = tamper(good, { packedClaims: wrapped, unsoldWh });
      expect(await refusal(inputs), `slot ${slot}`).toMatch(/^Num2Bits: .*unsoldWh/);
    }
  });

  test("rejects: readings 0, 0, 0, 1 claimed as 1500, 1500, 1500, 0", async () => {
    const signed = inputsOf(honest([0, 0, 0, 1]));
    const packedClaims = packClaims([purchase(1_500), purchase(1_500), purchase(1_500), sale(0)]);
    const borrowed = [2n ** 22n - 1_500n, 2n ** 22n - 1_501n, 2n ** 22n - 1_501n, 0n];
    const below = [negative(1_500), negative(1_500), negative(1_500), 1n];
    for (const unsoldWh of [borrowed, below]) {
      expect(await refusal(tamper(signed, { packedClaims, unsoldWh }))).toMatch(/^Num2Bits: .*unsoldWh/);
    }
  });

  test("rejects: at the verifier, what the circuit alone accepts: claims of 2²⁰ that borrow from the next slot", async () => {
    // Signed is 2²¹ + 1 in slot 3. Claimed is that less unsold, digit by digit, with a borrow through all slots.
    const signed = honest([0, 0, 0, 1]);
    const unsold = 2n ** 20n - 1n;
    const unsoldWh = [unsold, unsold, unsold, 0n];
    const target = (2n ** 21n + 1n) << 66n;
    const packed = target - unsoldWh.reduce((sum, wh, slot) => sum + (wh << BigInt(22 * slot)), 0n);
    const digits = [0, 1, 2, 3].map((slot) => Number((packed >> BigInt(22 * slot)) & (2n ** 22n - 1n)));
    expect(digits).toEqual([2 ** 21 + 2 ** 20 + 1, 2 ** 21 + 2 ** 20, 2 ** 21 + 2 ** 20, 2 ** 21]);
    const forged = tamper(inputsOf(signed), {
      packedClaims: [packed],
      unsoldWh,
      largestSaleWh: 1n,
      salesWh: 1n,
    });
    expect(await refusal(forged)).toBe("accepted");
    // The verifier sees claims in the clear; those of this packing are out of range, and no others pack to it.
    const { context, firstSlot, account } = signed;
    const claims = digits.map((digit) => sale(digit - 2 ** 21));
    const statement = { context, firstSlot, account, root: 1n, nullifier: 1n, claims };
    expect(meterSignalsOf(statement)).toMatchObject({ ok: false, facts: { path: "claims" } });
    expect(packClaims(claims)).toEqual([packed]);
  });

  test("rejects: an export claimed as an import, and an import as an export", async () => {
    const asImport = packClaims([purchase(2 ** 20 - 1), purchase(320), purchase(0), sale(700)]);
    const missing = BigInt(2 ** 21 + 1_500 - (2 ** 20 - 1));
    const exported = tamper(good, { packedClaims: asImport, unsoldWh: [missing, 0n, 0n, 0n] });
    expect(await refusal(exported)).toMatch(/^Num2Bits: .*unsoldWh/);
    const asExport = packClaims([sale(1_500), sale(0), purchase(0), sale(700)]);
    const tooMuch = tamper(good, { packedClaims: asExport, unsoldWh: [0n, negative(2 ** 21 - 320), 0n, 0n] });
    expect(await refusal(tooMuch)).toMatch(/^Num2Bits: .*unsoldWh/);
  });

  test("rejects: each limit passed by one, and accepts it reached", async () => {
    const reached: MeterLimits = {
      nameplateWh: 1_500,
      connectionWh: 320,
      saleCapWh: 2_200,
      purchaseCapWh: 320,
    };
    const of = (limits: MeterLimits) => sampleWindow(4, { netWh: [...window.netWh], limits });
    expect(await refusal(inputsOf({ ...of(reached), claims: window.claims }))).toBe("accepted");
    const guards = {
      nameplateWh: "nameplateWh - largestSaleWh",
      connectionWh: "connectionWh - largestPurchaseWh",
      saleCapWh: "saleCapWh - salesWh",
      purchaseCapWh: "purchaseCapWh - purchasesWh",
    };
    for (const [limit, guard] of Object.entries(guards) as [keyof MeterLimits, string][]) {
      const tight = { ...reached, [limit]: reached[limit] - 1 };
      const { path, root } = of(tight);
      const inputs = tamper(good, {
        ...Object.fromEntries(Object.entries(tight).map(([name, wh]) => [name, BigInt(wh)])),
        children: path,
        root,
      });
      const refused = await refusal(inputs);
      expect(refused).toMatch(/^Num2Bits: /);
      expect(refused).toContain(guard);
      // A limit that the leaf does not hold.
      expect(await refusal(tamper(inputs, { [limit]: BigInt(reached[limit]) }))).toMatch(/QuadInclusion/);
    }
  });

  test("rejects: another chain, region, window length or window than was signed and enrolled", async () => {
    const contexts = {
      chain: { ...sampleContext(4), chainId: 1 },
      contract: { ...sampleContext(4), settlement: `0x${"11".repeat(20)}` as const },
      region: { ...sampleContext(4), regionId: "polder-two" },
      length: sampleContext(96),
    };
    for (const [what, context] of Object.entries(contexts)) {
      const tag = regionTag(context);
      const claimed = tamper(good, { regionTag: tag });
      expect(await refusal(claimed), what).toMatch(/GatewaySignature/);
      if (what === "length") continue;
      // With a signature for that place, the leaf is still of this one.
      const { r8, s } = inputsOf(honest([...window.netWh], { context }));
      const signed = tamper(claimed, { r8: r8 as never, s: s as never });
      expect(await refusal(signed), what).toMatch(/QuadInclusion/);
    }
    expect(await refusal(tamper(good, { firstSlot: BigInt(window.firstSlot + 4) }))).toMatch(
      /GatewaySignature/,
    );
  });

  test("rejects: a wrong root, a wrong nullifier, a path of another leaf", async () => {
    expect(await refusal(tamper(good, { root: 1n }))).toBe("Meter: reached === root;");
    expect(await refusal(tamper(good, { nullifier: 1n }))).toBe("Meter: expected === nullifier;");
    const children = new QuadTree([sampleSecret("first neighbour")]).path(0);
    expect(await refusal(tamper(good, { children }))).toMatch(/^QuadInclusion/);
  });

  test("rejects: a secret rotated inside a window, under that window's root and under its own nullifier", async () => {
    const rotated = honest([...window.netWh], { secret: sampleSecret("rotated") });
    const { secret, nullifier } = inputsOf(rotated);
    const swapped = tamper(good, { secret: secret as never, nullifier: nullifier as never });
    expect(await refusal(swapped)).toMatch(/^QuadInclusion/);
    expect(await refusal(tamper(good, { secret: secret as never }))).toMatch(/^QuadInclusion/);
    // Under a root with the new leaf there is a second nullifier: hence one root per window, fixed before it begins.
    expect(await refusal(inputsOf(rotated))).toBe("accepted");
    expect(nullifier).not.toBe(good.nullifier);
  });

  test("rejects: a key or an R8 off the curve", async () => {
    const [x, y] = good.key as [bigint, bigint];
    const [rx, ry] = good.r8 as [bigint, bigint];
    for (const changes of [
      { key: [x, y + 1n] },
      { key: [0n, 0n] },
      { r8: [rx, ry + 1n] },
      { r8: [0n, 0n] },
    ]) {
      expect(await refusal(tamper(good, changes))).toMatch(/^BabyCheck: GatewaySignature/);
    }
  });

  test("rejects: a key of small order, under which R8 = s·B signs everything", async () => {
    const { Point } = babyjubjub;
    const free = Point.BASE.multiply(4_242n).toAffine();
    const torsion = orderEight();
    for (let k = 0, point = Point.ZERO; k < 8; k += 1, point = point.add(torsion)) {
      const { x, y } = point.toAffine();
      const tag = regionTag(window.context);
      const commitment = secretCommitment(window.secret);
      expect(() => meterLeaf([x, y], commitment, tag, WIDE), `${k}`).toThrow(/subgroup/);
      // A registrar that forgot to look.
      const tree = new QuadTree([poseidon8([x, y, commitment, tag, ...Object.values(WIDE).map(BigInt)])]);
      const forged = {
        key: [x, y],
        r8: [free.x, free.y],
        s: 4_242n,
        root: tree.root,
        children: tree.path(0),
      };
      expect(await refusal(tamper(good, forged)), `${k}`).toMatch(/^EdDSAPoseidonVerifier: /);
    }
  });
});
