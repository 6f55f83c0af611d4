// Owns the promise that an audit holds a journal to every vote on its chain: nothing voted is left out, changed or invented, what
// came late is named, and so is what nobody voted for. It refuses a chain that is not asked.

import { beforeAll, describe, expect, test } from "vitest";
import type { ChainVersion } from "../../clients/chain/region-record.ts";
import { figuresOf } from "../../market/schedule.ts";
import type { Figures } from "../../protocol/commands.ts";
import { GOVERNED_VALUES } from "../../protocol/governed-values.ts";
import { auditAgainst, mirror, settledOpening } from "../support/audited-chain.ts";
import {
  type Journal,
  OPENED_AT_S,
  operator,
  type Step,
  sign,
  writeJournal,
} from "../support/client-journal.ts";
import { MIDNIGHT_S, PARAMETERS } from "../support/market.ts";

const FIRST_EPOCH = MIDNIGHT_S / 900 / 8;
const EPOCH_S = 8 * 900;

/** What the chain has: the opening's version, and three that were voted. The third comes late into the journal. */
const VOTED: readonly (readonly [number, Partial<Figures>])[] = [
  [FIRST_EPOCH, {}],
  [FIRST_EPOCH + 1, { takeRateBps: 25 }],
  [FIRST_EPOCH + 1, { takeRateBps: 25, shareCapBps: 9_000 }],
  [FIRST_EPOCH + 2, { takeRateBps: 50, shareCapBps: 9_000 }],
];

const version = ([fromEpoch, more]: readonly [number, Partial<Figures>]): ChainVersion => {
  const figures: Readonly<Record<string, number | string>> = { ...figuresOf(PARAMETERS), ...more };
  return { fromEpoch, values: GOVERNED_VALUES.map((name) => BigInt(figures[name] ?? 7)) };
};
const ON_CHAIN = VOTED.map(version);

async function votingSteps(skipped: readonly number[] = [], isUnvoted = false): Promise<Step[]> {
  const steps = [await settledOpening()];
  if (isUnvoted) {
    const parameters = { ...PARAMETERS, takeRateBps: 1_999 };
    steps.push(await sign(OPENED_AT_S + 5, operator, { type: "set_parameters", parameters }));
  }
  for (const [nonce, [fromEpoch, more]] of VOTED.entries()) {
    if (nonce === 0 || skipped.includes(nonce)) continue;
    const atS = nonce < 3 ? OPENED_AT_S + 10 * nonce : MIDNIGHT_S + 2 * EPOCH_S + 1_000;
    const figures = { ...figuresOf(PARAMETERS), ...more };
    steps.push(await sign(atS, mirror, { type: "schedule_parameters", nonce, fromEpoch, figures }));
  }
  return steps;
}

const written = async (steps: Promise<Step[]>) => writeJournal(await steps, MIDNIGHT_S + 5 * EPOCH_S);

/** Audits a journal against a chain with some versions, and others when it is asked again. */
const against = (
  journal: Journal,
  versions: readonly ChainVersion[] | null,
  later: readonly ChainVersion[] | null = versions,
) => auditAgainst(journal, { registryEvents: [], versions }, { registryEvents: [], versions: later });

describe("votes", () => {
  let journal: Journal;
  const entryOf = (nonce: number) =>
    journal.entries.find(({ command }) => command?.type === "schedule_parameters" && command.nonce === nonce)
      ?.number;
  beforeAll(async () => {
    journal = await written(votingSteps());
  });

  test("rejects: a version that was taken otherwise than it is on the chain", async () => {
    const changed = (number: number, fromEpoch: number, more: Partial<Figures>) =>
      ON_CHAIN.map((one, place) => (place === number ? version([fromEpoch, more]) : one));
    for (const [versions, reason] of [
      [changed(1, FIRST_EPOCH + 1, { takeRateBps: 24 }), "takeRateBps 25, and the chain has 24"],
      [changed(1, FIRST_EPOCH + 3, { takeRateBps: 25 }), `fromEpoch ${FIRST_EPOCH + 1}, and the chain has`],
      [
        changed(1, FIRST_EPOCH + 1, { takeRateBps: 25, rewardPerFee: "1" }),
        "rewardPerFee 1000000000, and the chain has 1",
      ],
    ] as const) {
      const { failure, votes } = await against(journal, versions);
      expect(failure?.reason).toContain(`version 1 of the vote was taken with ${reason}`);
      expect(failure?.entry).toBe(entryOf(1));
      expect(votes).toBe(0);
    }
  });

  test("rejects: a version that the chain has not, also when it is asked again", async () => {
    const { failure } = await against(journal, ON_CHAIN.slice(0, 3));
    expect(failure).toEqual({
      entry: entryOf(3),
      reason: "version 3 of the vote was taken, and the chain has none",
    });
    expect(await against(journal, ON_CHAIN.slice(0, 3), ON_CHAIN)).toMatchObject({ auditOk: true, votes: 3 });
    const other = [...ON_CHAIN.slice(0, 3), version([FIRST_EPOCH + 2, {}])];
    expect((await against(journal, ON_CHAIN.slice(0, 3), other)).failure?.reason).toContain("takeRateBps 50");
  });

  test("rejects: a version that was left out, at the end or in between", async () => {
    const without = await written(votingSteps([3]));
    const { failure } = await against(without, ON_CHAIN);
    expect(failure?.reason).toBe(
      `version 3 of the vote holds from epoch ${FIRST_EPOCH + 2} on, and epoch ${FIRST_EPOCH + 2} closed without it`,
    );
    const closing = without.entries.find(({ events }) =>
      events.some((event) => event.type === "epoch_closed" && event.epoch === FIRST_EPOCH + 2),
    );
    expect(failure?.entry).toBe(closing?.number);
    const between = await against(await written(votingSteps([1])), ON_CHAIN);
    expect(between.failure?.reason).toBe(
      "version 1 of the vote was passed over, and the region could have kept it",
    );
    // One that no region with such windows could keep is none of its faults.
    const [first, , second, third] = ON_CHAIN as [ChainVersion, ChainVersion, ChainVersion, ChainVersion];
    const refused = version([FIRST_EPOCH + 1, { proofDelaySeconds: 3_601 }]);
    expect(await against(await written(votingSteps([1])), [first, refused, second, third])).toMatchObject({
      auditOk: true,
      votes: 2,
    });
  });

  test("behavior: what is right is counted, what came late and what nobody voted for is named", async () => {
    const report = await against(journal, ON_CHAIN);
    expect(report).toMatchObject({
      auditOk: true,
      failure: null,
      votes: 3,
      unvoted: [],
      lateVotes: [{ version: 3, fromEpoch: FIRST_EPOCH + 2, heldFrom: FIRST_EPOCH + 3 }],
    });
    const unvoted = await against(await written(votingSteps([], true)), ON_CHAIN);
    expect(unvoted).toMatchObject({ auditOk: true, votes: 3, unvoted: [2] });
    const [, ...rest] = ON_CHAIN as [ChainVersion, ...ChainVersion[]];
    const opened = await against(journal, [version([FIRST_EPOCH, { clearingPriceK: 0 }]), ...rest]);
    expect(opened).toMatchObject({ auditOk: true, unvoted: [1] });
    // Nothing that has begun yet: it may come.
    const later = [...ON_CHAIN, version([FIRST_EPOCH + 400, {}])];
    expect(await against(journal, later)).toMatchObject({ auditOk: true, votes: 3 });
    expect(await against(journal, null)).toMatchObject({ auditOk: true, votes: 0, unvoted: [] });
  });
});
