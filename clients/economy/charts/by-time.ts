// Owns the charts whose axis is time: fees against rewards, providers, supply. It refuses days: a point is a period's mean or its
// last day.

import { CURVES, EPOCHS_PER_YEAR, PERIOD_EPOCHS, type Resource } from "../assumptions.ts";
import type { EconomyRun } from "../economy.ts";
import { dayTotals, type EconomyResult, modelledIn } from "../result.ts";
import type { EpochRow } from "../run.ts";
import {
  type Chart,
  CURVE_COLOURS,
  curveInWords,
  FEES,
  INK,
  MUTED,
  PRICE_COLOURS,
  page,
  resourceInWords,
  tokenPrice,
} from "./style.ts";

const CURVE_HEADINGS = CURVES.map(({ name }) => curveInWords(name));
const YEAR_AXIS = { title: "year", tickMinStep: 1, grid: false } as const;
const SUPPLY_HEIGHT = 300;
const LABEL_HEIGHT = 17;
const MICROS = 1e6;
const TOKEN = 10n ** 18n;
const TOKEN_MICROS = 10n ** 12n;

/** Micros and base units become what a picture can show; nothing is computed from it. */
const inMoney = (micros: bigint | number): number => Number(micros) / MICROS;
const inTokens = (units: bigint): number => Number(units / TOKEN_MICROS) / MICROS;
const yearOf = (epoch: number): number => epoch / EPOCHS_PER_YEAR;

/** The first price that is the break-even price or above, and the next: where rewards begin to outrun fees. */
export function pricesAroundBreakEven({
  pricesMicros,
  breakEvenMicrosPerToken: breakEven,
}: EconomyResult): bigint[] {
  const from = pricesMicros.findIndex((price) => price > 0n && price >= (breakEven ?? 0n));
  return from === -1 ? pricesMicros.slice(-1) : pricesMicros.slice(from, from + 2);
}

/** Whole periods of a run. */
function periodsOf(rows: readonly EpochRow[]): EpochRow[][] {
  const count = Math.floor(rows.length / PERIOD_EPOCHS);
  return Array.from({ length: count }, (_, index) =>
    rows.slice(index * PERIOD_EPOCHS, (index + 1) * PERIOD_EPOCHS),
  );
}

interface Flow {
  readonly curve: string;
  readonly kind: string;
  readonly year: number;
  readonly perDay: number;
}

const FEES_KIND = "fees to the treasury";
const worthAt = (price: bigint): string => `rewards at ${tokenPrice(price)} a token`;
const emittedAt = (price: bigint): string => `all that may be emitted, at ${tokenPrice(price)}`;

/** A run's means of periods: rewards at its price, and with the first of the prices also fees and emission. */
function flowsOf({ curve, tokenMicros, rows }: EconomyRun, first: bigint): Flow[] {
  return periodsOf(rows).flatMap((period) => {
    let fees = 0;
    let rewards = 0n;
    let emission = 0n;
    for (const row of period) {
      const totals = dayTotals(row);
      fees += totals.feesMicros;
      rewards += totals.rewards;
      emission += row.emission;
    }
    const { epoch } = period[period.length - 1] as EpochRow;
    const aDay = (kind: string, micros: bigint | number): Flow => ({
      curve: curveInWords(curve.name),
      year: yearOf(epoch + 1),
      kind,
      perDay: inMoney(micros) / PERIOD_EPOCHS,
    });
    const worth = (units: bigint) => (units * tokenMicros) / TOKEN;
    const line = aDay(worthAt(tokenMicros), worth(rewards));
    if (tokenMicros !== first) return [line];
    return [line, aDay(FEES_KIND, fees), aDay(emittedAt(first), worth(emission))];
  });
}

/** A name beside the line of the emission, and one in the area of the fees: the legend has the others, which wobble. */
function namesOf(flows: readonly Flow[], first: bigint, years: number): (Flow & { name: string })[] {
  const nameAt = (kind: string, part: number) =>
    flows.find((flow) => flow.kind === kind && flow.year >= years * part) ?? null;
  const emission = nameAt(emittedAt(first), 0.22);
  const fees = nameAt(FEES_KIND, 0.45);
  return [
    ...(emission === null ? [] : [{ ...emission, name: `emission at ${tokenPrice(first)}` }]),
    ...(fees === null ? [] : [{ ...fees, perDay: 0, name: "fees" }]),
  ];
}

/** Fees as an area, and rewards at two prices as lines over it. */
export function feesAgainstRewards(result: EconomyResult, runs: readonly EconomyRun[]): Chart {
  const shown = pricesAroundBreakEven(result);
  const [first = 0n] = shown;
  const values = runs
    .filter(({ tokenMicros }) => shown.includes(tokenMicros))
    .flatMap((run) => flowsOf(run, first));
  const kinds = [FEES_KIND, ...shown.map(worthAt), emittedAt(first)];
  const colours = [FEES, "#2b6cb0", "#c53030"].slice(0, kinds.length - 1).concat(MUTED);
  const encoding = timeEncoding(kinds, colours);
  const named = namesOf(values, first, result.years);
  return {
    name: "fees-against-rewards",
    spec: {
      ...page("Rewards outrun fees only above the break-even price", [
        "Fees that the treasury took, and what the rewards of the same days were worth, EUR a day (means of four weeks).",
        `At the break-even price of ${tokenPrice(result.breakEvenMicrosPerToken ?? 0n)} rewards are worth the fees at the most, and less where the emission is less.`,
      ]),
      data: { values: [...values, ...named] },
      facet: { column: { field: "curve", type: "nominal", sort: CURVE_HEADINGS, title: null } },
      spec: {
        width: 270,
        height: 230,
        layer: [
          {
            transform: [{ filter: `!datum.name && datum.kind === "${FEES_KIND}"` }],
            mark: { type: "area", opacity: 0.9 },
            encoding,
          },
          {
            transform: [{ filter: "!datum.name" }, { filter: { field: "kind", oneOf: shown.map(worthAt) } }],
            mark: { type: "line", strokeWidth: 2 },
            encoding,
          },
          {
            transform: [{ filter: "!datum.name" }, { filter: { field: "kind", equal: emittedAt(first) } }],
            mark: { type: "line", strokeWidth: 1.5, strokeDash: [5, 4] },
            encoding,
          },
          {
            transform: [{ filter: "datum.name" }],
            mark: {
              type: "text",
              align: "left",
              baseline: "bottom",
              dx: 3,
              dy: -2,
              fontSize: 10.5,
              color: INK,
            },
            encoding: { x: encoding.x, y: encoding.y, text: { field: "name", type: "nominal" } },
          },
        ],
      },
      resolve: { scale: { y: "shared" } },
    },
  };
}

function timeEncoding(kinds: readonly string[], colours: readonly string[]) {
  return {
    x: { field: "year", type: "quantitative", axis: YEAR_AXIS },
    y: { field: "perDay", type: "quantitative", axis: { title: "EUR a day" } },
    color: {
      field: "kind",
      type: "nominal",
      scale: { domain: [...kinds], range: [...colours] },
      legend: { title: null, columns: 2 },
    },
  } as const;
}

/** The lowest price, the highest, and two between. */
function fewPrices({ pricesMicros }: EconomyResult): bigint[] {
  const most = pricesMicros.length - 1;
  const places = [0, Math.round(most * 0.3), Math.round(most * 0.72), most];
  return [...new Set(places)].map((place) => pricesMicros[place] as bigint);
}

/** Who sells, by resource, curve and price: a row of pictures a resource, with one scale. */
export function providersByPrice(result: EconomyResult, runs: readonly EconomyRun[]): Chart {
  const shown = fewPrices(result);
  const drawn = runs.filter(({ tokenMicros }) => shown.includes(tokenMicros));
  return {
    name: "providers",
    spec: {
      ...page("Providers that sell, by what a token is worth", [
        "A provider stays while its sales and its rewards bear its cost, and comes where it expects that.",
        `Above ${tokenPrice(result.breakEvenMicrosPerToken ?? 0n)} a token, trading with oneself pays too.`,
      ]),
      vconcat: modelledIn(result).map((resource) => ({
        title: { text: resourceInWords(resource), anchor: "start", fontSize: 13, offset: 2 },
        data: { values: drawn.flatMap((run) => providersOf(run, resource)) },
        facet: {
          column: {
            field: "curve",
            type: "nominal",
            sort: CURVE_HEADINGS,
            title: null,
            header: { labelFontWeight: "normal", labelFontSize: 12 },
          },
        },
        spec: {
          width: 260,
          height: resource === "energy" ? 170 : 90,
          mark: { type: "line", strokeWidth: 2, interpolate: "step-after" },
          encoding: {
            x: { field: "year", type: "quantitative", axis: YEAR_AXIS },
            y: { field: "providers", type: "quantitative", axis: { title: "providers", tickCount: 4 } },
            color: {
              field: "price",
              type: "nominal",
              scale: { domain: shown.map(tokenPrice), range: [...PRICE_COLOURS] },
              legend: { title: "a token is worth", titleOrient: "left" },
            },
          },
        },
      })),
    },
  };
}

function providersOf({ curve, tokenMicros, rows }: EconomyRun, resource: Resource) {
  return periodsOf(rows).map((period) => {
    const { epoch, resources } = period[0] as EpochRow;
    return {
      curve: curveInWords(curve.name),
      price: tokenPrice(tokenMicros),
      year: yearOf(epoch),
      providers: resources[resource].providers,
    };
  });
}

/** What there is of the token, beside what might have been. */
export function supplyByCurve(result: EconomyResult, runs: readonly EconomyRun[]): Chart {
  const [price = 0n] = pricesAroundBreakEven(result);
  const { atBirth, cap } = result.token;
  const drawn = runs.filter(({ tokenMicros }) => tokenMicros === price);
  const lines = [
    ...drawn.map(({ curve, rows }) =>
      supplyLine(curveInWords(curve.name), rows, ({ minted }) => atBirth + minted),
    ),
    ...drawn.slice(0, 1).map(({ rows }) => {
      let emitted = atBirth;
      return supplyLine("all of the emission", rows, ({ emission }) => (emitted += emission));
    }),
  ];
  const shape = {
    x: { field: "year", type: "quantitative", axis: YEAR_AXIS },
    color: {
      field: "kind",
      type: "nominal",
      scale: {
        domain: lines.map(({ kind }) => kind),
        range: [...CURVE_COLOURS.slice(0, drawn.length), MUTED],
      },
      legend: null,
    },
  } as const;
  const axis = { title: "tokens", format: "~s" } as const;
  return {
    name: "supply",
    spec: {
      ...page("Tokens there are, and how many the emission allows", [
        `At ${tokenPrice(price)} a token. What no rule reaches is never minted.`,
        `They begin with ${inTokens(atBirth).toLocaleString("en")}; their cap of ${inTokens(cap).toLocaleString("en")} is far above this picture.`,
      ]),
      width: 560,
      height: SUPPLY_HEIGHT,
      layer: [
        {
          data: { values: lines.flatMap(({ points }) => points) },
          mark: { type: "line", strokeWidth: 2.2 },
          encoding: { ...shape, y: { field: "supply", type: "quantitative", axis } },
        },
        {
          data: { values: apart(lines) },
          mark: { type: "text", align: "left", dx: 6, fontSize: 12 },
          encoding: {
            ...shape,
            y: { field: "supply", type: "quantitative", axis },
            text: { field: "label", type: "nominal" },
          },
        },
      ],
    },
  };
}

interface SupplyPoint {
  readonly kind: string;
  readonly year: number;
  readonly supply: number;
}

interface SupplyLine {
  readonly kind: string;
  readonly points: readonly SupplyPoint[];
}

/** @param supplyOf is called for every epoch in its order; a point is drawn for each period, and at the end. */
function supplyLine(
  kind: string,
  rows: readonly EpochRow[],
  supplyOf: (row: EpochRow) => bigint,
): SupplyLine {
  const points = rows.flatMap((row) => {
    const supply = inTokens(supplyOf(row));
    const isDrawn = row.epoch % PERIOD_EPOCHS === 0 || row.epoch === rows.length - 1;
    return isDrawn ? [{ kind, year: yearOf(row.epoch + 1), supply }] : [];
  });
  return { kind, points };
}

/** A label at the end of each line, moved up where it would lie on another. */
function apart(lines: readonly SupplyLine[]) {
  const ends = lines.map(({ points }) => points[points.length - 1] as SupplyPoint);
  const most = Math.max(...ends.map(({ supply }) => supply));
  const gap = (most * LABEL_HEIGHT) / SUPPLY_HEIGHT;
  let free = 0;
  return ends
    .toSorted((a, b) => a.supply - b.supply)
    .map((end) => {
      const supply = Math.max(end.supply, free);
      free = supply + gap;
      return { ...end, supply, label: `${end.kind}, ${Math.round(end.supply).toLocaleString("en")}` };
    });
}
