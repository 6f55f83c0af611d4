// Owns field elements as JSON spells them inside evidence: canonical decimal strings. It refuses every other spelling.

import { z } from "zod";
import type { FieldPoint } from "./eddsa-poseidon.ts";

/** 77 digits hold every element of the field; the exact bounds are the verifier's. */
export const decimalText = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,76})$/, "must be a decimal integer without leading zeros")
  .meta({ description: "field element as a decimal string" });
export const pointText = z.tuple([decimalText, decimalText]);
/** JSON form of an EdDSA-Poseidon signature. */
export const signatureText = z.strictObject({ r8: pointText, s: decimalText });

/** A point of its two decimals. */
export function pointOf([x, y]: readonly [string, string]): FieldPoint {
  return [BigInt(x), BigInt(y)];
}

/** The two decimals of a point. */
export function textOf([x, y]: FieldPoint): [string, string] {
  return [x.toString(), y.toString()];
}

/** Where a decoder's first complaint is. */
export function firstPath(error: z.ZodError): string {
  return error.issues[0]?.path.join(".") ?? "";
}
