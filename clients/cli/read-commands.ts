// Owns the commands that only read: regions, the market, an account, a bill. It refuses nothing; what does not exist is
// the deployment's to say.

import type { Command } from "commander";
import { type BillLine, billCsv } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { PolderClient } from "../sdk/client.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import { instant, kwh, money, slotTime, table } from "./figures.ts";
import { address, degrees, price, whole } from "./options.ts";

/** Adds `region`, `account` and `bill`. */
export function readCommands(program: Command): void {
  const region = program.command("region").description("regions and their markets");
  withPlace(region.command("list").description("every region")).action(listRegions);
  withPlace(region.command("show").description("a region's terms and its market now"))
    .option("--json", "as JSON")
    .action(showRegion);
  withPlace(region.command("nearest").description("regions by distance"))
    .requiredOption("--latitude <degrees>", "where you are", degrees)
    .requiredOption("--longitude <degrees>", "where you are", degrees)
    .action(nearestRegions);
  withPlace(region.command("slots").description("cleared slots, latest last"))
    .option("--last <n>", "how many", whole(1, 100_000), 24)
    .action(showSlots);

  const account = program.command("account").description("an account's money, keys and meters");
  withPlace(account.command("show").argument("<address>", "the account", address))
    .option("--json", "as JSON")
    .action(showAccount);

  withPlace(
    program
      .command("bill")
      .description("an account's bill, beside its tariff alone")
      .argument("<address>", "the account", address),
  )
    .option("--from <instant>", "first instant, ISO 8601; by default a day ago in market time")
    .option("--until <instant>", "last instant, ISO 8601")
    .option("--retail <price>", "what your supplier takes per kWh, e.g. 0.30", price)
    .option("--feed-in <price>", "what your supplier pays per kWh, e.g. 0.08", price)
    .option("--csv", "every slot as CSV")
    .option("--json", "every slot as JSON")
    .action(showBill);
}

async function listRegions({ url }: Place): Promise<void> {
  const client = new PolderClient(url);
  const rows = (await client.regions()).map((profile) => [
    profile.region,
    profile.name,
    profile.place,
    profile.jurisdiction,
    profile.isSimulation ? "simulation" : "live",
  ]);
  console.log(table(["region", "name", "place", "jurisdiction", ""], rows));
}

async function showRegion(options: Place & { json?: boolean }): Promise<void> {
  const { client, region } = await placeOf(options);
  const { profile, market } = await client.region(region);
  if (options.json) return console.log(JSON.stringify({ profile, market }));
  console.log(
    `${profile.name}, ${profile.place} (${profile.isSimulation ? "a simulation" : "live"}); ${profile.terms}`,
  );
  if (market === null) return console.log("not opened yet");
  const { parameters } = market;
  const rows: [string, string][] = [
    ["market time", instant(market.atS, profile.timeZone)],
    ["next clearing", instant(market.nextDueS, profile.timeZone)],
    ["window", `${market.windowSlots} slots from ${slotTime(market.windowFirstSlot, profile.timeZone)}`],
    ["accounts, meters, live orders", `${market.accounts}, ${market.meters}, ${market.liveOrders}`],
    ["network fee", `${money(parameters.networkFeeMicrosPerKwh)} ${profile.currency} per kWh`],
    ["take rate", `${parameters.takeRateBps / 100} %`],
    ["journal entries", String(market.entries)],
  ];
  console.log(table([], rows));
}

async function nearestRegions(options: Place & { latitude: number; longitude: number }): Promise<void> {
  const client = new PolderClient(options.url);
  const found = await client.nearestRegions(options.latitude, options.longitude);
  console.log(
    table(
      ["region", "place", "km"],
      found.map(({ profile, distanceKm }) => [profile.region, profile.place, distanceKm]),
    ),
  );
}

async function showSlots(options: Place & { last: number }): Promise<void> {
  const { client, region } = await placeOf(options);
  const { profile, market } = await client.region(region);
  if (market === null) throw new Error("the region is not opened yet");
  const rows: (string | number)[][] = [];
  for await (const slot of client.slots(
    region,
    Math.max(0, market.nextSlot - options.last),
    market.nextSlot,
  )) {
    const { surplusWh, needWh, tradedWh, priceMicrosPerKwh, settledMicros } = slot;
    rows.push([
      slotTime(slot.slot, profile.timeZone),
      kwh(surplusWh),
      kwh(needWh),
      kwh(tradedWh),
      priceMicrosPerKwh === null ? "-" : money(priceMicrosPerKwh),
      money(settledMicros),
    ]);
  }
  console.log(
    table(
      ["slot", "surplus kWh", "need kWh", "traded kWh", `${profile.currency}/kWh`, profile.currency],
      rows,
    ),
  );
}

async function showAccount(account: Hex, options: Place & { json?: boolean }): Promise<void> {
  const { client, region } = await placeOf(options);
  const found = await client.account(region, account);
  if (options.json) return console.log(JSON.stringify(found));
  const { profile } = await client.region(region);
  const rows: [string, string][] = [
    ["free", `${money(found.freeMicros)} ${profile.currency}`],
    ["live orders", String(found.liveOrders)],
    ["sold, bought this epoch", `${kwh(found.epochSoldWh)}, ${kwh(found.epochBoughtWh)} kWh`],
    ["certificates", found.certificate === null ? "none committed" : `committed to ${found.certificate}`],
    ["rewards", found.rewards],
    [
      "session keys",
      found.sessions.map(({ key, isRevoked }) => `${key}${isRevoked ? " (revoked)" : ""}`).join("\n"),
    ],
  ];
  console.log(table([], rows));
}

interface BillOptions extends Place {
  readonly from?: string;
  readonly until?: string;
  readonly retail?: number;
  readonly feedIn?: number;
  readonly csv?: boolean;
  readonly json?: boolean;
}

async function showBill(account: Hex, options: BillOptions): Promise<void> {
  const { client, region } = await placeOf(options);
  const { profile, market } = await client.region(region);
  if (market === null) throw new Error("the region is not opened yet");
  const until = options.until === undefined ? market.nextSlot : slotOf(options.until);
  const from = options.from === undefined ? Math.max(0, until - 96) : slotOf(options.from);
  const query = {
    from,
    until,
    ...(options.retail === undefined ? {} : { retailMicrosPerKwh: options.retail }),
    ...(options.feedIn === undefined ? {} : { feedInMicrosPerKwh: options.feedIn }),
  };
  const lines: BillLine[] = [];
  let tariff = "";
  for await (const page of client.billPages(region, account, query)) {
    lines.push(...page.lines);
    tariff = `${page.tariff.name}: ${money(page.tariff.retailMicrosPerKwh)} / ${money(page.tariff.feedInMicrosPerKwh)}`;
  }
  if (options.json) return console.log(JSON.stringify(lines));
  if (options.csv) return void process.stdout.write(billCsv(lines));
  const sum = (pick: (line: BillLine) => number): number =>
    lines.reduce((total, line) => total + pick(line), 0);
  const cut = lines.filter(({ wasCut }) => wasCut).length;
  const rows: [string, string][] = [
    ["from", slotTime(from, profile.timeZone)],
    ["until", slotTime(until, profile.timeZone)],
    [
      "claimed as exported, imported",
      `${kwh(sum((line) => Math.max(0, line.meteredWh)))}, ${kwh(sum((line) => Math.max(0, -line.meteredWh)))} kWh`,
    ],
    [
      "sold, bought",
      `${kwh(sum((line) => Math.max(0, line.tradedWh)))}, ${kwh(sum((line) => Math.max(0, -line.tradedWh)))} kWh`,
    ],
    ["neighbours paid you", `${money(sum((line) => line.amountMicros))} ${profile.currency}`],
    ["of it network fees", money(sum((line) => line.networkMicros))],
    ["of it fees", money(sum((line) => line.feeMicros))],
    ["the rest under your tariff", money(sum((line) => line.restMicros))],
    [`your tariff alone (${tariff})`, money(sum((line) => line.tariffMicros))],
    ["gained", `${money(sum((line) => line.gainMicros))} ${profile.currency}`],
    ...(cut === 0 ? [] : ([["cut to what the balance could bear", `${cut} slots`]] as [string, string][])),
  ];
  console.log(table([], rows));
}

function slotOf(text: string): number {
  const ms = Date.parse(text);
  if (!Number.isFinite(ms)) throw new Error(`not an instant: ${text}`);
  return Math.floor(ms / 1000 / SLOT_SECONDS);
}
