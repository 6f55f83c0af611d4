// Owns the way from a region's durable entries to its feeds: gathered into frames, at most one at a time and one per
// 50 ms. It refuses to wait for listeners; an entry nobody hears is in the journal all the same.

import type { Entry } from "../market/journal.ts";
import type { MarketEvent } from "../protocol/events.ts";
import { FEED_FRAME_MILLISECONDS } from "../protocol/limits.ts";
import type { Later } from "./snapshots.ts";

/** One event as listeners get it: the journal has the whole. */
type PublicEvent = Record<string, unknown> & { readonly type: MarketEvent["type"] };

/** What a frame carries of each entry. */
export interface FeedEntry {
  readonly number: number;
  readonly atS: number;
  readonly events: readonly PublicEvent[];
}

/** Gathers entries and sends them on. */
export class FeedPublisher {
  readonly #later: Later;
  readonly #send: (frame: string) => Promise<void>;
  #entries: FeedEntry[] = [];
  #isBusy = false;

  constructor(later: Later, send: (frame: string) => Promise<void>) {
    this.#later = later;
    this.#send = send;
  }

  add(entries: readonly Entry[]): void {
    for (const { number, atS, events } of entries)
      this.#entries.push({ number, atS, events: events.map(publicEvent) });
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#later(() => void this.#flush(), FEED_FRAME_MILLISECONDS);
  }

  async #flush(): Promise<void> {
    const entries = this.#entries;
    this.#entries = [];
    try {
      const first = entries[0];
      const last = entries.at(-1);
      if (first !== undefined && last !== undefined) {
        await this.#send(JSON.stringify({ type: "frame", first: first.number, last: last.number, entries }));
      }
    } catch (fault) {
      // Listeners see the gap by the entry numbers and read the state anew.
      console.error("a feed frame was lost", fault);
    }
    this.#isBusy = this.#entries.length > 0;
    if (this.#isBusy) this.#later(() => void this.#flush(), FEED_FRAME_MILLISECONDS);
  }
}

/** Lists by account and by slot stay in the journal and in bills; a frame carries what everybody wants to see. */
function publicEvent(event: MarketEvent): PublicEvent {
  return Object.fromEntries(
    Object.entries(event).filter(([name, value]) => !Array.isArray(value) || name === "steps"),
  ) as PublicEvent;
}
