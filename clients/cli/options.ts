// Owns how command lines read values. It refuses what is not exactly a whole number, an address or a price.

import { InvalidArgumentError } from "commander";
import { address as addressField, bytes32, type Hex } from "../../protocol/fields.ts";
import { MAX_REGION_MICROS } from "../../protocol/limits.ts";
import { audience as audienceField } from "../certificate/certificate-file.ts";
import { parseEnergy } from "../certificate/energy-amount.ts";
import { parseDecimalMicros } from "../household/tariff.ts";

/** A whole number within bounds. */
export const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`);
    }
    return value;
  };

/** An account's address. */
export function address(text: string): Hex {
  const decoded = addressField.safeParse(text);
  if (!decoded.success) throw new InvalidArgumentError("must be an address: 0x and 40 hex digits");
  return decoded.data;
}

/** A price per kWh as decimal text, in micros; it is never rounded. */
export function price(text: string): number {
  try {
    return parseDecimalMicros(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "must be a decimal");
  }
}

/** Energy with its unit, in whole Wh. */
export function energy(text: string): number {
  try {
    return parseEnergy(text);
  } catch (error) {
    throw new InvalidArgumentError((error as RangeError).message);
  }
}

/** The name of whoever asks for a certificate. */
export function audience(text: string): string {
  const decoded = audienceField.safeParse(text);
  if (!decoded.success) throw new InvalidArgumentError(decoded.error.issues[0]?.message ?? "must be a name");
  return decoded.data;
}

/** 32 bytes of hex. */
export function word(text: string): Hex {
  const decoded = bytes32.safeParse(text);
  if (!decoded.success) throw new InvalidArgumentError("must be 0x and 64 hex digits");
  return decoded.data;
}

/** Degrees of latitude or longitude; the deployment knows the globe. */
export function degrees(text: string): number {
  if (!/^-?\d{1,3}(\.\d+)?$/.test(text))
    throw new InvalidArgumentError("must be a number of degrees, such as 52.5");
  return Number(text) + 0;
}

/** Seconds of wall time above zero, at most a day. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > 86_400)
    throw new InvalidArgumentError("must be a number of seconds above 0, at most 86400");
  return value;
}

/** A part from 0 to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 1) throw new InvalidArgumentError("must be a part from 0 to 1");
  return value;
}

/** An amount of money as it is typed: exact, above zero, with its currency or without. */
export interface Amount {
  readonly micros: number;
  /** As typed; empty where none was. */
  readonly currency: string;
}

/** "50", "0.25" or "50EUR"; it is never rounded. */
export function amount(text: string): Amount {
  const [, decimal = "", currency = ""] = /^(.*?) ?([A-Z]{3,5})?$/.exec(text) ?? [];
  const micros = price(decimal);
  if (micros <= 0) throw new InvalidArgumentError("must be above zero");
  if (micros > MAX_REGION_MICROS) throw new InvalidArgumentError("is more than any region may hold");
  return { micros, currency };
}

/** The http address of a server: an RPC's, or a deployment's. */
export function httpAddress(text: string): string {
  if (!/^https?:\/\/[^\s/]+/.test(text))
    throw new InvalidArgumentError("must be an address that begins with http:// or https://");
  return text;
}
