// Owns the promise that a receipt proves its entry and no other, and that trees are those of RFC 9162.

import { createHash, createPrivateKey, sign } from "node:crypto";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildReceiptTree,
  NO_COMMAND,
  type Receipt,
  type ReceiptLeaf,
  receiptKeyOf,
  receiptLeafBytes,
  receiptSchema,
  receiptStatementBytes,
  rootFromPath,
  signReceipts,
  verifyReceipt,
} from "../../evidence/receipt.ts";
import type { Hex } from "../../protocol/fields.ts";

const SEED: Hex = `0x${"07".repeat(32)}`;
const KEY = receiptKeyOf(SEED);
const hashOf = (text: string): Hex => `0x${bytesToHex(sha256(utf8ToBytes(text)))}`;

/** RFC 9162, 2.1.1, word for word: the tree our level-by-level one must equal. */
function merkleTreeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return sha256(concatBytes(Uint8Array.of(0), leaves[0] as Uint8Array));
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const [left, right] = [merkleTreeHash(leaves.slice(0, split)), merkleTreeHash(leaves.slice(split))];
  return sha256(concatBytes(Uint8Array.of(1), left, right));
}

function leafOf(entry: number): ReceiptLeaf {
  const commandId = entry % 5 === 0 ? NO_COMMAND : hashOf(`command ${entry}`);
  return { region: "polder-one", chainId: 31337, entry, commandId, entryHash: hashOf(`entry ${entry}`) };
}

function receiptsOf(firstEntry: number, count: number, seed = SEED): Receipt[] {
  const leaves = Array.from({ length: count }, (_, index) => leafOf(firstEntry + index));
  const tree = buildReceiptTree(leaves.map(receiptLeafBytes));
  const batch = { firstEntry, lastEntry: firstEntry + count - 1, atS: 1_763_078_400, root: tree.root };
  const signature = signReceipts(seed, { ...batch, chainId: 31337, region: "polder-one" });
  return leaves.map((leaf, index) => ({
    ...leaf,
    batch,
    path: tree.pathOf(index),
    key: receiptKeyOf(seed),
    signature,
  }));
}

describe("receipt", () => {
  const [first, second, third] = receiptsOf(40, 7) as [Receipt, Receipt, Receipt];

  test("rejects: a receipt with any field changed", async () => {
    const { batch } = second;
    const invalid: [string, Receipt][] = [
      ["region", { ...second, region: "polder-two" }],
      ["chain", { ...second, chainId: 1 }],
      ["entry, to the neighbour's number", { ...second, entry: first.entry }],
      ["command", { ...second, commandId: NO_COMMAND }],
      ["entry hash", { ...second, entryHash: third.entryHash }],
      ["neighbour's path", { ...second, path: third.path }],
      ["path cut", { ...second, path: second.path.slice(1) }],
      ["path longer", { ...second, path: [...second.path, NO_COMMAND] }],
      ["no path", { ...second, path: [] }],
      ["first entry", { ...second, batch: { ...batch, firstEntry: 39 } }],
      ["last entry", { ...second, batch: { ...batch, lastEntry: 47 } }],
      ["time", { ...second, batch: { ...batch, atS: batch.atS + 1 } }],
      ["root", { ...second, batch: { ...batch, root: NO_COMMAND } }],
      ["signature", { ...second, signature: `0x${"01".repeat(64)}` }],
    ];
    for (const [what, receipt] of invalid) {
      const verdict = await verifyReceipt(receipt, KEY);
      expect(verdict, what).toMatchObject({ ok: false });
      expect(["signature_invalid", "signature_malformed"], what).toContain("code" in verdict && verdict.code);
    }
  });

  test("rejects: a tree that is sound but signed by somebody else", async () => {
    const [foreign] = receiptsOf(40, 7, `0x${"08".repeat(32)}`) as [Receipt];
    expect(await verifyReceipt(foreign, KEY)).toMatchObject({
      code: "signature_invalid",
      facts: { part: "key" },
    });
    expect(await verifyReceipt({ ...foreign, key: KEY }, KEY)).toMatchObject({ code: "signature_invalid" });
  });

  test("rejects: an inner node shown as a leaf, and other forms", async () => {
    const leaves = [leafOf(1), leafOf(2)].map(receiptLeafBytes) as [Uint8Array, Uint8Array];
    const tree = buildReceiptTree(leaves);
    const inner = concatBytes(sha256(leaves[0]), sha256(leaves[1]));
    expect(rootFromPath(inner, 0, 1, [])).not.toBe(tree.root);
    for (const spoilt of [
      null,
      {},
      { ...first, extra: 1 },
      { ...first, entry: 39 },
      { ...first, entry: 47 },
      { ...first, entry: 40.5 },
      { ...first, path: [`${first.entryHash}00`] },
      { ...first, path: Array.from({ length: 33 }, () => NO_COMMAND) },
      { ...first, signature: "0x" },
    ]) {
      expect(await verifyReceipt(spoilt, KEY)).toMatchObject({ code: "evidence_malformed" });
    }
    expect(() => buildReceiptTree([])).toThrow(RangeError);
    expect(() => tree.pathOf(2)).toThrow(RangeError);
    expect(() => tree.pathOf(-1)).toThrow(RangeError);
  });

  test("behavior: every entry of a flush has a receipt that stands alone", async () => {
    for (const count of [1, 2, 3, 7, 8, 13]) {
      for (const receipt of receiptsOf(1000, count)) {
        expect(receiptSchema.parse(JSON.parse(JSON.stringify(receipt)))).toEqual(receipt);
        expect(await verifyReceipt(receipt, KEY)).toEqual({ ok: true });
      }
    }
  });

  test("behavior: node:crypto's hash and signature are the same", () => {
    const nodeSha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
    const leaves = [1, 2, 3, 4, 5].map((entry) => receiptLeafBytes(leafOf(entry)));
    const { root } = buildReceiptTree(leaves, nodeSha256);
    expect(root).toBe(buildReceiptTree(leaves).root);
    const statement = { chainId: 31337, region: "polder-one", firstEntry: 1, lastEntry: 5, root, atS: 9 };
    const header = hexToBytes("302e020100300506032b657004220420");
    const der = Buffer.from(concatBytes(header, hexToBytes(SEED.slice(2))));
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const signature = sign(null, receiptStatementBytes(statement), key);
    expect(signReceipts(SEED, statement)).toBe(`0x${signature.toString("hex")}`);
  });

  test("behavior: statement and leaf are spelt as documented", () => {
    const statement = { chainId: 1, region: "ab", firstEntry: 2, lastEntry: 3, root: NO_COMMAND, atS: 4 };
    const text = new TextDecoder().decode(receiptStatementBytes(statement));
    expect(text).toBe(`polder/receipts/v1|1|ab|2|3|${NO_COMMAND}|4`);
    const bytes = receiptLeafBytes({ ...leafOf(7), commandId: NO_COMMAND });
    expect(new TextDecoder().decode(bytes.subarray(0, -64))).toBe("polder/receipt/v1|31337|polder-one|7|");
  });

  test("property: root and paths are RFC 9162's, and no leaf fits another place or size", () => {
    const leaves = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 70 });
    fc.assert(
      fc.property(leaves, fc.nat(), fc.nat(80), fc.integer({ min: 1, max: 90 }), (all, pick, place, size) => {
        const tree = buildReceiptTree(all);
        expect(tree.root).toBe(`0x${bytesToHex(merkleTreeHash(all))}`);
        const index = pick % all.length;
        const leaf = all[index] as Uint8Array;
        const path = tree.pathOf(index);
        expect(rootFromPath(leaf, index, all.length, path)).toBe(tree.root);
        const elsewhere = all[place];
        if (elsewhere !== undefined && bytesToHex(elsewhere) !== bytesToHex(leaf)) {
          expect(rootFromPath(leaf, place, all.length, path)).not.toBe(tree.root);
        }
        if (place >= size) expect(rootFromPath(leaf, place, size, path)).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});
