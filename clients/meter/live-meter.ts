// Owns what every live meter is: a source that is followed until it is stopped. It refuses nothing; kinds stand beside it.

import type { MarketClock } from "../../protocol/clock.ts";
import type { MeterSource } from "../household/meter-source.ts";
import type { BoundaryStore } from "./slot-boundaries.ts";

/** A meter that is being followed. */
export interface LiveMeter extends MeterSource {
  /** Ends the connection; what was read stays readable. */
  stop(): Promise<void>;
}

/** What a live meter is followed with. */
export interface LiveMeterOptions {
  readonly clock: MarketClock;
  /** Opens what was kept of this meter before; asked once at most. */
  readonly openBoundaries: () => BoundaryStore;
  /** Told of everything worth telling; never with a meter's number or a token. */
  readonly report: (message: string) => void;
}
