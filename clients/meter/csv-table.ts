// Owns where in a row of a CSV file its time, meter, quality and values stand. It refuses columns that are not there.

import type { Column, CsvMapping } from "./csv-mapping.ts";
import { placeOf } from "./csv-rows.ts";
import type { Measure } from "./interval.ts";

/** One value of a row. */
export interface ValueColumn {
  readonly place: number;
  readonly name: string;
  readonly measure: Measure;
}

/** The places of a mapping's columns. */
export class CsvTable {
  readonly delimiter: string;
  /** Cells of every row. */
  readonly width: number;
  readonly values: readonly ValueColumn[];
  readonly qualityPlace: number | null;
  readonly #timePlaces: readonly number[];
  readonly #meterPlace: number | null;

  /**
   * @param first cells of the header, or of the first row where the mapping says there is none
   * @throws MeterFileError for a column that is not there
   */
  constructor(file: string, mapping: CsvMapping, delimiter: string, first: readonly string[], line: number) {
    const place = (column: Column) => placeOf(column, first, mapping.header, file, line);
    this.delimiter = delimiter;
    this.width = first.length;
    this.#timePlaces = mapping.time.columns.map(place);
    this.#meterPlace = mapping.meter === undefined ? null : place(mapping.meter);
    this.qualityPlace = mapping.quality === undefined ? null : place(mapping.quality.column);
    const { net, ...oneWay } = mapping.values;
    const values = Object.entries(oneWay).flatMap(([measure, columns]) =>
      (columns ?? []).map((column) => ({ column, measure: measure as Measure })),
    );
    if (net !== undefined) values.push({ column: net.column, measure: "net" });
    this.values = values.map(({ column, measure }) => {
      const at = place(column);
      return { place: at, name: mapping.header ? (first[at] as string) : `column ${at + 1}`, measure };
    });
  }

  timeText(cells: readonly string[]): string {
    const places = this.#timePlaces;
    const first = (cells[places[0] as number] as string).trim();
    if (places.length === 1) return first;
    return places.map((place) => (cells[place] as string).trim()).join(" ");
  }

  meterOf(cells: readonly string[]): string {
    return this.#meterPlace === null ? "1" : (cells[this.#meterPlace] as string).trim();
  }
}
