// Owns reading the household's own agent on this machine: who lives here, and what was generated and used. It refuses
// answers of another shape, and it never sends anything on.

import type { Hex } from "../protocol/fields.ts";
import type { HomeSlot } from "./figures/day.ts";
import { readAccount } from "./page-address.ts";

export interface HomeHousehold {
  readonly name: string;
  readonly account: Hex;
  readonly kind: string;
  readonly region: string;
}

/** More homes than this are not summed for the neighbourhood: a page is not a meter concentrator. */
export const MOST_HOMES = 64;

/** The households that the agent serves. @throws when it does not answer, or not in this form. */
export async function readHouseholds(home: string): Promise<HomeHousehold[]> {
  const { households } = (await read(`${home}/households`)) as { households?: unknown };
  if (!Array.isArray(households)) throw new Error("the home's answer has no households");
  return households.map((raw: Record<string, unknown>) => {
    const account = readAccount(String(raw.account));
    if (account === null) throw new Error("the home named a household without an account");
    return {
      name: String(raw.name).slice(0, 80),
      account,
      kind: String(raw.kind).slice(0, 40),
      region: String(raw.region),
    };
  });
}

/** A household's quarter-hours in [from, until), as far as they have passed. @throws as `readHouseholds`. */
export async function readHomeSlots(
  home: string,
  account: Hex,
  from: number,
  until: number,
): Promise<HomeSlot[]> {
  const { slots } = (await read(`${home}/households/${account}/days?from=${from}&until=${until}`)) as {
    slots?: unknown;
  };
  if (!Array.isArray(slots)) throw new Error("the home's answer has no slots");
  return slots.map(({ slot, generationWh, loadWh }: Record<string, unknown>) => ({
    slot: wholeNumber(slot),
    generationWh: wholeNumber(generationWh),
    loadWh: wholeNumber(loadWh),
  }));
}

async function read(url: string): Promise<unknown> {
  const response = await fetch(url, { credentials: "omit", cache: "no-store" });
  if (!response.ok) throw new Error(`the home answered ${response.status}`);
  return response.json();
}

/** Meters count whole Wh; a home that measures finer is rounded, since this is a picture and not a bill. */
function wholeNumber(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw new Error("the home sent something that is no amount");
  return Math.round(value);
}
