// Owns the promises of a provider's node, as a process against a real deployment: it joins with one command, runs what it sold,
// ends what overruns, says when it is full, and loses or doubles nothing whatever is killed.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AskKeeper } from "../../clients/provider/ask-keeper.ts";
import { NodeKey } from "../../clients/provider/node-key.ts";
import { assemble } from "../../tools/job-sources.ts";
import { type Running, runToEnd, start } from "../support/client-process.ts";
import { eventually, REGION } from "../support/client-region.ts";
import { ProviderRegion, type Trader } from "../support/provider-region.ts";

/** Writes its input back. */
const ECHO = assemble(`(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`);

/** Runs until its fuel is used up. */
const ENDLESS = assemble(`(module (memory (export "memory") 1)
  (func (export "_start") (local $i i32)
    (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $again))))`);

let region: ProviderRegion;
let buyer: Trader;
let sellers = 0;
const running: Running[] = [];

/** A seller with a node of its own process, connected and with an ask in the book. */
async function joined(...more: string[]): Promise<{ seller: Trader; node: Running }> {
  sellers += 1;
  const seller = await region.trader(`seller ${sellers}`, ["sell"]);
  // Cheaper than those before, some of whose asks are still on their way out of the book.
  const node = join(seller, "--price", `0.${200 - sellers}`, ...more);
  await connected(seller, node);
  return { seller, node };
}

function join(seller: Trader, ...more: string[]): Running {
  const node = start("cli/main.ts", [
    "provider",
    "start",
    ...["--url", region.stack.url, "--region", REGION, "--key-file", seller.keyFile],
    ...["--cores", "1", "--modules", `${region.folder}/modules`],
    ...more,
  ]);
  running.push(node);
  return node;
}

async function connected(seller: Trader, node: Running): Promise<void> {
  const isThere = await eventually(async () => {
    return (await region.asksOf(seller.account)) > 0 && (await region.isConnected(seller.account));
  });
  expect(`${isThere} ${isThere ? "" : node.stderr()}`).toBe("true ");
}

async function ended(seller: Trader, obligationId: number) {
  expect(
    await eventually(async () =>
      (await region.told(seller.account)).some((told) => told.obligationId === obligationId && told.outcome),
    ),
  ).toBe(true);
  const told = (await region.told(seller.account)).filter(
    (one) => one.obligationId === obligationId && one.outcome,
  );
  expect(told).toHaveLength(1);
  return told[0]?.outcome;
}

beforeAll(async () => {
  region = await ProviderRegion.open();
  buyer = await region.trader("buyer", ["buy"]);
  await region.upload(ECHO, buyer.apiKey);
  await region.upload(ENDLESS, buyer.apiKey);
});

afterAll(async () => {
  for (const { process } of running) process.kill("SIGKILL");
  await region.stop();
});

describe("a provider's node", () => {
  test("rejects: a key that others may read, one that may not sell, and a price that is none", async () => {
    const { chmodSync } = await import("node:fs");
    const place = ["--url", region.stack.url, "--region", REGION];
    chmodSync(buyer.keyFile, 0o644);
    const args = ["provider", "start", ...place, "--key-file", buyer.keyFile, "--price"];
    const readable = await runToEnd("cli/main.ts", [...args, "0.2"]);
    expect(readable).toMatchObject({ status: 1, stderr: expect.stringContaining("chmod 600") });
    chmodSync(buyer.keyFile, 0o600);
    const buys = await runToEnd("cli/main.ts", [...args, "0.2"]);
    expect(buys).toMatchObject({ status: 1, stderr: expect.stringContaining("session_scope") });
    const free = await runToEnd("cli/main.ts", [...args, "cheap"]);
    expect(free.status).toBe(1);
    const leased = await runToEnd("cli/main.ts", [...args, "0.2", "--lease", "compute-lease-year"]);
    expect(leased).toMatchObject({ status: 1, stderr: expect.stringContaining("compute-lease-week") });
    const absent = await runToEnd("cli/main.ts", [...args.slice(0, -2), "absent.key", "--price", "0.2"]);
    expect(absent).toMatchObject({ status: 1, stderr: expect.stringContaining("polder key create --sell") });
    expect(await region.asksOf(buyer.account)).toBe(0);
  });

  test("behavior: it joins, runs what it is given, and takes its asks along when it leaves", async () => {
    const { seller, node } = await joined();
    expect(await region.asksOf(seller.account)).toBe(1);
    const input = new TextEncoder().encode("what goes in comes out");
    const order = await region.order(buyer, ECHO, { input });
    // What another bought, or nobody, is not run: whatever the object says.
    const another = { ...order, obligationId: order.obligationId + 1_000 };
    expect(await region.dispatch(seller.account, another)).toBe("accepted");
    expect(await ended(seller, another.obligationId)).toEqual({
      kind: "gave_up",
      reason: expect.stringContaining("obligation_not_found"),
    });
    const longer = { ...order, obligationId: order.obligationId, deadlineS: order.deadlineS + 1 };
    expect(await region.dispatch(seller.account, longer)).toBe("accepted");
    expect((await ended(seller, order.obligationId))?.reason).toContain("another deadline");
    const sold = await region.order(buyer, ECHO, { input });
    expect(await region.dispatch(seller.account, sold)).toBe("accepted");
    const outcome = await ended(seller, sold.obligationId);
    expect(outcome).toMatchObject({
      kind: "result",
      end: "exited",
      exitCode: 0,
      stdout: { bytes: [...input] },
    });
    const status = await runToEnd("cli/main.ts", [
      ...["provider", "status", "--url", region.stack.url, "--region", REGION],
      ...["--key-file", seller.keyFile],
    ]);
    expect(status.stdout).toContain(seller.account);
    node.process.kill("SIGTERM");
    expect(await node.ended).toBe(0);
    expect(await region.asksOf(seller.account)).toBe(0);
  });

  test("behavior: the account's next node takes the place of the one before, which ends in good order, and its asks", async () => {
    const { seller, node } = await joined("--lease", "compute-lease-day");
    expect(await eventually(async () => (await region.asksOf(seller.account)) === 2)).toBe(true);
    const next = join(seller, "--price", "0.3");
    // A service that ends in good order is not started again: two with one key would take turns for ever.
    expect(await node.ended).toBe(0);
    expect(node.stderr()).toMatch(/another node .* has taken this one's place/);
    const pricesOf = async () =>
      (await region.orders(seller.account)).map(({ product, priceMicrosPerTera }) => [
        product,
        priceMicrosPerTera,
      ]);
    // Of what it does not sell nothing stays: nobody would serve it when it is gone.
    const isItsOwn = async () => JSON.stringify(await pricesOf()) === '[["compute-job",300000]]';
    expect(await eventually(isItsOwn), next.stderr()).toBe(true);
    next.process.kill("SIGTERM");
    expect(await next.ended).toBe(0);
  });

  test("behavior: asks that the key does not allow are complained about once", async () => {
    const seller = await region.trader("dear", ["sell"]);
    const lines: string[] = [];
    const client = region.client;
    const keeper = new AskKeeper({
      client,
      signer: seller.signer,
      key: new NodeKey({
        account: seller.account,
        seed: seller.seed,
        region: REGION,
        domain: await client.deployment(),
        atS: () => Math.floor(Date.now() / 1000),
      }),
      offers: [{ product: "compute-job", quantityMega: 2_000_000_000, priceMicrosPerTera: 1 }],
      rate: 1,
      isOpen: () => true,
      leaveWill: () => {},
      report: (line) => lines.push(line),
    });
    await keeper.keep();
    await keeper.keep();
    expect(lines).toEqual([expect.stringMatching(/^asks could not be kept: session_scope: /)]);
  });

  test("behavior: a job that overruns is ended with its thread, one that has no module is given up, the next one runs", async () => {
    const { seller, node } = await joined();
    const endless = await region.order(buyer, ENDLESS, { wallSeconds: 1, fuelMega: 600_000 });
    expect(await region.dispatch(seller.account, endless)).toBe("accepted");
    expect(await ended(seller, endless.obligationId)).toEqual({ kind: "gave_up", reason: "overran" });
    const unknown = await region.order(buyer, new Uint8Array([1]));
    expect(await region.dispatch(seller.account, unknown)).toBe("accepted");
    expect((await ended(seller, unknown.obligationId))?.reason).toContain("module_not_found");
    const bounded = await region.order(buyer, ENDLESS, { fuelMega: 5 });
    expect(await region.dispatch(seller.account, bounded)).toBe("accepted");
    expect(await ended(seller, bounded.obligationId)).toMatchObject({ kind: "result", end: "out_of_fuel" });
    node.process.kill("SIGKILL");
  });

  test("behavior: one that is full says so, leaves the book, and is back when it has room", async () => {
    const { seller, node } = await joined();
    const endless = await region.order(buyer, ENDLESS, { wallSeconds: 3, fuelMega: 600_000 });
    const second = await region.order(buyer, ECHO);
    expect(await region.dispatch(seller.account, endless)).toBe("accepted");
    expect(await region.dispatch(seller.account, second)).toBe("full");
    // What it gave back is the buyer's again at once.
    const isOpen = async () =>
      (await region.obligations(buyer)).some(({ obligationId }) => obligationId === second.obligationId);
    expect(await eventually(async () => !(await isOpen()))).toBe(true);
    expect(await eventually(async () => (await region.asksOf(seller.account)) === 0)).toBe(true);
    expect((await ended(seller, endless.obligationId))?.kind).toBe("gave_up");
    expect(await eventually(async () => (await region.asksOf(seller.account)) === 1)).toBe(true);
    const third = await region.order(buyer, ECHO);
    expect(await region.dispatch(seller.account, third)).toBe("accepted");
    expect(await ended(seller, third.obligationId)).toMatchObject({ kind: "result" });
    node.process.kill("SIGKILL");
  });

  test("behavior: what runs while the objects are killed is neither lost nor told twice", async () => {
    const { seller, node } = await joined();
    const order = await region.order(buyer, ENDLESS, { wallSeconds: 60, fuelMega: 30_000 });
    expect(await region.dispatch(seller.account, order)).toBe("accepted");
    region.killObjects();
    expect(await ended(seller, order.obligationId)).toMatchObject({ kind: "result", end: "out_of_fuel" });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(
      (await region.told(seller.account)).filter(({ obligationId }) => obligationId === order.obligationId),
    ).toHaveLength(1);
    expect(node.stderr()).toContain("connecting again");
    node.process.kill("SIGKILL");
  });

  test("behavior: what a killed node was running is run by the next node of the account", async () => {
    const { seller, node } = await joined();
    const order = await region.order(buyer, ENDLESS, {
      wallSeconds: 60,
      fuelMega: 20_000,
      commitFirst: true,
    });
    expect(await region.dispatch(seller.account, order)).toBe("accepted");
    node.process.kill("SIGKILL");
    await node.ended;
    const next = join(seller, "--price", "0.2");
    expect(
      await eventually(
        async () => (await region.told(seller.account)).some(({ commitment }) => commitment !== undefined),
        40_000,
      ),
    ).toBe(true);
    await region.reveal(seller.account, order.obligationId);
    expect(await ended(seller, order.obligationId)).toMatchObject({ kind: "result", end: "out_of_fuel" });
    next.process.kill("SIGKILL");
  });
});
