// Owns the decoders of the single values that every command, event and answer is made of. It refuses anything that
// is not an integer in its range, a lower-casable hex string of the exact length, or a bounded name.

import { z } from "zod";
import {
  MAX_ABSOLUTE_PRICE_MICROS_PER_KWH,
  MAX_ACCOUNTS_PER_REGION,
  MAX_READING_WH,
  MAX_REGION_MICROS,
  MAX_WH_PER_ACCOUNT_SLOT,
} from "./limits.ts";

export type Hex = `0x${string}`;

/** Stands for no address. */
export const NO_ADDRESS: Hex = `0x${"00".repeat(20)}`;

/** The furthest instant the market can name, in Unix seconds: the year 2200. */
export const LAST_INSTANT_S = 7_258_118_400;

/** Below 10^30 base units, a trillion tokens of 18 decimals: an account's rewards of 10^8 epochs still fit 128 bits. */
const TOKEN_DIGITS = 30;

const hexOf = (bytes: number, what: string) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), `must be ${what}: 0x and ${bytes * 2} hex digits`)
    .toLowerCase() as unknown as z.ZodType<Hex, Hex>;

export const address = hexOf(20, "an address").meta({
  description: "EVM address",
  example: `0x${"ab".repeat(20)}`,
});

/** Stands where there is no hash. */
export const NO_HASH: Hex = `0x${"00".repeat(32)}`;

export const bytes32 = hexOf(32, "32 bytes").meta({ description: "32 bytes as hex" });
export const signatureBytes = z
  .string()
  .regex(/^0x[0-9a-fA-F]{0,200}$/, "must be hex")
  .toLowerCase() as unknown as z.ZodType<Hex, Hex>;

export const regionId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,31}$/, "must be 2 to 32 of a-z, 0-9 and -, beginning with a letter")
  .meta({ description: "region name", example: "polder-one" });

/** JSON can spell minus zero, which is another bit pattern in a float column: replayed from text it would hash differently. */
const integer = (minimum: number, maximum: number) =>
  z
    .int()
    .min(minimum)
    .max(maximum)
    .overwrite((value) => value + 0);

export const instantS = integer(0, LAST_INSTANT_S).meta({ description: "Unix seconds of market time" });
export const slotNumber = integer(0, LAST_INSTANT_S / 900).meta({
  description: "quarter-hour: floor(Unix seconds / 900)",
});
export const nonce = integer(0, Number.MAX_SAFE_INTEGER).meta({
  description: "any number that makes the command unique",
});
export const entryNumber = integer(0, Number.MAX_SAFE_INTEGER).meta({ description: "journal entry number" });
export const orderId = integer(1, Number.MAX_SAFE_INTEGER).meta({
  description: "the entry number that accepted the order",
});
export const priceMicrosPerKwh = integer(
  -MAX_ABSOLUTE_PRICE_MICROS_PER_KWH,
  MAX_ABSOLUTE_PRICE_MICROS_PER_KWH,
).meta({
  description: "micros per kWh, may be negative",
});
export const slotWh = integer(1, MAX_WH_PER_ACCOUNT_SLOT).meta({ description: "Wh in one slot" });
export const readingWh = integer(-MAX_READING_WH, MAX_READING_WH).meta({
  description: "net Wh of a slot: export positive, import negative",
});
export const amountMicros = integer(1, MAX_REGION_MICROS).meta({ description: "micros of the quote asset" });
export const tokenAmount = z
  .string()
  .regex(new RegExp(`^(0|[1-9][0-9]{0,${TOKEN_DIGITS - 1}})$`), "must be a decimal integer")
  .meta({ description: "token base units as a decimal string" });
/** Order of the scalar field of BN254, over which Baby Jubjub and the circuits work (EIP-197, ERC-2494). */
export const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const LARGEST = String(FIELD_ORDER - 1n);
export const fieldElement = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,76})$/, "must be a canonical decimal")
  // Compared as digits: a refinement also sees what the pattern refused, and BigInt would throw on that.
  .refine(
    (text) => text.length < LARGEST.length || (text.length === LARGEST.length && text <= LARGEST),
    "must be below the field's order",
  )
  .meta({ description: "element of BN254's scalar field, canonical decimal" });
/** Poseidon of a secret. Zero is refused: it stands for "none", and nobody knows a secret of it. */
export const commitment = fieldElement
  .refine((text) => text !== "0", "must be Poseidon of a secret, which is not zero")
  .meta({ description: "Poseidon(secret), canonical decimal" });
/** Units and prices of what the continuous book trades; the product of both is bounded when an order is placed. */
export const quantityMega = integer(1, MAX_REGION_MICROS).meta({ description: "megafuel or megabytes" });
export const priceMicrosPerTera = integer(1, MAX_REGION_MICROS).meta({
  description: "micros for a terafuel or a terabyte: a million of what quantities count",
});
export const obligationId = integer(1, Number.MAX_SAFE_INTEGER).meta({
  description: "number of a trade to settle",
});
export const accountNumber = integer(0, MAX_ACCOUNTS_PER_REGION);
export const side = z.enum(["sell", "buy"]);
export type Side = z.infer<typeof side>;
export const hourOfDay = integer(0, 23).meta({ description: "UTC hour of day" });
export const count = integer(0, Number.MAX_SAFE_INTEGER);
export const bounded = integer;

/** What every command says; those of an account say whose they are beside. */
export const envelope = { region: regionId, nonce, expiresAtS: instantS };
export const accountEnvelope = { account: address, ...envelope };
