// Owns what the proving page knows: its region, the documents that somebody chose, the policy and the account. It refuses
// to touch the document or to store anything: it is gone when the page is closed.

import { type Claims, claimsWithin } from "../../clients/household/claim-policy.ts";
import {
  DocumentFault,
  type MeterDocument,
  readDocument,
  type SignedWindowDocument,
} from "../../clients/household/meter-documents.ts";
import type { Market } from "../../clients/sdk/client.ts";
import { type ClaimPolicy, claimsOf } from "../../evidence/claim-policy.ts";
import type { ShownWindow } from "../../evidence/meter-proof.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { Profile } from "../../protocol/profile.ts";
import { type Calendar, calendarOf } from "../figures/calendar.ts";
import { meterMisfit, type ProvingPlace, pairMisfit, windowMisfit } from "./document-fit.ts";

/** A proved window, and what became of it. */
export interface ProvedResult {
  readonly account: Hex;
  readonly firstSlot: number;
  readonly shown: ShownWindow;
  readonly seconds: number;
  /** Number of the journal entry that accepted it. */
  entry: number | null;
  /** Why the region did not take it. */
  refusal: string | null;
}

/** Windows on the page at a time: a fortnight of hours, or most of a year of days. */
const MOST_WINDOWS = 336;

export class ProvingState {
  readonly profile: Profile;
  readonly market: Market;
  readonly place: ProvingPlace;
  readonly calendar: Calendar;
  meter: MeterDocument | null = null;
  /** By their first slot; each fits the place. */
  readonly windows = new Map<number, SignedWindowDocument>();
  readonly results = new Map<number, ProvedResult>();
  /** Null while what stands in the form is none. */
  policy: ClaimPolicy | null = null;
  account: Hex | null = null;
  /** The window whose picture is shown. */
  shownSlot: number | null = null;

  constructor(
    profile: Profile,
    market: Market,
    deployment: { readonly chainId: number; readonly settlement: Hex },
  ) {
    const { chainId, settlement } = deployment;
    this.profile = profile;
    this.market = market;
    this.place = { chainId, settlement, region: profile.region, windowSlots: market.windowSlots };
    this.calendar = calendarOf(profile.timeZone);
  }

  /** Takes a file's text. @returns why it was not taken, in words, or null. */
  add(text: string): string | null {
    try {
      const document = readDocument(text);
      return document.kind === "meter" ? this.#addMeter(document.meter) : this.#addWindow(document.window);
    } catch (error) {
      if (!(error instanceof DocumentFault)) throw error;
      return `It is no meter file and no signed window: ${error.message}.`;
    }
  }

  /** Drops every document and result. */
  forget(): void {
    this.meter = null;
    this.windows.clear();
    this.results.clear();
    this.shownSlot = null;
  }

  /** Windows in their order. */
  listed(): readonly SignedWindowDocument[] {
    return [...this.windows.values()].sort((left, right) => left.firstSlot - right.firstSlot);
  }

  /** Why a window cannot be proved with this meter, or null. */
  misfitOf(window: SignedWindowDocument): string | null {
    return this.meter === null ? null : pairMisfit(window, this.meter);
  }

  /** What the policy claims of a window, within the limits that the meter was enrolled with. Null without a policy. */
  claimsOf({ netWh }: SignedWindowDocument): Claims | null {
    const { policy, meter } = this;
    if (policy === null) return null;
    if (meter === null) return { claims: claimsOf(netWh, policy), isCut: false };
    return claimsWithin(netWh, policy, meter.limits);
  }

  /** Windows that could be proved and were not yet. */
  unproved(): readonly SignedWindowDocument[] {
    return this.listed().filter(
      (window) => !this.results.has(window.firstSlot) && this.misfitOf(window) === null,
    );
  }

  /** The window whose picture is shown: the one chosen, else the first. */
  shown(): SignedWindowDocument | null {
    const chosen = this.shownSlot === null ? undefined : this.windows.get(this.shownSlot);
    return chosen ?? this.listed()[0] ?? null;
  }

  #addMeter(meter: MeterDocument): string | null {
    const misfit = meterMisfit(meter, this.place);
    if (misfit !== null) return misfit;
    this.meter = meter;
    // Results are another meter's now.
    this.results.clear();
    return null;
  }

  #addWindow(window: SignedWindowDocument): string | null {
    if (this.windows.size >= MOST_WINDOWS) return `This page proves ${MOST_WINDOWS} windows at a time.`;
    const misfit = windowMisfit(window, this.place);
    if (misfit !== null) return misfit;
    this.windows.set(window.firstSlot, window);
    this.results.delete(window.firstSlot);
    return null;
  }
}
