// Owns the colours that charts draw with, read from the style sheet so that both schemes have one home. It refuses to
// name a colour itself.

/** Names of the custom properties in style.css, without the dashes. */
export type Colour =
  | "ink"
  | "muted"
  | "line"
  | "own"
  | "neighbours"
  | "grid"
  | "price"
  | "own-open"
  | "grid-open"
  | "select"
  | "demand"
  | "supply";

const read = new Map<Colour, string>();

/** A colour of the scheme in use. */
export function colour(name: Colour): string {
  let value = read.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    read.set(name, value);
  }
  return value;
}

/** Calls back when the scheme changes, after which `colour` answers anew. */
export function onSchemeChange(redraw: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    read.clear();
    redraw();
  });
}

/** What canvas text is set in. */
export const CHART_FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
