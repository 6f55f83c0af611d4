// Owns a region inside workerd for tests: its object, the market's own model of it on the side, and the one way in
// which tests move time. It refuses to hide a rejection.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as bindings, exports as entries } from "cloudflare:workers";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Env } from "../../durable-objects/environment.ts";
import type { Answer, Outcome } from "../../durable-objects/outcome.ts";
import type { Region } from "../../durable-objects/region.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import type { ErrorCode, Rejection } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  address,
  appoint,
  credit,
  type Draft,
  enrol,
  INSTALLER,
  Market,
  open,
  ROOT_OF_WINDOW,
  readings,
  word,
} from "../support/market.ts";

export const env = bindings as unknown as Env;
/** A household's prover outside of workerd; see prover-service.ts. */
export const prover = (bindings as unknown as { readonly PROVER: Fetcher }).PROVER;
/** The front door, in the same isolate. */
export const gateway = (entries as unknown as { readonly default: Fetcher }).default;

/**
 * A midnight far ahead. The clock of the deployment under test runs at wall speed, so market time is `Date.now()`,
 * which these tests replace; the platform's own clock never gets there, so no alarm goes off unless a test says so.
 */
export const MIDNIGHT_S = 2_240_611_200;
export const FIRST_SLOT = MIDNIGHT_S / 900;
export const OPENED_AT_S = MIDNIGHT_S - 1_800;

/** Replaces `Date` alone for every test of a file: timers, storage and sockets stay real. */
export function useMarketTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: OPENED_AT_S * 1000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Keeps faults that tests make out of the output; what was logged can be asked for. */
export function useQuietConsole(): { readonly lines: () => string[] } {
  const lines: string[] = [];
  beforeEach(() => {
    lines.length = 0;
    vi.spyOn(console, "error").mockImplementation(
      (...parts: unknown[]) => void lines.push(parts.map(String).join(" ")),
    );
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  return { lines: () => lines };
}

/** Goes to a moment of market time, in every object and in the gateway. */
export function goTo(atS: number): void {
  vi.setSystemTime(atS * 1000);
}

/** Lets turns of the event loop pass, so that what was put off for a turn happens. */
export function rest(milliseconds = 5): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The moment the window of four slots from `firstSlot` clears. */
export function deadlineS(firstSlot: number): number {
  return (firstSlot + 4) * 900 + 900;
}

export const SIGNATURE: Submission["auth"] = { scheme: "wallet", signature: `0x${"00".repeat(65)}` };

let regions = 0;

/** A region's object with a model of it beside. */
export class RegionUnderTest {
  readonly name: string;
  /** Decides the same commands, when a test hands them to it. */
  readonly model: Market;

  constructor(name?: string) {
    regions += 1;
    this.name = name ?? `region-${regions}`;
    this.model = new Market(Date.now() / 1000, this.name);
  }

  /** A new stub each time: one does not outlive its instance. */
  get stub(): DurableObjectStub<Region> {
    return env.REGION.getByName(this.name);
  }

  /** A draft bound to now, as the gateway hands it over. */
  submission(
    draft: Draft,
    envelope: { readonly nonce?: number; readonly expiresAtS?: number; readonly region?: string } = {},
  ): Submission {
    this.model.atS = Math.floor(Date.now() / 1000);
    const request = this.model.request(draft, envelope);
    return { ...request, auth: SIGNATURE, rawEvidence: null };
  }

  /** A draft bound to now; a proof is about the meters that the region has for its window. */
  async bound(draft: Draft): Promise<Submission> {
    return this.submission(await this.#rooted(draft));
  }

  submit(submission: Submission, ticket: number | null = null): Promise<Outcome> {
    return this.stub.submit(submission, ticket) as unknown as Promise<Outcome>;
  }

  /** Decides a draft that must be accepted. */
  async accept(draft: Draft): Promise<Answer> {
    return acceptedOf(await this.submit(await this.bound(draft)));
  }

  /** Expects a refusal, and the state to be the same after it. */
  async refuse(draft: Draft | Submission, code: ErrorCode): Promise<Rejection> {
    const before = await this.stateHash();
    const outcome = await this.submit("auth" in draft ? draft : await this.bound(draft));
    expect("rejection" in outcome ? outcome.rejection.code : outcome.answer.events).toEqual(code);
    expect(await this.stateHash()).toEqual(before);
    return (outcome as { rejection: Rejection }).rejection;
  }

  /** A proof is made against the root that the region has for its window. */
  async #rooted(draft: Draft): Promise<Draft> {
    if (draft.evidence?.kind !== "meter-proof" || draft.evidence.root !== ROOT_OF_WINDOW) return draft;
    const registry = await this.stub.registry(draft.command.firstSlot as number);
    return { ...draft, evidence: { ...draft.evidence, root: registry?.root ?? word(0) } };
  }

  stateHash(): Promise<{ readonly entry: number; readonly stateHash: Hex }> {
    return this.stub.stateHash() as unknown as Promise<{ entry: number; stateHash: Hex }>;
  }

  /** Runs a function inside the object. */
  inside<R>(work: (region: Region, ctx: DurableObjectState) => R | Promise<R>): Promise<R> {
    return runInDurableObject(this.stub, work);
  }

  evict(): Promise<void> {
    return evictDurableObject(this.stub);
  }

  /** Lets the alarm go off now, as early or late as it is; answers whether one was set. */
  async ring(): Promise<boolean> {
    const rang = await runDurableObjectAlarm(this.stub);
    await rest();
    return rang;
  }

  alarm(): Promise<number | null> {
    return this.inside((_region, ctx) => ctx.storage.getAlarm());
  }

  async journal(): Promise<string[]> {
    const { text } = await this.stub.journalPage(1);
    return text.split("\n").filter((line) => line !== "");
  }

  /** Rows of the journal: runs of entries that one flush wrote. */
  rows(): Promise<{ readonly first: number; readonly last: number }[]> {
    return this.inside((_region, ctx) =>
      ctx.storage.sql
        .exec<{ first: number; last: number }>("SELECT first, last FROM journal ORDER BY first")
        .toArray(),
    );
  }

  /** What storage alone makes of the region: the state hash of a new instance. */
  async storedHash(): Promise<unknown> {
    await this.evict();
    return this.stateHash();
  }
}

/** The answer of an outcome that must be one. */
export function acceptedOf(outcome: Outcome): Answer {
  if ("rejection" in outcome) throw new Error(`refused: ${JSON.stringify(outcome.rejection)}`);
  return outcome.answer;
}

/** An opened region of four-slot windows, half an hour before midnight, with homes that have a meter and money. */
export async function openedRegion(
  homes = 0,
  name?: string,
): Promise<{ region: RegionUnderTest; accounts: Hex[] }> {
  const region = new RegionUnderTest(name);
  await region.accept(open());
  await region.accept(appoint([INSTALLER]));
  const accounts = Array.from({ length: homes }, (_, index) => address(index + 1));
  await Promise.all(
    accounts.flatMap((account, index) => [
      region.accept(enrol(index + 1)),
      region.accept(credit(account, 1_000_000_000)),
    ]),
  );
  return { region, accounts };
}

/** Readings of home `home` (its account and its meter have that number) for a window. */
export function proof(home: number, firstSlot: number, netWh: readonly number[]): Draft {
  return readings(address(home), home, firstSlot, netWh);
}
