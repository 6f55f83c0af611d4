// Owns the shape of a measured row and how rows are printed. It refuses a ratio where there is no peer.

import CliTable from "cli-table3";
import pc from "picocolors";

/** One line of bench/results.json. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly peer: number | null;
  /** ours ÷ peer, null where there is no peer. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  /** What the row must keep to; every row without a peer has one. */
  readonly limit?: string;
  /** Whether that limit was kept in this run. */
  readonly isWithinLimit?: boolean;
  /** How it was measured and what else was seen. */
  readonly note?: string;
}

/** Measures one file's rows; `say` tells of progress. */
export type Measurement = (say: (line: string) => void) => Promise<readonly Row[]>;

/** A row with a peer measured in the same run. */
export function compared(row: Omit<Row, "ratio" | "peer"> & { readonly peer: number }): Row {
  return { ...row, ours: rounded(row.ours), peer: rounded(row.peer), ratio: rounded(row.ours / row.peer) };
}

/** A row that only a limit judges. */
export function limited(row: Omit<Row, "ratio" | "peer"> & { readonly limit: string }): Row {
  return { ...row, ours: rounded(row.ours), peer: null, ratio: null };
}

/** Four significant digits: the noise is in the second. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The rows as a table for a terminal. */
export function tableOf(rows: readonly Row[]): string {
  const table = new CliTable({
    head: ["name", "ours", "peer", "ratio", "unit", "better", "limit"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right", "left", "left", "left"],
  });
  for (const { name, ours, peer, ratio, unit, higherIsBetter, limit, isWithinLimit } of rows) {
    const mark = isWithinLimit === undefined ? "" : isWithinLimit ? pc.green(" kept") : pc.red(" NOT KEPT");
    table.push([
      name,
      String(ours),
      peer === null ? "none" : String(peer),
      ratio === null ? "" : String(ratio),
      unit,
      higherIsBetter ? "more" : "less",
      `${limit ?? ""}${mark}`,
    ]);
  }
  return table.toString();
}
