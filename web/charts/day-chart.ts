// Owns the picture of a day: bars per quarter-hour, above the line what was used, below it what was given away, and the
// price. It refuses to compute: rows come in as they are drawn.

import uPlot from "uplot";
import { SLOT_SECONDS, slotStartS } from "../../protocol/units.ts";
import { energyText, priceText } from "../figures/amounts.ts";
import type { Calendar, Day } from "../figures/calendar.ts";
import type { DayRow } from "../figures/day.ts";
import { CHART_FONT, type Colour, colour } from "./palette.ts";

/** What the chart shows. */
export interface DayView {
  readonly day: Day;
  readonly rows: readonly DayRow[];
  readonly calendar: Calendar;
  readonly currency: string;
  /** Upper end of the price axis unless a price is higher: what the supplier asks. */
  readonly retailMicros: number;
}

export interface DayChartHandlers {
  readonly select: (slot: number) => void;
  /** The slot under the pointer, or null. */
  readonly hover: (slot: number | null) => void;
}

/** Drawn in this order, so that the later ones cover the earlier: stacks are sums. */
const BARS: readonly { readonly colour: Colour; readonly height: (row: DayRow) => number | null }[] = [
  { colour: "grid", height: settled((row) => (row.ownWh ?? 0) + row.boughtWh + row.fromGridWh) },
  { colour: "neighbours", height: settled((row) => (row.ownWh ?? 0) + row.boughtWh) },
  { colour: "own", height: settled((row) => row.ownWh ?? 0) },
  { colour: "grid", height: settled((row) => 0 - row.soldWh - row.toGridWh) },
  { colour: "neighbours", height: settled((row) => 0 - row.soldWh) },
  { colour: "grid-open", height: open((row) => (row.ownWh ?? 0) + row.openImportWh) },
  { colour: "own-open", height: open((row) => row.ownWh ?? 0) },
  { colour: "grid-open", height: open((row) => 0 - row.openExportWh) },
];

function settled(height: (row: DayRow) => number): (row: DayRow) => number | null {
  return (row) => (row.state === "settled" ? height(row) : null);
}

function open(height: (row: DayRow) => number): (row: DayRow) => number | null {
  return (row) => (row.state === "open" ? height(row) : null);
}

export class DayChart {
  readonly #container: HTMLElement;
  readonly #handlers: DayChartHandlers;
  #view: DayView | null = null;
  #selected: number | null = null;
  #plot: uPlot | null = null;

  constructor(container: HTMLElement, handlers: DayChartHandlers) {
    this.#container = container;
    this.#handlers = handlers;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(container);
  }

  /** Draws a day; `selected` is marked. */
  show(view: DayView, selected: number | null): void {
    this.#view = view;
    this.#selected = selected;
    this.#plot ??= this.#create();
    this.#plot.setData(dataOf(view));
  }

  mark(selected: number | null): void {
    this.#selected = selected;
    this.#plot?.redraw(false);
  }

  /** After a change of colours. */
  redraw(): void {
    this.#plot?.redraw();
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(260, this.#container.clientWidth), height: this.#container.clientHeight };
  }

  #create(): uPlot {
    const plot = new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        padding: [8, 0, 0, 0],
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: { time: false, range: () => this.#span() },
          wh: { range: (_self, low, high) => energyRange(low, high) },
          price: { range: (_self, low, high) => this.#priceRange(low, high) },
        },
        axes: this.#axes(),
        series: [{}, ...BARS.map(barSeries), priceSeries()],
        hooks: {
          drawClear: [(self) => this.#drawSelection(self)],
          drawAxes: [drawZero],
          setCursor: [(self) => this.#handlers.hover(this.#slotUnder(self))],
        },
      },
      undefined,
      this.#container,
    );
    plot.over.addEventListener("click", () => {
      const slot = this.#slotUnder(plot);
      if (slot !== null) this.#handlers.select(slot);
    });
    return plot;
  }

  #span(): [number, number] {
    const { first, until } = this.#view?.day ?? { first: 0, until: 96 };
    return [slotStartS(first), slotStartS(until)];
  }

  #priceRange(low: number | null, high: number | null): [number, number] {
    const top = Math.max(this.#view?.retailMicros ?? 0, high ?? 0, 1);
    const bottom = Math.min(0, low ?? 0);
    return [bottom * 1.1, top * 1.05];
  }

  #axes(): uPlot.Axis[] {
    const common = { font: CHART_FONT, stroke: () => colour("muted"), ticks: { show: false } };
    const grid = { stroke: () => colour("line"), width: 1 };
    return [
      {
        ...common,
        grid,
        size: 26,
        gap: 2,
        splits: (self) => this.#hours(self),
        values: (_self, splits) => splits.map((atS) => this.#view?.calendar.time(atS) ?? ""),
      },
      {
        ...common,
        grid,
        scale: "wh",
        size: 50,
        gap: 4,
        space: 40,
        values: (_self, splits) => splits.map((wh) => (Number.isInteger(wh) ? energyText(Math.abs(wh)) : "")),
      },
      {
        ...common,
        grid: { show: false },
        scale: "price",
        side: 1,
        size: 46,
        gap: 4,
        space: 50,
        stroke: () => colour("price"),
        values: (_self, splits) =>
          splits.map((micros) => priceText(Math.round(micros), this.#view?.currency ?? "")),
      },
    ];
  }

  /** Every third full hour of the local day, every sixth on a narrow screen. */
  #hours(self: uPlot): number[] {
    if (this.#view === null) return [];
    const { day, calendar } = this.#view;
    const step = self.width < 560 ? 6 : 3;
    const found: number[] = [];
    for (let slot = day.first; slot < day.until; slot += 1) {
      const atS = slotStartS(slot);
      if (calendar.time(atS).endsWith(":00") && calendar.hour(atS) % step === 0) found.push(atS);
    }
    return found;
  }

  #slotUnder(self: uPlot): number | null {
    const { left } = self.cursor;
    if (left === undefined || left === null || left < 0 || this.#view === null) return null;
    const slot = Math.floor(self.posToVal(left, "x") / SLOT_SECONDS);
    return slot >= this.#view.day.first && slot < this.#view.day.until ? slot : null;
  }

  #drawSelection(self: uPlot): void {
    if (this.#selected === null) return;
    const from = self.valToPos(slotStartS(this.#selected), "x", true);
    const until = self.valToPos(slotStartS(this.#selected + 1), "x", true);
    self.ctx.fillStyle = colour("select");
    self.ctx.fillRect(from, self.bbox.top, Math.max(2, until - from), self.bbox.height);
  }
}

function barSeries({ colour: name }: (typeof BARS)[number]): uPlot.Series {
  return {
    scale: "wh",
    fill: () => colour(name),
    width: 0,
    points: { show: false },
    paths: uPlot.paths.bars?.({
      size: [1, Number.POSITIVE_INFINITY],
      align: 1,
      gap: 1,
    }) as uPlot.Series.PathBuilder,
  };
}

function priceSeries(): uPlot.Series {
  return {
    scale: "price",
    stroke: () => colour("price"),
    width: 2,
    points: { show: false },
    paths: uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder,
  };
}

function dataOf({ rows }: DayView): uPlot.AlignedData {
  return [
    rows.map(({ slot }) => slotStartS(slot)),
    ...BARS.map(({ height }) => rows.map(height)),
    rows.map(({ priceMicros }) => priceMicros),
  ];
}

/** Room around what is drawn; an empty day still has an axis, so that nothing jumps when it fills. */
function energyRange(low: number | null, high: number | null): [number, number] {
  const top = Math.max(0, high ?? 0);
  const bottom = Math.min(0, low ?? 0);
  const height = top - bottom;
  if (height === 0) return [-250, 1000];
  return [bottom - (bottom < 0 ? 0.06 : 0.02) * height, top + 0.06 * height];
}

function drawZero(self: uPlot): void {
  const y = Math.round(self.valToPos(0, "wh", true));
  self.ctx.fillStyle = colour("muted");
  self.ctx.fillRect(self.bbox.left, y, self.bbox.width, Math.max(1, Math.round(devicePixelRatio)));
}
