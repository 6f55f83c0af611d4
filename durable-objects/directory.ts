// Owns the small list of regions and their profiles. It refuses to change a profile that was registered: a region's
// opening command is public, and whoever sends it again must not be able to rename the region.

import { createDurable, withDurables } from "itty-durable";
import { distanceKm, type Profile } from "../protocol/profile.ts";
import type { Env } from "./environment.ts";

/** A region with how far it is from the one who asks. */
export interface NearbyRegion {
  readonly profile: Profile;
  readonly distanceKm: number;
}

/** One per deployment; rarely written, read through a cache in every gateway. */
export class Directory extends createDurable({ autoPersist: false, autoReturn: false }) {
  profiles: Record<string, Profile> = {};

  /**
   * Registers a profile.
   * @param encoded the profile as percent-encoded JSON: arguments travel in a header, which holds no other letters.
   * @returns what is registered under this name now; another profile than the given one means it was taken.
   */
  async register(encoded: string): Promise<Profile> {
    const profile = JSON.parse(decodeURIComponent(encoded)) as Profile;
    // A region may be called "constructor".
    if (Object.hasOwn(this.profiles, profile.region)) return this.profiles[profile.region] as Profile;
    this.profiles[profile.region] = profile;
    await this.persist();
    return profile;
  }

  /** Every region, by name. */
  list(): Profile[] {
    return Object.values(this.profiles).sort((left, right) => (left.region < right.region ? -1 : 1));
  }

  /** Regions by distance from a point in degrees, nearest first. */
  nearest(latitude: number, longitude: number): NearbyRegion[] {
    return this.list()
      .map((profile) => ({
        profile,
        distanceKm:
          Math.round(10 * distanceKm(latitude, longitude, profile.latitude, profile.longitude)) / 10,
      }))
      .sort((left, right) => left.distanceKm - right.distanceKm);
  }
}

/** What the directory answers, wherever it is asked from. */
export interface DirectoryStub {
  register(encoded: string): Promise<Profile>;
  list(): Promise<Profile[]>;
  nearest(latitude: number, longitude: number): Promise<NearbyRegion[]>;
}

/** The directory's methods. The stub is a proxy that answers to any name, so it must never be awaited itself. */
export function directoryOf(env: Env): DirectoryStub {
  const request = { headers: new Headers() } as {
    headers: Headers;
    DIRECTORY?: { get(id: string): DirectoryStub };
  };
  withDurables({ parse: true })(request, { DIRECTORY: env.DIRECTORY });
  return (request.DIRECTORY as { get(id: string): DirectoryStub }).get("directory");
}
