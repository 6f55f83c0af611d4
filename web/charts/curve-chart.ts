// Owns the picture of demand and supply: their staircases, and where they met if they did. It refuses to smooth them.

import uPlot from "uplot";
import type { Stairs } from "../figures/stairs.ts";
import { CHART_FONT, colour } from "./palette.ts";

/** What is drawn, and how its axes are written. */
export interface CurvePicture {
  readonly stairs: Stairs;
  /** Where the sides met; null where they did not. */
  readonly met: { readonly priceMicros: number; readonly reach: number } | null;
  /** A whole quantity. */
  readonly reachText: (reach: number) => string;
  /** A price of whole micros. */
  readonly priceText: (micros: number) => string;
}

export class CurveChart {
  readonly #container: HTMLElement;
  #picture: CurvePicture | null = null;
  #plot: uPlot | null = null;

  constructor(container: HTMLElement) {
    this.#container = container;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(container);
  }

  /** Draws a picture in place of the one before. */
  show(picture: CurvePicture): void {
    this.#picture = picture;
    if (this.#plot === null) {
      this.#container.replaceChildren();
      this.#plot = this.#create();
    }
    const { reach, bids, asks } = picture.stairs;
    this.#plot.setData([reach, bids, asks]);
  }

  /** Says why there is no curve. */
  showEmpty(reason: string): void {
    this.#plot?.destroy();
    this.#plot = null;
    const box = document.createElement("p");
    box.className = "empty hint";
    box.textContent = reason;
    this.#container.replaceChildren(box);
  }

  redraw(): void {
    this.#plot?.redraw();
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(220, this.#container.clientWidth), height: this.#container.clientHeight };
  }

  #create(): uPlot {
    const common = { font: CHART_FONT, stroke: () => colour("muted"), ticks: { show: false } };
    const grid = { stroke: () => colour("line"), width: 1 };
    return new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        padding: [8, 24, 0, 0],
        cursor: { show: false },
        scales: {
          x: { time: false, range: (_self, _low, high) => [0, Math.max(1, (high ?? 1) * 1.06)] },
          price: { range: (_self, low, high) => this.#priceRange(low ?? 0, high ?? 0) },
        },
        axes: [
          {
            ...common,
            grid,
            size: 26,
            gap: 2,
            space: 70,
            values: (_self, splits) =>
              splits.map((reach) => (Number.isInteger(reach) ? (this.#picture?.reachText(reach) ?? "") : "")),
          },
          {
            ...common,
            grid,
            scale: "price",
            size: 52,
            gap: 4,
            space: 36,
            values: (_self, splits) =>
              splits.map((micros) => this.#picture?.priceText(Math.round(micros)) ?? ""),
          },
        ],
        series: [{}, stairs("demand"), stairs("supply")],
        hooks: { draw: [(self) => this.#drawMeeting(self)] },
      },
      undefined,
      this.#container,
    );
  }

  #priceRange(low: number, high: number): [number, number] {
    const price = this.#picture?.met?.priceMicros ?? low;
    const [bottom, top] = [Math.min(0, low, price), Math.max(high, price)];
    return [bottom * 1.1, Math.max(top * 1.15, 10_000)];
  }

  /** The price across, and the point where what was traded meets it. */
  #drawMeeting({ ctx, bbox, valToPos }: uPlot): void {
    const met = this.#picture?.met ?? null;
    if (met === null) return;
    const y = valToPos(met.priceMicros, "price", true);
    const x = valToPos(met.reach, "x", true);
    ctx.save();
    ctx.strokeStyle = colour("price");
    ctx.fillStyle = colour("price");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(x, y);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.arc(x, y, 4.5 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.restore();
  }
}

function stairs(name: "demand" | "supply"): uPlot.Series {
  return {
    scale: "price",
    stroke: () => colour(name),
    width: 2.5,
    points: { show: false },
    paths: uPlot.paths.stepped?.({ align: -1 }) as uPlot.Series.PathBuilder,
  };
}
