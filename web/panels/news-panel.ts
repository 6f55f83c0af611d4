// Owns the list of what happened. It refuses to speak more often than once a second, for those who have it read aloud.

import type { FeedEntry } from "../../clients/sdk/feed.ts";
import type { Calendar } from "../figures/calendar.ts";
import { addNews, type NewsLine } from "../figures/news.ts";
import { byId, make } from "./element.ts";

const SHOWN_LINES = 7;

export class NewsPanel {
  readonly #calendar: Calendar;
  readonly #currency: string;
  #lines: readonly NewsLine[] = [];
  #isStale = false;

  constructor(calendar: Calendar, currency: string) {
    this.#calendar = calendar;
    this.#currency = currency;
  }

  add(entry: FeedEntry): void {
    const lines = addNews(this.#lines, entry, this.#calendar, this.#currency);
    this.#isStale ||= lines !== this.#lines;
    this.#lines = lines;
  }

  /** Shows what was added since; called once a second. */
  show(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    byId("news-hint").hidden = true;
    const items = this.#lines
      .slice(0, SHOWN_LINES)
      .map(({ atS, text }) => make("li", {}, make("time", {}, this.#calendar.time(atS)), text));
    byId("news").replaceChildren(...items);
  }
}
