// Owns the meter gate's promises on an EVM: it computes every number it can from the claims in the clear, and accepts exactly
// what the TypeScript verifier accepts. It refuses claims that borrow from another slot, and every second use.

import fc from "fast-check";
import { groth16, wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProvingArtifacts } from "../../circuits/artifacts.ts";
import { meterWitness } from "../../circuits/meter-witness.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import { verifyMeterProofs } from "../../evidence/meter-proof.ts";
import { meterSignalsOf, type SlotClaim, totalsOf } from "../../evidence/meter-statement.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  SAMPLE_FIRST_SLOT,
  sampleContext,
  sampleReadings,
  sampleWindow,
} from "../../tools/sample-household.ts";
import {
  accountOf,
  type Called,
  Chain,
  type Compiled,
  compile,
  type Deployed,
  evmProof,
} from "../support/evm.ts";
import { expectingVerifier } from "../support/expecting-verifier.ts";
import {
  ASKER,
  bentVerifier,
  contractNamed,
  gateOf,
  makeGate,
  REPORTER,
  STRANGER,
} from "../support/gates.ts";
import { proofAttacks } from "../support/proof-attacks.ts";
import { negated, rescaled } from "../support/proof-points.ts";
import { keyOf, type ProofCase, provedOf } from "../support/proofs.ts";

/** A window as somebody shows it to a gate. */
interface Shown {
  readonly firstSlot: number;
  readonly account: Hex;
  readonly nullifier: bigint;
  readonly netWh: readonly number[];
  readonly heldBack: bigint;
  readonly proof: ProofCase["proof"];
}

/** Claims as signed Wh, and a bit for every export of which nothing is claimed. */
function inTheClear(claims: readonly SlotClaim[]): Pick<Shown, "netWh" | "heldBack"> {
  return {
    netWh: claims.map(({ isExport, claimedWh }) => (isExport ? claimedWh : 0 - claimedWh)),
    heldBack: claims.reduce(
      (bits, { isExport, claimedWh }, slot) =>
        isExport && claimedWh === 0 ? bits | (1n << BigInt(slot)) : bits,
      0n,
    ),
  };
}

const claimsOfShown = ({ netWh, heldBack }: Pick<Shown, "netWh" | "heldBack">): SlotClaim[] =>
  netWh.map((net, slot) => ({
    isExport: net > 0 || ((heldBack >> BigInt(slot)) & 1n) === 1n,
    claimedWh: Math.abs(net),
  }));

/** A committed proof with what it was made of. */
function vector(
  slots: 4 | 96,
  index = 0,
): { readonly shown: Shown; readonly root: bigint; readonly given: ProofCase } {
  const next = { firstSlot: SAMPLE_FIRST_SLOT + 4, netWh: sampleReadings(4, 44) };
  const { firstSlot, account, claims } = sampleWindow(slots, index === 0 ? {} : next);
  const given = provedOf(`meter-${slots}`)[index] as ProofCase;
  const [root, , , , nullifier] = given.signals.map(BigInt) as [bigint, bigint, bigint, bigint, bigint];
  return { shown: { firstSlot, account, nullifier, ...inTheClear(claims), proof: given.proof }, root, given };
}

const hour = vector(4);
const GOOD = hour.shown;
let chain: Chain;
let gate: Deployed;

async function fresh(slots: 4 | 96 = 4): Promise<void> {
  ({ chain, gate } = await gateOf("MeterGate", `meter-${slots}`));
  const windows = slots === 4 ? [hour, vector(4, 1)] : [vector(96)];
  for (const { shown, root } of windows) await setRoot(shown.firstSlot, root);
}

async function setRoot(firstSlot: number, root: bigint): Promise<void> {
  expect((await chain.call(gate, REPORTER, "setRoot", BigInt(firstSlot), root)).error).toBeNull();
}

const windowOf = (shown: Shown) => ({
  ...shown,
  firstSlot: BigInt(shown.firstSlot),
  proof: evmProof(shown.proof),
});
const use = (changes: Partial<Shown> = {}, from: Hex = ASKER): Promise<Called> =>
  chain.call(gate, from, "use", windowOf({ ...GOOD, ...changes }));
const isUsed = async (user: Hex = ASKER) =>
  (await chain.call(gate, user, "isUsed", user, GOOD.nullifier)).value;

async function refused(error: string, changes: Partial<Shown>, what = error): Promise<void> {
  expect((await use(changes)).error, what).toBe(error);
  expect(await isUsed(), what).toBe(false);
}

afterAll(endSnarkThreads);

describe("making a gate", () => {
  test("rejects: development keys off the local chain, keys nobody contributed to, odd windows", async () => {
    for (const circuit of ["meter-4", "meter-96"] as const) {
      const elsewhere = await makeGate("MeterGate", circuit, { chain: await Chain.start(10) });
      expect(elsewhere.made).toEqual({ error: "Groth16_DevelopmentKey" });
      const forged = await makeGate("MeterGate", circuit, { verifier: bentVerifier(circuit, "gamma") });
      expect(forged.made).toEqual({ error: "Groth16_KeyNotContributed" });
    }
    const odd = await makeGate("MeterGate", "meter-4", { windowSlots: 8 });
    expect(odd.made).toEqual({ error: "ProofGate_WindowLength" });
  });
});

describe("using a window", () => {
  beforeAll(() => fresh());

  test("rejects: another account, window, region, window length or chain", async () => {
    await refused("Groth16_ProofInvalid", { account: accountOf(0xa2) });
    await refused("Groth16_ProofInvalid", { firstSlot: GOOD.firstSlot + 4 });
    await refused("ProofGate_RootUnknown", { firstSlot: GOOD.firstSlot + 8 });
    await setRoot(GOOD.firstSlot + 1, hour.root);
    await refused("MeterGate_WindowUnaligned", { firstSlot: GOOD.firstSlot + 1 });
    const ceremony = bentVerifier("meter-4", "origin");
    const others = [
      { regionId: "polder-two" },
      { settlement: accountOf(7) },
      { chain: await Chain.start(1), verifier: ceremony },
    ];
    for (const terms of others) {
      const other = await gateOf("MeterGate", "meter-4", terms);
      await other.chain.call(other.gate, REPORTER, "setRoot", BigInt(GOOD.firstSlot), hour.root);
      expect((await other.chain.call(other.gate, ASKER, "use", windowOf(GOOD))).error).toBe(
        "Groth16_ProofInvalid",
      );
    }
    chain.fork(1);
    await refused("ProofGate_OtherChain", {});
    chain.fork(31_337);
  });

  test("rejects: a day's window at an hour's gate, and an hour's at a day's", async () => {
    const day = vector(96).shown;
    await refused("MeterGate_ClaimCount", { netWh: day.netWh, heldBack: day.heldBack });
    await refused("Groth16_ProofInvalid", { proof: day.proof });
    const other = await gateOf("MeterGate", "meter-96");
    await other.chain.call(other.gate, REPORTER, "setRoot", BigInt(GOOD.firstSlot), hour.root);
    const { error } = await other.chain.call(other.gate, ASKER, "use", windowOf(GOOD));
    expect(error).toBe("MeterGate_ClaimCount");
    const stretched = { ...GOOD, netWh: [...GOOD.netWh, ...new Array<number>(92).fill(0)] };
    expect((await other.chain.call(other.gate, ASKER, "use", windowOf(stretched))).error).toBe(
      "Groth16_ProofInvalid",
    );
    // A gate that was made with the other length's verifier accepts nothing.
    const confused = await gateOf("MeterGate", "meter-96", { windowSlots: 4 });
    await confused.chain.call(confused.gate, REPORTER, "setRoot", BigInt(GOOD.firstSlot), hour.root);
    expect((await confused.chain.call(confused.gate, ASKER, "use", windowOf(GOOD))).error).toBe(
      "without a reason",
    );
  });

  test("rejects: claims of 2²⁰ and more on either side, too few, too many, and held back where something is claimed", async () => {
    for (const wh of [2 ** 20, -(2 ** 20), 2 ** 31 - 1, -(2 ** 31)])
      for (const slot of [0, 3])
        await refused("MeterGate_ClaimOutOfRange", { netWh: GOOD.netWh.with(slot, wh) });
    await refused("MeterGate_ClaimCount", { netWh: GOOD.netWh.slice(1) });
    await refused("MeterGate_ClaimCount", { netWh: [] });
    await refused("MeterGate_HeldBackOfClaim", { heldBack: 1n });
    await refused("MeterGate_HeldBackOutOfRange", { heldBack: 1n << 4n });
    await refused("MeterGate_HeldBackOutOfRange", { heldBack: 1n << 255n });
  });

  test("rejects: a Wh more or less, a swapped direction, slots exchanged", async () => {
    const { netWh } = GOOD;
    for (const slot of netWh.keys()) {
      const own = netWh[slot] as number;
      for (const other of [own + 1, own - 1])
        await refused("Groth16_ProofInvalid", { netWh: netWh.with(slot, other) });
      if (own !== 0) await refused("Groth16_ProofInvalid", { netWh: netWh.with(slot, -own) });
      else await refused("Groth16_ProofInvalid", { heldBack: GOOD.heldBack ^ (1n << BigInt(slot)) });
    }
    expect(netWh[1]).not.toBe(netWh[2]);
    const exchanged = [netWh[0], netWh[2], netWh[1], netWh[3]] as number[];
    await refused("Groth16_ProofInvalid", { netWh: exchanged });
  });

  test("rejects: another nullifier, one at or above the field's order, and tampered proofs", async () => {
    await refused("Groth16_ProofInvalid", { nullifier: GOOD.nullifier + 1n });
    await refused("Groth16_SignalNotCanonical", { nullifier: GOOD.nullifier + FIELD_ORDER });
    for (const [what, { proof }, isCanonical] of proofAttacks(hour.given))
      await refused(isCanonical ? "Groth16_ProofInvalid" : "Groth16_PointNotCanonical", { proof }, what);
  });

  test("rejects: what the circuit alone accepts: readings 0, 0, 0, 1 that prove a thousand kWh a slot", async () => {
    const { forged, netWh, root, nullifier, signals } = await borrowingWindow();
    // Under a verifier that believes the prover's sums it is a proof.
    const bare = await chain.deployed(contractNamed("HourVerifier"));
    const { a, b, c } = evmProof(forged);
    expect((await chain.call(bare, ASKER, "verifyProof", a, b, c, signals)).value).toBe(true);
    const firstSlot = GOOD.firstSlot + 40;
    await setRoot(firstSlot, root);
    const shown = { firstSlot, nullifier, netWh, heldBack: 8n, proof: forged };
    await refused("MeterGate_ClaimOutOfRange", shown);
    await refused("Groth16_ProofInvalid", { ...shown, netWh: [1_500, 1_500, 1_500, 0] });
  });

  test("rejects: a window that was used, also with a malleated proof or fewer claims", async () => {
    const { error, value, events, gas } = await use();
    expect(error).toBeNull();
    expect(value).toEqual(bigTotals(GOOD));
    expect(events).toMatchObject([
      { eventName: "WindowUsed", args: { nullifier: GOOD.nullifier, salesWh: 3_400n } },
    ]);
    expect(gas).toBeLessThan(370_000n);
    const proofs = [hour.given, negated(hour.given), rescaled(hour.given, 9n)].map(({ proof }) => proof);
    for (const proof of proofs) expect((await use({ proof })).error).toBe("ProofGate_NullifierUsed");
    expect((await use({ netWh: [0, 0, 0, 0] })).error).toBe("ProofGate_NullifierUsed");
    // Who copied it uses up nothing but its own.
    expect(await isUsed(STRANGER)).toBe(false);
    expect((await use({ proof: negated(hour.given).proof }, STRANGER)).error).toBeNull();
  });

  test("behavior: the next hour and a day are accepted, with the totals that TypeScript computes", async () => {
    const next = vector(4, 1).shown;
    expect((await use(next)).value).toEqual(bigTotals(next));
    await fresh(96);
    const day = vector(96).shown;
    const { value, error, gas } = await use(day);
    expect(error).toBeNull();
    expect(value).toEqual(bigTotals(day));
    expect(gas).toBeLessThan(560_000n);
  });
});

describe("gate and TypeScript", () => {
  test("property: the gate accepts exactly what the TypeScript verifier accepts", async () => {
    const verifier = new Groth16Verifier(await keyOf("meter-4"), 1);
    const context = sampleContext(4);
    const cases: [string, Partial<Shown>][] = [
      ["good", {}],
      ["malleated by −1", { proof: negated(hour.given).proof }],
      ["malleated by ρ", { proof: rescaled(hour.given, 12_345n).proof }],
      ["another account", { account: accountOf(1) }],
      ["claims of 2²⁰", { netWh: GOOD.netWh.with(1, 2 ** 20) }],
      ["three claims", { netWh: GOOD.netWh.slice(1) }],
      ["swapped direction", { netWh: GOOD.netWh.with(0, -(GOOD.netWh[0] as number)) }],
      ["nullifier + r", { nullifier: GOOD.nullifier + FIELD_ORDER }],
      ["another nullifier", { nullifier: 5n }],
      ...proofAttacks(hour.given).map(([what, { proof }]): [string, Partial<Shown>] => [what, { proof }]),
    ];
    let accepted = 0;
    for (const [what, changes] of cases) {
      await fresh();
      const { firstSlot, account, nullifier, proof, ...clear } = { ...GOOD, ...changes };
      const statement = {
        context,
        firstSlot,
        root: hour.root,
        account,
        nullifier,
        claims: claimsOfShown(clear),
      };
      const isAccepted = (await use(changes)).error === null;
      expect(isAccepted, what).toBe(verifyMeterProofs(verifier, [{ statement, proof }])[0]?.ok);
      if (isAccepted) accepted += 1;
    }
    expect(accepted).toBe(3);
  });

  for (const slots of [4, 96] as const) {
    test(`property: for any claims over ${slots} slots it computes the signals that TypeScript computes`, async () => {
      const verifier = compile({ "Expecting.sol": expectingVerifier(slots === 4 ? 10 : 18) })
        .ExpectingVerifier as Compiled;
      const own = await Chain.start(31_337);
      const expecting = await own.deployed(verifier);
      const args = [expecting.address, REPORTER, accountOf(0), "polder-one", slots];
      const made = await own.deployed(contractNamed("MeterGate"), ...args);
      const claim = fc.record({
        isExport: fc.boolean(),
        claimedWh: fc.oneof(fc.nat(2 ** 20 - 1), fc.constantFrom(0, 1, 2 ** 20 - 1)),
      });
      const context = sampleContext(slots);
      let window = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(claim, { minLength: slots, maxLength: slots }), async (claims) => {
          window += slots;
          const firstSlot = 96 * window;
          const statement = {
            context,
            firstSlot,
            root: 77n,
            account: GOOD.account,
            nullifier: BigInt(window),
            claims,
          };
          const verdict = meterSignalsOf(statement);
          if (!verdict.ok) throw new Error("claims out of range");
          await own.call(expecting, ASKER, "expect", verdict.signals.map(BigInt));
          await own.call(made, REPORTER, "setRoot", BigInt(firstSlot), 77n);
          const shown = { ...GOOD, firstSlot, nullifier: statement.nullifier, ...inTheClear(claims) };
          const { error, value } = await own.call(made, ASKER, "use", windowOf(shown));
          expect(error).toBeNull();
          expect(value).toEqual(bigTotals(shown));
        }),
        { numRuns: 60 },
      );
    });
  }
});

function bigTotals(shown: Pick<Shown, "netWh" | "heldBack">): object {
  const totals = totalsOf(claimsOfShown(shown));
  return Object.fromEntries(Object.entries(totals ?? {}).map(([name, wh]) => [name, BigInt(wh)]));
}

/** Signed is 0, 0, 0, 1; claimed is that less what was not sold, digit by digit, each slot borrowing from the next. */
async function borrowingWindow() {
  const firstSlot = GOOD.firstSlot + 40;
  const limits = {
    nameplateWh: 2 ** 20 - 1,
    connectionWh: 2 ** 20 - 1,
    saleCapWh: 2 ** 27 - 1,
    purchaseCapWh: 0,
  };
  const signed = sampleWindow(4, { firstSlot, netWh: [0, 0, 0, 1], limits });
  const { signals: inputs, root, nullifier } = meterWitness(signed);
  const unsold = 2n ** 20n - 1n;
  const borrowed = [0n, 22n, 44n].reduce((sum, shift) => sum + (unsold << shift), 0n);
  const packed = ((2n ** 21n + 1n) << 66n) - borrowed;
  const forgery = {
    ...inputs,
    packedClaims: [packed],
    unsoldWh: [unsold, unsold, unsold, 0n],
    largestSaleWh: 1n,
    salesWh: 1n,
  };
  const { wasm, zkey } = await readProvingArtifacts("meter-4");
  const witness: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(forgery, { type: "mem", data: wasm }, witness);
  const { proof, publicSignals } = await groth16.prove({ type: "mem", data: zkey }, witness);
  const digits = [0n, 22n, 44n, 66n].map((shift) => Number((packed >> shift) & (2n ** 21n - 1n)));
  return {
    forged: proof as unknown as ProofCase["proof"],
    netWh: digits,
    root,
    nullifier,
    signals: publicSignals.map(BigInt),
  };
}
