// Owns the commands about certificates as a household and an asker meet them, on a real deployment whose homes traded a proved
// window. It refuses a certificate that says whose it is.

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { derivedKey } from "../../clients/local/neighbourhood.ts";
import { walletSigner } from "../../clients/sdk/signer.ts";
import type { Hex } from "../../protocol/fields.ts";
import { CommandLine } from "../support/client-commands.ts";
import { prover, showWindow } from "../support/client-proving.ts";
import {
  eventually,
  type OpenRegion,
  openRegionAt,
  REGION,
  SEED,
  termsOf,
} from "../support/client-region.ts";

/** A window of an hour in eight seconds of wall time: longer than what is done in one. */
const RATE = 450;
const PATIENCE_MS = 60_000;
const SOLD_WH = 400;
/** Each command is a process of its own, beside others on the machine. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

let region: OpenRegion;
let line: CommandLine;
let seller: Awaited<ReturnType<OpenRegion["household"]>>;
let buyer: Awaited<ReturnType<OpenRegion["household"]>>;
/** The epoch in which the seller sold four times 400 Wh. */
let epoch: number;

const good = (...args: Parameters<CommandLine["good"]>) => line.good(...args);
const bad = (...args: Parameters<CommandLine["bad"]>) => line.bad(...args);
const kept = (): string[] => ["--keep", line.file("kept.ndjson")];
const wallet = () => ({ POLDER_WALLET_KEY: derivedKey(SEED, "seller/wallet") });

/** Both prove the next window while it runs: what they will measure is known here. */
async function trade(): Promise<number> {
  const { client } = region;
  const step = (limitPriceMicrosPerKwh: number) => ({ limitPriceMicrosPerKwh, capWhPerSlot: 1_000 });
  const order = { type: "place_order" as const, validFromS: 0, validUntilS: 0, hours: [], replaces: 0 };
  await client.submit(REGION, seller.signer, { ...order, side: "sell", steps: [step(100_000)] });
  await client.submit(REGION, buyer.signer, { ...order, side: "buy", steps: [step(250_000)] });
  const { slot } = await client.market(REGION);
  const firstSlot = Math.floor(slot / 4 + 1) * 4;
  const sides = [
    { keys: seller, wh: SOLD_WH },
    { keys: buyer, wh: -SOLD_WH },
  ];
  const shown = await Promise.all(
    sides.map(({ keys, wh }) =>
      showWindow({ client, region: REGION, keys, firstSlot, netWh: new Array<number>(4).fill(wh) }),
    ),
  );
  const isOver = async () => (await client.marketTimeS()) > (firstSlot + 4) * 900;
  expect(await eventually(isOver, PATIENCE_MS)).toBe(true);
  for (const [index, { keys }] of sides.entries()) {
    const { netWh, evidence } = shown[index] as NonNullable<(typeof shown)[0]>;
    await client.submit(
      REGION,
      keys.signer,
      { type: "submit_readings", firstSlot, netWh: [...netWh] },
      evidence,
    );
  }
  return Math.floor(firstSlot / termsOf().epochSlots);
}

beforeAll(async () => {
  region = await openRegionAt(RATE);
  line = new CommandLine(region.stack.url, region.stateFolder);
  seller = await region.household("seller");
  buyer = await region.household("buyer");
  const committed = await good(["certificate", "commit", ...kept()], wallet());
  expect(committed).toMatch(
    /^committed \(entry \d+\); it counts for epoch \d+ and later ones\nthe secret is in /,
  );
  epoch = await trade();
  const isClosed = async () => (await region.client.epoch(REGION, epoch)) !== undefined;
  expect(await eventually(isClosed, PATIENCE_MS)).toBe(true);
});

afterAll(async () => {
  await prover.close();
  await region.stop();
});

const make = (...more: string[]) => [
  "certificate",
  "make",
  ...kept(),
  "--epoch",
  `${epoch}`,
  "--for",
  "a landlord",
  ...more,
];

describe("making a certificate", () => {
  test("rejects: what no certificate exists for, with a reason in words", async () => {
    const amount = ["--at-least", "300Wh"];
    await bad([
      [make(), /--at-least/],
      [make("--at-least", "300"), /an amount with its unit/],
      [make(...amount, "--sold", "--bought"), /cannot be used with/],
      [make("--at-least", "1601Wh"), /sold 1.6 kWh in epoch \d+, which is less than 1.601 kWh/],
      [make(...amount, "--epoch", `${epoch + 1_000}`), /has not closed yet: it ends at \d{4}-/],
      [make(...amount, "--epoch", "9999999"), /has not closed yet: it ends after the last year/],
      [make(...amount, "--epoch", "1"), /has no epoch 1; the last one that closed is \d+/],
      [make(...amount, "--account", buyer.account), /keeps no secret for 0x/],
      [["certificate", "commit", ...kept()], /set .*POLDER_WALLET_KEY/],
    ]);
  });

  test("behavior: a secret is drawn once, and another one when asked for; both stay in the file", async () => {
    const lines = () => readFileSync(line.file("kept.ndjson"), "utf8").trimEnd().split("\n");
    expect(lines()).toHaveLength(1);
    await good(["certificate", "commit", ...kept()], wallet());
    expect(lines()).toHaveLength(1);
    await good(["certificate", "commit", "--renew", ...kept()], wallet());
    expect(lines()).toHaveLength(2);
    const commitments = lines().map((text) => JSON.parse(text).certificateSecret.commitment as string);
    expect((await region.client.account(REGION, seller.account)).certificate).toBe(commitments[1]);
    // The epoch that closed with the old one is still certified.
    const made = await good(make("--at-least", "1.6kWh", "--out", line.file("after.json")));
    expect(made).toMatch(
      /^it says: an account of polder-clients sold at least 1\.6 kWh of local solar in epoch/,
    );
    expect(made).toMatch(/only one account of the epoch reaches that/);
  });
});

describe("checking certificates", () => {
  const check = (...args: string[]) => ["certificate", "check", ...args];
  const [first, second, other] = ["first.json", "second.json", "other.json"] as const;
  const file = (name: string) => line.file(name);
  beforeAll(async () => {
    await Promise.all([
      good(make("--at-least", "0.3kWh", "--out", file(first))),
      good(make("--at-least", "1Wh", "--out", file(second))),
      good([...make("--at-least", "1Wh", "--out", file(other)), "--for", "an employer"]),
    ]);
  });

  test("rejects: what is for somebody else, forged, shown twice, about another root, or no certificate", async () => {
    const text = readFileSync(file(first), "utf8");
    const forged = line.write("forged.json", text.replace('"atLeastWh": 300', '"atLeastWh": 301'));
    await bad([
      [check(file(other), "--for", "a landlord"), /made for "an employer", not for "a landlord"/],
      [check(forged), /its proof is not one of what it says/],
      [check(file(first), "--root", `0x${"00".repeat(32)}`), /its root 0x\S+ is not that of epoch/],
      [check(file(first), "--region", "nowhere"), /region_not_found/],
      [check(file(second), file(first), "--json"), /first\.json: .*: it shows the same account as .*second/],
      [check(file("absent.json")), /absent\.json: nothing is established: ENOENT/],
    ]);
  });

  test("behavior: what is established is said, no account is named, and an audit gives the same root", async () => {
    const text = readFileSync(file(first), "utf8");
    expect(text).not.toContain(seller.account.slice(2));
    const { root, nullifier } = JSON.parse(text) as { root: Hex; nullifier: Hex };
    const words = await good(check(file(first), "--for", "a landlord"));
    expect(words).toMatch(/established: an account of polder-clients sold at least 300 Wh .*Amsterdam\)/);
    expect(words).toMatch(
      /nullifier 0x[0-9a-f]{64}: shown to you again for this epoch, it is the same account/,
    );
    expect(JSON.parse(await good(check(file(first), file(other), "--json", "--root", root)))).toMatchObject([
      { established: true, atLeastWh: 300, nullifier, candidates: 1 },
      { established: true, for: "an employer" },
    ]);
    expect(await good(["certificate", "encode", file(first)])).toMatch(/^0x[0-9a-f]{8}[0-9a-f]+\n$/);
    expect(await good(["audit", "--certificates", `${epoch}`])).toContain(
      `certificate root of epoch ${epoch} ${root}`,
    );
  });

  test("rejects: a commitment by a session key, which is the wallet's to give", async () => {
    const draft = { type: "commit_certificate", commitment: "7" } as const;
    await expect(region.client.submit(REGION, seller.signer, draft)).rejects.toThrow(/session_scope/);
    const { entry } = await region.client.submit(REGION, walletSigner(seller.wallet), draft);
    expect(entry).toBeGreaterThan(0);
  });
});
