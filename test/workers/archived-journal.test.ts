// Owns the promise that the journal over HTTP is whole while rows leave for the archive. It refuses a gap of any kind.

import { describe, expect, test, vi } from "vitest";
import { Region } from "../../durable-objects/region.ts";
import { acceptedAnswer } from "../../workers/answers.ts";
import {
  deadlineS,
  FIRST_SLOT,
  goTo,
  rest,
  useMarketTime,
  useQuietConsole,
} from "../durable-objects/region-under-test.ts";
import { GatewayUnderTest, operator } from "./gateway-under-test.ts";

useMarketTime();
useQuietConsole();

/** Moves rows that are in a snapshot to the archive, in segments of a few rows. */
async function archive({ region }: GatewayUnderTest): Promise<void> {
  const before = (await region.stub.segments()).length;
  await region.inside((object) => {
    object.segmentCharacters = 1_000;
    object.engine.snapshot();
  });
  for (let turns = 0; turns < 200 && (await region.stub.segments()).length === before; turns += 1)
    await rest(5);
  await rest(400);
}

async function credit(polder: GatewayUnderTest, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    const command = polder.command("credit_test_quote", { account: polder.account, amountMicros: 1 });
    await polder.post("/credits", await polder.signed(operator, command));
  }
}

describe("a journal that is partly in the archive", () => {
  test("rejects: a download when an entry is in neither, instead of leaving it out", async () => {
    const polder = await GatewayUnderTest.furnished();
    await polder.region.inside(
      (_region, { storage }) => void storage.sql.exec("DELETE FROM journal WHERE first = 1"),
    );
    await expect(polder.get("/journal")).rejects.toThrow("entry 1 is neither");
  });

  test("behavior: is downloaded whole, and by spans that begin and end anywhere", async () => {
    const polder = await GatewayUnderTest.furnished();
    await credit(polder, 8);
    const whole = (await polder.get("/journal")).text;
    await archive(polder);
    expect((await polder.region.stub.segments()).length).toBeGreaterThan(1);
    expect((await polder.get("/journal")).text).toBe(whole);
    await credit(polder, 2);
    const lines = (await polder.get("/journal")).text.trimEnd().split("\n");
    expect(`${lines.slice(0, -2).join("\n")}\n`).toBe(whole);
    for (const [from, to] of [
      [1, 1],
      [2, 5],
      [5, 11],
      [lines.length, lines.length],
      [0, 2],
    ] as const) {
      const { text } = await polder.get(`/journal?from=${from}&to=${to}`);
      expect(text).toBe(`${lines.slice(Math.max(1, from) - 1, to).join("\n")}\n`);
    }
    expect((await polder.get(`/journal?from=${lines.length + 1}`)).text).toBe("");
    expect((await polder.get("/journal?from=5&to=4")).text).toBe("");
  });

  test("regression: a download has no gap when rows leave between its first question and its second", async () => {
    const polder = await GatewayUnderTest.furnished();
    await credit(polder, 8);
    const whole = (await polder.get("/journal")).text;
    await archive(polder);
    // What the list of segments was before the move.
    const segments = vi.spyOn(Region.prototype, "segments").mockImplementationOnce(() => []);
    expect((await polder.get("/journal")).text).toBe(whole);
    segments.mockRestore();
  });

  test("regression: what the region did by itself is answered in the documented form, here and from the archive", async () => {
    const polder = await GatewayUnderTest.furnished();
    goTo(deadlineS(FIRST_SLOT));
    expect(await polder.region.ring()).toBe(true);
    const { entry } = await polder.region.stateHash();
    const first = (await polder.get(`/receipts/${entry}`)).json;
    expect(acceptedAnswer.parse(first)).toMatchObject({ commandId: `0x${"00".repeat(32)}`, entry });
    expect(first.events.map(({ type }: { type: string }) => type)).toContain("window_closed");
    await archive(polder);
    expect((await polder.region.rows()).length).toBe(0);
    expect((await polder.get(`/receipts/${entry}`)).json).toEqual(first);
  });
});
