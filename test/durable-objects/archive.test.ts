// Owns the promise that what has left for the archive is still answered, and nothing leaves before it is there.

import { describe, expect, test, vi } from "vitest";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { chainHash, decodeLine, GENESIS_HASH } from "../../market/journal.ts";
import { address, place, sha256 } from "../support/market.ts";
import {
  acceptedOf,
  env,
  openedRegion,
  type RegionUnderTest,
  rest,
  useMarketTime,
  useQuietConsole,
} from "./region-under-test.ts";

useMarketTime();
const log = useQuietConsole();

/** Makes a region that has moved everything but its last entries to the archive. */
async function archivedRegion(): Promise<{
  region: RegionUnderTest;
  early: Awaited<ReturnType<RegionUnderTest["accept"]>>;
  submission: ReturnType<RegionUnderTest["submission"]>;
}> {
  const { region } = await openedRegion(2);
  const submission = region.submission(place(address(1), "sell", [[1, 1]]));
  const early = acceptedOf(await region.submit(submission));
  for (let count = 0; count < 8; count += 1) await region.accept(place(address(2), "sell", [[count, 1]]));
  await archive(region, 1_000);
  await region.accept(place(address(2), "buy", [[1, 1]]));
  return { region, early, submission };
}

async function archive(region: RegionUnderTest, segmentCharacters: number): Promise<void> {
  const before = (await region.stub.segments()).length;
  await region.inside((object) => {
    object.segmentCharacters = segmentCharacters;
    object.engine.snapshot();
  });
  for (let turns = 0; turns < 200 && (await region.stub.segments()).length === before; turns += 1)
    await rest(5);
  // More than one segment may follow.
  await rest(400);
  expect((await region.stub.segments()).length).toBeGreaterThan(before);
}

describe("the archive", () => {
  test("behavior: segments hold every entry once, in order, verified by hash, and their rows are gone here", async () => {
    const { region } = await archivedRegion();
    const segments = await region.stub.segments();
    let next = 1;
    let hash = GENESIS_HASH;
    for (const { first, last, key, sha256: digest, bytes } of segments) {
      expect(first).toBe(next);
      next = last + 1;
      const text = await (await env.ARCHIVE.get(key))?.text();
      expect(text?.length).toBe(bytes);
      expect(sha256(text as string)).toBe(digest);
      for (const line of (text as string).trimEnd().split("\n")) {
        const decoded = decodeLine(line) as { hash: string; body: string };
        hash = chainHash(sha256Hex, hash, decoded.body);
        expect(decoded.hash).toBe(hash);
      }
    }
    expect(segments.length).toBeGreaterThan(1);
    expect((await region.rows())[0]?.first).toBe(next);
    expect(await region.stub.health()).toMatchObject({ archivedSegments: segments.length, violations: [] });
  });

  test("behavior: receipts, answers and duplicates of archived entries are the first ones", async () => {
    const { region, early, submission } = await archivedRegion();
    expect(await region.stub.answer(early.entry)).toEqual({ answer: early });
    expect(await region.stub.answer(early.commandId)).toEqual({ answer: early });
    expect(acceptedOf(await region.submit(submission))).toEqual(early);
    const before = await region.stateHash();
    expect(await region.storedHash()).toEqual(before);
    expect(acceptedOf(await region.submit(submission))).toEqual(early);
  });

  test("behavior: what is after the snapshot stays here, and what is too short for a segment too", async () => {
    const { region } = await openedRegion(1);
    await region.accept(place(address(1), "sell", [[1, 1]]));
    const rows = await region.rows();
    await region.inside((object) => {
      object.segmentCharacters = 10_000_000;
      object.engine.snapshot();
    });
    await rest(100);
    expect(await region.rows()).toEqual(rows);
    expect(await region.stub.segments()).toEqual([]);
  });

  test("rejects: an archive that does not hold what was written; the rows stay until it does", async () => {
    const { region } = await openedRegion(1);
    for (let count = 0; count < 4; count += 1) await region.accept(place(address(1), "sell", [[count, 1]]));
    const rows = await region.rows();
    await region.inside(async (object) => {
      const { ARCHIVE } = (object as unknown as { env: typeof env }).env;
      const lossy = Object.create(ARCHIVE) as R2Bucket;
      const put = ARCHIVE.put.bind(ARCHIVE);
      vi.spyOn(lossy, "put").mockImplementation(((key: string, value: string, options: never) =>
        put(
          key,
          key.endsWith("ndjson") ? "something else" : value,
          key.endsWith("ndjson") ? undefined : options,
        )) as never);
      vi.spyOn(lossy, "head").mockImplementation(((key: string) => ARCHIVE.head(key)) as never);
      vi.spyOn(lossy, "get").mockImplementation(((key: string) => ARCHIVE.get(key)) as never);
      Object.defineProperty(object, "env", { value: { ...env, ARCHIVE: lossy }, configurable: true });
      object.segmentCharacters = 1_000;
      object.engine.snapshot();
    });
    // Until the archival has tried, however busy the machine is.
    for (let turn = 0; turn < 100 && log.lines().length === 0; turn += 1) await rest(50);
    expect(log.lines().join()).toContain("does not hold what was written");
    expect(await region.rows()).toEqual(rows);
    await region.evict();
    await archive(region, 1_000);
    expect((await region.rows()).length).toBeLessThan(rows.length);
  });
});
