// Owns what is counted of everybody who delivers promised resources: units, fees and sales of the running epoch, and failures. It
// refuses to forget a failure; a row is made with the first thing to count.

import { PROMISED_RESOURCES, type PromisedResource } from "../../protocol/products.ts";
import { column, Table } from "../table.ts";

const WIDTH = PROMISED_RESOURCES.length;

const PROVIDERS = {
  account: column("u32"),
  /** Obligations that closed with nothing delivered of what had to be. */
  failures: column("u32"),
  /** Obligations of jobs that were paid. */
  jobs: column("u32"),
  /** Failures of which nobody said anything until the deadline. */
  lapses: column("u32"),
  /** Results reported, and the seconds from trade to report of them all. */
  reports: column("u32"),
  reportSeconds: column("f64"),
  /** Results that a majority did not agree with: no proof of anything. */
  disagreements: column("u32"),
  /** Results that were run again and found right, and found wrong. */
  auditsPassed: column("u32"),
  auditsFailed: column("u32"),
  /** Of the running epoch, by resource. */
  epochUnits: column("f64", WIDTH),
  epochFeesMicros: column("f64", WIDTH),
  /** What its deliveries brought before the fee. */
  epochSalesMicros: column("f64", WIDTH),
  /** Since the region began, by resource: what was delivered, and what it brought after the fee. */
  units: column("f64", WIDTH),
  earnedMicros: column("f64", WIDTH),
};

export type Providers = Table<typeof PROVIDERS>;

/** An empty table of providers. */
export function createProviders(): Providers {
  return new Table(PROVIDERS);
}

/** What a provider has delivered and failed to deliver. */
export interface ProviderCounts {
  readonly failures: number;
  readonly units: number;
  readonly earnedMicros: number;
  readonly epochUnits: number;
  readonly epochFeesMicros: number;
  readonly epochSalesMicros: number;
}

const NONE: ProviderCounts = {
  failures: 0,
  units: 0,
  earnedMicros: 0,
  epochUnits: 0,
  epochFeesMicros: 0,
  epochSalesMicros: 0,
};

/** Cell of a resource in a row. */
export function cellOf(row: number, resource: PromisedResource): number {
  return row * WIDTH + PROMISED_RESOURCES.indexOf(resource);
}

/** What is counted of a provider and a resource. */
export function countsAt(
  { columns }: Providers,
  row: number | undefined,
  resource: PromisedResource,
): ProviderCounts {
  if (row === undefined) return NONE;
  const cell = cellOf(row, resource);
  return {
    failures: columns.failures[row] as number,
    units: columns.units[cell] as number,
    earnedMicros: columns.earnedMicros[cell] as number,
    epochUnits: columns.epochUnits[cell] as number,
    epochFeesMicros: columns.epochFeesMicros[cell] as number,
    epochSalesMicros: columns.epochSalesMicros[cell] as number,
  };
}
