// Owns the promise that a deploy file which would deploy something wrong is refused before anything is asked of a chain. It
// refuses to deploy.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deployFileSchema } from "../../governance/deploy/deploy-file.ts";
import { VOTE_LIMITS } from "../../governance/deploy/vote-file.ts";
import { GOVERNED_VALUES } from "../../protocol/governed-values.ts";
import { LOCAL, REGION, somebody, TOKEN, VOTE } from "../support/vote-file.ts";

const ROOT = join(import.meta.dirname, "../..");

test("rejects: a deploy file with anything unknown, missing or twice", () => {
  const cases: [object, string][] = [
    [{ ...LOCAL, owner: somebody("0d") }, "Unrecognized key"],
    [{ ...LOCAL, guardian: "0x12" }, "must be an address"],
    [{ ...LOCAL, quote: undefined }, "Invalid input"],
    [{ ...LOCAL, chainId: 0 }, "Too small"],
    [{ ...LOCAL, regions: [REGION, REGION] }, "a region stands twice"],
    [{ ...LOCAL, regions: [{ ...REGION, windowSlots: 5 }] }, "Invalid input"],
    [{ ...LOCAL, regions: [{ ...REGION, installers: [somebody("0b"), somebody("0b")] }] }, "stands twice"],
    [
      { ...LOCAL, regions: [{ ...REGION, terms: { ...REGION.terms, emissionPerEpoch: 5 } }] },
      "expected string",
    ],
    [{ ...LOCAL, regions: [{ ...REGION, parameters: undefined }] }, "expected object"],
  ];
  for (const [file, reason] of cases)
    expect(JSON.stringify(deployFileSchema.safeParse(file).error?.issues), reason).toContain(reason);
});

test("rejects: a vote that nobody could propose or pass, that ends too late, or rewards above the ceiling", () => {
  const [first] = VOTE.members as [(typeof VOTE.members)[number]];
  const cases: [object, string][] = [
    [{ members: [] }, "Too small"],
    [{ members: [first, first] }, "a member stands twice"],
    [{ members: [{ ...first, amount: "0" }] }, "a member holds nothing"],
    [{ cap: "1" }, "the beginning is more than the cap"],
    [{ treasuryAmount: String(900_000n * TOKEN) }, "all members together do not reach the quorum"],
    [{ quorumPercent: 0 }, "Too small"],
    [{ quorumPercent: 51 }, "Too big"],
    [{ proposalThreshold: String(2_001n * TOKEN) }, "it is more than 1 percent of the supply"],
    [
      {
        members: [{ ...first, amount: String(TOKEN) }],
        treasuryAmount: "0",
        proposalThreshold: String(TOKEN + 1n),
      },
      "no member could propose anything",
    ],
    [{ votingDelaySeconds: 0 }, "Too small"],
    [{ votingPeriodSeconds: 30 * 86_400 + 1 }, "Too big"],
    [{ lateQuorumSeconds: 601 }, "it is longer than the voting period"],
    [{ timelockDelaySeconds: 0 }, "Too small"],
    [
      { votingPeriodSeconds: 7 * 86_400 },
      "a vote on a freeze may take 604980 s, and polder-one is over after 604800",
    ],
    [{ mostPerDay: "999" }, "the regions may reward 1000 a day: claims would have to wait"],
    [{ admin: somebody("0d") }, "Unrecognized key"],
  ];
  for (const [change, reason] of cases)
    expect(
      JSON.stringify(deployFileSchema.safeParse({ ...LOCAL, vote: { ...VOTE, ...change } }).error?.issues),
      reason,
    ).toContain(reason);
});

test("rejects: stakes that are gone, or slashes that are due, before a vote could say no", () => {
  const parameters = { ...REGION.parameters, unbondingSeconds: 10 * 86_400 - 1 };
  const cases: [object, string][] = [
    [{ stake: undefined }, "expected object"],
    [{ stake: { ...LOCAL.stake, auditSeconds: 0 } }, "Too small"],
    [{ stake: { ...LOCAL.stake, auditSeconds: 30 * 86_400 + 1 } }, "Too big"],
    [{ stake: { ...LOCAL.stake, slashDelaySeconds: 60 * 86_400 + 1 } }, "Too big"],
    [
      { stake: { ...LOCAL.stake, slashDelaySeconds: 780 } },
      "a vote may take 780 s, and a slash would be due before",
    ],
    [
      { regions: [{ ...REGION, parameters }] },
      "it counts as no less than audit and delay of a slash, 864000 s",
    ],
  ];
  for (const [change, reason] of cases)
    expect(
      JSON.stringify(deployFileSchema.safeParse({ ...LOCAL, ...change }).error?.issues),
      reason,
    ).toContain(reason);
});

test("invariant: the example is a deploy file, and bounds that contracts have too are theirs", () => {
  const example = readFileSync(join(ROOT, "docs/examples/deploy.json"), "utf8");
  expect(deployFileSchema.safeParse(JSON.parse(example)).error?.issues).toBeUndefined();
  const limits = readFileSync(join(ROOT, "governance/vote/VoteLimits.sol"), "utf8");
  const { votingDelaySeconds, votingPeriodSeconds, lateQuorumSeconds, quorumPercent, thresholdPercent } =
    VOTE_LIMITS;
  const units = { hours: 3_600, days: 86_400, "": 1 } as const;
  const shared = {
    MIN_DELAY_SECONDS: votingDelaySeconds.least,
    MAX_DELAY_SECONDS: votingDelaySeconds.most,
    MIN_PERIOD_SECONDS: votingPeriodSeconds.least,
    MAX_PERIOD_SECONDS: votingPeriodSeconds.most,
    MIN_EXTENSION_SECONDS: lateQuorumSeconds.least,
    MIN_QUORUM_PERCENT: quorumPercent.least,
    MAX_QUORUM_PERCENT: quorumPercent.most,
    MAX_THRESHOLD_PERCENT: thresholdPercent,
  };
  for (const [name, expected] of Object.entries(shared)) {
    const [, value, unit = ""] = new RegExp(`${name} = (\\d+) ?(\\w*);`).exec(limits) ?? [];
    expect(Number(value) * units[unit as keyof typeof units], name).toBe(expected);
  }
});

test("invariant: governed values stand in the contract's order", () => {
  const source = readFileSync(join(ROOT, "governance/vote/IRewardParameters.sol"), "utf8");
  const [, body = ""] = /enum Parameter \{([^}]*)\}/.exec(source) ?? [];
  const names = [...body.matchAll(/^ {4}(\w+),?$/gm)].map(([, name = ""]) => name);
  expect(names.map((name) => name.slice(0, 1).toLowerCase() + name.slice(1))).toEqual(GOVERNED_VALUES);
});
