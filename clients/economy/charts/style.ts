// Owns how charts of the economy look: sizes, colours, and names of what is drawn. It refuses anything that moves or is fetched.

import type { TopLevelSpec } from "vega-lite";
import { money } from "../../cli/figures.ts";
import type { CurveName, Resource } from "../assumptions.ts";
import { EXISTS } from "../assumptions.ts";

/** A picture and the name of its file, without its ending. */
export interface Chart {
  readonly name: string;
  readonly spec: TopLevelSpec;
}

export const INK = "#333333";
export const MUTED = "#8a8a8a";
export const FEES = "#c9c2b3";
/** By curve, in their order. */
export const CURVE_COLOURS = ["#2b6cb0", "#2f855a", "#c05621"] as const;
/** From the lowest price to the highest. */
export const PRICE_COLOURS = ["#8a8a8a", "#2b6cb0", "#6b46c1", "#c53030"] as const;

const FONT = "Helvetica, Arial, sans-serif";

/** What all charts share. */
export function page(
  title: string,
  subtitle: readonly string[],
): Pick<TopLevelSpec, "$schema" | "background" | "padding" | "title" | "config"> {
  return {
    background: "white",
    padding: 16,
    title: { text: title, subtitle: [...subtitle], anchor: "start", offset: 18 },
    config: {
      font: FONT,
      title: {
        fontSize: 17,
        subtitleFontSize: 12,
        subtitleColor: "#555555",
        subtitleLineHeight: 16,
        color: INK,
        subtitlePadding: 6,
      },
      axis: {
        labelColor: INK,
        titleColor: INK,
        labelFontSize: 11,
        titleFontSize: 12,
        titleFontWeight: "normal",
        gridColor: "#ececec",
        domainColor: "#bbbbbb",
        tickColor: "#bbbbbb",
        titlePadding: 8,
      },
      legend: {
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: "normal",
        orient: "bottom",
        symbolStrokeWidth: 3,
        labelLimit: 400,
        columnPadding: 18,
        offset: 14,
      },
      header: {
        labelFontSize: 13,
        labelFontWeight: "bold",
        labelColor: INK,
        title: null,
        labelAnchor: "start",
        labelPadding: 6,
      },
      view: { stroke: null },
      text: { font: FONT, fontSize: 11 },
    },
  };
}

const CURVE_WORDS: Readonly<Record<CurveName, string>> = {
  steady: "steady demand",
  growth: "growing demand",
  collapse: "demand that collapses",
};

/** A curve as a heading. */
export const curveInWords = (curve: CurveName): string => CURVE_WORDS[curve];

/** A resource as a heading, with whether there is a market for it. */
export const resourceInWords = (resource: Resource): string =>
  EXISTS[resource] ? resource : `${resource} (no market yet)`;

/** A token's price without zeros at its end. */
export function tokenPrice(micros: bigint): string {
  const digits = money(micros).replace(/\.?0+$/, "");
  return `${digits === "" ? "0" : digits} EUR`;
}
