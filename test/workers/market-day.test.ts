// Owns the promise of a whole day over HTTP: two homes order, prove, trade, and can check all of it.

import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { verifyReceipt } from "../../evidence/receipt.ts";
import { chainHash, decodeLine, GENESIS_HASH } from "../../market/journal.ts";
import { FIRST_SLOT, MIDNIGHT_S, useMarketTime } from "../durable-objects/region-under-test.ts";
import { word } from "../support/market.ts";
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  RECEIPT_KEY,
  request,
  walletOf,
} from "./gateway-under-test.ts";
import { buyer, MATCHED, tradedDay } from "./traded-day.ts";

useMarketTime();

describe("what is not there", () => {
  test("rejects: receipts of entries and commands that do not exist, and a feed that is not asked for as one", async () => {
    const polder = await GatewayUnderTest.furnished();
    expect(await polder.refuse("entry_not_found", () => polder.get("/receipts/999"))).toEqual({ entry: 999 });
    await polder.refuse("command_not_found", () => polder.get(`/receipts/${word(1)}`));
    await polder.refuse("upgrade_required", () => polder.get("/feed"));
    await polder.refuse("slot_not_found", () => polder.get(`/slots/${FIRST_SLOT}`));
    await polder.refuse("account_not_found", () => polder.get(`/accounts/${addressOf(walletOf(99))}`));
  });
});

describe("a day over HTTP", () => {
  test("behavior: everything matchable trades at one price a slot, and both bills say so", async () => {
    const polder = await tradedDay();
    const { slots } = (await polder.get(`/slots?from=${FIRST_SLOT}&until=${FIRST_SLOT + 4}`)).json;
    expect(slots.map((slot: { tradedWh: number }) => slot.tradedWh)).toEqual(MATCHED);
    const one = (await polder.get(`/slots/${FIRST_SLOT + 2}`)).json;
    expect(one).toMatchObject({ surplusWh: 1_000, needWh: 600, tradedWh: 600, traders: 2 });
    expect(one.curve.asks.cumulativeWh).toEqual([1_000]);
    const bill = (
      await polder.get(`/accounts/${polder.account}/bill?retailMicrosPerKwh=300000&feedInMicrosPerKwh=80000`)
    ).json;
    expect(bill.totals).toMatchObject({ soldWh: 1_000, boughtWh: 0, meteredExportWh: 1_650 });
    expect(bill.totals.gainMicros).toBe(
      bill.totals.amountMicros + bill.totals.restMicros - bill.totals.tariffMicros,
    );
    expect(bill.totals.gainMicros).toBeGreaterThan(0);
    const { freeMicros } = (await polder.get(`/accounts/${polder.account}`)).json;
    expect(freeMicros).toBe(1_000_000_000 + bill.totals.amountMicros);
    const other = (await polder.get(`/accounts/${addressOf(buyer)}/bill`)).json;
    expect(other.totals).toMatchObject({ soldWh: 0, boughtWh: 1_000 });
  });

  test("behavior: a bill as CSV has the lines of the JSON, with ISO instants", async () => {
    const polder = await tradedDay();
    const path = `/accounts/${polder.account}/bill`;
    const { lines } = (await polder.get(path)).json;
    const csv = await polder.get(path, { accept: "text/csv" });
    expect(csv.headers.get("content-type")).toContain("text/csv");
    const rows = csv.text.trimEnd().split("\r\n");
    expect(rows.length).toBe(lines.length + 1);
    expect(rows[0]?.split(",").slice(0, 4)).toEqual(["slot", "start", "meteredWh", "tradedWh"]);
    expect(rows[3]).toContain(new Date((MIDNIGHT_S + 1_800) * 1000).toISOString());
    expect((await polder.get(`${path}?format=csv`)).text).toBe(csv.text);
  });

  test("behavior: the journal's chain holds line by line, and every receipt proves its entry", async () => {
    const polder = await tradedDay();
    const lines = (await polder.get("/journal")).text.trimEnd().split("\n");
    const head = (await polder.get("/journal/head")).json;
    expect(lines.length).toBe(head.entry);
    let hash = GENESIS_HASH;
    for (const line of lines) {
      const decoded = decodeLine(line);
      expect(chainHash(sha256Hex, hash, decoded?.body ?? "")).toBe(decoded?.hash);
      hash = decoded?.hash ?? "";
    }
    expect(hash).toBe(head.hash);
    for (let entry = 1; entry <= head.entry; entry += 1) {
      const { receipt } = (await polder.get(`/receipts/${entry}`)).json;
      expect(await verifyReceipt(receipt, RECEIPT_KEY)).toEqual({ ok: true });
      expect(receipt.entryHash).toBe(`0x${decodeLine(lines[entry - 1] as string)?.hash}`);
    }
    expect((await polder.get("/journal?from=3&to=5")).text).toBe(`${lines.slice(2, 5).join("\n")}\n`);
    expect((await polder.get("/health")).json.violations).toEqual([]);
  });

  test("behavior: a command sent again gets its first answer, also by its id", async () => {
    const polder = await GatewayUnderTest.furnished();
    const body = await polder.signed(polder.home, polder.command("place_order", polder.orderFields()));
    const first = expectAccepted(await polder.post("/orders", body), 201);
    expect(expectAccepted(await polder.post("/orders", body), 201)).toEqual(first);
    expect((await polder.get(`/receipts/${first.commandId}`)).json).toEqual(first);
    expect((await request("GET", `${polder.path}/orders/${first.entry}`)).json).toMatchObject({
      orderId: first.entry,
      isLive: true,
    });
  });
});
