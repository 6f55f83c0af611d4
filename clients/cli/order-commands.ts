// Owns the commands about standing orders. It refuses nothing itself; signing keys come from the environment.

import type { Command } from "commander";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_WH_PER_ACCOUNT_SLOT } from "../../protocol/limits.ts";
import { parseDecimalMicros } from "../household/tariff.ts";
import type { Draft } from "../sdk/client.ts";
import { type Place, placeOf, signerFromEnvironment, withPlace } from "./context.ts";
import { kwh, money, slotTime, table } from "./figures.ts";
import { address, whole } from "./options.ts";

interface OrderOptions extends Place {
  readonly step: readonly Step[];
  readonly hours?: string;
  readonly from?: string;
  readonly until?: string;
}

interface Step {
  readonly limitPriceMicrosPerKwh: number;
  readonly capWhPerSlot: number;
}

const ANY_ORDER = whole(1, Number.MAX_SAFE_INTEGER);

/** Adds `order place | replace | cancel | list`. */
export function orderCommands(program: Command): void {
  const order = program
    .command("order")
    .description("standing orders (keys: POLDER_API_KEY or POLDER_WALLET_KEY)");
  withTerms(
    order.command("place").description("place a standing order").argument("<side>", "sell or buy"),
  ).action((side: string, options: OrderOptions) => place(side, options, 0));
  withTerms(
    order
      .command("replace")
      .description("replace an order in one step")
      .argument("<order>", "its number", ANY_ORDER)
      .argument("<side>", "sell or buy"),
  ).action((replaces: number, side: string, options: OrderOptions) => place(side, options, replaces));
  withPlace(
    order
      .command("cancel")
      .description("cancel an order from the next slot on")
      .argument("<order>", "its number", ANY_ORDER),
  ).action(cancel);
  withPlace(
    order.command("list").description("an account's orders").argument("<address>", "the account", address),
  ).action(list);
}

function withTerms(command: Command): Command {
  return withPlace(command)
    .requiredOption(
      "--step <price[:Wh]>",
      "limit per kWh and most Wh a slot, e.g. 0.12:500; repeat it for a ladder, best price first",
      (text: string, before: Step[] | undefined) => [...(before ?? []), stepOf(text)],
    )
    .option("--hours <list>", "UTC hours of day, e.g. 9,10,11")
    .option("--from <instant>", "first instant, ISO 8601")
    .option("--until <instant>", "last instant, ISO 8601");
}

async function place(side: string, options: OrderOptions, replaces: number): Promise<void> {
  if (side !== "sell" && side !== "buy") throw new Error("the side is sell or buy");
  const { client, region } = await placeOf(options);
  const draft: Draft = {
    type: "place_order",
    side,
    steps: [...options.step],
    validFromS: secondsOf(options.from),
    validUntilS: secondsOf(options.until),
    hours: options.hours === undefined ? [] : options.hours.split(",").map(whole(0, 23)),
    replaces,
  };
  const accepted = await client.submit(region, signerFromEnvironment(), draft);
  console.log(`order ${accepted.entry} stands; it applies to slots that start from now on`);
}

async function cancel(orderId: number, options: Place): Promise<void> {
  const { client, region } = await placeOf(options);
  await client.submit(region, signerFromEnvironment(), { type: "cancel_order", orderId });
  console.log(`order ${orderId} ends with the running slot`);
}

async function list(account: Hex, options: Place): Promise<void> {
  const { client, region } = await placeOf(options);
  const { profile } = await client.region(region);
  const rows = (await client.orders(region, account)).map((order) => [
    order.orderId,
    order.side,
    order.steps
      .map((step) => `${money(step.limitPriceMicrosPerKwh)} up to ${kwh(step.capWhPerSlot)} kWh`)
      .join("\n"),
    slotTime(order.fromSlot, profile.timeZone),
    order.untilSlot === null ? "cancelled" : slotTime(order.untilSlot, profile.timeZone),
    order.isLive ? "live" : "ended",
  ]);
  console.log(table(["order", "side", `${profile.currency} per kWh, a slot`, "from", "until", ""], rows));
}

function stepOf(text: string): Step {
  const [limit = "", cap = String(MAX_WH_PER_ACCOUNT_SLOT)] = text.split(":");
  return {
    limitPriceMicrosPerKwh: parseDecimalMicros(limit),
    capWhPerSlot: whole(1, MAX_WH_PER_ACCOUNT_SLOT)(cap),
  };
}

function secondsOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const ms = Date.parse(text);
  if (!Number.isFinite(ms)) throw new Error(`not an instant: ${text}`);
  return Math.floor(ms / 1000);
}
