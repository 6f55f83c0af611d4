// Owns the promise that commands that wait together are written and signed together.

import { describe, expect, test } from "vitest";
import { receiptKeyOf, verifyReceipt } from "../../evidence/receipt.ts";
import { address, place, word } from "../support/market.ts";
import { DEPLOYMENT } from "../support/object-deployment.ts";
import { acceptedOf, openedRegion, useMarketTime } from "./region-under-test.ts";

useMarketTime();

const KEY = receiptKeyOf(`0x${DEPLOYMENT.RECEIPT_SEED}`);

describe("group commit", () => {
  test("behavior: 64 commands at once are few rows, and one signature covers each row", async () => {
    const { region, accounts } = await openedRegion(8);
    const before = (await region.rows()).length;
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        region.accept(place(accounts[index % 8] as never, "sell", [[1_000 + index, 1]])),
      ),
    );
    const rows = (await region.rows()).slice(before);
    expect(rows.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(64);
    // How many turns 64 calls take to arrive is the machine's; one by one they would be 64 rows.
    expect(rows.length).toBeLessThanOrEqual(40);
    const batches = new Set(answers.map(({ receipt }) => receipt.signature));
    expect(batches.size).toBe(rows.length);
    for (const { receipt, commandId, entry } of answers) {
      expect(receipt).toMatchObject({ commandId, entry, region: region.name });
      expect(await verifyReceipt(receipt, KEY)).toEqual({ ok: true });
    }
  });

  test("behavior: commands are entries in the order in which they were queued", async () => {
    const { region } = await openedRegion(1);
    const drafts = Array.from({ length: 24 }, (_, index) =>
      region.submission(place(address(1), "sell", [[index, 1]])),
    );
    const entries = await region.inside(async ({ engine }) => {
      const outcomes = await Promise.all(drafts.map((draft) => engine.submit(draft)));
      return outcomes.map((outcome) => acceptedOf(outcome).entry);
    });
    expect(entries).toEqual(entries.map((_, index) => (entries[0] as number) + index));
  });

  test("behavior: a duplicate in the same batch gets the answer of the first, and is one entry", async () => {
    const { region } = await openedRegion(1);
    const submission = region.submission(place(address(1), "sell", [[1, 1]]));
    const { entry } = await region.stateHash();
    const answers = await region.inside(async ({ engine }) => {
      const outcomes = await Promise.all([
        engine.submit(submission),
        engine.submit(submission),
        engine.submit(submission),
      ]);
      return outcomes.map(acceptedOf);
    });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect((await region.stateHash()).entry).toBe(entry + 1);
  });

  test("behavior: a duplicate long after gets the first answer again, receipt and all, also with another signature", async () => {
    const { region } = await openedRegion(1);
    const submission = region.submission(place(address(1), "sell", [[1, 1]]));
    const first = acceptedOf(await region.submit(submission));
    await region.accept(place(address(1), "buy", [[1, 1]]));
    const before = await region.stateHash();
    const twin = { ...submission, auth: { scheme: "session", key: word(9), signature: "0x01" } as const };
    for (const again of [submission, twin]) {
      expect(acceptedOf(await region.submit(again))).toEqual(first);
    }
    expect(await region.stateHash()).toEqual(before);
  });

  test("rejects: what comes first in a batch does not spoil what comes with it", async () => {
    const { region } = await openedRegion(1);
    const bad = region.submission(
      place(address(1), "sell", [
        [2, 1],
        [1, 1],
      ]),
    );
    const good = region.submission(place(address(1), "sell", [[1, 1]]));
    const [refused, accepted] = await region.inside(({ engine }) =>
      Promise.all([engine.submit(bad), engine.submit(good)]),
    );
    expect(refused).toMatchObject({ rejection: { code: "ladder_unsorted" } });
    expect(accepted).toHaveProperty("answer.entry");
    // A rejected command changed nothing and may be sent again.
    await region.refuse(bad, "ladder_unsorted");
  });
});
