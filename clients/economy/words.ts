// Owns how the economy is told to people: where rewards outrun fees, who stays at which price, and what trading with oneself comes
// to. It refuses to leave out which resources exist.

import { money, table } from "../cli/figures.ts";
import type { Resource } from "./assumptions.ts";
import {
  type CurveResult,
  type EconomyResult,
  modelledIn,
  type RunResult,
  type YearResult,
} from "./result.ts";

const TOKEN = 10n ** 18n;

/** The run as text, a table a question. */
export function economyInWords(result: EconomyResult): string {
  const { breakEvenMicrosPerToken: breakEven, curves, resources, seed, years, files } = result;
  const modelled = modelledIn(result);
  const prices = result.pricesMicros.map((price) => money(price));
  const named = resources.map(({ resource, exists, weight, isModelled }) => {
    const place = exists ? "" : isModelled ? ", rewarded by no region yet" : ", left out";
    return `${resource} (weight ${weight}${place})`;
  });
  return [
    `${years} years of days, seed ${seed}; ${named.join(", ")}`,
    breakEven === null
      ? "fees earn no rewards"
      : `trading with oneself loses while a token is worth less than ${money(breakEven)}`,
    "",
    "Where rewards outrun fees (providers as they are at the lowest price)",
    table(
      [
        "demand",
        "year",
        "fees",
        "grid's fee",
        "rewards",
        "of emission",
        "outrun above",
        "treasury",
        "a token",
      ],
      curves.flatMap(({ curve, runs: [first] }) =>
        (first?.years ?? []).map((year) => [curve, year.year, ...moneyRow(year)]),
      ),
    ),
    "Days whose rewards were worth more than their fees, by what a token is worth",
    table(
      ["demand", ...prices],
      curves.map(({ curve, runs }) => [curve, ...runs.map(outrunDays)]),
    ),
    "Tokens at the end, the least and the most of these prices",
    table(
      ["demand", "emission", "minted", "supply", "cap"],
      curves.map((curve) => supplyRow(curve, result)),
    ),
    "Providers at the end, by what a token is worth (energy, compute, bandwidth)",
    table(
      ["demand", ...prices],
      curves.map(({ curve, runs }) => [curve, ...runs.map(providersInWords)]),
    ),
    "What a token had to be worth for those who sold to stay, review by review, where it is worth least",
    table(
      ["demand", "resource", "reviews", "no rewards", "least", "half", "all", "no price"],
      curves.flatMap((curve) => modelled.map((resource) => stayRow(curve, resource))),
    ),
    ...selfTradingInWords(result, prices),
    ...files.map((file) => `wrote ${file}`),
  ].join("\n");
}

function selfTradingInWords(result: EconomyResult, prices: readonly string[]): string[] {
  const { curves, selfTraderShares } = result;
  return [
    "A self-trader with a tenth of everybody's volume, over all years, by what a token is worth",
    table(
      ["demand", "resource", ...prices],
      curves.flatMap(({ curve, runs }) =>
        modelledIn(result).map((resource) => [
          curve,
          resource,
          ...runs.map((run) => selfTradeInWords(run, resource)),
        ]),
      ),
    ),
    "A self-trader that picks its volume: its part of the emission, by what a token is worth",
    table(
      ["demand", "tokens per fee", "break-even", ...prices],
      selfTraderShares.map(({ curve, rewardPerFee, breakEvenMicrosPerToken, atPrices }) => [
        curve,
        tokens(BigInt(rewardPerFee), 2),
        money(breakEvenMicrosPerToken ?? 0n),
        ...atPrices.map(({ shareBps }) => percent(shareBps)),
      ]),
    ),
  ];
}

function moneyRow(year: YearResult): string[] {
  return [
    money(year.feesMicros, 0),
    money(year.networkMicros, 0),
    tokens(year.rewards),
    percent(year.emission === 0n ? 0 : Number((year.rewards * 10_000n) / year.emission)),
    year.outrunsAboveMicros === null ? "never" : money(year.outrunsAboveMicros),
    money(year.treasuryAtEndMicros, 0),
    money(year.treasuryPerTokenMicros),
  ];
}

function outrunDays({ years }: RunResult): number {
  return years.reduce((sum, { outrunEpochs }) => sum + outrunEpochs, 0);
}

function supplyRow({ curve, runs }: CurveResult, { token: { cap, atBirth } }: EconomyResult): string[] {
  const minted = runs.map(({ years }) => years[years.length - 1]?.mintedAtEnd ?? 0n);
  const least = minted.reduce((a, b) => (a < b ? a : b));
  const most = minted.reduce((a, b) => (a > b ? a : b));
  const emission = runs[0]?.years.reduce((sum, year) => sum + year.emission, 0n) ?? 0n;
  const span = (from: bigint, to: bigint) => `${tokens(from)} to ${tokens(to)}`;
  return [curve, tokens(emission), span(least, most), span(atBirth + least, atBirth + most), tokens(cap)];
}

function providersInWords({ years }: RunResult): string {
  const last = years[years.length - 1];
  if (last === undefined) return "";
  return Object.values(last.resources)
    .map(({ providersAtEnd }) => providersAtEnd)
    .join(" ");
}

function stayRow({ curve, runs: [first] }: CurveResult, resource: Resource): (string | number)[] {
  const prices = first?.stayPrices[resource];
  if (prices === undefined) return [curve, resource];
  const { judged, withoutRewards, leastMicros, halfMicros, mostMicros, lost } = prices;
  const needed = [leastMicros, halfMicros, mostMicros].map((price) =>
    price === null ? "" : money(price, 3),
  );
  return [curve, resource, judged, withoutRewards, ...needed, lost];
}

function selfTradeInWords({ years }: RunResult, resource: Resource): string {
  return money(
    years.reduce((sum, { resources }) => sum + resources[resource].selfTradeResultMicros, 0n),
    2,
  );
}

/** Base units as tokens, cut. */
function tokens(units: bigint, places = 0): string {
  return money((units * 1_000_000n) / TOKEN, places);
}

function percent(bps: number): string {
  return `${(bps / 100).toFixed(1)} %`;
}
