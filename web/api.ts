// Owns the page's reading of the deployment, through the SDK. It refuses to decide what is shown; it answers with what
// there is, and null where there is nothing yet.

import {
  type Account,
  type BillLine,
  type ClearedSlot,
  type Deployment,
  type Market,
  PolderClient,
  type Registry,
} from "../clients/sdk/client.ts";
import { PolderProblem } from "../clients/sdk/problem.ts";
import type { Book } from "../protocol/answers.ts";
import { type MarketClock, wallTimeMs } from "../protocol/clock.ts";
import { type Hex, NO_ADDRESS } from "../protocol/fields.ts";
import type { Profile } from "../protocol/profile.ts";
import type { ProviderReputation } from "../protocol/provider-answers.ts";
import type { Day } from "./figures/calendar.ts";
import type { ToldEntry } from "./figures/compute.ts";

/** The page asks again by itself; a request need not. */
export const client = new PolderClient(location.origin, { retries: 1 });

/** Wall milliseconds that this machine's clock may differ from the deployment's before it is corrected. */
const CLOCK_TOLERANCE_MS = 2_000;

/** The clock of the deployment. */
export async function readClock(): Promise<MarketClock> {
  return (await readDeployment()).clock;
}

/** What this deployment's signatures are bound to. */
export function readDeployment(): Promise<Deployment> {
  return client.deployment();
}

/** Whether the deployment shows votes of a chain. */
export async function hasVotes(): Promise<boolean> {
  return (await readDeployment()).governor !== NO_ADDRESS;
}

export function readRegions(): Promise<readonly Profile[]> {
  return client.regions();
}

/** What is on offer of single jobs, and who sells: the most reliable first. */
export async function readCompute(region: string): Promise<{
  readonly book: Book;
  readonly providers: readonly ProviderReputation[];
}> {
  const [book, { providers }] = await Promise.all([
    client.get<Book>(`/v1/regions/${region}/books/compute-job`),
    client.get<{ providers: readonly ProviderReputation[] }>(`/v1/regions/${region}/providers`),
  ]);
  return { book, providers };
}

/** The newest entries of a region's journal after one, at most so many. @throws SyntaxError too */
export async function readEntries(region: string, after: number, most: number): Promise<ToldEntry[]> {
  const { entry } = await client.head(region);
  const entries: ToldEntry[] = [];
  if (entry <= after) return entries;
  for await (const line of client.journal(region, Math.max(after, entry - most) + 1, entry))
    entries.push((JSON.parse(line) as { entry: ToldEntry }).entry);
  return entries;
}

/** The market, or null while the region has not been opened. */
export async function readMarket(region: string): Promise<Market | null> {
  return (await client.region(region)).market;
}

/** How far this machine's clock is behind the deployment's, from an answer that just came. Milliseconds of wall time. */
export function clockErrorMs(clock: MarketClock, atS: number, nowMs: number): number {
  const errorMs = wallTimeMs(clock, atS) - nowMs;
  return Math.abs(errorMs) > CLOCK_TOLERANCE_MS ? errorMs : 0;
}

/** The cleared slots of a day. */
export async function readSlots(region: string, { first, until }: Day): Promise<ClearedSlot[]> {
  const slots: ClearedSlot[] = [];
  for await (const slot of client.slots(region, first, until)) slots.push(slot);
  return slots;
}

/** An account with its bill of a day, or null where the region does not know it. */
export async function readAccountDay(
  region: string,
  account: Hex,
  { first, until }: Day,
): Promise<{ readonly account: Account; readonly lines: readonly BillLine[] } | null> {
  try {
    const [found, bill] = await Promise.all([
      client.account(region, account),
      client.bill(region, account, { from: first, until }),
    ]);
    return { account: found, lines: bill.lines };
  } catch (error) {
    if (error instanceof PolderProblem && error.code === "account_not_found") return null;
    throw error;
  }
}

/** Every meter's leaf of a window. @throws PolderProblem, TransportFault */
export function readRegistry(region: string, firstSlot: number): Promise<Registry> {
  return client.registry(region, firstSlot);
}

/** Where a person finds the evidence behind a line, the bill as a table, and the region's books. */
export const paths = {
  receipt: (region: string, entry: number): string => `/v1/regions/${region}/receipts/${entry}`,
  csv: (region: string, account: Hex, { first, until }: Day): string =>
    `/v1/regions/${region}/accounts/${account}/bill?from=${first}&until=${until}&format=csv`,
  head: (region: string): string => `/v1/regions/${region}/journal/head`,
  journal: (region: string): string => `/v1/regions/${region}/journal`,
  health: (region: string): string => `/v1/regions/${region}/health`,
};
