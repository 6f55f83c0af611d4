// Owns the picture of one clearing: the staircases of demand and supply and where they met. It refuses to smooth them.

import uPlot from "uplot";
import type { ClearedSlot, Curve } from "../../clients/sdk/client.ts";
import { energyText, priceText } from "../figures/amounts.ts";
import { stairsOf } from "../figures/stairs.ts";
import { CHART_FONT, colour } from "./palette.ts";

export class CurveChart {
  readonly #container: HTMLElement;
  #slot: ClearedSlot | null = null;
  #currency = "";
  #plot: uPlot | null = null;

  constructor(container: HTMLElement) {
    this.#container = container;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(container);
  }

  /** Draws a slot's curve. */
  show(slot: ClearedSlot, currency: string): void {
    this.#slot = slot;
    this.#currency = currency;
    if (this.#plot === null) {
      this.#container.replaceChildren();
      this.#plot = this.#create();
    }
    this.#plot.setData(dataOf(slot.curve));
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
            values: (_self, splits) => splits.map((wh) => (Number.isInteger(wh) ? energyText(wh) : "")),
          },
          {
            ...common,
            grid,
            scale: "price",
            size: 52,
            gap: 4,
            space: 36,
            values: (_self, splits) => splits.map((micros) => priceText(Math.round(micros), this.#currency)),
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
    const price = this.#slot?.priceMicrosPerKwh ?? low;
    const [bottom, top] = [Math.min(0, low, price), Math.max(high, price)];
    return [bottom * 1.1, Math.max(top * 1.15, 10_000)];
  }

  /** The price across, and the point where what was traded meets it. */
  #drawMeeting({ ctx, bbox, valToPos }: uPlot): void {
    const { priceMicrosPerKwh = null, tradedWh = 0 } = this.#slot ?? {};
    if (priceMicrosPerKwh === null) return;
    const y = valToPos(priceMicrosPerKwh, "price", true);
    const x = valToPos(tradedWh, "x", true);
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

function dataOf(curve: Curve): uPlot.AlignedData {
  const { wh, bids, asks } = stairsOf(curve);
  return [wh, bids, asks];
}
