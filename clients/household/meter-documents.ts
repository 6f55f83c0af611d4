// Owns the two documents that a household proves a window from, as JSON text: its meter (secret and limits) and what its
// gateway signed. It refuses unknown fields, numbers that are not canonical and a window of the wrong length; whether a
// document is of this region, and whether the signature is right, is for whoever uses it to say.

import { z } from "zod";
import type { FieldPoint, PoseidonSignature } from "../../evidence/eddsa-poseidon.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import type { MeterLimits } from "../../evidence/meter-statement.ts";
import {
  address,
  bounded,
  bytes32,
  count,
  fieldElement,
  type Hex,
  readingWh,
  regionId,
  slotNumber,
} from "../../protocol/fields.ts";
import { MAX_BODY_BYTES, MAX_READING_WH, MAX_WINDOW_CAP_WH } from "../../protocol/limits.ts";
import { malformedRequest } from "../../protocol/malformed.ts";

/** What `format` says in each document. */
export const METER_FORMAT = "polder-meter/1";
export const SIGNED_WINDOW_FORMAT = "polder-signed-window/1";

/** A meter as its household keeps it: whoever has this file can tell which claims are this meter's. */
export interface MeterDocument {
  readonly chainId: number;
  /** Settlement contract; the zero address until there is one. */
  readonly settlement: Hex;
  readonly region: string;
  /** The meter's secret, a random field element. */
  readonly secret: bigint;
  readonly gateway: FieldPoint;
  readonly limits: MeterLimits;
  /** Of a gateway in software: 32 bytes. */
  readonly gatewaySeed?: Hex;
}

/** A window of readings as a gateway signed it. */
export interface SignedWindowDocument {
  readonly context: EvidenceContext;
  readonly firstSlot: number;
  /** Whole Wh a slot of the window, export positive. */
  readonly netWh: readonly number[];
  readonly gateway: FieldPoint;
  readonly signature: PoseidonSignature;
}

/** Either document, as `readDocument` found it. */
export type HouseholdDocument =
  | { readonly kind: "meter"; readonly meter: MeterDocument }
  | { readonly kind: "window"; readonly window: SignedWindowDocument };

/** A text that is no such document; the message names the field and says what is expected there. */
export class DocumentFault extends Error {
  override readonly name = "DocumentFault";
}

/** A field element as its decimal text. */
export const element = fieldElement.transform(BigInt);
const point = z.tuple([element, element]).readonly();
export const chainId = count.min(1);
const slotLimitWh = bounded(0, MAX_READING_WH);
const windowLimitWh = bounded(0, MAX_WINDOW_CAP_WH);
/** Limits of one meter, as its leaf has them. */
export const limitsSchema = z.strictObject({
  nameplateWh: slotLimitWh,
  connectionWh: slotLimitWh,
  saleCapWh: windowLimitWh,
  purchaseCapWh: windowLimitWh,
});

const meterSchema = z.strictObject({
  format: z.literal(METER_FORMAT),
  chainId,
  settlement: address,
  region: regionId,
  secret: element,
  gatewayX: element,
  gatewayY: element,
  limits: limitsSchema,
  gatewaySeed: bytes32.optional(),
});

const windowSchema = z
  .strictObject({
    format: z.literal(SIGNED_WINDOW_FORMAT),
    chainId,
    settlement: address,
    region: regionId,
    windowSlots: z.union([z.literal(4), z.literal(96)]),
    firstSlot: slotNumber,
    netWh: z.array(readingWh).max(96),
    gateway: point,
    signature: z.strictObject({ r8: point, s: element }),
  })
  .refine(({ netWh, windowSlots }) => netWh.length === windowSlots, {
    path: ["netWh"],
    message: "must have one reading for every slot of the window",
  })
  .refine(({ firstSlot, windowSlots }) => firstSlot % windowSlots === 0, {
    path: ["firstSlot"],
    message: "must be the first slot of a window",
  });

/** Reads a meter's document. @throws DocumentFault naming the first field that is wrong */
export function readMeterDocument(text: string): MeterDocument {
  return meterOf(jsonOf(text));
}

/** Reads a signed window. @throws DocumentFault naming the first field that is wrong */
export function readSignedWindow(text: string): SignedWindowDocument {
  return windowOf(jsonOf(text));
}

/** Reads whichever of the two a text is, by its format. @throws DocumentFault also for any other format */
export function readDocument(text: string): HouseholdDocument {
  const json = jsonOf(text);
  const format = typeof json === "object" && json !== null && "format" in json ? json.format : undefined;
  if (format === METER_FORMAT) return { kind: "meter", meter: meterOf(json) };
  if (format === SIGNED_WINDOW_FORMAT) return { kind: "window", window: windowOf(json) };
  throw new DocumentFault(`format: must be ${METER_FORMAT} or ${SIGNED_WINDOW_FORMAT}`);
}

/** The text of a meter's document; keep it where only its owner can read it. */
export function meterDocumentText(meter: MeterDocument): string {
  const { chainId: chain, settlement, region, secret, gateway, limits, gatewaySeed } = meter;
  return textOf({
    format: METER_FORMAT,
    chainId: chain,
    settlement,
    region,
    secret,
    gatewayX: gateway[0],
    gatewayY: gateway[1],
    limits,
    ...(gatewaySeed === undefined ? {} : { gatewaySeed }),
  });
}

/** The text of a signed window's document. */
export function signedWindowText({
  context,
  firstSlot,
  netWh,
  gateway,
  signature,
}: SignedWindowDocument): string {
  const { chainId: chain, settlement, regionId: region, windowSlots } = context;
  const { r8, s } = signature;
  return textOf({
    format: SIGNED_WINDOW_FORMAT,
    chainId: chain,
    settlement,
    region,
    windowSlots,
    firstSlot,
    netWh,
    gateway,
    signature: { r8, s },
  });
}

function meterOf(json: unknown): MeterDocument {
  const { format: _format, gatewayX, gatewayY, gatewaySeed, ...own } = decoded(meterSchema, json);
  return { ...own, gateway: [gatewayX, gatewayY], ...(gatewaySeed === undefined ? {} : { gatewaySeed }) };
}

function windowOf(json: unknown): SignedWindowDocument {
  const {
    chainId: chain,
    settlement,
    region,
    windowSlots,
    firstSlot,
    netWh,
    gateway,
    signature,
  } = decoded(windowSchema, json);
  const context = { chainId: chain, settlement, regionId: region, windowSlots };
  return { context, firstSlot, netWh, gateway, signature };
}

/**
 * The JSON of a document. A day's window has some 1,500 characters: what is longer than a request's body may be was chosen
 * by mistake.
 * @throws DocumentFault
 */
export function jsonOf(text: string): unknown {
  if (text.length > MAX_BODY_BYTES) throw new DocumentFault(`must be at most ${MAX_BODY_BYTES} characters`);
  try {
    return JSON.parse(text);
  } catch {
    throw new DocumentFault("must be JSON");
  }
}

/** What a schema makes of JSON. @throws DocumentFault naming the first field that is wrong */
export function decoded<T>(schema: z.ZodType<T>, json: unknown): T {
  const found = schema.safeParse(json);
  if (found.success) return found.data;
  const { path, expected } = malformedRequest(found.error).facts;
  throw new DocumentFault(path === "" ? String(expected) : `${path}: ${expected}`);
}

/** A document as text: indented, integers beyond the safe ones as decimals. */
export function textOf(document: object): string {
  const json = JSON.stringify(document, (_, value) => (typeof value === "bigint" ? String(value) : value), 2);
  return `${json}\n`;
}
