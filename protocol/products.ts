// Owns what is traded in the continuous book: each product's resource and how long a seller has to deliver. It refuses
// nothing; a product is never renamed and its number never used for another.

import { z } from "zod";

/** Everything that a region's participants deliver to each other. */
export const RESOURCES = ["energy", "compute", "bandwidth"] as const;
export type Resource = (typeof RESOURCES)[number];

/** Resources that are promised first and delivered then, as they stand in columns of that width. */
export const PROMISED_RESOURCES = ["compute", "bandwidth"] as const;
export type PromisedResource = (typeof PROMISED_RESOURCES)[number];

export interface Product {
  readonly resource: PromisedResource;
  /** From the trade on; what is not delivered then goes back to the buyer. */
  readonly deliverySeconds: number;
  /** True: delivered bit by bit for as long as that. False: one delivery ends it. */
  readonly isLease: boolean;
}

/** By name. Their order is their number: new ones come last. */
export const PRODUCTS = {
  "compute-job": { resource: "compute", deliverySeconds: 3_600, isLease: false },
  "compute-lease-hour": { resource: "compute", deliverySeconds: 3_600, isLease: true },
  "compute-lease-day": { resource: "compute", deliverySeconds: 86_400, isLease: true },
  "compute-lease-week": { resource: "compute", deliverySeconds: 7 * 86_400, isLease: true },
} as const satisfies Record<string, Product>;

export type ProductName = keyof typeof PRODUCTS;

export const PRODUCT_NAMES = Object.keys(PRODUCTS) as [ProductName, ...ProductName[]];

export const product = z
  .enum(PRODUCT_NAMES)
  .meta({ description: "what is traded; each product has a book of its own" });

/** The number that stands for a product in columns. */
export function productNumber(name: ProductName): number {
  return PRODUCT_NAMES.indexOf(name);
}

/** The product of a number from a column. */
export function productOf(number: number): Product & { readonly name: ProductName } {
  const name = PRODUCT_NAMES[number];
  if (name === undefined) throw new RangeError(`no product has the number ${number}`);
  return { name, ...PRODUCTS[name] };
}
