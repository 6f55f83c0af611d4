// Owns the promises of money over HTTP: what the mirror brings, who may take money out, and that what a closed epoch reports
// is what every account can show. It refuses an answer that a contract would not pay for.

import { describe, expect, test } from "vitest";
import { depositsHashOf, NO_DEPOSITS } from "../../evidence/deposit-chain.ts";
import { readClaim } from "../../evidence/sum-claim.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { deadlineS, FIRST_SLOT, goTo, useMarketTime } from "../durable-objects/region-under-test.ts";
import { word } from "../support/market.ts";
import { addressOf, expectAccepted, GatewayUnderTest, operator, walletOf } from "./gateway-under-test.ts";

useMarketTime();

const EPOCH = FIRST_SLOT / 8;
const mirror = walletOf(0x3312);

/** A region that settles on a chain, with deposits of the home and of a neighbour. */
class SettlingRegion {
  readonly polder = new GatewayUnderTest();
  readonly neighbour = walletOf(2);
  previousHash: Hex = NO_DEPOSITS;
  deposits = 0;

  static async opened(): Promise<SettlingRegion> {
    const region = new SettlingRegion();
    const reply = await region.polder.open({ quote: "settlement", mirror: addressOf(mirror) });
    expectAccepted(reply, 201);
    await region.deposit(region.polder.account, 1_000_000);
    await region.deposit(addressOf(region.neighbour), 3_000_000);
    return region;
  }

  /** The next deposit's command. */
  next(account: Hex, amountMicros: number, more: Record<string, unknown> = {}) {
    const { previousHash } = this;
    return this.polder.command("credit_deposit", {
      account,
      amountMicros,
      nonce: this.deposits + 1,
      previousHash,
      ...more,
    });
  }

  async deposit(account: Hex, amountMicros: number): Promise<void> {
    const command = this.next(account, amountMicros);
    expectAccepted(await this.polder.post("/deposits", await this.polder.signed(mirror, command)), 201);
    this.deposits += 1;
    this.previousHash = depositsHashOf(command as Parameters<typeof depositsHashOf>[0]);
  }

  async closeEpoch(): Promise<void> {
    goTo(deadlineS(FIRST_SLOT + 4));
    await this.polder.region.ring();
  }
}

describe("money that comes and goes", () => {
  test("rejects: deposits of strangers, doubled, out of order or with evidence", async () => {
    const region = await SettlingRegion.opened();
    const { polder } = region;
    const good = region.next(polder.account, 5);
    for (const stranger of [operator, polder.home, walletOf(9)])
      await polder.refuse("not_mirror", async () =>
        polder.post("/deposits", await polder.signed(stranger, good)),
      );
    for (const nonce of [0, 2, 4])
      await polder.refuse("chain_event_out_of_order", async () =>
        polder.post("/deposits", await polder.signed(mirror, region.next(polder.account, 5, { nonce }))),
      );
    await polder.refuse("deposit_hash_wrong", async () =>
      polder.post(
        "/deposits",
        await polder.signed(mirror, region.next(polder.account, 5, { previousHash: word(7) })),
      ),
    );
    await polder.refuse("evidence_malformed", async () =>
      polder.post("/deposits", await polder.signed(mirror, good, polder.readings([1, 2, 3, 4]).evidence)),
    );
  });

  test("rejects: a withdrawal by a session key, an API key or a stranger, above what is free, and test money's", async () => {
    const region = await SettlingRegion.opened();
    const { polder } = region;
    const { account } = polder;
    const session = polder.sessionCommand(polder.sessionSeed);
    expectAccepted(await polder.post("/sessions", await polder.signed(polder.home, session)), 201);
    const withdrawal = (amountMicros: number) => polder.command("withdraw", { account, amountMicros });
    await polder.refuse("session_scope", () =>
      polder.post("/withdrawals", polder.bySession(polder.sessionSeed, withdrawal(1))),
    );
    await polder.refuse("malformed_request", () =>
      polder.post("/withdrawals", { amountMicros: 1 }, polder.apiKey),
    );
    await polder.refuse("not_account_owner", async () =>
      polder.post("/withdrawals", await polder.signed(region.neighbour, withdrawal(1))),
    );
    await polder.refuse("funds_insufficient", async () =>
      polder.post("/withdrawals", await polder.signed(polder.home, withdrawal(1_000_001))),
    );
    const play = await GatewayUnderTest.furnished();
    await play.refuse("quote_not_settlement", async () =>
      play.post(
        "/withdrawals",
        await play.signed(play.home, play.command("withdraw", { account, amountMicros: 1 })),
      ),
    );
  });

  test("rejects: an opening whose mirror is missing, or needless", async () => {
    for (const terms of [
      { quote: "settlement", mirror: NO_ADDRESS },
      { quote: "test", mirror: addressOf(mirror) },
    ]) {
      const reply = await new GatewayUnderTest().open(terms);
      expect(reply.json.code).toBe("parameters_out_of_bounds");
    }
  });
});

describe("what a closed epoch reports", () => {
  test("rejects: epochs that have not closed, accounts without a leaf, and regions of test money", async () => {
    const { polder } = await SettlingRegion.opened();
    const { account } = polder;
    for (const path of [`/epochs/${EPOCH}/report`, `/epochs/${EPOCH}/leaves/${account}`])
      expect((await polder.get(path)).json.code).toBe("epoch_not_found");
    const play = await GatewayUnderTest.furnished();
    for (const path of [`/epochs/${EPOCH}/report`, `/epochs/${EPOCH}/leaves/${account}`])
      expect((await play.get(path)).json.code).toBe("quote_not_settlement");
  });

  test("behavior: every account can show what it is owed, and all of it together is what was deposited", async () => {
    const region = await SettlingRegion.opened();
    const { polder } = region;
    const { account, home } = polder;
    const command = polder.command("withdraw", { account, amountMicros: 400_000 });
    expectAccepted(await polder.post("/withdrawals", await polder.signed(home, command)), 201);
    expect((await polder.get(`/accounts/${account}`)).json).toMatchObject({
      freeMicros: 600_000,
      withdrawnMicros: 400_000,
    });
    await region.closeEpoch();
    // What comes later is the next epoch's.
    await region.deposit(account, 9);
    const report = (await polder.get(`/epochs/${EPOCH}/report`)).json;
    expect(report).toMatchObject({
      epoch: EPOCH,
      lastDeposit: 2,
      totals: { withdrawalsMicros: "400000", heldMicros: "3600000", rewards: "0" },
    });
    const lines = (await polder.get("/journal")).text.trim().split("\n");
    const closing = JSON.parse(lines[report.entry - 1] as string);
    expect(report.journalRoot).toBe(`0x${closing.hash}`);
    expect(report.stateHash).toBe(closing.entry.stateHash);
    // The object may be thrown out of memory at any time.
    await polder.region.evict();
    for (const [owner, sums] of [
      [account, { withdrawalsMicros: 400_000n, heldMicros: 600_000n }],
      [addressOf(region.neighbour), { withdrawalsMicros: 0n, heldMicros: 3_000_000n }],
    ] as const) {
      const reply = (await polder.get(`/epochs/${EPOCH}/leaves/${owner}`)).json;
      const claim = readClaim(reply);
      expect(claim).toMatchObject({ epoch: EPOCH, leaf: { account: owner, sums } });
      expect(claim.sumRoot).toBe(report.sumRoot);
      const forged = { ...reply, leaf: { ...reply.leaf, sums: { ...reply.leaf.sums, heldMicros: "1" } } };
      expect(() => readClaim(forged)).toThrow(RangeError);
    }
    expect((await polder.get(`/epochs/${EPOCH}/leaves/${NO_ADDRESS}`)).json.code).toBe("account_not_found");
  });
});
