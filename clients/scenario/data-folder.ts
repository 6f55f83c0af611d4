// Owns telling what kind of data a folder holds. It refuses to guess: a folder that fits no layout is an error that
// names what was looked for.

import { statSync } from "node:fs";
import { type BondiOptions, isBondi, loadBondi } from "./data-bondi.ts";
import { isFontana, loadFontana } from "./data-fontana.ts";
import { DataError, type Dataset } from "./data-set.ts";

/** Loads a folder of measured homes by the files in it. Throws DataError. */
export function loadDataset(folder: string, options: BondiOptions = {}): Dataset {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new DataError(folder, "is not a folder");
  if (isFontana(folder)) return loadFontana(folder);
  if (isBondi(folder)) return loadBondi(folder, options);
  throw new DataError(
    folder,
    "holds no data set: looked for schema.json with pricing.csv (hourly homes), " +
      "and for bondi_load_filled.csv with B_exist_micro.csv (half-hourly flats)",
  );
}
