// Owns a region's profile for tests. It refuses nothing.

import type { Profile } from "../../protocol/profile.ts";
import { OPERATOR_ADDRESS } from "../support/object-deployment.ts";

/** A profile that the decoder accepts, in the order of its schema. */
export function profileNamed(region: string, more: Partial<Profile> = {}): Profile {
  return {
    region,
    name: "Waterland",
    place: "Monnickendam, Noord-Holland",
    latitude: 52.46,
    longitude: 5.03,
    timeZone: "Europe/Amsterdam",
    operator: OPERATOR_ADDRESS,
    jurisdiction: "NL",
    terms: "https://example.org/terms",
    currency: "EUR",
    tariffs: [{ name: "standard", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 60_000 }],
    isSimulation: true,
    ...more,
  };
}
