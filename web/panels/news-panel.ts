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
    const list = byId("news");
    const old = new Map([...list.children].map((item) => [(item as HTMLElement).dataset.id, item]));
    // Lines that stay are left alone, so that only what is new is read aloud.
    const items = this.#lines.slice(0, SHOWN_LINES).map((line) => {
      const item =
        old.get(String(line.id)) ?? make("li", { "data-id": String(line.id) }, make("time"), make("span"));
      setChild(item, 0, this.#calendar.time(line.atS));
      setChild(item, 1, line.text);
      return item;
    });
    for (const item of list.children) if (!items.includes(item)) item.remove();
    items.forEach((item, index) => {
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
    });
  }
}

function setChild(item: Element, index: number, text: string): void {
  const child = item.children[index];
  if (child !== undefined && child.textContent !== text) child.textContent = text;
}
