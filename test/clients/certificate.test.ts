// Owns what makers and checkers of certificates are told, without a network: every forgery with its reason. It refuses a
// certificate that is worth something to anybody but whom it was made for.

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProvingArtifacts } from "../../circuits/artifacts.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { type Certificate, parseCertificate } from "../../clients/certificate/certificate-file.ts";
import { refuseCertificate } from "../../clients/certificate/check.ts";
import { energyText, parseEnergy } from "../../clients/certificate/energy-amount.ts";
import type { EpochRecords } from "../../clients/certificate/epoch-records.ts";
import { candidatesOf } from "../../clients/certificate/epoch-records.ts";
import { type CertificateWish, findLeaf, makeCertificate } from "../../clients/certificate/make.ts";
import { type CertificateSecret, openSecrets } from "../../clients/certificate/secret-file.ts";
import { epochTag } from "../../evidence/certificate-statement.ts";
import { certificateTree, treeOfPublished } from "../../evidence/certificate-tree.ts";
import { regionTag } from "../../evidence/gateway-window.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import { secretCommitment } from "../../evidence/meter-statement.ts";
import { FIELD_ORDER, type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import type { QuadTree } from "../../protocol/quad-tree.ts";
import { sampleSecret } from "../../tools/sample-household.ts";
import { address, DOMAIN, word } from "../support/market.ts";
import { keyOf } from "../support/proofs.ts";

const REGION = "polder-one";
const [ANN, BOB, CAS, DAN] = [address(1), address(2), address(3), address(4)];
const SOLD: Record<Hex, number> = { [ANN]: 812_350, [BOB]: 0, [CAS]: 499_999, [DAN]: 900_000 };
const BOUGHT: Record<Hex, number> = { [ANN]: 120, [BOB]: 1_204_900, [CAS]: 1, [DAN]: 0 };

function secretOf(account: Hex, name = account as string): CertificateSecret {
  const secret = sampleSecret(name);
  return {
    ...DOMAIN,
    region: REGION,
    account,
    secret: secret.toString(),
    commitment: secretCommitment(secret).toString(),
  };
}

/** Epoch 3 of a region, in which ann, bob and cas had given commitments and dan had not. */
function recordsOf(changes: Partial<EpochRecords> = {}): EpochRecords {
  const certificates = [ANN, BOB, CAS];
  const { root, leaves } = certificateTree(
    certificates.map((account) => ({
      commitment: secretOf(account).commitment,
      soldWh: SOLD[account] as number,
      boughtWh: BOUGHT[account] as number,
    })),
  );
  const tag = epochTag(regionTag({ ...DOMAIN, regionId: REGION, windowSlots: 4 }), 3);
  return {
    deployment: {
      ...DOMAIN,
      governor: NO_ADDRESS,
      operator: "",
      receiptKey: word(1),
      clock: { originMs: 0, rate: 1 },
    },
    region: REGION,
    epoch: 3,
    startS: 0,
    endS: 900,
    timeZone: "Europe/Amsterdam",
    tag,
    sums: {
      epoch: 3,
      parametersVersion: 1,
      voteVersion: 0,
      deliveredWh: 0,
      feesMicros: 0,
      emission: "0",
      nextEmission: "0",
      soldWh: SOLD,
      boughtWh: BOUGHT,
      rewards: {},
      resources: [],
      certificates,
      entry: 1,
    },
    root,
    leaves,
    tree: treeOfPublished({ root, leaves }) as QuadTree,
    ...changes,
  };
}

const WISH: CertificateWish = { side: "sold", atLeastWh: 500_000, audience: "a landlord" };
let verifier: Groth16Verifier;
let good: Certificate;
let keys: Parameters<typeof makeCertificate>[3];
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polder-certificate-"));
  verifier = new Groth16Verifier(await keyOf("certificate"));
  keys = { artifacts: await readProvingArtifacts("certificate"), verifier };
  const records = recordsOf();
  good = await makeCertificate(records, findLeaf(records, [secretOf(ANN)]), WISH, keys);
});

afterAll(async () => {
  await endSnarkThreads();
  rmSync(folder, { recursive: true, force: true });
});

const refusal = (changes: Partial<Certificate>, expected = {}) =>
  refuseCertificate({ ...good, ...changes }, recordsOf(), verifier, expected);

describe("checking", () => {
  test("rejects: what is about another chain, contract, region or epoch", () => {
    for (const changes of [{ chainId: 1 }, { settlement: address(9) }])
      expect(refusal(changes)).toMatch(/^it is about chain .*, not about this deployment$/);
    for (const changes of [{ region: "polder-two" }, { epoch: 4 }])
      expect(refusal(changes)).toMatch(/, not about epoch 3 of polder-one$/);
    // Told to be about the epoch that is checked, it still proves what it proved.
    const later = recordsOf({ epoch: 4, tag: recordsOf().tag + 1n });
    expect(refuseCertificate({ ...good, epoch: 4 }, later, verifier)).toMatch(/forged or changed/);
  });

  test("rejects: what was made for somebody else, also when its name is changed", () => {
    expect(refusal({}, { audience: "an employer" })).toBe(
      'it was made for "a landlord", not for "an employer"',
    );
    expect(refusal({ for: "an employer" }, { audience: "an employer" })).toMatch(/forged or changed/);
    expect(refusal({ for: "an employer" })).toMatch(/forged or changed/);
  });

  test("rejects: another root, side, threshold or nullifier, by a Wh or a bit", () => {
    expect(refusal({ root: word(5) })).toMatch(/^its root 0x0+5 is not that of epoch 3/);
    expect(refusal({}, { root: word(5) })).toMatch(/ is not that of epoch 3 of polder-one, 0x0+5$/);
    expect(refusal({ atLeastWh: 500_001 })).toMatch(/forged or changed/);
    expect(refusal({ side: "bought" })).toMatch(/forged or changed/);
    expect(refusal({ nullifier: word(1) })).toMatch(/forged or changed/);
    const twin: Hex = `0x${(BigInt(good.nullifier) + FIELD_ORDER).toString(16).padStart(64, "0")}`;
    expect(refusal({ nullifier: twin })).toBe("its nullifier is malformed");
    expect(refusal({ atLeastWh: 2 ** 40 - 1 })).toMatch(/contradicts itself/);
  });

  test("rejects: a proof that was changed, and one that is no proof", () => {
    const { proof } = good;
    const changed = { ...proof, pi_c: proof.pi_a };
    expect(refusal({ proof: changed })).toMatch(/forged or changed/);
    expect(refusal({ proof: { ...proof, pi_a: ["1", "1", "1"] } })).toBe("its pi_a is malformed");
    expect(refusal({ proof: { ...proof, pi_b: [] } })).toBe("its pi_b is malformed");
  });

  test("behavior: what is established needs nothing but the file and the epoch", () => {
    expect(refusal({})).toBeNull();
    expect(refusal({}, { audience: "a landlord", root: recordsOf().root })).toBeNull();
    expect(parseCertificate(JSON.stringify(good))).toEqual(good);
    for (const [side, wh, crowd] of [
      ["sold", 500_000, 1],
      ["sold", 499_999, 2],
      ["bought", 1, 3],
    ] as const)
      expect(candidatesOf(recordsOf(), side, wh)).toBe(crowd);
  });
});

describe("making", () => {
  test("rejects: with a reason, an account without a leaf", () => {
    const records = recordsOf();
    const reason =
      (...secrets: CertificateSecret[]) =>
      () =>
        findLeaf(records, secrets);
    expect(reason(secretOf(DAN))).toThrow(/had given no commitment when epoch 3 closed/);
    expect(reason(secretOf(address(9)))).toThrow(/neither sold nor bought anything in epoch 3/);
    expect(reason(secretOf(ANN, "another"))).toThrow(/a commitment whose secret is not in the file/);
  });

  test("rejects: a threshold that was not reached, on either side", async () => {
    const records = recordsOf();
    const own = findLeaf(records, [secretOf(CAS)]);
    await expect(makeCertificate(records, own, WISH, keys)).rejects.toThrow(
      `${CAS} sold 499.999 kWh in epoch 3, which is less than 500 kWh`,
    );
    const bought: CertificateWish = { ...WISH, side: "bought", atLeastWh: 2 };
    await expect(makeCertificate(records, own, bought, keys)).rejects.toThrow(
      `${CAS} bought 1 Wh in epoch 3, which is less than 2 Wh`,
    );
  });

  test("behavior: an older secret finds the leaf of an older epoch; same asker, same nullifier, whatever is shown", async () => {
    const records = recordsOf();
    const own = findLeaf(records, [secretOf(BOB), secretOf(BOB, "renewed")]);
    const wishes: CertificateWish[] = [
      { side: "bought", atLeastWh: 1_204_900, audience: "a landlord" },
      { side: "bought", atLeastWh: 1, audience: "a landlord" },
      { side: "bought", atLeastWh: 1, audience: "an employer" },
    ];
    const [first, second, third] = (await Promise.all(
      wishes.map((wish) => makeCertificate(records, own, wish, keys)),
    )) as [Certificate, Certificate, Certificate];
    for (const certificate of [first, second, third])
      expect(refuseCertificate(certificate, records, verifier)).toBeNull();
    expect(second.nullifier).toBe(first.nullifier);
    expect(new Set([good.nullifier, first.nullifier, third.nullifier]).size).toBe(3);
    expect(JSON.stringify(first)).not.toContain(BOB.slice(2));
  });
});

describe("files", () => {
  test("rejects: texts that are no certificate, and names that only look alike", () => {
    const reason = (text: string) => () => parseCertificate(text);
    const changed = (changes: object) => reason(JSON.stringify({ ...good, ...changes }));
    expect(reason("{")).toThrow(/not JSON/);
    for (const text of ["null", "7", "[]", "{}", '{"format":"polder-certificate/2"}'])
      expect(reason(text)).toThrow(/its format is not/);
    expect(reason(" ".repeat(20_000))).toThrow(/longer than/);
    expect(changed({ more: 1 })).toThrow(/more/);
    expect(changed({ atLeastWh: 0 })).toThrow(/atLeastWh/);
    expect(changed({ atLeastWh: 1.5 })).toThrow(/atLeastWh/);
    expect(changed({ proof: null })).toThrow(/proof/);
    const lookalikes = [
      "a landlord ",
      "a\u200b landlord",
      "a land\u0000lord",
      "cafe\u0301",
      "",
      "x".repeat(201),
    ];
    for (const name of lookalikes) expect(changed({ for: name })).toThrow(/for: /);
  });

  test("rejects: amounts without a unit, parts of a Wh, nothing and too much", () => {
    const wrong = [
      "500",
      "500 KWH",
      "kWh",
      "-1kWh",
      "1e3kWh",
      "0x10Wh",
      "1,5kWh",
      ".5kWh",
      "5.kWh",
      "1.2.3kWh",
    ];
    for (const text of [...wrong, "", "1kWh ", "1  kWh"]) expect(() => parseEnergy(text)).toThrow(RangeError);
    for (const text of ["0.5Wh", "0.0005kWh", "0.0000005MWh"])
      expect(() => parseEnergy(text)).toThrow(/not a whole number of Wh|finer than/);
    for (const text of ["0Wh", "0.000MWh", "1099511627776Wh", "9999999999MWh"])
      expect(() => parseEnergy(text)).toThrow(RangeError);
  });

  test("behavior: amounts are exact to the Wh, and read back as they are written", () => {
    const amounts: [string, number][] = [
      ["500kWh", 500_000],
      ["0.5MWh", 500_000],
      ["500000Wh", 500_000],
      ["812.35 kWh", 812_350],
      ["0.000001MWh", 1],
      ["0.001000kWh", 1],
      ["1099511.627775MWh", 2 ** 40 - 1],
    ];
    for (const [text, wh] of amounts) expect(parseEnergy(text), text).toBe(wh);
    for (const wh of [1, 999, 1_000, 1_001, 812_350, 2 ** 40 - 1])
      expect(parseEnergy(energyText(wh))).toBe(wh);
  });

  test("behavior: secrets are kept for their owner alone, newest last, each region's apart; others' eyes are refused", () => {
    const file = join(folder, "deep", "secrets.ndjson");
    const place = { ...DOMAIN, region: REGION };
    const [first, second] = [secretOf(ANN), secretOf(ANN, "renewed")];
    openSecrets(file, place).add(first);
    openSecrets(file, place).add(second);
    openSecrets(file, place).add(secretOf(BOB));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(openSecrets(file, place, ANN).secrets).toEqual([first, second]);
    expect(openSecrets(file, place).secrets).toHaveLength(3);
    for (const other of [{ region: "polder-two" }, { chainId: 1 }, { settlement: address(1) }])
      expect(openSecrets(file, { ...place, ...other }).secrets).toEqual([]);
    chmodSync(file, 0o644);
    expect(() => openSecrets(file, place)).toThrow(/others may read/);
    chmodSync(file, 0o600);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(`"account":"${BOB}"`, '"account":"bob"'));
    expect(() => openSecrets(file, place)).toThrow(/secrets\.ndjson, line 3, certificateSecret\.account/);
  });
});
