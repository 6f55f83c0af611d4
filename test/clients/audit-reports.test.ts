// Owns the promise that nobody reports to the chain what the journal does not give, and that no journal takes from a chain what
// is not there: whatever an operator says, the audit names the part. It refuses a report about nothing.

import { beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import type { MirroredChain } from "../../clients/audit/mirrored-events.ts";
import type { ChainDeposit } from "../../clients/chain/region-record.ts";
import { certificateTree } from "../../evidence/certificate-tree.ts";
import { depositsHashOf, NO_DEPOSITS } from "../../evidence/deposit-chain.ts";
import { EMPTY_REPORT, type EpochReport } from "../../evidence/epoch-report.ts";
import { SumTree } from "../../evidence/sum-tree.ts";
import type { RegistryEvent } from "../../governance/calls/registry-event.ts";
import type { Hex } from "../../protocol/fields.ts";
import { mirror, settledOpening } from "../support/audited-chain.ts";
import {
  householdOf,
  type Journal,
  OPENED_AT_S,
  REGION,
  type Step,
  sign,
  writeJournal,
} from "../support/client-journal.ts";
import { address, DOMAIN, GRID, MIDNIGHT_S, TREASURY, word } from "../support/market.ts";

const ann = householdOf("ann");
const bob = householdOf("bob");
const FIRST_EPOCH = MIDNIGHT_S / 900 / 8;
const CLOSED_S = MIDNIGHT_S + 2 * 3_600 + 900;

let journal: Journal;
let reported: Map<number, EpochReport>;
const made: ChainDeposit[] = [];

/** Deposits of two homes, a withdrawal, and two closed epochs. */
async function settlingSteps(): Promise<Step[]> {
  const steps = [await settledOpening()];
  let previousHash: Hex = NO_DEPOSITS;
  for (const [index, { account }] of [ann, bob].entries()) {
    const deposit = {
      region: REGION,
      account,
      nonce: index + 1,
      amountMicros: 1_000_000 * (index + 1),
      previousHash,
    };
    steps.push(await sign(OPENED_AT_S + 9, mirror, { type: "credit_deposit", ...deposit }));
    previousHash = depositsHashOf(deposit);
    made.push({ index: index + 1, account, amountMicros: deposit.amountMicros, depositsHash: previousHash });
  }
  // The second event is passed over.
  for (const nonce of [1, 3])
    steps.push(
      await sign(OPENED_AT_S + 20, mirror, {
        type: "appoint_installers",
        nonce,
        installers: [address(nonce)],
      }),
    );
  steps.push(await sign(OPENED_AT_S + 60, ann.owner, { type: "withdraw", amountMicros: 250_000 }));
  steps.push(
    await sign(OPENED_AT_S + 70, mirror, {
      type: "schedule_terms",
      nonce: 1,
      fromEpoch: FIRST_EPOCH + 1,
      outflowCapBps: 700,
      emissionPerEpoch: "5",
      emissionDecayBps: 0,
    }),
  );
  return steps;
}

beforeAll(async () => {
  journal = await writeJournal(await settlingSteps(), CLOSED_S + 2 * 3_600);
  const closing = journal.entries.filter(({ events }) => events.some(({ type }) => type === "epoch_closed"));
  // Written down by hand: what the deposits and the withdrawal add up to, account by account.
  const leaves = [
    [TREASURY, 0, 0],
    [GRID, 0, 0],
    [ann.account, 250_000, 750_000],
    [bob.account, 0, 2_000_000],
  ] as const;
  const tree = new SumTree(
    leaves.map(([account, asked, kept]) => ({
      account: account as Hex,
      sums: { withdrawalsMicros: BigInt(asked), heldMicros: BigInt(kept), rewards: 0n },
    })),
  );
  const credited = journal.entries.findLast(({ command }) => command?.type === "credit_deposit");
  const depositsHash = credited?.events.find(({ type }) => type === "deposit_credited") as {
    depositsHash: Hex;
  };
  reported = new Map(
    closing.map(({ number, stateHash }, index) => [
      FIRST_EPOCH + index,
      {
        epoch: FIRST_EPOCH + index,
        stateHash: stateHash as Hex,
        journalRoot: `0x${JSON.parse(journal.lines[number - 1] as string).hash}` as Hex,
        lastDeposit: 2,
        depositsHash: depositsHash.depositsHash,
        certificateRoot: certificateTree([]).root,
        sumRoot: tree.root,
        totals: tree.totals,
      },
    ]),
  );
});

const held = (changed: readonly [number, Partial<EpochReport>][] = []) => {
  const reports = new Map(reported);
  for (const [epoch, change] of changed)
    reports.set(epoch, { ...(reports.get(epoch) ?? { ...EMPTY_REPORT, epoch }), ...change });
  return audit(DOMAIN, journal.lines, { reported: reports });
};

describe("reports", () => {
  const totals = { withdrawalsMicros: 250_000n, heldMicros: 2_750_000n, rewards: 0n };
  test.each<[string, Partial<EpochReport>]>([
    ["lastDeposit", { lastDeposit: 1 }],
    ["depositsHash", { depositsHash: word(1) }],
    ["withdrawalsMicros", { totals: { ...totals, withdrawalsMicros: 250_001n, heldMicros: 2_749_999n } }],
    ["heldMicros", { totals: { ...totals, heldMicros: 2_750_001n } }],
    ["rewards", { totals: { ...totals, rewards: 1n } }],
    ["sumRoot", { sumRoot: word(1) }],
    ["certificateRoot", { certificateRoot: word(1) }],
    ["journalRoot", { journalRoot: word(1) }],
    ["stateHash", { stateHash: word(1) }],
  ])("rejects: another %s than the journal gives", async (part, change) => {
    const { auditOk, failure, reports } = await held([[FIRST_EPOCH, change]]);
    expect(auditOk).toBe(false);
    expect(failure?.reason).toMatch(new RegExp(`^epoch ${FIRST_EPOCH} was reported with ${part} `));
    expect(reports).toBe(0);
  });

  test("rejects: an epoch that has not closed, and anything before the region's first", async () => {
    const later = await held([[FIRST_EPOCH + 2, {}]]);
    expect(later.failure?.reason).toMatch(/does not close in this journal/);
    const earlier = await held([[FIRST_EPOCH - 1, { lastDeposit: 1 }]]);
    expect(earlier.failure?.reason).toMatch(/was reported with lastDeposit 1/);
  });

  test("behavior: what is right is counted, and nothing at all was right before the first epoch", async () => {
    expect(await held([[FIRST_EPOCH - 1, {}]])).toMatchObject({ auditOk: true, failure: null, reports: 3 });
  });
});

/** An event of the register as the chain has it. */
const appointed = (number: number, installer = number): RegistryEvent => ({
  number,
  draft: { type: "appoint_installers", nonce: number, installers: [address(installer)] },
});

interface OnChain {
  readonly deposits?: readonly ChainDeposit[];
  readonly registryEvents?: readonly RegistryEvent[] | null;
  readonly stage?: MirroredChain["record"]["stage"];
  /** What it has when it is asked again. */
  readonly later?: OnChain;
  readonly timeS?: number;
}

/** Audits the journal against a chain that has what the journal took, but for the changes. */
function against({ later, timeS = 0, ...changes }: OnChain) {
  const registryEvents = [1, 2, 3].map((number) => appointed(number));
  const none = { versions: null, stakeEvents: null };
  const record = { stage: "open" as const, deposits: made, registryEvents, ...none, ...changes };
  const chain: MirroredChain = {
    record,
    again: async () => ({ ...record, ...later }),
    depositTimeS: async () => timeS,
  };
  return audit(DOMAIN, journal.lines, { chain });
}

describe("what a journal took from its chain", () => {
  const entryOf = (match: (command: object) => boolean) =>
    journal.entries.find(({ command }) => command !== undefined && match(command))?.number;
  const third = { index: 3, account: address(9), amountMicros: 5, depositsHash: word(9) };

  test.each<[string, Partial<ChainDeposit>]>([
    ["account", { account: address(9) }],
    ["amountMicros", { amountMicros: 2_000_001 }],
    ["depositsHash", { depositsHash: word(1) }],
  ])("rejects: a deposit credited with another %s than on the chain", async (part, change) => {
    const other = [made[0], { ...made[1], ...change }] as ChainDeposit[];
    const { failure, deposits } = await against({ deposits: other });
    expect(failure?.reason).toMatch(
      new RegExp(`^deposit 2 was credited with ${part} \\S+, and the chain has `),
    );
    expect(failure?.reason).toContain(Object.values(change).join());
    expect(failure?.entry).toBe(
      entryOf((command) => "previousHash" in command && "nonce" in command && command.nonce === 2),
    );
    expect(deposits).toBe(1);
  });

  test("rejects: a deposit that the chain has not, also when it is asked again", async () => {
    const one = made.slice(0, 1);
    const { failure } = await against({ deposits: one });
    expect(failure?.reason).toBe("deposit 2 was credited, and the chain has none");
    const later = await against({ deposits: one, later: { deposits: made } });
    expect(later).toMatchObject({ auditOk: true, deposits: 2 });
    const otherwise = [made[0], { ...made[1], account: address(9) }] as ChainDeposit[];
    const wrong = await against({ deposits: one, later: { deposits: otherwise } });
    expect(wrong.failure?.reason).toMatch(/^deposit 2 was credited with account/);
  });

  test("rejects: a deposit that was left out of an epoch which began after it", async () => {
    const deposits = [...made, third];
    const beganAtS = FIRST_EPOCH * 8 * 900;
    const { failure, uncredited } = await against({ deposits, timeS: beganAtS });
    expect(failure?.reason).toBe(
      `deposit 3 (5 micros for ${third.account}) is on the chain, and epoch ${FIRST_EPOCH} began and closed without it`,
    );
    const [closing] = journal.entries.filter(({ events }) =>
      events.some(({ type }) => type === "epoch_closed"),
    );
    expect(failure?.entry).toBe(closing?.number);
    expect(uncredited).toEqual([third]);
    // Nothing has closed since it was made; and where everybody leaves, it is paid back.
    for (const fine of [{ timeS: beganAtS + 8 * 900 + 1 }, { timeS: beganAtS, stage: "exiting" as const }])
      expect(await against({ deposits, ...fine })).toMatchObject({ auditOk: true, uncredited: [third] });
  });

  test("rejects: an event of the register that the chain has otherwise, or not at all", async () => {
    const other = await against({ registryEvents: [appointed(1), appointed(2), appointed(3, 4)] });
    expect(other.failure?.reason).toBe(
      `event 3 of the register was taken with installers ["${address(3)}"], and the chain has ["${address(4)}"]`,
    );
    const none = await against({ registryEvents: [appointed(1), appointed(2)] });
    expect(none.failure?.reason).toBe("event 3 of the register was taken, and the chain has none");
    expect(none.failure?.entry).toBe(
      entryOf((command) => "installers" in command && "nonce" in command && command.nonce === 3),
    );
  });

  test("behavior: what is right is counted, and what was passed over is named", async () => {
    expect(await against({})).toMatchObject({
      auditOk: true,
      deposits: 2,
      registryEvents: 2,
      passedOver: [2],
      uncredited: [],
    });
    expect(await against({ registryEvents: null })).toMatchObject({ auditOk: true, registryEvents: 0 });
  });
});
