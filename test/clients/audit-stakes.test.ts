// Owns the promise that an audit holds a journal to every stake event on its chain that it took: none changed, none invented, and
// what was passed over is named. It refuses a chain that is not asked.

import { beforeAll, describe, expect, test } from "vitest";
import type { StakeEvent } from "../../governance/calls/stake-reads.ts";
import { auditAgainst, mirror, settledOpening } from "../support/audited-chain.ts";
import { type Journal, OPENED_AT_S, type Step, sign, writeJournal } from "../support/client-journal.ts";
import { address, MIDNIGHT_S, word } from "../support/market.ts";

const [DORA, EMIL] = [address(0xd0), address(0xe0)];

/** What the chain has. */
const ON_CHAIN: readonly StakeEvent[] = [
  { number: 1, account: DORA, nodeKey: word(1), stakedMicros: 50_000_000, isUnbonding: false },
  { number: 2, account: EMIL, nodeKey: word(2), stakedMicros: 60_000_000, isUnbonding: false },
  { number: 3, account: DORA, nodeKey: word(1), stakedMicros: 45_000_000, isUnbonding: false },
  { number: 4, account: EMIL, nodeKey: word(2), stakedMicros: 60_000_000, isUnbonding: true },
];

async function journalWithout(skipped: readonly number[] = []): Promise<Journal> {
  const steps: Step[] = [await settledOpening()];
  for (const { number: nonce, ...event } of ON_CHAIN)
    if (!skipped.includes(nonce))
      steps.push(await sign(OPENED_AT_S + nonce, mirror, { type: "record_stake", nonce, ...event }));
  return writeJournal(steps, MIDNIGHT_S + 900);
}

/** Audits a journal against a chain with some events, and others when it is asked again. */
const against = (
  journal: Journal,
  stakeEvents: readonly StakeEvent[] | null,
  later: readonly StakeEvent[] | null = stakeEvents,
) => auditAgainst(journal, { stakeEvents }, { stakeEvents: later });

describe("stakes", () => {
  let journal: Journal;
  const entryOf = (nonce: number) =>
    journal.entries.find(({ command }) => command?.type === "record_stake" && command.nonce === nonce)
      ?.number;
  beforeAll(async () => {
    journal = await journalWithout();
  });

  test.each<[string, Partial<StakeEvent>]>([
    ["account", { account: address(9) }],
    ["nodeKey", { nodeKey: word(9) }],
    ["stakedMicros", { stakedMicros: 44_999_999 }],
    ["isUnbonding", { isUnbonding: true }],
  ])("rejects: an event that was taken with another %s than it has on the chain", async (part, change) => {
    const changed = ON_CHAIN.map((event) => (event.number === 3 ? { ...event, ...change } : event));
    const { failure, stakes } = await against(journal, changed);
    expect(failure?.reason).toContain(`stake event 3 was taken with ${part} `);
    expect(failure?.entry).toBe(entryOf(3));
    expect(stakes).toBe(2);
  });

  test("rejects: an event that the chain has not, also when it is asked again", async () => {
    const { failure } = await against(journal, ON_CHAIN.slice(0, 3));
    expect(failure).toEqual({
      entry: entryOf(4),
      reason: "stake event 4 was taken, and the chain has none",
    });
    const other = ON_CHAIN.map((event) => (event.number === 4 ? { ...event, isUnbonding: false } : event));
    expect((await against(journal, ON_CHAIN.slice(0, 3), other)).failure).toMatchObject({
      entry: entryOf(4),
      reason: expect.stringContaining("isUnbonding true, and the chain has false"),
    });
  });

  test("behavior: all are held, also those that came after the chain was read", async () => {
    const whole = { auditOk: true, stakes: 4, stakesPassedOver: [] };
    expect(await against(journal, ON_CHAIN)).toMatchObject(whole);
    expect(await against(journal, ON_CHAIN.slice(0, 2), ON_CHAIN)).toMatchObject(whole);
  });

  test("behavior: what was passed over is named; a chain that is not asked about stakes holds nothing", async () => {
    const without = await journalWithout([2]);
    expect(await against(without, ON_CHAIN)).toMatchObject({
      ...{ auditOk: true, stakes: 3, stakesPassedOver: [2] },
    });
    expect(await against(journal, null)).toMatchObject({ auditOk: true, stakes: 0, stakesPassedOver: [] });
  });
});
