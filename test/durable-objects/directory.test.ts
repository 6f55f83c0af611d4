// Owns the promise that a region is registered once, found by distance, and never renamed by a stranger.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { directoryOf } from "../../durable-objects/directory.ts";
import { profileSchema } from "../../protocol/profile.ts";
import { profileOf, registerProfile } from "../../workers/region-access.ts";
import { profileNamed } from "./profile.ts";
import { env, useMarketTime } from "./region-under-test.ts";

useMarketTime();

const directory = directoryOf(env);

describe("the directory", () => {
  test("rejects: another profile under a name that is taken, with region_exists, and keeps the first", async () => {
    const first = profileNamed("taken");
    await registerProfile(env, first);
    const other = profileNamed("taken", { name: "Elsewhere" });
    await expect(registerProfile(env, other)).rejects.toMatchObject({ rejection: { code: "region_exists" } });
    expect(await profileOf(env, "taken")).toEqual(first);
    await registerProfile(env, first);
    expect((await directory.list()).filter(({ region }) => region === "taken")).toEqual([first]);
  });

  test("rejects: a name nobody registered, with region_not_found", async () => {
    await expect(profileOf(env, "nowhere")).rejects.toMatchObject({
      rejection: { code: "region_not_found" },
    });
    await expect(profileOf(env, "constructor")).rejects.toMatchObject({
      rejection: { code: "region_not_found" },
    });
  });

  test("behavior: keeps what it was told when it is evicted", async () => {
    await registerProfile(env, profileNamed("lasting"));
    await evictDurableObject(env.DIRECTORY.getByName("directory"));
    expect((await directory.list()).map(({ region }) => region)).toContain("lasting");
  });

  test("behavior: lists by name and finds the nearest first, also across the date line and at the poles", async () => {
    await registerProfile(env, profileNamed("zz-suva", { latitude: -18.1, longitude: 178.4 }));
    await registerProfile(env, profileNamed("aa-apia", { latitude: -13.8, longitude: -171.8 }));
    await registerProfile(env, profileNamed("mm-alert", { latitude: 82.5, longitude: -62.3 }));
    const names = (await directory.list()).map(({ region }) => region);
    expect(names).toEqual([...names].sort());
    const nearSuva = await directory.nearest(-17, -179.9);
    expect(nearSuva.slice(0, 2).map(({ profile }) => profile.region)).toEqual(["zz-suva", "aa-apia"]);
    expect(nearSuva[0]?.distanceKm).toBeCloseTo(217.6, 0);
    expect((await directory.nearest(90, 137))[0]?.profile.region).toBe("mm-alert");
    const distances = nearSuva.map(({ distanceKm }) => distanceKm);
    expect(distances).toEqual([...distances].sort((left, right) => left - right));
  });

  test("behavior: carries names and terms in any script, as long as a profile may be", async () => {
    const profile = profileNamed("shinjuku", {
      name: "新宿区 ☀ – Städtchen",
      place: "東京都 مدينة",
      terms: "约款".repeat(1_000),
      jurisdiction: '日本\n% "quoted" \u{1f30a}',
    });
    expect(profileSchema.parse(profile)).toEqual(profile);
    await registerProfile(env, profile);
    expect(await profileOf(env, "shinjuku")).toEqual(profile);
    // The same again, as a decoder gives it, is the same.
    await registerProfile(env, profileSchema.parse(JSON.parse(JSON.stringify(profile))));
  });

  test("regression: a region may have a name that every object has", async () => {
    const profile = profileNamed("constructor");
    await registerProfile(env, profile);
    expect(await profileOf(env, "constructor")).toEqual(profile);
  });
});
