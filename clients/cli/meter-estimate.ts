// Owns `meter estimate`: which tariff, which terms, which share, and how the result is written. It refuses to hide an
// assumption: each is printed below the figures.

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { MAX_TAKE_RATE_BPS } from "../../protocol/limits.ts";
import { type ReadTariff, readOffer, readWholesale, type SlotSpan } from "../household/retail-offers.ts";
import { parseTariff, type Tariff } from "../household/tariff.ts";
import { type Estimate, type EstimateRow, estimate } from "../meter/estimate.ts";
import { fixedShare, type MarketShare, measuredShare } from "../meter/market-share.ts";
import type { MeterClock } from "../meter/meter-clock.ts";
import type { ReadOptions } from "../meter/read-meter.ts";
import { readRecordedMeter } from "../meter/recorded-meter.ts";
import { placeOf } from "./context.ts";
import { kwh, money, table } from "./figures.ts";
import type { FileOptions } from "./meter-commands.ts";
import { price, share, whole } from "./options.ts";

interface EstimateOptions extends FileOptions {
  readonly tariff: string;
  readonly meter?: string;
  readonly feedIn?: number;
  readonly adder: number;
  readonly share?: number;
  readonly url?: string;
  readonly region?: string;
  readonly fee?: number;
  readonly takeRate?: number;
  readonly json?: boolean;
}

/** The terms of a region, or assumed ones. */
interface Terms {
  readonly networkFeeMicrosPerKwh: number;
  readonly takeRateBps: number;
  readonly clearingPriceK: number;
  readonly counterpart: Tariff;
  readonly share: MarketShare;
  readonly assumptions: readonly string[];
}

/** Fees of the example region. */
const DEFAULT_FEE_MICROS_PER_KWH = 20_000;
const DEFAULT_TAKE_RATE_BPS = 100;
const MID_GAP = 5_000;
/** 17,700 of 45,900 exported kWh of a measured street of seventeen homes found a neighbour in the same quarter-hour. */
const DEFAULT_SHARE = 0.39;

/** Completes the command with its options. */
export function estimateCommand(
  command: Command,
  readOptionsOf: (options: FileOptions) => ReadOptions,
): void {
  command
    .requiredOption(
      "--tariff <file>",
      "the home's own: a tariff file, a list of offers#name, or wholesale prices.csv",
    )
    .option("--meter <name>", "which meter, where the file has several")
    .option("--feed-in <price>", "what export earns per kWh, where the tariff is wholesale prices", price)
    .option("--adder <price>", "what grid and supplier add to wholesale prices, per kWh", price, 0)
    .option("--share <part>", "part of surplus and need that finds a counterpart, 0 to 1", share)
    .option("--url <url>", "a deployment: its region's terms, and the share it traded")
    .option("--region <id>", "the region; may be left out where there is one")
    .option("--fee <price>", "network fee per kWh, without a region", price)
    .option(
      "--take-rate <bps>",
      "take rate in hundredths of a percent, without a region",
      whole(0, MAX_TAKE_RATE_BPS),
    )
    .option("--json", "as JSON")
    .action((files: string[], options: EstimateOptions) => run(files, options, readOptionsOf(options)));
}

async function run(files: string[], options: EstimateOptions, read: ReadOptions): Promise<void> {
  const { household, clock, remarks } = await readRecordedMeter(files, { ...read, meter: options.meter });
  const [fromSlot = 0] = household.slots;
  const span = { fromSlot, untilSlot: (household.slots.at(-1) ?? fromSlot) + 1 };
  const own = tariffOf(options, span);
  const { assumptions, ...terms } = await termsOf(options, own.tariff);
  const result = estimate(household, { ...terms, tariff: own.tariff, clock });
  const all = [...own.assumptions, ...assumptions, terms.share.description, ...figuresLeftOut(result)];
  if (options.json) console.log(JSON.stringify({ ...result, assumptions: all, remarks }));
  else console.log(textOf(result, own.tariff, clock, all, remarks));
}

function tariffOf({ tariff, feedIn, adder }: EstimateOptions, span: SlotSpan): ReadTariff {
  const hash = tariff.indexOf("#");
  if (hash > 0) return readOffer(tariff.slice(0, hash), tariff.slice(hash + 1), span);
  if (/\.csv(\.gz)?$/.test(tariff)) {
    if (feedIn === undefined) throw new Error("wholesale prices say not what export earns: give --feed-in");
    return readWholesale(tariff, { adderMicrosPerKwh: adder, feedInMicrosPerKwh: feedIn });
  }
  return { tariff: parseTariff(JSON.parse(readFileSync(tariff, "utf8"))), assumptions: [] };
}

async function termsOf(options: EstimateOptions, own: Tariff): Promise<Terms> {
  const { url, region, fee, takeRate } = options;
  if (url === undefined && region === undefined) {
    const networkFeeMicrosPerKwh = fee ?? DEFAULT_FEE_MICROS_PER_KWH;
    const takeRateBps = takeRate ?? DEFAULT_TAKE_RATE_BPS;
    return {
      networkFeeMicrosPerKwh,
      takeRateBps,
      clearingPriceK: MID_GAP,
      counterpart: own,
      share:
        options.share === undefined
          ? fixedShare(DEFAULT_SHARE, ", as did the export of a measured street of homes")
          : fixedShare(options.share),
      assumptions: [
        `no region is named: a network fee of ${money(networkFeeMicrosPerKwh)} per kWh and a take rate of ${takeRateBps / 100} % are assumed`,
        "home and counterpart post the default order under the same tariff, and the price is in the middle",
      ],
    };
  }
  if (fee !== undefined || takeRate !== undefined)
    throw new Error("the region says its fee and take rate: leave out --fee and --take-rate, or the region");
  const place = await placeOf({
    url: url ?? process.env.POLDER_URL ?? "http://127.0.0.1:8787",
    ...(region === undefined ? {} : { region }),
  });
  const { profile, market } = await place.client.region(place.region);
  if (market === null) throw new Error(`${place.region} is not opened yet`);
  const reference = profile.tariffs[0];
  const { networkFeeMicrosPerKwh, takeRateBps, clearingPriceK } = market.parameters;
  const counterpart: Tariff =
    reference === undefined
      ? own
      : {
          name: reference.name,
          currency: profile.currency,
          feedInMicrosPerKwh: reference.feedInMicrosPerKwh,
          retail: { kind: "flat", microsPerKwh: reference.retailMicrosPerKwh },
        };
  return {
    networkFeeMicrosPerKwh,
    takeRateBps,
    clearingPriceK,
    counterpart,
    share:
      options.share === undefined
        ? await measuredShare(place.client, place.region)
        : fixedShare(options.share),
    assumptions: [
      `fee, take rate and price rule are those of ${profile.name} today`,
      `its counterparts post the default order under ${counterpart.name}`,
    ],
  };
}

function figuresLeftOut({ unpricedSlots, tradelessSlots }: Estimate): string[] {
  return [
    "no battery and no other change of use: the home lives as it did",
    ...(unpricedSlots === 0 ? [] : [`${unpricedSlots} quarter-hours have no price and are in no figure`]),
    ...(tradelessSlots === 0
      ? []
      : [`in ${tradelessSlots} quarter-hours the tariffs leave nothing to trade`]),
  ];
}

function textOf(
  { months, total }: Estimate,
  { currency, name }: Tariff,
  clock: MeterClock,
  assumptions: readonly string[],
  remarks: readonly string[],
): string {
  const row = (month: string, sums: EstimateRow) => [
    month,
    sums.slots,
    kwh(sums.surplusWh),
    kwh(sums.needWh),
    kwh(sums.soldWh),
    kwh(sums.boughtWh),
    money(sums.tariffMicros, 2),
    money(sums.marketMicros, 2),
    money(sums.gainMicros, 2),
  ];
  const head = [
    "month",
    "slots",
    "surplus kWh",
    "need kWh",
    "sold kWh",
    "bought kWh",
    "tariff alone",
    "with market",
  ];
  return [
    `${name}, ${currency}; months of ${clock.name}`,
    table([...head, "gain"], [...months.map((sums) => row(sums.month, sums)), row("all", total)]),
    "assumed:",
    ...assumptions.map((assumption) => `  ${assumption}`),
    ...(remarks.length === 0 ? [] : ["of the files:", ...remarks.map((remark) => `  ${remark}`)]),
  ].join("\n");
}
