// Owns the promise that rubbish costs a region little: what would be refused is refused before a pairing, and an account
// whose proofs fail is soon not looked at any more. It refuses to let any of this show in the audited state.

import { describe, expect, test } from "vitest";
import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Admission } from "../../durable-objects/proof-attempts.ts";
import type { ProvedSubmission, Submission } from "../../evidence/signed-command.ts";
import type { SubmitReadings } from "../../protocol/commands.ts";
import { MAX_FAILED_PROOFS, MAX_PROOFS_IN_FLIGHT } from "../../protocol/limits.ts";
import { address, readings, word } from "../support/market.ts";
import {
  acceptedOf,
  deadlineS,
  FIRST_SLOT,
  goTo,
  MIDNIGHT_S,
  openedRegion,
  proof,
  type RegionUnderTest,
  useMarketTime,
} from "./region-under-test.ts";

useMarketTime();

/** An open window, and the submission of home 1 for it. */
async function provable(): Promise<{ region: RegionUnderTest; submission: ProvedSubmission }> {
  const { region } = await openedRegion(2);
  goTo(MIDNIGHT_S + 3_600);
  return { region, submission: (await region.bound(proof(1, FIRST_SLOT, [5]))) as ProvedSubmission };
}

const preflight = (region: RegionUnderTest, submission: Submission) =>
  region.stub.preflight(submission as ProvedSubmission) as unknown as Promise<Outcome | Admission>;

const codeOf = async (answer: Promise<Outcome | Admission>) => {
  const found = await answer;
  return "rejection" in found ? found.rejection.code : found;
};

const fail = (region: RegionUnderTest, submission: ProvedSubmission, ticket = NO_TICKET) =>
  region.stub.proofFailed(submission.command as SubmitReadings, ticket) as unknown as Promise<Outcome>;

/** What no preflight gave. */
const NO_TICKET = 0;
const ticketOf = async (answer: Promise<Outcome | Admission>) => ((await answer) as Admission).ticket;

describe("before a pairing", () => {
  test("rejects: what the market would refuse, by its code, and the state is the same", async () => {
    const { region, submission } = await provable();
    const before = await region.stateHash();
    const other = await region.bound(proof(1, FIRST_SLOT + 4, [5]));
    expect(await codeOf(preflight(region, other))).toBe("window_not_over");
    const stranger = await region.bound(readings(address(99), 1, FIRST_SLOT, [5]));
    expect(await codeOf(preflight(region, stranger))).toBe("account_unknown");
    const root = { ...submission, evidence: { ...submission.evidence, root: word(9) } } as ProvedSubmission;
    expect(await codeOf(preflight(region, root))).toBe("registry_root_wrong");
    expect(await preflight(region, submission)).toMatchObject({ isSuspect: false });
    expect(await region.stateHash()).toEqual(before);
    expect((await region.stub.health()).refusals).toMatchObject({
      window_not_over: 1,
      registry_root_wrong: 1,
    });
  });

  test("behavior: a command that was accepted is answered, and not verified again", async () => {
    const { region, submission } = await provable();
    const first = acceptedOf(await region.submit(submission));
    expect(await preflight(region, submission)).toEqual({ answer: first });
    const again = await region.bound(proof(1, FIRST_SLOT, [6]));
    expect(await codeOf(preflight(region, again))).toBe("window_already_proved");
  });

  test("behavior: what is due is done first, so that a closed window is refused though no alarm came", async () => {
    const { region, submission } = await provable();
    goTo(deadlineS(FIRST_SLOT));
    expect(await codeOf(preflight(region, submission))).toBe("window_closed");
  });
});

describe("failed proofs", () => {
  test("rejects: the fourth of an account for a window, also after an eviction, and nobody else's", async () => {
    const { region, submission } = await provable();
    const before = await region.stateHash();
    for (let failed = 0; failed < MAX_FAILED_PROOFS; failed += 1) {
      const admission = (await preflight(region, submission)) as Admission;
      expect(admission.isSuspect).toBe(failed > 0);
      expect(await codeOf(fail(region, submission, admission.ticket))).toBe("proof_invalid");
    }
    expect(await codeOf(preflight(region, submission))).toBe("proof_attempts_exhausted");
    await region.evict();
    expect(await codeOf(preflight(region, submission))).toBe("proof_attempts_exhausted");
    const neighbour = await region.bound(proof(2, FIRST_SLOT, [-5]));
    expect(await preflight(region, neighbour)).toMatchObject({ isSuspect: false });
    expect(await region.stateHash()).toEqual(before);
  });

  test("behavior: are forgotten when the window closes", async () => {
    const { region, submission } = await provable();
    for (let failed = 0; failed < MAX_FAILED_PROOFS; failed += 1) await fail(region, submission);
    goTo(deadlineS(FIRST_SLOT + 4) - 900);
    const next = await region.bound(proof(1, FIRST_SLOT + 4, [5]));
    expect(await preflight(region, next)).toMatchObject({ isSuspect: false });
    const rows = await region.inside((_region, { storage }) =>
      storage.sql.exec("SELECT * FROM failed_proofs").toArray(),
    );
    expect(rows).toEqual([]);
  });
});

describe("proofs under verification", () => {
  test("rejects: more of one account than it can have meters, with overloaded, until some have ended", async () => {
    const { region, submission } = await provable();
    const all = Array.from({ length: MAX_PROOFS_IN_FLIGHT + 1 }, () => preflight(region, submission));
    const answers = await Promise.all(all);
    const admitted = answers.filter((answer) => "ticket" in answer);
    expect(new Set(admitted.map(({ ticket }) => ticket)).size).toBe(MAX_PROOFS_IN_FLIGHT);
    expect(await Promise.all(answers.map((answer) => codeOf(Promise.resolve(answer))))).toContain(
      "overloaded",
    );
    acceptedOf(await region.submit(submission, admitted[0]?.ticket));
    const other = await region.bound(readings(address(1), 2, FIRST_SLOT, [7]));
    expect(await preflight(region, other)).toMatchObject({ isSuspect: false });
  });

  test("rejects: a second one at a time of an account that has failed, and forgets those that never came back", async () => {
    const { region, submission } = await provable();
    await fail(region, submission);
    expect(await preflight(region, submission)).toMatchObject({ isSuspect: true });
    expect(await codeOf(preflight(region, submission))).toBe("overloaded");
    goTo(MIDNIGHT_S + 3_611);
    expect(await preflight(region, submission)).toMatchObject({ isSuspect: true });
  });

  test("regression: neither what was accepted before nor a verification of an earlier life ends one under way", async () => {
    const { region, submission } = await provable();
    const accepted = acceptedOf(await region.submit(submission));
    const other = (await region.bound(readings(address(1), 2, FIRST_SLOT, [7]))) as ProvedSubmission;
    const early = await ticketOf(preflight(region, other));
    await region.evict();
    await fail(region, other);
    const running = await ticketOf(preflight(region, other));
    expect(await preflight(region, submission)).toEqual({ answer: accepted });
    expect(acceptedOf(await region.submit(submission))).toEqual(accepted);
    expect(await codeOf(preflight(region, other))).toBe("overloaded");
    await fail(region, other, early);
    expect(await codeOf(preflight(region, other))).toBe("overloaded");
    acceptedOf(await region.submit(other, running));
  });
});
