// Owns the picture of a window's claims: a bar a quarter-hour, exports up, imports down, what is kept back lighter. It
// refuses colours of its own; the style sheet has them.

import { energyText } from "../figures/amounts.ts";
import type { ClaimedSlot } from "../figures/claims.ts";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 960;
const HEIGHT = 200;
/** Between two bars, of a bar's width. */
const GAP_SHARE = 0.18;

/** Draws the bars. @param timeOf the span of the slot at an index, for whoever points at it. */
export function drawClaims(
  box: HTMLElement,
  slots: readonly ClaimedSlot[],
  timeOf: (index: number) => string,
): void {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
  const most = (isExport: boolean): number =>
    slots.reduce((high, slot) => (slot.isExport === isExport ? Math.max(high, slot.readingWh) : high), 0);
  const [up, down] = [most(true), most(false)];
  const perWh = up + down === 0 ? 0 : HEIGHT / (up + down);
  const lineY = up + down === 0 ? HEIGHT / 2 : up * perWh;
  const stride = WIDTH / slots.length;
  slots.forEach((slot, index) => {
    const { isExport, readingWh, claimedWh } = slot;
    const bar = (fromWh: number, toWh: number, kind: string): SVGElement =>
      element("rect", {
        class: kind,
        x: String(index * stride + (stride * GAP_SHARE) / 2),
        width: String(stride * (1 - GAP_SHARE)),
        y: String(isExport ? lineY - toWh * perWh : lineY + fromWh * perWh),
        height: String((toWh - fromWh) * perWh),
      });
    const title = element("title", {});
    title.textContent = `${timeOf(index)}: ${isExport ? "given" : "taken"} ${energyText(readingWh)}, claimed ${energyText(claimedWh)}`;
    // The whole column answers to the pointer, so that small bars can be pointed at too.
    const target = element("rect", {
      class: "target",
      x: String(index * stride),
      width: String(stride),
      y: "0",
      height: String(HEIGHT),
    });
    const group = element("g", {});
    group.append(title, target, bar(0, claimedWh, "claimed"), bar(claimedWh, readingWh, "kept"));
    svg.append(group);
  });
  svg.append(
    element("line", { class: "zero", x1: "0", x2: String(WIDTH), y1: String(lineY), y2: String(lineY) }),
  );
  box.replaceChildren(svg);
}

function element(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made as SVGElement;
}
