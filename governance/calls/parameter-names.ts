// Owns how a region's governed values are written for the contract, by their places in it. It refuses to know their names and
// bounds, which are protocol's.

import { GOVERNED_VALUES, type GovernedValue } from "../../protocol/governed-values.ts";

/** As in the contract's enum. Amounts of the token are base units, of the quote asset micros, times seconds. */
export const PARAMETER_NAMES = GOVERNED_VALUES;
export type ParameterName = GovernedValue;

/** Values by name as the contract takes them. */
export function parameterValues(values: Readonly<Record<ParameterName, number | string>>): bigint[] {
  return GOVERNED_VALUES.map((name) => BigInt(values[name]));
}
