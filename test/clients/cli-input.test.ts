// Owns what the command line says of bad input: each refusal in words that name the value, with status 1. It refuses to
// let anything of it reach a region.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireSameRegion } from "../../clients/cli/document-files.ts";
import type { MeterDocument } from "../../clients/household/meter-documents.ts";
import { derivedKey } from "../../clients/local/neighbourhood.ts";
import type { Hex } from "../../protocol/fields.ts";
import { CommandLine } from "../support/client-commands.ts";
import { meterOf, writeMeter } from "../support/client-meter-file.ts";
import { type OpenRegion, openRegionAt, REGION, SEED } from "../support/client-region.ts";

const STEP = ["--step", "0.12:500"];

let region: OpenRegion;
let line: CommandLine;
let seller: {
  readonly account: Hex;
  readonly apiKey: string;
  readonly gatewaySeed: Hex;
  readonly key: { readonly POLDER_API_KEY: string };
  readonly wallet: { readonly POLDER_WALLET_KEY: Hex };
};
let meter: MeterDocument;
let meterFile: string;
let entries: number;

beforeAll(async () => {
  // Nearly wall speed: nothing clears in the middle of a test.
  region = await openRegionAt(2);
  const home = await region.household("seller");
  const { account, apiKey, gatewaySeed } = home;
  const wallet = { POLDER_WALLET_KEY: derivedKey(SEED, "seller/wallet") };
  seller = { account, apiKey, gatewaySeed, key: { POLDER_API_KEY: apiKey }, wallet };
  line = new CommandLine(region.stack.url, region.stateFolder);
  meter = await meterOf(region.client, REGION, home);
  meterFile = writeMeter(line.file("meter.json"), meter);
  entries = (await region.client.head(REGION)).entry;
});

afterAll(async () => {
  expect((await region.client.head(REGION)).entry, "nothing was accepted").toBe(entries);
  await region.stop();
});

const bad = (...args: Parameters<CommandLine["bad"]>) => line.bad(...args);
const file = (name: string) => line.file(name);
const write = (...args: Parameters<CommandLine["write"]>) => line.write(...args);

describe("bad input", () => {
  test("rejects: orders, accounts and bills that cannot be, each in words", async () => {
    await bad([
      [["order", "place", "lend", ...STEP], /the side is sell or buy/, seller.key],
      [["order", "place", "sell"], /required option '--step/, seller.key],
      [["order", "place", "sell", "--step", "0,12"], /not a plain decimal: "0,12"/, seller.key],
      [["order", "place", "sell", "--step", "0.1234567"], /finer than a micro/, seller.key],
      [["order", "place", "sell", "--step", "0.12:0"], /whole number from 1 to/, seller.key],
      [["order", "place", "sell", "--step", "0.2:1", "--step", "0.1:1"], /^ladder_unsorted: /, seller.key],
      [["order", "place", "sell", ...STEP, "--hours", "24"], /whole number from 0 to 23/, seller.key],
      [["order", "place", "sell", ...STEP, "--until", "soon"], /not an instant: soon/, seller.key],
      [
        ["order", "place", "sell", ...STEP, "--until", "2026-01-01T00:00Z"],
        /^(slot_already_started|order_span_empty): /,
        seller.key,
      ],
      [["order", "replace", "0", "sell", ...STEP], /whole number from 1 to/, seller.key],
      [["order", "cancel", "99999"], /^order_not_found: .*99999/, seller.key],
      [["order", "list", "0x12"], /must be an address: 0x and 40 hex digits/],
      [["account", "show", `0x${"99".repeat(20)}`], /^account_not_found: /],
      [["bill", `0x${"99".repeat(20)}`], /^account_not_found: /],
      [["bill", seller.account, "--retail", "0.30.1"], /not a plain decimal/],
      [["bill", seller.account, "--from", "yesterday"], /not an instant: yesterday/],
      [["region", "slots", "--last", "some"], /whole number from 1 to/],
      [["region", "nearest", "--latitude", "north", "--longitude", "5"], /a number of degrees/],
    ]);
  });

  test("rejects: keys that are missing, malformed or not allowed to", async () => {
    await bad([
      [["order", "place", "sell", ...STEP], /set POLDER_API_KEY .* or POLDER_WALLET_KEY/],
      [
        ["order", "place", "sell", ...STEP],
        /POLDER_API_KEY is not an API key/,
        { POLDER_API_KEY: "polder_key" },
      ],
      [
        ["order", "place", "sell", ...STEP],
        /POLDER_WALLET_KEY is not 0x and 64 hex digits/,
        { POLDER_WALLET_KEY: "0x12" },
      ],
      [
        ["order", "place", "sell", ...STEP],
        /^session_unknown: /,
        { POLDER_API_KEY: `${seller.apiKey.slice(0, -4)}0000` },
      ],
      [["region", "credit", seller.account, "1"], /^not_operator: /, seller.wallet],
      [["key", "create", "--sides", "lend"], /sides are sell, buy or sell,buy/, seller.wallet],
      [["key", "create", "--days", "0"], /whole number from 1 to 3650/, seller.wallet],
      [["key", "create"], /POLDER_WALLET_KEY/, seller.key],
      [["key", "revoke", "0x12"], /^value: /, seller.wallet],
      [["agent", "start", "--meter", "generated:1"], /required option '--meter-file/, seller.key],
      [
        ["agent", "start", "--meter", "generated:1", "--meter-file", meterFile],
        /set POLDER_GATEWAY_SEED to that of 0x/,
        seller.key,
      ],
      [
        ["agent", "start", "--meter", "generated:1", "--meter-file", meterFile],
        /set POLDER_API_KEY/,
        { POLDER_GATEWAY_SEED: seller.gatewaySeed },
      ],
    ]);
  });

  test("rejects: an agent's meter file, by field, by who may read it, and by what it is for", async () => {
    const keys = { ...seller.key, POLDER_GATEWAY_SEED: seller.gatewaySeed };
    const agent = (meterFileOf: string, ...more: string[]) => [
      ...["agent", "start", "--memory", file("bad.ndjson"), "--meter", "generated:1"],
      ...["--meter-file", meterFileOf, ...more],
    ];
    await bad([
      [agent(file("absent.json")), /absent\.json: ENOENT/, keys],
      [
        agent(writeMeter(file("open.json"), meter, 0o644)),
        /others may read it: chmod 600 .*open\.json/,
        keys,
      ],
      [
        agent(writeMeter(file("seed.json"), { ...meter, gatewaySeed: `0x${"11".repeat(32)}` })),
        /seed\.json: gatewaySeed: is the seed of another gateway/,
        keys,
      ],
      [
        agent(meterFile),
        /seed of another gateway than 0x/,
        { ...keys, POLDER_GATEWAY_SEED: `0x${"11".repeat(32)}` },
      ],
      [agent(meterFile, "--meter", "generated:2"), /give as many --meter-file as --meter/, keys],
      [agent(meterFile, "--claim-step-wh", "0"), /whole number from 1 to/, keys],
    ]);
    const here = { ...meter, regionId: REGION };
    const elsewhere = [
      [
        { ...here, regionId: "elsewhere" },
        /meter\.json is for the region elsewhere, and this is polder-clients/,
      ],
      [{ ...here, chainId: 1 }, /is for chain 1 and contract 0x0+, and this is chain 31337/],
    ] as const;
    for (const [made, reason] of elsewhere)
      expect(() => requireSameRegion("meter.json", made, here)).toThrow(reason);
  });

  test("rejects: an agent's meter, tariff or ladder file, by line and field", async () => {
    const keys = { ...seller.key, POLDER_GATEWAY_SEED: seller.gatewaySeed };
    const csv = (name: string, ...rows: string[]) =>
      `csv:${write(name, ["start,netWh", ...rows].join("\n"))}`;
    const agent = (meter: string, ...more: string[]) => [
      "agent",
      "start",
      "--memory",
      file("bad.ndjson"),
      "--meter",
      meter,
      "--meter-file",
      meterFile,
      ...more,
    ];
    await bad([
      [agent("sun"), /not a meter: sun; generated:<seed>, nem12:<file>/, keys],
      [agent("generated:x"), /not a meter: generated:x/, keys],
      [agent("csv:/nowhere.csv"), /nowhere\.csv: is not there/, keys],
      [agent("nem12:/nowhere.csv,colour=red"), /not an option of a meter's file: colour=red/, keys],
      [agent(csv("zone.csv", "2026-04-01T00:00,5")), /zone\.csv, line 2, time: .*has no time zone/, keys],
      [
        agent(csv("quarter.csv", "2026-04-01T00:01Z,5")),
        /has no whole quarter-hour; 2 quarter-hours are/,
        keys,
      ],
      [agent(csv("word.csv", "2026-04-01T00:00Z,five")), /line 2, netWh: .*is not a number \(five\)/, keys],
      [agent("generated:1", "--tariff", write("tariff.json", { name: "x" })), /currency: /, keys],
      [
        agent(
          "generated:1",
          "--orders",
          write("ladders.json", [{ side: "sell", steps: [{ limitPerKwh: 0.1 }] }]),
        ),
        /0\.steps\.0\.limitPerKwh: write a price as decimal text/,
        keys,
      ],
    ]);
  });
});
