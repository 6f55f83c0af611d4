// Owns what every verifier owes for anything that a request can hold: a refusal of the table or the one thing that was
// signed. It refuses a verifier that throws, and one that takes a second spelling of a proof for another proof.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { signConsent } from "../../evidence/enrolment.ts";
import { evidenceSchema } from "../../evidence/evidence.ts";
import { gatewayWindowSchema, signWindow, verifyGatewayWindow } from "../../evidence/gateway-window.ts";
import { meterProofSchema } from "../../evidence/meter-proof.ts";
import {
  buildReceiptTree,
  type Receipt,
  receiptKeyOf,
  receiptLeafBytes,
  receiptSchema,
  signReceipts,
  verifyReceipt,
} from "../../evidence/receipt.ts";
import {
  formatApiKey,
  parseApiKey,
  sessionKeyOf,
  signSession,
  verifySession,
} from "../../evidence/session-signature.ts";
import { anySigned, verifySigned } from "../../evidence/signed-command.ts";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import type { Command } from "../../protocol/commands.ts";
import { isErrorCode } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { commandDigest } from "../../protocol/typed-data.ts";
import { replayCorpus } from "../support/corpus.ts";
import { hostile, mutated, mutatedText, survivesJson, untouched } from "../support/fuzz.ts";
import { address, DOMAIN, REGION, word } from "../support/market.ts";
import vectors from "../vectors/proofs.json" with { type: "json" };

const SEED = word(7);
const LEAVES = [4, 5, 6, 7, 8].map((entry) => ({
  region: REGION,
  chainId: DOMAIN.chainId,
  entry,
  commandId: word(entry),
  entryHash: word(entry * 1_000),
}));
const KEY = receiptKeyOf(SEED);
const RECEIPTS: readonly Receipt[] = (() => {
  const tree = buildReceiptTree(LEAVES.map(receiptLeafBytes));
  const batch = { firstEntry: 4, lastEntry: 8, atS: 9, root: tree.root };
  const signature = signReceipts(SEED, { ...batch, chainId: DOMAIN.chainId, region: REGION });
  return LEAVES.map((leaf, index) => ({ ...leaf, batch, path: tree.pathOf(index), key: KEY, signature }));
})();

const CONTEXT = { ...DOMAIN, regionId: REGION, windowSlots: 4 } as const;
const CLAIM = { firstSlot: 800, netWh: [1, -2, 0, 3] };
const WINDOW = signWindow(SEED, CONTEXT, CLAIM.firstSlot, CLAIM.netWh);

const ORDER: Command = {
  type: "place_order",
  region: REGION,
  account: address(1),
  nonce: 1,
  expiresAtS: 2,
  side: "sell",
  steps: [{ limitPriceMicrosPerKwh: 3, capWhPerSlot: 4 }],
  validFromS: 0,
  validUntilS: 0,
  hours: [1, 2],
  replaces: 0,
};
/** Well formed, and about these claims; whether the pairing holds is nobody's question here. */
const SHOWN = meterProofSchema.parse({
  kind: "meter-proof",
  root: word(1),
  nullifier: word(2),
  heldBack: [2],
  proof: vectors[0]?.proof,
});
const READINGS: Command = {
  type: "submit_readings",
  region: REGION,
  account: address(1),
  nonce: 1,
  expiresAtS: 2,
  firstSlot: CLAIM.firstSlot,
  netWh: CLAIM.netWh,
};
const CONSENT = signConsent(SEED, CONTEXT, 5n);
const [GATEWAY_X, GATEWAY_Y] = poseidonKeyOf(Buffer.from(SEED.slice(2), "hex")).map(String) as [
  string,
  string,
];
const ENROLMENT: Command = {
  type: "enrol_meter",
  region: REGION,
  nonce: 1,
  expiresAtS: 2,
  gatewayX: GATEWAY_X,
  gatewayY: GATEWAY_Y,
  commitment: "5",
  connection: word(9),
  nameplateWh: 1,
  connectionWh: 2,
  saleCapWh: 3,
  purchaseCapWh: 4,
  windowSlots: 4,
  replaces: word(0),
};
const signed = (command: Command, more = {}) => ({
  chainId: DOMAIN.chainId,
  command,
  signature: signSession(SEED, commandDigest(DOMAIN, command)),
  sessionKey: sessionKeyOf(SEED),
  ...more,
});
const SIGNED = [
  signed(ORDER),
  signed(READINGS, { evidence: SHOWN }),
  signed(ENROLMENT, { evidence: CONSENT }),
];

const textOf = (value: unknown): string => JSON.stringify(value) ?? "";
const anyText = fc.oneof(
  mutatedText(fc.constantFrom(signSession(SEED, word(1)), `0x${"11".repeat(64)}1b`, KEY, "0x")),
  hostile.map((value) => (typeof value === "string" ? value : textOf(value))),
) as fc.Arbitrary<Hex>;

const expectRefusal = (verdict: { readonly ok: boolean; readonly code?: unknown }): void => {
  if (!verdict.ok) expect(isErrorCode(verdict.code), String(verdict.code)).toBe(true);
};

describe("receipts", () => {
  replayCorpus("receipt", async (receipt) => {
    const verdict = await verifyReceipt(receipt, KEY);
    return verdict.ok ? "accepted" : verdict.code;
  });

  test("property: only what was signed is accepted, in any case of hex, and everything else refused by code", async () => {
    for (const receipt of RECEIPTS) expect(await verifyReceipt(receipt, KEY)).toEqual({ ok: true });
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated(fc.constantFrom(...RECEIPTS)), hostile), async (receipt) => {
        const before = structuredClone(receipt);
        const verdict = await verifyReceipt(receipt, KEY);
        expect(receipt).toEqual(before);
        expectRefusal(verdict);
        if (verdict.ok) expect(RECEIPTS).toContainEqual(receiptSchema.parse(receipt));
      }),
      { numRuns: 400 },
    );
  });
});

describe("gateway windows", () => {
  test("property: only the signed window is accepted, and everything else refused by code", () => {
    expect(verifyGatewayWindow(CONTEXT, CLAIM, WINDOW).ok).toBe(true);
    fc.assert(
      fc.property(fc.oneof(mutated(fc.constant(WINDOW)), hostile), (evidence) => {
        const result = untouched(evidence, (value) => verifyGatewayWindow(CONTEXT, CLAIM, value));
        if ("error" in result) throw result.error;
        expectRefusal(result.value);
        if (!result.value.ok) return;
        expect(gatewayWindowSchema.parse(evidence)).toEqual(WINDOW);
        expect(survivesJson(result.value)).toBe(true);
      }),
      { numRuns: 250 },
    );
  });

  test("property: readings and slots that are none are refused, and other ones do not fit the signature", () => {
    const wh = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double(),
      fc.constantFrom(2 ** 20, 2 ** 53, -(2 ** 20)),
    );
    fc.assert(
      fc.property(
        fc.array(wh, { maxLength: 6 }),
        fc.oneof(fc.constant(800), fc.double()),
        (netWh, firstSlot) => {
          const verdict = verifyGatewayWindow(CONTEXT, { firstSlot, netWh }, WINDOW);
          expectRefusal(verdict);
          // Minus zero is the same reading; a decoder made it zero before.
          const plain = netWh.map((one) => one + 0);
          expect(verdict.ok).toBe(firstSlot === 800 && textOf(plain) === textOf(CLAIM.netWh));
        },
      ),
      { numRuns: 120 },
    );
  });
});

describe("signed commands", () => {
  test("property: what was changed on its way is refused by code, or is the same command", async () => {
    for (const one of SIGNED)
      expect((await verifySigned(DOMAIN, REGION, anySigned.parse(one))).ok).toBe(true);
    const canonical = SIGNED.map((one) => anySigned.parse(one));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated(fc.constantFrom(...SIGNED)), hostile), async (value) => {
        const decoded = anySigned.safeParse(value);
        if (!decoded.success) return;
        expect(survivesJson(decoded.data)).toBe(true);
        const verdict = await verifySigned(DOMAIN, REGION, decoded.data);
        expectRefusal(verdict);
        if (!verdict.ok) return;
        // A proof that says something else is another question to the pairing, and not signed by anybody.
        const { evidence: _evidence, ...rest } = decoded.data;
        expect(canonical.map(({ evidence: _own, ...own }) => own)).toContainEqual(rest);
        if (verdict.shown === null) expect(canonical).toContainEqual(decoded.data);
        else expect(evidenceSchema.safeParse(verdict.submission.rawEvidence).success).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test("property: signatures, keys and tokens of any text are refused by code or null, and never throw", async () => {
    const token = formatApiKey(address(1), SEED);
    await fc.assert(
      fc.asyncProperty(anyText, anyText, mutatedText(fc.constant(token)), async (one, other, changed) => {
        expectRefusal(recoverWallet(word(1), one));
        expectRefusal(await verifySession(one, word(1), other));
        expectRefusal(await verifySession(KEY, word(1), other));
        const key = parseApiKey(changed);
        if (key !== null) expect(formatApiKey(key.account, key.seed)).toBe(changed);
        expect(parseApiKey(one)).toBeNull();
      }),
      { numRuns: 400 },
    );
  });
});
