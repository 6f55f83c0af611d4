// Owns the page's life: it reads, listens, and has the panels drawn when something changed. It refuses to ask more than
// once a second, whatever the feed says.

import "./styles/frame.css";
import "./styles/panels.css";
import "./styles/narrow.css";
import "./styles/votes.css";
import "./styles/compute.css";
import { listen } from "../clients/sdk/feed.ts";
import { slotAt } from "../protocol/units.ts";
import { hasVotes, readClock, readRegions } from "./api.ts";
import { CurveChart } from "./charts/curve-chart.ts";
import { DayChart } from "./charts/day-chart.ts";
import { onSchemeChange } from "./charts/palette.ts";
import { type PageAddress, readAccount, readAddress } from "./page-address.ts";
import { PageState } from "./page-state.ts";
import { markLine, showBill } from "./panels/bill-panel.ts";
import { ComputePanel } from "./panels/compute-panel.ts";
import { showDay, showHouseholds, showReadout } from "./panels/day-panel.ts";
import { byId, make, setNotice, setText } from "./panels/element.ts";
import { showCurve, showMarket, showRegion, showTime } from "./panels/market-panel.ts";
import { NewsPanel } from "./panels/news-panel.ts";
import { VotesPanel } from "./panels/votes-panel.ts";

const TICK_MS = 250;
const PAUSE_MS = 1_000;
const RETRY_MS = 3_000;
/** Even without news the market's counts are read this often. */
const LONGEST_SILENCE_MS = 15_000;

/** Events after which settled figures differ; the others only change counts. */
const SETTLING: ReadonlySet<string> = new Set(["slot_cleared", "window_closed", "epoch_closed"]);

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

class Page {
  readonly #state: PageState;
  readonly #news: NewsPanel;
  readonly #compute: ComputePanel;
  readonly #dayChart: DayChart;
  readonly #curveChart = new CurveChart(byId("curve"));
  #isListening = false;
  #wants = { market: true, day: true, home: false };
  #lastReadMs = 0;
  #lastSlot = 0;
  #isReading = false;
  #isUrgent = false;

  constructor(state: PageState) {
    this.#state = state;
    this.#news = new NewsPanel(state.calendar, state.profile.currency);
    this.#compute = new ComputePanel(state);
    this.#dayChart = new DayChart(byId("day-chart"), {
      select: (slot) => this.#select(slot),
      hover: (slot) => showReadout(state, slot ?? state.selectedSlot()),
    });
    onSchemeChange(() => {
      this.#dayChart.redraw();
      this.#curveChart.redraw();
      this.#compute.redraw();
    });
  }

  async run(): Promise<void> {
    const state = this.#state;
    showRegion(state);
    this.#listenToPeople();
    setInterval(() => this.#tick(), TICK_MS);
    setInterval(() => this.#news.show(), PAUSE_MS);
    void new VotesPanel(state).run(await hasVotes());
    await state.refreshHouseholds();
    showHouseholds(state);
    for (;;) {
      await this.#read();
      await pause(PAUSE_MS);
    }
  }

  /** Clock and countdown; and a home has one more quarter-hour to tell whenever one has passed. */
  #tick(): void {
    const state = this.#state;
    showTime(state);
    const slot = slotAt(state.nowS());
    if (slot === this.#lastSlot) return;
    this.#lastSlot = slot;
    if (state.choice.kind === "today" && state.day !== null && slot >= state.day.until)
      this.#wants.day = true;
    else if (state.day !== null && slot <= state.day.until) this.#wants.home = true;
  }

  /** Reads what is wanted, once at a time, and draws it. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#isUrgent = false;
    const wanted = this.#wants;
    this.#wants = { market: false, day: false, home: false };
    try {
      const isStale = Date.now() - this.#lastReadMs > LONGEST_SILENCE_MS;
      if (wanted.market || isStale) await this.#readMarket();
      if (wanted.day) await this.#readDay();
      else if (wanted.home && (await this.#state.refreshHome())) this.#draw();
      if (this.#state.market !== null) setNotice("notice", null);
    } catch {
      setNotice(
        "notice",
        "The market does not answer just now. What is shown may be old; this page keeps trying.",
      );
      this.#wants = { market: true, day: true, home: false };
      await pause(RETRY_MS);
    } finally {
      this.#isReading = false;
    }
    if (this.#isUrgent) await this.#read();
  }

  /** Somebody waits for it: at once, or right after what is being read. */
  #readDaySoon(): void {
    this.#wants.day = true;
    this.#isUrgent = true;
    void this.#read();
  }

  async #readMarket(): Promise<void> {
    const state = this.#state;
    const hadMarket = state.market !== null;
    await state.refreshMarket();
    this.#lastReadMs = Date.now();
    if (state.market === null) {
      setNotice(
        "notice",
        "This region is registered, but its operator has not opened it yet. The page begins by itself when that happens.",
      );
      this.#wants.market = true;
    } else if (!hadMarket) {
      this.#wants.day = true;
      this.#listenToFeed();
    }
    showMarket(state);
    showTime(state);
  }

  async #readDay(): Promise<void> {
    if (await this.#state.refreshDay()) this.#draw();
  }

  #draw(): void {
    const state = this.#state;
    const selected = state.selectedSlot();
    showMarket(state);
    showDay(state, selected, this.#dayChart);
    showCurve(state, selected, this.#curveChart);
    showBill(state, selected, {
      select: (slot) => this.#select(slot),
      choose: (account) => this.#choose(account),
    });
  }

  #select(slot: number): void {
    const state = this.#state;
    state.chosenSlot = slot;
    this.#dayChart.mark(slot);
    byId<HTMLInputElement>("slot").value = String(slot);
    showReadout(state, slot);
    showCurve(state, slot, this.#curveChart);
    markLine(slot);
  }

  #listenToFeed(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    setInterval(() => void this.#compute.show(), PAUSE_MS);
    listen(location.origin, this.#state.profile.region, {
      entry: (entry) => {
        this.#news.add(entry);
        this.#compute.add(entry);
        this.#wants.market = true;
        if (entry.events.some(({ type }) => SETTLING.has(type))) this.#wants.day = true;
      },
      resync: () => {
        this.#compute.resync();
        this.#wants.market = true;
        this.#wants.day = true;
      },
      state: (isConnected) => {
        showConnection(isConnected);
        // Whether only the feed is lost or the whole market, the next answer tells.
        this.#wants.market = true;
      },
    });
  }

  #listenToPeople(): void {
    const state = this.#state;
    byId("account-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#chooseTyped();
    });
    byId<HTMLSelectElement>("who").addEventListener("change", ({ target }) =>
      this.#choose((target as HTMLSelectElement).value),
    );
    byId("day-before").addEventListener("click", () => {
      state.step(-1);
      this.#readDaySoon();
    });
    byId("day-after").addEventListener("click", () => {
      state.step(1);
      this.#readDaySoon();
    });
    for (const kind of ["settled", "today"] as const) {
      byId(`day-${kind}`).addEventListener("click", () => {
        state.choice = { kind };
        state.chosenSlot = null;
        this.#readDaySoon();
      });
    }
    byId<HTMLInputElement>("slot").addEventListener("input", ({ target }) =>
      this.#select(Number((target as HTMLInputElement).value)),
    );
  }

  #chooseTyped(): void {
    const input = byId<HTMLInputElement>("account");
    const typed = input.value;
    const isRefused = typed.trim() !== "" && readAccount(typed) === null;
    input.setCustomValidity(isRefused ? "An account address is 0x and 40 hexadecimal digits." : "");
    input.reportValidity();
    // The complaint must not stand in the way of the next try.
    input.setCustomValidity("");
    if (!isRefused) this.#choose(typed);
  }

  #choose(text: string): void {
    const state = this.#state;
    state.who = readAccount(text);
    const query = new URLSearchParams(location.search);
    if (state.who === null) query.delete("account");
    else query.set("account", state.who);
    history.replaceState(null, "", `?${query}`);
    showHouseholds(state);
    this.#readDaySoon();
  }
}

function showConnection(isConnected: boolean): void {
  setText("connection", isConnected ? "live" : "connection lost, trying again");
  byId("dot").className = `dot ${isConnected ? "live" : "lost"}`;
}

/** The region to show, as soon as there is one. */
async function findState(address: PageAddress): Promise<PageState> {
  for (;;) {
    try {
      const [clock, regions] = [await readClock(), await readRegions()];
      const profile =
        address.region === null ? regions[0] : regions.find(({ region }) => region === address.region);
      if (profile !== undefined) {
        setNotice("notice", null);
        offerRegions(profile.region, regions);
        return new PageState(profile, clock, address.account, address.home);
      }
      const isNamed = address.region !== null && regions.length > 0;
      setNotice(
        "notice",
        isNamed
          ? `There is no region named ${address.region} here.`
          : "No region has been opened here yet. This page begins by itself when one is.",
      );
    } catch {
      setNotice("notice", "The market does not answer. This page keeps trying.");
    }
    await pause(RETRY_MS);
  }
}

/** A way to the other regions, where there are any. */
function offerRegions(
  shown: string,
  regions: readonly { readonly region: string; readonly name: string }[],
): void {
  if (regions.length < 2) return;
  const select = byId<HTMLSelectElement>("regions");
  select.replaceChildren(...regions.map(({ region, name }) => make("option", { value: region }, name)));
  select.value = shown;
  byId("regions-label").hidden = false;
  select.addEventListener("change", () => {
    const query = new URLSearchParams(location.search);
    query.set("region", select.value);
    query.delete("account");
    location.search = query.toString();
  });
}

const address = readAddress(location.search);
const state = await findState(address);
state.homeFault = address.homeRefusal;
await new Page(state).run();
