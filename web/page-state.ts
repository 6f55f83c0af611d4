// Owns what the page knows: region, market, the day shown, the household chosen, and what homes tell. It refuses to
// touch the document; panels read it, and main.ts says when to read anew.

import type { Account, BillLine, ClearedSlot, Market } from "../clients/sdk/client.ts";
import { type MarketClock, marketTimeS } from "../protocol/clock.ts";
import type { Hex } from "../protocol/fields.ts";
import type { Profile } from "../protocol/profile.ts";
import { slotAt } from "../protocol/units.ts";
import { clockErrorMs, readAccountDay, readMarket, readSlots } from "./api.ts";
import { type Calendar, calendarOf, type Day, neighbourDay } from "./figures/calendar.ts";
import {
  type BehindMeter,
  behindMeters,
  type DayRow,
  householdRows,
  latestSettledSlot,
  neighbourhoodRows,
} from "./figures/day.ts";
import { type HomeHousehold, MOST_HOMES, readHomeSlots, readHouseholds } from "./home.ts";

/** Which day to show: the last settled one as it changes, today as it passes, or one that stays. */
export type DayChoice =
  | { readonly kind: "settled" | "today" }
  | { readonly kind: "fixed"; readonly slot: number };

export class PageState {
  readonly profile: Profile;
  readonly calendar: Calendar;
  readonly clock: MarketClock;
  readonly home: string | null;
  market: Market | null = null;
  households: readonly HomeHousehold[] = [];
  /** Why the home that was asked for tells nothing. */
  homeFault: string | null = null;
  /** The household shown; null for the whole neighbourhood. */
  who: Hex | null;
  choice: DayChoice = { kind: "settled" };
  day: Day | null = null;
  slots: readonly ClearedSlot[] = [];
  account: Account | null = null;
  /** Null until it was read; the lines of the day shown. */
  lines: readonly BillLine[] | null = null;
  rows: readonly DayRow[] = [];
  behind: ReadonlyMap<number, BehindMeter> = new Map();
  /** The quarter-hour that somebody chose; null for the busiest. */
  chosenSlot: number | null = null;
  #clockErrorMs = 0;
  #reading = 0;

  constructor(profile: Profile, clock: MarketClock, who: Hex | null, home: string | null) {
    this.profile = profile;
    this.calendar = calendarOf(profile.timeZone);
    this.clock = clock;
    this.who = who;
    this.home = home;
  }

  /** Market time now, in seconds with a fraction of none. */
  nowS(): number {
    return marketTimeS(this.clock, Date.now() + this.#clockErrorMs);
  }

  async refreshMarket(): Promise<void> {
    const market = await readMarket(this.profile.region);
    this.market = market;
    if (market !== null) this.#clockErrorMs = clockErrorMs(this.clock, market.atS, Date.now());
  }

  async refreshHouseholds(): Promise<void> {
    if (this.home === null) return;
    try {
      const found = await readHouseholds(this.home);
      this.households = found.filter(({ region }) => region === this.profile.region);
      this.homeFault =
        this.households.length === 0 ? "The home\u2019s agent serves no household of this region." : null;
    } catch {
      this.homeFault = "The home\u2019s agent does not answer, so own use is left out.";
    }
  }

  /** Reads the day again; an answer that was overtaken by a later question is dropped. Answers whether it was kept. */
  async refreshDay(): Promise<boolean> {
    this.#reading += 1;
    const reading = this.#reading;
    const { region } = this.profile;
    const billed = this.billed();
    const day = this.#wantedDay();
    const [slots, accountDay, behind] = await Promise.all([
      readSlots(region, day),
      billed === null ? null : readAccountDay(region, billed, day),
      this.#readBehind(day),
    ]);
    if (reading !== this.#reading) return false;
    this.day = day;
    this.slots = slots;
    this.account = accountDay?.account ?? null;
    this.lines = accountDay?.lines ?? null;
    this.behind = behind;
    this.#makeRows(day);
    return true;
  }

  /** Reads only what homes tell of the day shown: quarter-hours that have just passed. */
  async refreshHome(): Promise<boolean> {
    const { day } = this;
    if (day === null || this.home === null) return false;
    const reading = this.#reading;
    const behind = await this.#readBehind(day);
    if (reading !== this.#reading) return false;
    this.behind = behind;
    this.#makeRows(day);
    return true;
  }

  /** The day that a step of one day leads to. */
  step(direction: -1 | 1): void {
    if (this.day !== null)
      this.choice = { kind: "fixed", slot: neighbourDay(this.calendar, this.day, direction).first };
    this.chosenSlot = null;
  }

  /** The quarter-hour whose curve and figures are shown: the chosen one, else the one with most trade. */
  selectedSlot(): number | null {
    const { day, chosenSlot } = this;
    if (day === null) return null;
    if (chosenSlot !== null && chosenSlot >= day.first && chosenSlot < day.until) return chosenSlot;
    const busiest = this.slots.reduce<ClearedSlot | null>(
      (best, slot) => (slot.tradedWh > (best?.tradedWh ?? -1) ? slot : best),
      null,
    );
    return busiest?.slot ?? null;
  }

  /** The household's own name where its home tells it, else its address. */
  name(account: Hex): string {
    return this.households.find((household) => household.account === account)?.name ?? account;
  }

  /** The household whose bill is shown: the one chosen, else the first of the home. */
  billed(): Hex | null {
    return this.who ?? this.households[0]?.account ?? null;
  }

  #makeRows(day: Day): void {
    const { who, slots, lines, behind, market } = this;
    const nextSlot = market?.nextSlot ?? 0;
    this.rows =
      who === null
        ? neighbourhoodRows(day, slots, behind, nextSlot)
        : householdRows(day, lines ?? [], behind, nextSlot);
  }

  #wantedDay(): Day {
    const today = slotAt(this.nowS());
    if (this.choice.kind === "fixed") return this.calendar.day(this.choice.slot);
    if (this.choice.kind === "today" || this.market === null) return this.calendar.day(today);
    const { nextSlot, firstSlot, windowSlots } = this.market;
    return this.calendar.day(latestSettledSlot(nextSlot, firstSlot, windowSlots) ?? today);
  }

  /** Homes whose figures count for what is shown. */
  #homesShown(): readonly HomeHousehold[] {
    if (this.who !== null) return this.households.filter(({ account }) => account === this.who);
    return this.households.length > MOST_HOMES ? [] : this.households;
  }

  async #readBehind({ first, until }: Day): Promise<ReadonlyMap<number, BehindMeter>> {
    const { home } = this;
    if (home === null) return new Map();
    try {
      const homes = await Promise.all(
        this.#homesShown().map(({ account }) => readHomeSlots(home, account, first, until)),
      );
      if (this.households.length > 0) this.homeFault = null;
      return behindMeters(homes);
    } catch {
      this.homeFault = "The home\u2019s agent does not answer, so own use is left out.";
      return new Map();
    }
  }
}
