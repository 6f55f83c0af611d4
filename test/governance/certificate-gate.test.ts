// Owns the certificate gate's promises on an EVM: every attack is refused by the error that names it, and what it accepts is
// exactly what the TypeScript verifier accepts. It refuses a second use of a nullifier, however the proof is spelled.

import { encodeFunctionData } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { CERTIFICATE_FORMAT, certificateSchema } from "../../clients/certificate/certificate-file.ts";
import { gateCall } from "../../clients/certificate/gate-call.ts";
import { verifyCertificate } from "../../evidence/certificate-proof.ts";
import { audienceTag, certificateNullifier, epochTag } from "../../evidence/certificate-statement.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { regionTag } from "../../evidence/gateway-window.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import type { Hex } from "../../protocol/fields.ts";
import { nodeHex } from "../../protocol/quad-tree.ts";
import { sampleContext, sampleSecret } from "../../tools/sample-household.ts";
import { accountOf, type Called, Chain, type Deployed, evmProof } from "../support/evm.ts";
import { ASKER, bentVerifier, gateOf, makeGate, REPORTER, STRANGER } from "../support/gates.ts";
import { proofAttacks } from "../support/proof-attacks.ts";
import { negated, rescaled } from "../support/proof-points.ts";
import { keyOf, type ProofCase, provedOf } from "../support/proofs.ts";

const EPOCH = 3;
const AUDIENCE = "a landlord";
const LEAST_WH = 500_000;
const good = provedOf("certificate")[0] as ProofCase;
const [ROOT, , , NULLIFIER] = good.signals.map(BigInt) as [bigint, bigint, bigint, bigint];

/** What is asked and shown; everything a caller chooses. */
interface Shown {
  readonly audience: string;
  readonly epoch: number;
  readonly isPurchase: boolean;
  readonly leastWh: number;
  readonly thresholdWh: number;
  readonly nullifier: bigint;
  readonly proof: ProofCase["proof"];
}

const GOOD: Shown = {
  audience: AUDIENCE,
  epoch: EPOCH,
  isPurchase: true,
  leastWh: LEAST_WH,
  thresholdWh: LEAST_WH,
  nullifier: NULLIFIER,
  proof: good.proof,
};

function argumentsOf(changes: Partial<Shown> = {}): [object, object] {
  const { audience, epoch, isPurchase, leastWh, thresholdWh, nullifier, proof } = { ...GOOD, ...changes };
  return [
    { audience, epoch: BigInt(epoch), isPurchase, leastWh: BigInt(leastWh) },
    { thresholdWh: BigInt(thresholdWh), nullifier, proof: evmProof(proof) },
  ];
}

let chain: Chain;
let gate: Deployed;
let verifier: Groth16Verifier;

beforeAll(async () => {
  verifier = new Groth16Verifier(await keyOf("certificate"), 1);
});

async function fresh(): Promise<void> {
  ({ chain, gate } = await gateOf("CertificateGate", "certificate"));
  expect((await chain.call(gate, REPORTER, "setRoot", BigInt(EPOCH), ROOT)).error).toBeNull();
}

const use = (changes: Partial<Shown> = {}, from: Hex = ASKER): Promise<Called> =>
  chain.call(gate, from, "use", ...argumentsOf(changes));
const isUsed = async (asker: Hex = ASKER) =>
  (await chain.call(gate, asker, "isUsed", asker, AUDIENCE, NULLIFIER)).value;

/** Refused by this error, and nothing used up. */
async function refused(error: string, changes: Partial<Shown>, what = error): Promise<void> {
  expect((await use(changes)).error, what).toBe(error);
  expect(await isUsed(), what).toBe(false);
}

describe("making a gate", () => {
  test("rejects: development keys on any chain but the local one, and keys that nobody contributed to", async () => {
    for (const [chainId, error] of [
      [1, "Groth16_DevelopmentKey"],
      [31_338, "Groth16_DevelopmentKey"],
    ] as const) {
      const { made } = await makeGate("CertificateGate", "certificate", {
        chain: await Chain.start(chainId),
      });
      expect(made).toEqual({ error });
    }
    const forged = { verifier: bentVerifier("certificate", "gamma") };
    expect((await makeGate("CertificateGate", "certificate", forged)).made).toEqual({
      error: "Groth16_KeyNotContributed",
    });
  });

  test("rejects: window lengths that no region has, and a reporter that is nobody", async () => {
    for (const windowSlots of [0, 5, 97])
      expect((await makeGate("CertificateGate", "certificate", { windowSlots })).made).toEqual({
        error: "ProofGate_WindowLength",
      });
    const { made } = await makeGate("CertificateGate", "certificate", { reporter: accountOf(0) });
    expect(made).toEqual({ error: "ProofGate_NoReporter" });
  });

  test("invariant: its region tag is TypeScript's, for names of any length, contracts and chains", async () => {
    const verifierOfCeremony = bentVerifier("certificate", "origin");
    for (const [chainId, settlement, regionId, windowSlots] of [
      [31_337, accountOf(0), "polder-one", 4],
      [1, accountOf(0x1234), "p2", 96],
      [8_453, accountOf(0xffff), `p${"x".repeat(31)}`, 4],
    ] as const) {
      const terms = {
        chain: await Chain.start(chainId),
        verifier: verifierOfCeremony,
        settlement,
        regionId,
        windowSlots,
      };
      const made = await gateOf("CertificateGate", "certificate", terms);
      const { value } = await made.chain.call(made.gate, ASKER, "regionTag");
      expect(value).toBe(regionTag({ chainId, settlement, regionId, windowSlots }));
    }
  });
});

describe("roots", () => {
  beforeAll(fresh);

  test("rejects: anybody but the reporter, a second root, zero and what is no field element", async () => {
    const set = async (from: Hex, epoch: number, root: bigint) =>
      (await chain.call(gate, from, "setRoot", BigInt(epoch), root)).error;
    expect(await set(STRANGER, 9, 1n)).toBe("ProofGate_NotReporter");
    expect(await set(REPORTER, EPOCH, 1n)).toBe("ProofGate_RootAlreadySet");
    for (const root of [0n, FIELD_ORDER, ROOT + FIELD_ORDER])
      expect(await set(REPORTER, 9, root)).toBe("Groth16_SignalNotCanonical");
    expect((await chain.call(gate, ASKER, "rootOf", 9n)).value).toBe(0n);
    expect((await chain.call(gate, ASKER, "rootOf", BigInt(EPOCH))).value).toBe(ROOT);
  });
});

describe("using a certificate", () => {
  beforeAll(fresh);

  test("rejects: an epoch without a root, and another epoch that has the same one", async () => {
    await refused("ProofGate_RootUnknown", { epoch: 4 });
    expect((await chain.call(gate, REPORTER, "setRoot", 5n, ROOT)).error).toBeNull();
    await refused("Groth16_ProofInvalid", { epoch: 5 });
    expect((await chain.call(gate, REPORTER, "setRoot", 6n, ROOT + 1n)).error).toBeNull();
    await refused("Groth16_ProofInvalid", { epoch: 6 });
  });

  test("rejects: another audience, side, threshold or nullifier, and too low a threshold", async () => {
    for (const audience of ["an employer", "a landlord ", ""])
      await refused("Groth16_ProofInvalid", { audience });
    await refused("Groth16_ProofInvalid", { isPurchase: false });
    await refused("Groth16_ProofInvalid", { thresholdWh: LEAST_WH + 1 });
    await refused("CertificateGate_ThresholdTooLow", { leastWh: LEAST_WH + 1 });
    await refused("CertificateGate_ThresholdOutOfRange", { thresholdWh: 2 ** 40 });
    for (const nullifier of [NULLIFIER + 1n, 0n, FIELD_ORDER - 1n])
      await refused("Groth16_ProofInvalid", { nullifier });
  });

  test("rejects: signals that are a second spelling: x + r", async () => {
    for (const nullifier of [NULLIFIER + FIELD_ORDER, FIELD_ORDER, 2n ** 256n - 1n])
      await refused("Groth16_SignalNotCanonical", { nullifier });
  });

  test("rejects: tampered proofs, points outside of their groups, and second spellings of coordinates", async () => {
    for (const [what, attack, isCanonical] of proofAttacks(good)) {
      const error = isCanonical ? "Groth16_ProofInvalid" : "Groth16_PointNotCanonical";
      await refused(error, { proof: attack.proof }, what);
    }
  });

  test("rejects: a gate that found itself on another chain", async () => {
    chain.fork(1);
    await refused("ProofGate_OtherChain", {});
    chain.fork(31_337);
  });

  test("rejects: a certificate of another region, window length or contract", async () => {
    for (const terms of [{ regionId: "polder-two" }, { windowSlots: 96 }, { settlement: accountOf(7) }]) {
      const other = await gateOf("CertificateGate", "certificate", terms);
      await other.chain.call(other.gate, REPORTER, "setRoot", BigInt(EPOCH), ROOT);
      expect((await other.chain.call(other.gate, ASKER, "use", ...argumentsOf())).error).toBe(
        "Groth16_ProofInvalid",
      );
    }
    const elsewhere = { chain: await Chain.start(1), verifier: bentVerifier("certificate", "origin") };
    const other = await gateOf("CertificateGate", "certificate", elsewhere);
    await other.chain.call(other.gate, REPORTER, "setRoot", BigInt(EPOCH), ROOT);
    expect((await other.chain.call(other.gate, ASKER, "use", ...argumentsOf())).error).toBe(
      "Groth16_ProofInvalid",
    );
  });

  test("rejects: a nullifier that was used, also with malleated proofs and another threshold to be met", async () => {
    const { error, events, gas } = await use();
    expect(error).toBeNull();
    expect(events).toMatchObject([
      {
        eventName: "CertificateUsed",
        args: { epoch: 3n, nullifier: NULLIFIER, isPurchase: true, thresholdWh: 500_000n },
      },
    ]);
    expect(gas).toBeLessThan(330_000n);
    expect(await isUsed()).toBe(true);
    const proofs = [good, negated(good), rescaled(good, 7n)].map(({ proof }) => proof);
    for (const proof of proofs) expect((await use({ proof })).error).toBe("ProofGate_NullifierUsed");
    expect((await use({ leastWh: 1 })).error).toBe("ProofGate_NullifierUsed");
  });

  test("behavior: the call data that the command line prints is a use of the certificate", async () => {
    const zero = accountOf(0);
    const file = certificateSchema.parse({
      format: CERTIFICATE_FORMAT,
      chainId: 31_337,
      settlement: zero,
      region: "polder-one",
      epoch: EPOCH,
      root: nodeHex(ROOT),
      for: AUDIENCE,
      side: "bought",
      atLeastWh: LEAST_WH,
      nullifier: nodeHex(NULLIFIER),
      proof: good.proof,
    });
    const called = encodeFunctionData({ abi: gate.abi, functionName: "use", args: argumentsOf() });
    expect(gateCall(file)).toBe(called);
    const bent = { ...good.proof, pi_a: ["1", "1"] } as unknown as typeof file.proof;
    expect(() => gateCall({ ...file, proof: bent })).toThrow(/pi_a/);
  });

  test("behavior: another asker's use is its own; malleated proofs are proofs; asking for less is met", async () => {
    expect(await isUsed(STRANGER)).toBe(false);
    const shown = { proof: negated(good).proof, leastWh: 0 };
    expect((await use(shown, STRANGER)).error).toBeNull();
    expect(await isUsed(STRANGER)).toBe(true);
  });
});

describe("a payee", () => {
  beforeAll(fresh);
  const payee = accountOf(0x9a);
  const useFor = async (to: Hex, from: Hex = ASKER) =>
    (await chain.call(gate, from, "useFor", ...argumentsOf(), to)).error;
  const announce = async (to: Hex, from: Hex) => {
    const seal = (await chain.call(gate, from, "sealOf", ASKER, AUDIENCE, NULLIFIER, to)).value;
    return chain.call(gate, from, "announce", seal);
  };

  test("rejects: a payee who did not announce, or just now, as whoever reads the mempool would", async () => {
    await announce(payee, payee);
    chain.blockNumber += 9n;
    expect(await useFor(payee)).toBe("CertificateGate_AnnouncedTooLately");
    chain.blockNumber += 1n;
    expect(await useFor(STRANGER)).toBe("CertificateGate_NotAnnounced");
    await announce(STRANGER, STRANGER);
    expect(await useFor(STRANGER)).toBe("CertificateGate_AnnouncedTooLately");
    // Repeating the honest announcement does not begin its time anew.
    expect((await announce(payee, STRANGER)).events).toEqual([]);
    expect(await useFor(payee, STRANGER)).toBe("CertificateGate_NotAnnounced");
    expect(await isUsed()).toBe(false);
  });

  test("behavior: who announced in time is paid, once", async () => {
    expect(await useFor(payee)).toBeNull();
    chain.blockNumber += 10n;
    expect(await useFor(STRANGER)).toBe("ProofGate_NullifierUsed");
    expect(await useFor(payee)).toBe("ProofGate_NullifierUsed");
  });
});

describe("gate and TypeScript", () => {
  const tag = regionTag(sampleContext(4));

  /** What somebody would conclude who checks everything in TypeScript, the nullifier's novelty aside. */
  function accepts({ audience, epoch, isPurchase, leastWh, thresholdWh, nullifier, proof }: Shown): boolean {
    if (epoch !== EPOCH || thresholdWh < leastWh) return false;
    const statement = {
      root: ROOT,
      epochTag: epochTag(tag, epoch),
      audienceTag: audienceTag(audience),
      nullifier,
      isPurchase,
      thresholdWh,
    };
    return verifyCertificate(verifier, statement, proof).ok;
  }

  test("invariant: the vector's tags are what both compute", () => {
    const [, epoch, audience, nullifier] = good.signals.map(BigInt);
    expect([epoch, audience]).toEqual([epochTag(tag, EPOCH), audienceTag(AUDIENCE)]);
    expect(nullifier).toBe(
      certificateNullifier(sampleSecret("certificate"), epoch as bigint, audience as bigint),
    );
  });

  test("property: the gate accepts exactly what the TypeScript verifier accepts", async () => {
    const cases: [string, Partial<Shown>][] = [
      ["good", {}],
      ["less asked", { leastWh: 1 }],
      ["malleated by −1", { proof: negated(good).proof }],
      ["malleated by ρ", { proof: rescaled(good, 12_345n).proof }],
      ["another audience", { audience: "an employer" }],
      ["another side", { isPurchase: false }],
      ["a Wh more", { thresholdWh: LEAST_WH + 1 }],
      ["too much", { thresholdWh: 2 ** 40 }],
      ["more asked", { leastWh: LEAST_WH + 1 }],
      ["another nullifier", { nullifier: NULLIFIER + 1n }],
      ["nullifier + r", { nullifier: NULLIFIER + FIELD_ORDER }],
      ...proofAttacks(good).map(([what, { proof }]): [string, Partial<Shown>] => [what, { proof }]),
    ];
    let accepted = 0;
    for (const [what, changes] of cases) {
      await fresh();
      const isAccepted = (await use(changes)).error === null;
      expect(isAccepted, what).toBe(accepts({ ...GOOD, ...changes }));
      if (isAccepted) accepted += 1;
    }
    expect(accepted).toBe(4);
  });
});
