// Owns whether a deployment runs jobs itself, for which price, and for which account. It refuses figures that are malformed.

import type { Hex } from "../../protocol/fields.ts";
import { MAX_REFEREE_FUEL_MEGA } from "../../protocol/limits.ts";
import type { Env } from "../environment.ts";

/** What the deployment asks in every region of its operator. */
export interface EdgeSettings {
  /** The operator's: it sells, and is paid. */
  readonly account: Hex;
  readonly priceMicrosPerTera: number;
  /** Sizes of the asks that are kept in the book: none is larger than a job that the referee runs. */
  readonly asksMega: readonly number[];
}

/** Asks that are kept at most: more rest in nobody's interest. */
const MOST_ASKS = 16;

/** What the deployment asks, or null where it runs no jobs itself. @throws Error for figures that are none */
export function edgeSettings(
  env: Pick<Env, "OPERATOR" | "EDGE_PRICE_MICROS_PER_TERA" | "EDGE_FUEL_MEGA">,
): EdgeSettings | null {
  const priceMicrosPerTera = figure("EDGE_PRICE_MICROS_PER_TERA", env.EDGE_PRICE_MICROS_PER_TERA);
  const fuelMega = figure("EDGE_FUEL_MEGA", env.EDGE_FUEL_MEGA);
  if (priceMicrosPerTera === 0 || fuelMega === 0 || env.OPERATOR === "") return null;
  const account = env.OPERATOR.toLowerCase() as Hex;
  const whole = Math.min(MOST_ASKS, Math.floor(fuelMega / MAX_REFEREE_FUEL_MEGA));
  const asksMega: number[] = Array.from({ length: whole }, () => MAX_REFEREE_FUEL_MEGA);
  const rest = fuelMega - whole * MAX_REFEREE_FUEL_MEGA;
  if (rest > 0 && whole < MOST_ASKS) asksMega.push(Math.min(rest, MAX_REFEREE_FUEL_MEGA));
  return { account, priceMicrosPerTera, asksMega };
}

/** True for the account whose jobs the deployment itself runs: they go to `EdgeRunner` and not to a node's object. */
export function isEdge(env: Env, account: Hex): boolean {
  return edgeSettings(env)?.account === account;
}

function figure(name: string, text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^(0|[1-9][0-9]{0,11})$/.test(text)) throw new Error(`the variable ${name} is no whole number`);
  return Number(text);
}
