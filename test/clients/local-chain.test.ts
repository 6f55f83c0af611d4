// Owns the promise of the local chain: it follows the market's clock, dies with its launcher, and never forgets a block that it
// has called final, however it ends. It refuses a kill that is not one.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestClient, type Hex, http, publicActions, walletActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLocalChain } from "../../clients/local/local-chain.ts";
import { eventually } from "../support/client-region.ts";
import { hasAnvil } from "../support/local-chain.ts";

const BEGINS_AT_S = 1_800_000_000;
const SENDER = privateKeyToAccount(`0x${"d3".repeat(32)}`);
const LAUNCHER = join(import.meta.dirname, "../support/chain-launcher.ts");

const clientOf = (url: string) =>
  createTestClient({ mode: "anvil", chain: foundry, transport: http(url), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions);

describe.skipIf(!hasAnvil)("the local chain (skipped where npm has no anvil for the machine)", () => {
  let folder: string;
  let launched: ChildProcess | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "polder-chain-"));
  });
  afterAll(() => {
    launched?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  const launch = async (name: string, beginsAtS: number): Promise<ReturnType<typeof clientOf>> => {
    const child = spawn(process.execPath, [LAUNCHER, join(folder, name), String(beginsAtS), "900"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    launched = child;
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    expect(await eventually(() => printed.includes("}"))).toBe(true);
    return clientOf((JSON.parse(printed) as { url: string }).url);
  };

  test("rejects: a folder whose chain runs, and a state that is none", async () => {
    const options = { port: 0, marketS: () => BEGINS_AT_S, report: () => {} };
    const held = join(folder, "held");
    const chain = await startLocalChain({ folder: held, ...options });
    await expect(startLocalChain({ folder: held, ...options })).rejects.toThrow(/still runs/);
    await chain.stop();
    writeFileSync(join(held, "chain-state.gz"), "nothing");
    await expect(startLocalChain({ folder: held, ...options })).rejects.toThrow(/is not a chain's state/);
    expect(readdirSync(held).filter((name) => name.endsWith(".json"))).toEqual([]);
  });

  test("behavior: a block for what is sent, at market time; nobody has money but who was given it", async () => {
    let marketS = BEGINS_AT_S;
    const chain = await startLocalChain({
      folder: join(folder, "time"),
      port: 0,
      marketS: () => marketS,
      report: () => {},
    });
    try {
      const client = clientOf(chain.url);
      expect(await client.getAddresses()).toEqual([]);
      await chain.fund([SENDER.address]);
      marketS += 86_400;
      const hash = await client.sendTransaction({ account: SENDER, to: SENDER.address, value: 1n });
      const { blockNumber } = await client.waitForTransactionReceipt({ hash });
      expect(Number((await client.getBlock({ blockNumber })).timestamp)).toBe(marketS);
      await chain.finalise();
      const final = await client.getBlock({ blockTag: "finalized" });
      expect(final.number).toBeGreaterThanOrEqual(blockNumber);
      // Time that stands still still passes from block to block.
      expect(Number((await client.getBlock()).timestamp)).toBeGreaterThan(marketS);
    } finally {
      await chain.stop();
    }
  });

  test("invariant: what was final before a kill -9 is there after it, and the chain dies with its launcher", {
    timeout: 60_000,
  }, async () => {
    let final: { number: bigint; hash: Hex; timestamp: bigint } | null = null;
    let sent = 0;
    for (let round = 0; round < 4; round += 1) {
      // After a kill the launcher's clock may be behind the chain's.
      const client = await launch("killed", BEGINS_AT_S + round * 300);
      if (final !== null) {
        const found = await client.getBlock({ blockNumber: final.number });
        expect(found.hash, `block ${final.number} of round ${round}`).toBe(final.hash);
        expect((await client.getBlock()).timestamp).toBeGreaterThan(final.timestamp);
      }
      await client.setBalance({ address: SENDER.address, value: 10n ** 20n });
      const endMs = Date.now() + 2_500 + round * 330;
      while (Date.now() < endMs) {
        await client.sendTransaction({ account: SENDER, to: SENDER.address, value: 1n });
        sent += 1;
        const block = await client.getBlock({ blockTag: "finalized" });
        if (final === null || block.number >= final.number)
          final = { number: block.number, hash: block.hash as Hex, timestamp: block.timestamp };
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      const { url } = client.transport as unknown as { url: string };
      launched?.kill("SIGKILL");
      const isGone = async () =>
        !(await fetch(url, { method: "POST", body: "{}" }).then(
          () => true,
          () => false,
        ));
      expect(await eventually(isGone), "an orphan").toBe(true);
    }
    expect(sent).toBeGreaterThan(10);
    expect(final?.number).toBeGreaterThan(4n);
    expect(existsSync(join(folder, "killed", "chain-state.gz"))).toBe(true);
  });
});
