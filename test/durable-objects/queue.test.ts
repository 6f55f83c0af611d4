// Owns the promises of the queue: in order, bounded, and honest about being full.

import { describe, expect, test, vi } from "vitest";
import type { Outcome } from "../../durable-objects/outcome.ts";
import { RegionStore } from "../../durable-objects/region-store.ts";
import { MAX_QUEUED_COMMANDS, MAX_STORAGE_BYTES } from "../../protocol/limits.ts";
import { address, cancel, credit, place, revoke, word } from "../support/market.ts";
import {
  FIRST_SLOT,
  goTo,
  openedRegion,
  proof,
  useMarketTime,
  useQuietConsole,
} from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

const codeOf = (outcome: Outcome): string => ("rejection" in outcome ? outcome.rejection.code : "accepted");

describe("the queue", () => {
  test("rejects: what comes when it is full, deciding nothing of it, and serves what was in it", async () => {
    const { region } = await openedRegion(1);
    const { entry } = await region.stateHash();
    const submission = region.submission(credit(address(1), 1));
    const codes = await region.inside(async ({ engine }) => {
      const twins = Array.from({ length: MAX_QUEUED_COMMANDS + 3 }, () => engine.submit(submission));
      return (await Promise.all(twins)).map(codeOf);
    });
    expect(codes.filter((code) => code === "overloaded")).toHaveLength(3);
    expect(codes.slice(-3)).toEqual(["overloaded", "overloaded", "overloaded"]);
    expect(codes.slice(0, -3).every((code) => code === "accepted")).toBe(true);
    expect((await region.stateHash()).entry).toBe(entry + 1);
    await region.accept(credit(address(1), 1));
  });
});

describe("a full database", () => {
  test("rejects: everything but what settles and what lets go", async () => {
    const { region } = await openedRegion(1);
    const { entry } = await region.accept(place(address(1), "sell", [[1, 1]]));
    goTo((FIRST_SLOT + 4) * 900);
    const bytes = vi.spyOn(RegionStore.prototype, "bytes", "get").mockReturnValue(MAX_STORAGE_BYTES + 1);
    await region.refuse(place(address(1), "sell", [[1, 1]]), "storage_exhausted");
    await region.refuse(credit(address(1), 1), "storage_exhausted");
    await region.refuse(revoke(address(1), word(1)), "session_unknown");
    await region.accept(cancel(address(1), entry));
    await region.accept(proof(1, FIRST_SLOT, [1]));
    bytes.mockRestore();
    await region.accept(credit(address(1), 1));
  });
});
