// Owns the promises of a household's two documents: what is refused and in which words, and that a document comes back
// as it was written.

import { describe, expect, test } from "vitest";
import {
  DocumentFault,
  type MeterDocument,
  meterDocumentText,
  readDocument,
  readMeterDocument,
  readSignedWindow,
  type SignedWindowDocument,
  signedWindowText,
} from "../../clients/household/meter-documents.ts";
import { FIELD_ORDER } from "../../protocol/fields.ts";
import { sampleWindow } from "../../tools/sample-household.ts";

const { context, firstSlot, netWh, gateway, signature, secret, limits } = sampleWindow(4);
const meter: MeterDocument = {
  chainId: context.chainId,
  settlement: context.settlement,
  region: context.regionId,
  secret,
  gateway,
  limits,
};
const signed: SignedWindowDocument = { context, firstSlot, netWh, gateway, signature };

const change = (text: string, changes: object): string =>
  JSON.stringify({ ...(JSON.parse(text) as object), ...changes });

describe("documents of a household", () => {
  test("rejects: a meter with a field that is wrong, naming it", () => {
    const text = meterDocumentText(meter);
    const changes: [object, RegExp][] = [
      [{ format: "polder-meter/2" }, /^format: .*polder-meter\/1/],
      [{ secret: `${FIELD_ORDER}` }, /^secret: must be below the field's order/],
      [{ secret: "007" }, /^secret: must be a canonical decimal/],
      [{ secret: 7 }, /^secret: /],
      [{ secret: undefined }, /^secret: /],
      [{ gatewayX: "-1" }, /^gatewayX: /],
      [{ chainId: 0 }, /^chainId: /],
      [{ settlement: "0x12" }, /^settlement: must be an address/],
      [{ region: "Heron Lane" }, /^region: /],
      [{ gatewaySeed: "0x12" }, /^gatewaySeed: must be 32 bytes/],
      [{ limits: { ...limits, nameplateWh: 2 ** 20 } }, /^limits.nameplateWh: /],
      [{ limits: { ...limits, saleCapWh: 2 ** 27 } }, /^limits.saleCapWh: /],
      [{ limits: { ...limits, purchaseCapWh: 0.5 } }, /^limits.purchaseCapWh: /],
      [{ note: "mine" }, /note/],
    ];
    for (const [changed, words] of changes) {
      const read = () => readMeterDocument(change(text, changed));
      expect(read, `${words}`).toThrow(words);
      expect(read).toThrow(DocumentFault);
    }
  });

  test("rejects: a signed window with a field that is wrong, naming it", () => {
    const text = signedWindowText(signed);
    const changes: [object, RegExp][] = [
      [{ windowSlots: 8 }, /^windowSlots: /],
      [{ windowSlots: 96 }, /^netWh: must have one reading for every slot/],
      [{ netWh: netWh.slice(1) }, /^netWh: must have one reading for every slot/],
      [{ netWh: netWh.with(1, 2 ** 20) }, /^netWh.1: /],
      [{ netWh: netWh.with(2, 0.5) }, /^netWh.2: /],
      [{ firstSlot: firstSlot + 1 }, /^firstSlot: must be the first slot of a window/],
      [{ gateway: [`${gateway[0]}`] }, /^gateway/],
      [{ signature: { r8: signature.r8.map(String) } }, /^signature.s: /],
      [{ secret: `${secret}` }, /secret/],
    ];
    for (const [changed, words] of changes) {
      expect(() => readSignedWindow(change(text, changed)), `${words}`).toThrow(words);
    }
  });

  test("rejects: what is no JSON, no document of these, or too long to be one", () => {
    expect(() => readDocument("{")).toThrow("must be JSON");
    for (const other of ["[]", "null", "7", '{"format":"csv"}', "{}"]) {
      expect(() => readDocument(other), other).toThrow(/^format: must be polder-meter\/1 or/);
    }
    expect(() => readDocument(" ".repeat(20_000))).toThrow(/at most/);
    expect(() => readMeterDocument(signedWindowText(signed))).toThrow(DocumentFault);
    expect(() => readSignedWindow(meterDocumentText(meter))).toThrow(DocumentFault);
  });

  test("behavior: a document comes back as it was written, a day's window too", () => {
    expect(readMeterDocument(meterDocumentText(meter))).toEqual(meter);
    const withSeed = { ...meter, gatewaySeed: `0x${"5e".repeat(32)}` } as const;
    expect(readMeterDocument(meterDocumentText(withSeed))).toEqual(withSeed);
    expect(readDocument(meterDocumentText(meter))).toEqual({ kind: "meter", meter });
    expect(readSignedWindow(signedWindowText(signed))).toEqual(signed);
    const { context: dayContext, ...day } = sampleWindow(96);
    const dayWindow = {
      context: dayContext,
      firstSlot: day.firstSlot,
      netWh: day.netWh,
      gateway: day.gateway,
      signature: day.signature,
    };
    expect(readDocument(signedWindowText(dayWindow))).toEqual({ kind: "window", window: dayWindow });
  });
});
