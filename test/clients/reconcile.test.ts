// Owns `polder meter reconcile` on a real region: an honest home, one whose sensor was tampered with, files with holes and
// files by the hour, and how each ends. It refuses exact wall timing: what the bill says was claimed is what is expected.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { HouseholdAgent } from "../../clients/household/agent.ts";
import { volatileMemory } from "../../clients/household/agent-memory.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { householdMeter } from "../../clients/local/neighbourhood.ts";
import { fairShare } from "../../clients/reconcile/fair-share.ts";
import type { BillLine } from "../../clients/sdk/client.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotAt } from "../../protocol/units.ts";
import { CommandLine } from "../support/client-commands.ts";
import { prover } from "../support/client-proving.ts";
import { BEGINS_AT_S, FEED_IN, type OpenRegion, REGION, RETAIL } from "../support/client-region.ts";
import { Windows } from "../support/client-windows.ts";
import { nem12Of } from "../support/meter-files.ts";

/** Every command is a process of its own, on a machine that may be busy. */
vi.setConfig({ testTimeout: 180_000 });

const WINDOWS = 2;
const DAYS = 4;
const FIRST_SLOT = slotAt(BEGINS_AT_S);
const TAMPERED_WH = 120;

/** What the utility's meters saw; of the seller's slots, one an hour was raised on its way to the region. */
const sellerWh = (slot: number): number => 350 + (slot % 7);
const isRaised = (slot: number): boolean => slot % 4 === 2;
const buyerImportWh = (slot: number): number => 630 + (slot % 5);
const BUYER_EXPORT_WH = 30;

let windows: Windows;
let region: OpenRegion;
let folder: string;
let line: CommandLine;
let seller: Hex;
let buyer: Hex;
/** What was claimed of the slots that are settled for good. */
let claims: { readonly seller: readonly BillLine[]; readonly buyer: readonly BillLine[] };

type Home = Awaited<ReturnType<OpenRegion["household"]>>;

function agentOf(home: Home, netWhAt: (slot: number) => number): HouseholdAgent {
  const meter = { read: (slot: number) => ({ netWh: netWhAt(slot), generationWh: null, loadWh: null }) };
  return new HouseholdAgent({
    name: "home",
    client: region.client,
    region: REGION,
    signer: home.signer,
    meters: [householdMeter(home, meter)],
    claims: {},
    prover,
    registry: new RegionRegistry(region.client, REGION),
    tariff: {
      name: "flat",
      currency: "EUR",
      feedInMicrosPerKwh: FEED_IN,
      retail: { kind: "flat", microsPerKwh: RETAIL },
    },
    memory: volatileMemory(),
  });
}

/** Agents of a moment: market time jumps, and a client keeps the clock that it was told first. */
const step = (tampered: Home, honest: Home): Promise<void> =>
  windows.step(
    agentOf(tampered, (slot) => sellerWh(slot) + (isRaised(slot) ? TAMPERED_WH : 0)),
    agentOf(honest, (slot) => BUYER_EXPORT_WH - buyerImportWh(slot)),
  );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polder-reconcile-"));
  windows = await Windows.open();
  ({ region } = windows);
  line = new CommandLine(region.stack.url, folder);
  const tampered = await region.household("tampered");
  const honest = await region.household("honest");
  seller = tampered.account;
  buyer = honest.account;
  for (let count = 0; count < WINDOWS; count += 1) {
    const firstSlot = await windows.next();
    await step(tampered, honest);
    await windows.over(firstSlot);
    await step(tampered, honest);
    await windows.settled(firstSlot);
  }
  claims = { seller: await linesOf(seller), buyer: await linesOf(buyer) };
  expect(claims.seller.filter(({ tradedWh }) => tradedWh > 0).length).toBeGreaterThanOrEqual(4 * WINDOWS);
}, 180_000);

afterAll(async () => {
  await region?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const linesOf = async (account: Hex) =>
  (await region.client.bill(REGION, account, { from: FIRST_SLOT, until: FIRST_SLOT + DAYS * 96 })).lines;

/** A file of the utility: net kWh by the quarter-hour, or by the hour, without what it lacks. */
function csvOf(netWhAt: (slot: number) => number, { slots = 1, lacks = (_: number): boolean => false } = {}) {
  const rows: string[] = [];
  for (let slot = FIRST_SLOT; slot < FIRST_SLOT + DAYS * 96; slot += slots) {
    if (lacks(slot)) continue;
    const wh = Array.from({ length: slots }, (_, index) => netWhAt(slot + index));
    const kwh = wh.reduce((sum, value) => sum + value, 0) / 1_000;
    rows.push(`${new Date(slot * 900_000).toISOString()},${kwh.toFixed(3)}`);
  }
  return ["start,netKwh", ...rows].join("\n");
}

/** Both registers of the buyer, each as its own utility writes them. */
const buyerFile = (slots = 1): string => {
  const count = (DAYS * 96) / slots;
  const wh = (at: (slot: number) => number) =>
    Array.from({ length: count }, (_, index) =>
      Array.from({ length: slots }, (_, part) => at(FIRST_SLOT + index * slots + part) * 1e6).reduce(
        (sum, value) => sum + value,
        0,
      ),
    );
  return nem12Of(
    [
      { register: "E1", minutes: 15 * slots, microWh: wh(buyerImportWh) },
      { register: "B1", minutes: 15 * slots, microWh: wh(() => BUYER_EXPORT_WH) },
    ],
    BEGINS_AT_S,
  );
};

const reconcile = (file: string, account: Hex, ...more: string[]) => [
  "meter",
  "reconcile",
  file,
  "--account",
  account,
  "--month",
  "2026-04",
  ...more,
];

async function found(args: string[]) {
  const { status, stdout, stderr } = await line.run([...args, "--json"]);
  expect(stderr).toBe("");
  return { status, ...(JSON.parse(stdout) as Found) };
}

interface Found {
  readonly totals: {
    readonly sale: Record<string, number>;
    readonly purchase: Record<string, number>;
    readonly coveredShare: number;
    readonly unclaimed: { readonly slots: number };
  };
  readonly excesses: readonly Record<string, unknown>[];
  readonly unreconciled: readonly Record<string, unknown>[];
  readonly partial: readonly string[];
  readonly remarks: readonly string[];
}

describe("what cannot be compared", () => {
  test("rejects: bad words, files, months and accounts, with status 2 and nothing printed", async () => {
    const file = line.write("seller.csv", csvOf(sellerWh));
    const other = `0x${"77".repeat(20)}` as Hex;
    await line.bad(
      [
        [
          ["meter", "reconcile", "--account", seller, "--month", "2026-04"],
          /missing required argument 'file'/,
        ],
        [["meter", "reconcile", file, "--month", "2026-04"], /required option '--account/],
        [["meter", "reconcile", file, "--account", seller], /required option '--month/],
        [
          ["meter", "reconcile", file, "--account", seller, "--month", "April"],
          /not a month written yyyy-mm: April/,
        ],
        [reconcile(file, seller, "--tolerance-wh", "-1"), /must be a whole number from 0 to 1048575/],
        [reconcile(file, seller, "--meter", "none"), /^the files: have no meter none; they have 1\n$/],
        [reconcile(file, seller, "--region", "nowhere"), /^region_not_found: /],
        [reconcile(line.file("none.csv"), seller), /^none\.csv: is not there\n$/],
        [reconcile(file, seller, "--mapping", line.file("none.json")), /none\.json/],
        [reconcile(file, other), /^account_not_found: /],
        [
          ["meter", "reconcile", file, "--account", seller, "--month", "2026-03"],
          /settled nothing of that month/,
        ],
        [
          ["meter", "reconcile", file, "--account", seller, "--month", "2027-01"],
          /settled nothing of that month/,
        ],
      ],
      2,
    );
    const late = line.write("late.csv", csvOf(sellerWh).replaceAll("2026-04", "2025-04"));
    await line.bad([[reconcile(late, seller), /^the files: tell nothing of the month: no file tells/]], 2);
    expect((await line.run(["meter", "reconcile", "--help"])).status).toBe(0);
    expect(await linesOf(seller)).toEqual(claims.seller);
  });
});

describe("an honest home", () => {
  test("behavior: is in no excess, by the quarter-hour and by the hour, and ends with status 0", async () => {
    for (const slots of [1, 4]) {
      const file = line.write(`buyer-${slots}.csv`, buyerFile(slots));
      const { status, totals, excesses, unreconciled, partial } = await found(
        reconcile(file, buyer, "--zone", "UTC"),
      );
      expect({ status, excesses, unreconciled }).toEqual({ status: 0, excesses: [], unreconciled: [] });
      const boughtWh = claims.buyer.reduce((sum, { meteredWh }) => sum - meteredWh, 0);
      expect(totals.purchase).toMatchObject({
        claimedWh: boughtWh,
        reconciledWh: boughtWh,
        excessMicroWh: 0,
      });
      expect(totals.coveredShare).toBe(1);
      expect(totals.unclaimed.slots).toBeGreaterThan(0);
      expect(partial).toContainEqual(
        expect.stringMatching(/^the month is settled until 2026-04-0\d \d\d:\d\d \+02:00$/),
      );
    }
    const text = await line.good(reconcile(line.file("buyer-1.csv"), buyer, "--zone", "UTC"));
    expect(text).toMatch(new RegExp(`^nothing is in excess: ${buyer} in polder-clients\n`));
    expect(text).toMatch(/in part: the region began 2026-04-01 0\d:\d\d \+02:00/);
    expect(text).toContain("read: NMI0000001 E1 (import), NMI0000001 B1 (export)");
    expect(text).toMatch(/bought, import │ \d+\.\d{3} +│ \d+\.\d{3} +│ 100\.0 %/);
    expect(text).toContain("every claim could be reconciled");
    expect(text).toContain("a claim may be 2 Wh a slot above its reading (2 registers)");
  });
});

describe("a home whose sensor was tampered with", () => {
  /** The claims that its utility's meter does not bear out. */
  const raised = () => claims.seller.filter(({ slot, meteredWh }) => isRaised(slot) && meteredWh > 0);

  test("rejects: each raised quarter-hour, with what it was paid for it, and ends with status 1", async () => {
    const { status, excesses, totals } = await found(reconcile(line.file("seller.csv"), seller));
    expect(status).toBe(1);
    expect(raised().length).toBeGreaterThanOrEqual(WINDOWS);
    expect(excesses).toEqual(
      raised().map(({ slot, tradedWh, priceMicrosPerKwh, amountMicros }) => {
        const paidWh = Math.max(0, tradedWh - sellerWh(slot));
        return expect.objectContaining({
          from: new Date(slot * 900_000).toISOString(),
          direction: "sale",
          claimedWh: sellerWh(slot) + TAMPERED_WH,
          readMicroWh: sellerWh(slot) * 1e6,
          excessMicroWh: TAMPERED_WH * 1e6,
          paidMicroWh: paidWh * 1e6,
          priceMicrosPerKwh,
          amountMicros: paidWh === 0 ? 0 : fairShare(amountMicros, paidWh, tradedWh),
          isMeasured: true,
        });
      }),
    );
    expect(totals.sale.amountMicros, "neighbours took all of it").toBeGreaterThan(0);
    expect(totals.sale.excessMicroWh).toBe(raised().length * TAMPERED_WH * 1e6);
    const wide = await found(
      reconcile(line.file("seller.csv"), seller, "--tolerance-wh", String(TAMPERED_WH)),
    );
    expect([wide.status, wide.excesses]).toEqual([0, []]);
  });
  test("rejects: the hours, where the file has only hours, and says it for people", async () => {
    const file = line.write("hourly.csv", csvOf(sellerWh, { slots: 4 }));
    const { status, excesses } = await found(reconcile(file, seller));
    expect(status).toBe(1);
    expect(excesses).toEqual(
      raised().map(({ slot }) =>
        expect.objectContaining({
          fromSlot: slot - 2,
          untilSlot: slot + 2,
          excessMicroWh: TAMPERED_WH * 1e6,
        }),
      ),
    );
    const { status: again, stdout } = await line.run(reconcile(file, seller));
    expect(again).toBe(1);
    expect(stdout).toMatch(new RegExp(`^in excess: ${raised().length} times?: ${seller}`));
    expect(stdout).toMatch(/│ 2026-04-0\d \d\d:00 \+02:00 │ 4 +│ sale +│ 1\.\d{3} +│ 1\.\d+ +│ 0\.12 /);
  });
  test("behavior: what the file does not know is named and not judged", async () => {
    const [first, second] = raised();
    const lacking = new Set([first?.slot]);
    const file = line.write("holes.csv", csvOf(sellerWh, { lacks: (slot) => lacking.has(slot) }));
    const { status, excesses, unreconciled, totals, partial } = await found(reconcile(file, seller));
    expect(status).toBe(1);
    expect(excesses[0]).toMatchObject({ fromSlot: second?.slot });
    expect(excesses).toHaveLength(raised().length - 1);
    expect(unreconciled).toEqual([
      expect.objectContaining({
        fromSlot: first?.slot,
        slots: 1,
        soldWh: first?.meteredWh,
        reason: "no file tells of it",
      }),
    ]);
    expect(totals.coveredShare).toBeLessThan(1);
    expect(partial).toContainEqual(expect.stringMatching(/^the files tell \d+ of \d+ quarter-hours wholly$/));
  });
  test("behavior: files of several meters add up; without a meter's name they must be told apart", async () => {
    const half = (slot: number) => Math.floor(sellerWh(slot) / 2);
    const one = line.write("one.csv", csvOf(half));
    const two = line.write(
      "two.csv",
      csvOf((slot) => sellerWh(slot) - half(slot) + TAMPERED_WH),
    );
    const both = ["meter", "reconcile", one, two, "--account", seller, "--month", "2026-04"];
    const apart = await found([...both, "--apart"]);
    expect([apart.status, apart.excesses]).toEqual([0, []]);
    const together = await found(both);
    expect(together.status).toBe(1);
    expect(together.remarks.join("\n")).toMatch(/stands twice: an earlier line covers its time: two\.csv/);
  });
});
