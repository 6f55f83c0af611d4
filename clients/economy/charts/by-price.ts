// Owns the charts of trading with oneself: its result by the token's price, and its part of the emission by the limit on rewards.
// It refuses prices so high that the break-even price could not be seen any more.

import { CURVES, EPOCHS_PER_YEAR } from "../assumptions.ts";
import { type EconomyResult, modelledIn, type RunResult } from "../result.ts";
import { SELF_TRADER_PERCENT } from "../run.ts";
import {
  type Chart,
  CURVE_COLOURS,
  curveInWords,
  INK,
  MUTED,
  PRICE_COLOURS,
  page,
  resourceInWords,
  tokenPrice,
} from "./style.ts";

const CURVE_HEADINGS = CURVES.map(({ name }) => curveInWords(name));
const MICROS = 1e6;
/** Of the break-even price. */
const MOST_TIMES = 10n;

/** A year's loss or gain of a self-trader, by what a token is worth. */
function resultsByPrice(result: EconomyResult) {
  const { curves } = result;
  const modelled = modelledIn(result);
  const breakEven = result.breakEvenMicrosPerToken ?? 0n;
  const isShown = ({ tokenMicros }: RunResult) => breakEven === 0n || tokenMicros <= breakEven * MOST_TIMES;
  return curves.flatMap(({ curve, runs }) =>
    runs.filter(isShown).flatMap(({ tokenMicros, years }) =>
      modelled.map((resource) => {
        const sum = years.reduce((all, year) => all + year.resources[resource].selfTradeResultMicros, 0n);
        const epochs = years.reduce((all, year) => all + year.epochs, 0);
        return {
          curve: curveInWords(curve),
          resource: resourceInWords(resource),
          price: Number(tokenMicros) / MICROS,
          perYear: (Number(sum) / MICROS / epochs) * EPOCHS_PER_YEAR,
        };
      }),
    ),
  );
}

/** They cross zero at the break-even price, or above it. */
export function selfTradingByPrice(result: EconomyResult): Chart {
  const breakEven = result.breakEvenMicrosPerToken ?? 0n;
  const marked = [{ at: Number(breakEven) / MICROS, label: `break-even, ${tokenPrice(breakEven)}` }];
  return {
    name: "self-trading",
    spec: {
      ...page("Trading with oneself loses below the break-even price, and pays above it", [
        `A self-trader that adds ${SELF_TRADER_PERCENT} % to everybody's volume, EUR a year, by what a token is worth.`,
        "A kWh pays the grid's fee besides, so energy's own break-even is above: the more others sell, the more.",
        "Of what has no grid fee it is the same under each demand: there the emission alone is the limit.",
      ]),
      data: { values: resultsByPrice(result) },
      facet: {
        column: {
          field: "resource",
          type: "nominal",
          sort: modelledIn(result).map(resourceInWords),
          title: null,
        },
      },
      spec: {
        width: 270,
        height: 250,
        layer: [
          { mark: { type: "rule", color: INK, strokeWidth: 1 }, encoding: { y: { datum: 0 } } },
          {
            data: { values: marked },
            mark: { type: "rule", color: MUTED, strokeDash: [5, 4] },
            encoding: { x: { field: "at", type: "quantitative" } },
          },
          {
            data: { values: marked },
            mark: { type: "text", color: "#555555", align: "left", baseline: "top", dx: 5, dy: 2 },
            encoding: {
              x: { field: "at", type: "quantitative" },
              y: { value: 0 },
              text: { field: "label", type: "nominal" },
            },
          },
          {
            mark: { type: "line", strokeWidth: 2, point: { size: 26 } },
            encoding: {
              x: {
                field: "price",
                type: "quantitative",
                axis: { title: "EUR a token", grid: false, tickCount: 6 },
              },
              y: { field: "perYear", type: "quantitative", axis: { title: "EUR a year" } },
              color: {
                field: "curve",
                type: "nominal",
                scale: { domain: CURVE_HEADINGS, range: [...CURVE_COLOURS] },
                legend: { title: null },
              },
            },
          },
        ],
      },
      resolve: { scale: { y: "shared" } },
    },
  };
}

/** What part of the emission a self-trader takes, by how many tokens a fee may earn. */
export function selfTradingByLimit(result: EconomyResult): Chart {
  const above = result.pricesMicros.filter((price) => price > 0n);
  const shown = above.slice(0, PRICE_COLOURS.length);
  const values = result.selfTraderShares.flatMap(({ curve, rewardPerFee, atPrices }) =>
    atPrices
      .filter(({ tokenMicros }) => shown.includes(tokenMicros))
      .map(({ tokenMicros, shareBps }) => ({
        curve: curveInWords(curve),
        price: tokenPrice(tokenMicros),
        perFee: Number(BigInt(rewardPerFee) / 10n ** 12n) / MICROS,
        share: shareBps / 10_000,
      })),
  );
  return {
    name: "self-trader-share",
    spec: {
      ...page("The more tokens a fee may earn, the sooner a self-trader takes the emission", [
        "What a self-trader takes of it that picks its volume, up to ten times what everybody else sells.",
        "While a token is worth no more than 1 EUR ÷ that many, the best it can do is nothing.",
      ]),
      data: { values },
      facet: { column: { field: "curve", type: "nominal", sort: CURVE_HEADINGS, title: null } },
      spec: {
        width: 270,
        height: 220,
        mark: { type: "line", strokeWidth: 2, point: { size: 30 } },
        encoding: {
          x: {
            field: "perFee",
            type: "quantitative",
            scale: { type: "log", base: 2 },
            axis: {
              title: "tokens that 1 EUR of fees may earn",
              grid: false,
              format: "~g",
              values: [...new Set(values.map(({ perFee }) => perFee))],
            },
          },
          y: {
            field: "share",
            type: "quantitative",
            scale: { domain: [0, 1] },
            axis: { title: "of the emission", format: "%" },
          },
          color: {
            field: "price",
            type: "nominal",
            scale: { domain: shown.map(tokenPrice), range: [...PRICE_COLOURS] },
            legend: { title: "a token is worth", titleOrient: "left" },
          },
        },
      },
    },
  };
}
