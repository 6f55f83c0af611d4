// Owns the command line's money as a person meets it, between a real region and a real chain: in, out, paid, and out of a region
// that is over with nobody's help. It refuses a mirror: the test says when something is mirrored or reported.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileMemory } from "../../clients/household/agent-memory.ts";
import { EpochLeaves } from "../../clients/household/epoch-leaves.ts";
import { CommandLine } from "../support/client-commands.ts";
import { REGION } from "../support/client-region.ts";
import { hasAnvil } from "../support/local-chain.ts";
import {
  EXIT_AFTER_SECONDS,
  FINALITY_SECONDS,
  FIRST_EPOCH,
  SettledRegion,
} from "../support/settled-region.ts";

const UNIT = 1_000_000n;

describe.skipIf(!hasAnvil)("money on a chain (skipped where npm has no anvil for the machine)", () => {
  let region: SettledRegion;
  let line: CommandLine;
  let alice: Awaited<ReturnType<SettledRegion["wallet"]>>;
  let bob: typeof alice;
  let poor: typeof alice;
  let as: (home: typeof alice) => Record<string, string>;
  const json = async <T>(args: string[], env: Record<string, string>) =>
    JSON.parse(await line.good([...args, "--json"], env)) as T;

  beforeAll(async () => {
    region = await SettledRegion.start();
    line = new CommandLine(region.stack.url, region.folder);
    alice = await region.wallet("alice", 100n * UNIT);
    bob = await region.wallet("bob", 100n * UNIT);
    poor = await region.wallet("poor", 0n);
    as = ({ key }) => ({ POLDER_KEY: key, POLDER_RPC: region.chain.url });
  }, 60_000);
  afterAll(() => region?.stop());

  test("rejects: amounts, chains and wallets that cannot be", { timeout: 60_000 }, async () => {
    const { url } = region.chain;
    const deposit = (amount: string) => ["deposit", "--amount", amount];
    await line.bad([
      [deposit("0"), /must be above zero/, as(alice)],
      [deposit("-1"), /must be above zero/, as(alice)],
      [deposit("1.0000001"), /finer than a micro/, as(alice)],
      [deposit("1e3"), /not a plain decimal/, as(alice)],
      [deposit("4000000000.000001"), /more than any region may hold/, as(alice)],
      [deposit("50USD"), /is in EUR, and not in USD/, as(alice)],
      [deposit("1"), /set POLDER_KEY/, { POLDER_RPC: url }],
      [deposit("1"), /name the chain's RPC with --rpc/, { POLDER_KEY: alice.key }],
      [[...deposit("1"), "--rpc", "nowhere"], /begins with http/, as(alice)],
      [
        [...deposit("1"), "--rpc", "http://127.0.0.1:1"],
        /no chain answers at http:\/\/127\.0\.0\.1:1/,
        as(alice),
      ],
      [
        deposit("0.5"),
        /^Settlement_DepositTooSmall: 0\.500000 is less than the least deposit, 1\.000000/,
        as(alice),
      ],
      [
        deposit("5"),
        /^ERC20InsufficientBalance: 0x[0-9a-fA-F]{40} has 0\.000000 .* and 5\.000000 is needed/,
        as(poor),
      ],
      [[...deposit("5"), "--for", `0x${"00".repeat(20)}`], /^Settlement_DepositAccount/, as(alice)],
      [["withdraw", "--amount", "1"], /^account_(unknown|not_found): /, as(alice)],
      [["claim"], /^Settlement_EpochNotFinal: the report of epoch \d+ is not final yet/, as(alice)],
    ]);
    expect(await region.balance(alice.account)).toBe(100n * UNIT);
  });

  test("behavior: a deposit waits until it is mirrored, and is then free", async () => {
    const made = await line.good(["deposit", "--amount", "50EUR"], as(alice));
    expect(made).toMatch(
      new RegExp(`^deposit 1: 50\\.000000 EUR for ${alice.account} \\(0x[0-9a-f]{64}\\); it can be`),
    );
    expect(await region.balance(alice.account)).toBe(50n * UNIT);
    const before = await json<{ freeMicros: number; depositing: { amountMicros: string }[] }>(
      ["funds"],
      as(alice),
    );
    expect(before).toMatchObject({ freeMicros: 0, depositing: [{ index: 1, amountMicros: "50000000" }] });
    await region.credit();
    const after = await json<object>(["funds"], as(alice));
    expect(after).toMatchObject({
      freeMicros: 50_000_000,
      depositing: [],
      chain: { stage: "open", finalEpoch: null },
    });
  });

  test("behavior: a withdrawal leaves the ledger at once, and says when it is paid", async () => {
    await line.bad([
      [["withdraw", "--amount", "51"], /^funds_insufficient: /, as(alice)],
      [["withdraw", "--amount", "1"], /set POLDER_KEY/, { POLDER_API_KEY: `polder_${"00".repeat(52)}` }],
    ]);
    const asked = await line.good(["withdraw", "--amount", "20"], as(alice));
    expect(asked).toMatch(
      new RegExp(
        `^20\\.000000 EUR have left .* the report of epoch ${FIRST_EPOCH} .* polder claim pays them from about 2026-`,
      ),
    );
    expect(await line.good(["funds"], as(alice))).toMatch(/waiting for a final report\W+20\.000000 EUR/);
  });

  test("behavior: it is payable when its report is final, once", { timeout: 60_000 }, async () => {
    await region.closeAndReport(FIRST_EPOCH);
    await line.bad([
      [["claim"], /^Settlement_EpochNotFinal/, as(alice)],
      [["exit"], /name the contract with --settlement/, as(alice)],
      [
        ["exit", "--settlement", region.deployment.settlement, "--region", REGION],
        /^Settlement_ExitNotOpen: .* if it reports nothing more, the exit opens at 2026-/,
        as(alice),
      ],
    ]);
    await region.pass(FINALITY_SECONDS);
    expect(await json<object>(["funds"], as(alice))).toMatchObject({
      payableMicros: "20000000",
      waitingMicros: "0",
      chain: { closedEpoch: FIRST_EPOCH, reportedEpoch: FIRST_EPOCH, finalEpoch: FIRST_EPOCH },
    });
    // Anybody may send it: it pays the account of the leaf.
    const paid = await line.good(["claim", "--for", alice.account], as(poor));
    expect(paid).toMatch(new RegExp(`^${alice.account} was paid 20\\.000000 EUR, what was asked for`));
    expect(await region.balance(alice.account)).toBe(70n * UNIT);
    expect(await line.good(["claim"], as(alice))).toMatch(/^nothing to claim: /);
    expect(await region.balance(alice.account)).toBe(70n * UNIT);
  });

  test("behavior: when the region is silent everybody leaves with the chain and what was kept alone", {
    timeout: 60_000,
  }, async () => {
    const file = join(region.folder, "alice.ndjson");
    const memory = fileMemory(file);
    const leaves = new EpochLeaves({ client: region.client, region: REGION, account: alice.account, memory });
    await leaves.step(await region.client.market(REGION));
    expect(memory.leaves().map(({ claim }) => claim.epoch)).toEqual([FIRST_EPOCH]);
    // Kept once, also by whoever begins anew with the same file.
    const again = new EpochLeaves({
      client: region.client,
      region: REGION,
      account: alice.account,
      memory: fileMemory(file),
    });
    await again.step(await region.client.market(REGION));
    expect(fileMemory(file).leaves()).toEqual(memory.leaves());
    expect(await line.good(["deposit", "--amount", "10", "--for", bob.account], as(alice))).toMatch(
      /^deposit 2: /,
    );

    await region.stack.stop();
    await region.pass(EXIT_AFTER_SECONDS + 1);
    const nobody = { POLDER_URL: "http://127.0.0.1:1" };
    const left = await line.good(["exit", "--leaf", file], { ...as(alice), ...nobody });
    expect(left).toMatch(/was paid 30\.000000 of the quote asset, all that the last final report shows/);
    expect(await region.balance(alice.account)).toBe(90n * UNIT);
    expect(await line.good(["exit", "--leaf", file], { ...as(alice), ...nobody })).toMatch(
      /^nothing is left/,
    );
    // Of a deposit that was never credited there is no leaf.
    const place = ["--settlement", region.deployment.settlement, "--region", REGION];
    const { status, stdout, stderr } = await line.run(["exit", ...place], { ...as(bob), ...nobody });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(
        /was paid 10\.000000 of the quote asset, a deposit that no report counted/,
      ),
    });
    expect(stderr).toMatch(/its leaf is not in the file: none of this account is kept/);
    expect(await region.balance(bob.account)).toBe(110n * UNIT);
    await line.bad([[["exit", ...place], /its leaf is not in the file/, { ...as(bob), ...nobody }]]);
  });
});
