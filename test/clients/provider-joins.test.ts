// Owns the promise to whoever has a spare machine: from a deposit to the first money with the commands that the documentation
// names, in that order, on a real chain whose mirror brings the stake into the region. It refuses to call anything but commands.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { householdKeys, openRegion, operatorWallet } from "../../clients/local/neighbourhood.ts";
import { LOCAL_PARAMETERS } from "../../clients/local/region-parameters.ts";
import { type SettledChain, startSettledChain } from "../../clients/local/settled-money.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import type { ApiKey } from "../../evidence/session-signature.ts";
import { parseApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import { assemble } from "../../tools/job-sources.ts";
import { type Ended, type Running, runToEnd, start } from "../support/client-process.ts";
import { eventually, REGION, SEED, termsOf } from "../support/client-region.ts";
import { hasAnvil } from "../support/local-chain.ts";

const [SELLER, APP] = [householdKeys(SEED, "seller"), householdKeys(SEED, "app")];
const TRADERS = ["seller", "app"].map((name) => ({ name, creditMicros: 1_000_000_000 }));
const NOTHING = assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);

describe.skipIf(!hasAnvil)("joining with a machine (skipped where npm has no anvil for the machine)", () => {
  let folder: string;
  let settled: SettledChain;
  let stack: Stack;
  let client: PolderClient;
  let node: Running | null = null;

  const file = (name: string): string => join(folder, name);
  const polder = (args: readonly string[], keys: Record<string, string> = {}): Promise<Ended> =>
    runToEnd("cli/main.ts", args, {
      POLDER_URL: stack.url,
      POLDER_REGION: REGION,
      POLDER_RPC: settled.chain.url,
      ...keys,
    });
  const good = async (args: readonly string[], keys: Record<string, string> = {}): Promise<string> => {
    const { status, stdout, stderr } = await polder(args, keys);
    expect(`${status} ${stderr}`).toBe("0 ");
    return stdout.replaceAll(/[\u2500-\u257f]/g, "");
  };
  const keyIn = (name: string): ApiKey => parseApiKey(readFileSync(file(name), "utf8").trim()) as ApiKey;
  const sessions = async (account: `0x${string}`) => (await client.account(REGION, account)).sessions;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "polder-joins-"));
    const terms = { ...termsOf({ ...LOCAL_PARAMETERS }), quote: "settlement" as const };
    const nowS = (): number => Math.floor(Date.now() / 1_000);
    const plan = { folder, seed: SEED, terms, marketS: nowS(), homes: [], traders: TRADERS };
    settled = await startSettledChain(plan, 0);
    settled.chain.follow(nowS);
    stack = await startStack({
      stateFolder: file("state"),
      logger: () => {},
      vars: { ...settled.vars, OPERATOR: operatorWallet(SEED).address },
    });
    client = new PolderClient(stack.url);
    await openRegion(client, SEED, terms);
    for (const { account } of [SELLER, APP])
      expect(
        await eventually(async () => (await client.account(REGION, account).catch(() => null)) !== null),
      ).toBe(true);
  }, 120_000);
  afterAll(async () => {
    node?.process.kill("SIGKILL");
    await stack?.stop();
    await settled?.chain.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("rejects: keys for what there is not, for two things at once, and over a file that is there", async () => {
    const wallet = { POLDER_WALLET_KEY: SELLER.walletKey };
    writeFileSync(file("there.key"), "mine");
    for (const [args, said] of [
      [["--sell", "time"], /must be energy, compute/],
      [["--sell", "compute,compute"], /must be energy, compute/],
      [["--sell", "compute", "--sides", "sell"], /cannot be used with/],
      [["--sell", "compute", "--buy", "energy"], /make two keys/],
      [["--sell", "compute", "--least-ask-tera", "cheap"], /decimal/],
      [["--sell", "compute", "--daily-mega", "-1"], /whole number/],
      [["--sell", "compute", "--out", file("there.key")], /is not written over/],
    ] as const) {
      const refused = await polder(["key", "create", ...args], wallet);
      expect(refused).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(said) });
    }
    expect(readFileSync(file("there.key"), "utf8")).toBe("mine");
    expect(await sessions(SELLER.account)).toEqual([]);
  }, 60_000);

  test("behavior: key create makes keys within the limits that were said, in files for their owner alone", async () => {
    const sells = ["--sell", "compute", "--least-ask-tera", "0.1", "--daily-mega", "5000000"];
    const said = await good(["key", "create", ...sells, "--out", file("node.key")], {
      POLDER_WALLET_KEY: SELLER.walletKey,
    });
    expect(said).not.toContain("polder_");
    const buys = ["--buy", "compute", "--highest-bid-tera", "0.5", "--spend", "10"];
    await good(["key", "create", ...buys, "--out", file("app.key")], { POLDER_WALLET_KEY: APP.walletKey });
    for (const name of ["node.key", "app.key"]) expect(statSync(file(name)).mode & 0o777).toBe(0o600);
    expect(await sessions(SELLER.account)).toMatchObject([
      {
        key: sessionKeyOf(keyIn("node.key").seed),
        ...{ resources: ["compute"], sides: ["sell"], leastAskMicrosPerTera: 100_000, dailyMega: 5_000_000 },
        ...{ dailyWh: 0, leastAskMicrosPerKwh: 0, highestBidMicrosPerKwh: 0 },
      },
    ]);
    expect(await sessions(APP.account)).toMatchObject([
      { resources: ["compute"], sides: ["buy"], highestBidMicrosPerTera: 500_000, dailyWh: 0 },
    ]);
  }, 60_000);

  test("behavior: stake puts the wallet's money at stake on the chain, and the mirror brings it into the region", async () => {
    const wallet = { POLDER_KEY: SELLER.walletKey };
    const stake = ["provider", "stake", "--key-file", file("node.key"), "--amount"];
    const much = await polder([...stake, "1000000"], wallet);
    expect(much).toMatchObject({ status: 1, stdout: "" });
    const before = await good(["provider", "status", "--key-file", file("node.key")]);
    expect(before).toMatch(/at stake +nothing/);
    expect(before).toMatch(/record +none yet/);
    expect(await good([...stake, "60"], wallet)).toMatch(/^staked 60\.000000: 0x[0-9a-f]{64}/);
    await settled.chain.finalise();
    const staked = async () => (await client.account(REGION, SELLER.account)).provider;
    expect(await eventually(async () => (await staked()) !== null)).toBe(true);
    expect(await staked()).toMatchObject({
      nodeKey: sessionKeyOf(keyIn("node.key").seed),
      stakedMicros: 60_000_000,
    });
    // Another key is none of this stake's, and two acts are some minutes apart.
    const other = await polder(["provider", "stake", "--key-file", file("app.key"), "--amount", "1"], wallet);
    expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining("staked with another key") });
    const soon = await polder([...stake, "5"], wallet);
    expect(soon).toMatchObject({ status: 1, stderr: expect.stringContaining("ProviderStake_TooSoon") });
    await settled.chain.finalise();
    expect((await staked())?.stakedMicros).toBe(60_000_000);
  }, 60_000);

  test("behavior: start sells, a job of an app runs on it, and status says what is on its way", async () => {
    const sells = ["--price", "0.2", "--cores", "1", "--modules", file("modules")];
    const files = ["--key-file", file("node.key")];
    const place = ["--url", stack.url, "--region", REGION];
    node = start("cli/main.ts", ["provider", "start", ...place, ...sells, ...files]);
    const asks = `/v1/regions/${REGION}/accounts/${SELLER.account}/resource-orders`;
    expect(
      await eventually(async () => (await client.get<{ orders: unknown[] }>(asks)).orders.length > 0),
    ).toBe(true);
    writeFileSync(file("job.wasm"), NOTHING);
    const app = { POLDER_API_KEY: readFileSync(file("app.key"), "utf8").trim() };
    await good(["job", "run", file("job.wasm"), "--most", "0.0005", "--fuel", "1000"], app);
    const status = await good(["provider", "status", ...files]);
    expect(status).toMatch(/at stake +60\.000000/);
    // One megafuel at a fifth of a micro, rounded up, less the fee, rounded up.
    expect(status).toMatch(/under way +1 trades/);
    expect(status).toMatch(/pending +0\.00000\d for results/);
    expect(status).toMatch(/answered in time +100 %/);
    node.process.kill("SIGTERM");
    expect(await node.ended).toBe(0);
  }, 60_000);

  test("behavior: estimate measures and joins nothing; service writes what starts the node as it was started", async () => {
    const price = ["--price", "0.2", "--cores", "1"];
    const estimate = await good(["provider", "estimate", ...price]);
    expect(estimate).toMatch(/^\d+ megafuel a second with 1 thread\n/);
    expect(estimate).toMatch(/your price +0\.200000 +\d+\.\d\d/);
    const key = ["--key-file", file("node.key")];
    await good(["provider", "service", ...price, ...key, "--out", file("polder.service")]);
    const unit = readFileSync(file("polder.service"), "utf8");
    const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "";
    const words = [...line.matchAll(/"([^"]*)"/g)].map(([, word]) => word as string);
    expect(words.slice(2, 4)).toEqual(["provider", "start"]);
    expect(unit).not.toContain("polder_");
    const again = await polder(["provider", "service", ...price, "--key-file", file("there.key")]);
    expect(again).toMatchObject({ status: 1, stdout: "" });
    // What the unit says is run, by this very program, joins.
    node = start("cli/main.ts", words.slice(2));
    expect(await eventually(() => node?.stdout().includes(`joins ${REGION}`) === true)).toBe(true);
    node.process.kill("SIGTERM");
    expect(await node.ended).toBe(0);
  }, 60_000);
});
