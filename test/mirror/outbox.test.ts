// Owns the promise that the mirror's transactions all get into blocks, in their order, whatever is lost on the way. It refuses a
// chain that mines by itself: the test says what gets in, and when.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Outbox } from "../../durable-objects/mirror/outbox.ts";
import type { ReportPosting } from "../../durable-objects/mirror/report-desk.ts";
import { Rpc } from "../../durable-objects/mirror/rpc.ts";
import { walletOf } from "../../evidence/wallet-key.ts";
import type { Hex } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { hasAnvil, type LocalChain, startChain } from "../support/local-chain.ts";
import { address, word } from "../support/market.ts";
import { KeptMemory } from "./mirrored-world.ts";

const KEY = word(0x0b0b);
const MIRROR = walletOf(KEY);

describe.skipIf(!hasAnvil)("the outbox (skipped where npm has no anvil for the machine)", () => {
  let chain: LocalChain;
  let rpcs: Rpc[];
  const memory = new KeptMemory();
  beforeAll(async () => {
    chain = await startChain(1_800_000_000);
    rpcs = [new Rpc(chain.url, { timeoutMs: 5_000 })];
    await chain.client.setBalance({ address: MIRROR, value: 10n ** 19n });
    await chain.client.setAutomine(false);
  });
  afterAll(async () => {
    await chain?.stop();
  });

  /** Another one each time, as after a restart: what it knows is what was kept. */
  const outbox = () =>
    new Outbox(rpcs, {
      chainId: LOCAL_CHAIN_ID,
      to: address(0x5e),
      key: KEY,
      account: MIRROR,
      memory,
      nameOf: ({ region }: ReportPosting) => region,
      problemOf: ({ region }, error) => ({ code: "report_delayed", facts: { region, error } }),
    });
  const posting = (region: string) => ({ region, epoch: 7, digest: word(1), data: "0x" as Hex, gas: 30_000 });
  const view = () => outbox().latest(0);
  const nonce = () => chain.client.getTransactionCount({ address: MIRROR });

  test("rejects: a second transaction for a region before the first is in a block", async () => {
    expect(await outbox().post(posting("one"), await view())).toBeNull();
    await expect(outbox().post(posting("one"), await view())).rejects.toThrow("on its way");
    expect(memory.values.size).toBe(1);
  });

  test("behavior: two regions' stand in a row; one that is forgotten is sent again, dearer, and both get in", async () => {
    expect(await outbox().post(posting("two"), await view())).toBeNull();
    const [one, two] = [await outbox().inFlight("one"), await outbox().inFlight("two")];
    expect([one?.nonce, two?.nonce]).toEqual([0, 1]);
    await chain.client.dropTransaction({ hash: one?.transaction as Hex });
    for (let polls = 0; polls < 7; polls += 1) await outbox().settle(await view());
    const again = await outbox().inFlight("one");
    expect(again).toMatchObject({ nonce: 0, timesSent: 2 });
    expect(again?.transaction).not.toBe(one?.transaction);
    // The one behind waits for it and is sent again as it is: the node forgot it as well.
    expect(await outbox().inFlight("two")).toMatchObject({
      nonce: 1,
      timesSent: 2,
      transaction: two?.transaction,
    });
    await chain.client.mine({ blocks: 1 });
    expect(await nonce()).toBe(2);
    await outbox().settle(await view());
    expect(memory.values.size).toBe(0);
  });

  test("behavior: a transaction whose record is lost leaves no gap for those behind it", async () => {
    expect(await outbox().post(posting("one"), await view())).toBeNull();
    const sent = await outbox().inFlight("one");
    expect(sent?.nonce).toBe(2);
    await outbox().post(posting("two"), await view());
    await chain.client.dropTransaction({ hash: sent?.transaction as Hex });
    await chain.client.mine({ blocks: 1 });
    // What was kept of the first is lost, and the node has forgotten both: the second would stand behind a gap.
    await memory.delete("sent/2");
    await outbox().settle(await view());
    expect(await outbox().inFlight("two")).toMatchObject({ nonce: 2 });
    await chain.client.mine({ blocks: 1 });
    await outbox().settle(await view());
    expect(await outbox().isEmpty()).toBe(true);
    expect(await nonce()).toBe(3);
  });

  test("behavior: a wallet without money says so, and sends when it has some", async () => {
    await chain.client.setBalance({ address: MIRROR, value: 0n });
    expect(await outbox().post(posting("one"), await view())).toMatchObject({ code: "gas_missing" });
    expect(await outbox().settle(await view())).toMatchObject({ code: "gas_missing" });
    await chain.client.setBalance({ address: MIRROR, value: 10n ** 19n });
    expect(await outbox().settle(await view())).toBeNull();
    await chain.client.mine({ blocks: 1 });
    await outbox().settle(await view());
    expect(await outbox().isEmpty()).toBe(true);
  });
});
