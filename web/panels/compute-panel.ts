// Owns the panel of compute: what is on offer, the machines with their records, and what became of the last jobs. It refuses to ask
// more than once in a few seconds, however many jobs there are, and to buy: that takes a key.

import type { FeedEntry } from "../../clients/sdk/feed.ts";
import type { Book } from "../../protocol/answers.ts";
import type { ProviderReputation } from "../../protocol/provider-answers.ts";
import { readCompute, readEntries } from "../api.ts";
import { CurveChart } from "../charts/curve-chart.ts";
import { priceText } from "../figures/amounts.ts";
import {
  addJobs,
  axisTimeText,
  bookStairs,
  bookWords,
  COMPUTE_EVENTS,
  type JobLine,
  machineRows,
  offerRows,
} from "../figures/compute.ts";
import type { PageState } from "../page-state.ts";
import { byId, make, setNotice, setText } from "./element.ts";

/** Wall time between two readings of book and records while jobs are told of, and while none are. */
const READ_MS = 3_000;
const SILENCE_MS = 15_000;
/** Entries of the journal that are looked through at once: of a busier region the newest jobs are told. */
const RECENT_ENTRIES = 200;

const MACHINES_CAPTION =
  "In the order in which equal offers are taken. Failed is what did not come in time, or was wrong.";
const JOBS_CAPTION = "The newest first. A run is one machine\u2019s part of a job.";

export class ComputePanel {
  readonly #state: PageState;
  readonly #chart = new CurveChart(byId("compute-curve"));
  #jobs: readonly JobLine[] | null = null;
  /** The newest entry that is in the jobs. */
  #last = 0;
  #isStale = true;
  #readMs = 0;
  #isReading = false;

  constructor(state: PageState) {
    this.#state = state;
  }

  /** An entry that the feed tells: it names what happened, and the journal has the whole. */
  add({ events }: FeedEntry): void {
    this.#isStale ||= events.some(({ type }) => COMPUTE_EVENTS.has(type));
  }

  /** Entries were missed. */
  resync(): void {
    this.#isStale = true;
  }

  redraw(): void {
    this.#chart.redraw();
  }

  /** Reads and shows what changed; called once a second. What does not answer is asked again. */
  async show(): Promise<void> {
    const sinceMs = Date.now() - this.#readMs;
    if (this.#isReading || sinceMs < (this.#isStale ? READ_MS : SILENCE_MS)) return;
    this.#isReading = true;
    this.#isStale = false;
    this.#readMs = Date.now();
    try {
      await this.#readJobs();
      const { book, providers } = await readCompute(this.#state.profile.region);
      this.#showBook(book);
      this.#showMachines(providers);
    } catch {
      // The page says already that the market does not answer.
      this.#isStale = true;
    } finally {
      this.#isReading = false;
    }
  }

  async #readJobs(): Promise<void> {
    const { region, currency } = this.#state.profile;
    const before = this.#jobs;
    for (const entry of await readEntries(region, this.#last, RECENT_ENTRIES)) {
      this.#last = entry.number;
      this.#jobs = addJobs(this.#jobs ?? [], entry, currency);
    }
    this.#jobs ??= [];
    if (this.#jobs !== before) this.#showJobs(this.#jobs);
  }

  #showBook(book: Book): void {
    const { currency } = this.#state.profile;
    const words = bookWords(book, currency);
    setText("compute-words", words);
    byId("compute-curve").setAttribute("aria-label", `What is on offer, by price. ${words}`);
    const stairs = bookStairs(book);
    if (stairs === null) this.#chart.showEmpty("Nothing is on offer.");
    else
      this.#chart.show({
        stairs,
        met: null,
        reachText: axisTimeText,
        priceText: (micros) => priceText(micros, currency),
      });
    const rows = offerRows(book, currency).map(({ hour, price, time, offers }) => [
      hour,
      price,
      time,
      offers,
    ]);
    const head = ["about an hour of a core", "a terafuel", "on offer", "offers"];
    byId("compute-offers").replaceChildren(table("The cheapest offers", head, rows));
  }

  #showMachines(providers: readonly ProviderReputation[]): void {
    const rows = machineRows(providers, this.#state.profile.currency).map((machine) => [
      machine.account,
      machine.jobs,
      machine.failures,
      machine.audits,
      machine.speed,
      machine.stake,
      machine.earned,
    ]);
    setNotice("compute-machines-hint", rows.length === 0 ? "No machine has sold anything here yet." : null);
    const head = [
      "machine",
      "jobs paid",
      "failed",
      "run again to check",
      "answers after",
      "at stake",
      "earned",
    ];
    byId("compute-machines").replaceChildren(
      ...(rows.length === 0 ? [] : [table(MACHINES_CAPTION, head, rows)]),
    );
  }

  #showJobs(jobs: readonly JobLine[]): void {
    const { calendar, profile } = this.#state;
    const rows = jobs.map(({ atS, obligation, priceMicrosPerTera, text }) => [
      calendar.time(atS),
      obligation,
      priceText(priceMicrosPerTera, profile.currency),
      text,
    ]);
    setNotice("compute-jobs-hint", rows.length === 0 ? "No job was sold lately." : null);
    const head = ["sold at", "run", "a terafuel", "what became of it"];
    byId("compute-jobs").replaceChildren(...(rows.length === 0 ? [] : [table(JOBS_CAPTION, head, rows)]));
  }
}

/** A table that scrolls within the page where it is wider, by keyboard too. */
function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): HTMLElement {
  const cells = rows.map(([first = "", ...rest]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, String(first)),
      ...rest.map((cell) => make("td", {}, String(cell))),
    ),
  );
  const titles = head.map((title) => make("th", { scope: "col" }, title));
  return make(
    "div",
    { class: "lines", tabindex: "0", role: "region", "aria-label": caption },
    make(
      "table",
      {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...titles)),
      make("tbody", {}, ...cells),
    ),
  );
}
