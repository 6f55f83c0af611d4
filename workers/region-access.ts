// Owns the way from a region's name to its object, through a cached directory. It refuses a name that is not
// registered, because every invented name would make an object.

import { directoryOf } from "../durable-objects/directory.ts";
import type { Env } from "../durable-objects/environment.ts";
import type { Profile } from "../protocol/profile.ts";
import { Refusal } from "./problems.ts";

/** How long a gateway believes its copy; a name it does not know makes it ask again, but not more often than this. */
const CACHE_MS = 10_000;
const RETRY_MS = 500;

let cached: { readonly profiles: ReadonlyMap<string, Profile>; readonly readMs: number } | null = null;

/** The profile of a registered region. @throws Refusal `region_not_found` */
export async function profileOf(env: Env, region: string): Promise<Profile> {
  const age = Date.now() - (cached?.readMs ?? 0);
  const known = age < CACHE_MS ? cached?.profiles.get(region) : undefined;
  if (known !== undefined) return known;
  if (cached === null || age > RETRY_MS) await refresh(env);
  const profile = cached?.profiles.get(region);
  if (profile === undefined) throw new Refusal("region_not_found", { region });
  return profile;
}

/** The object of a registered region. @throws Refusal `region_not_found` */
export async function regionOf(env: Env, region: string) {
  await profileOf(env, region);
  return env.REGION.getByName(region);
}

/** Registers a profile; the first one under a name stays. @throws Refusal `region_exists` */
export async function registerProfile(env: Env, profile: Profile): Promise<void> {
  const registered = await directoryOf(env).register(encodeURIComponent(JSON.stringify(profile)));
  if (JSON.stringify(registered) !== JSON.stringify(profile))
    throw new Refusal("region_exists", { region: profile.region });
  await refresh(env);
}

async function refresh(env: Env): Promise<void> {
  const profiles = await directoryOf(env).list();
  cached = { profiles: new Map(profiles.map((profile) => [profile.region, profile])), readMs: Date.now() };
}
