// Owns the audit's promise about certificate roots: they follow from the journal alone. It refuses a root that the region
// publishes and its journal does not give.

import { describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { certificateTree } from "../../evidence/certificate-tree.ts";
import { secretCommitment } from "../../evidence/meter-statement.ts";
import type { EpochClosed } from "../../protocol/events.ts";
import { eventAt, eventNumber, expectRefused, journal } from "../support/client-audit.ts";
import { certificateSecretOf, householdOf } from "../support/client-journal.ts";
import { DOMAIN, word } from "../support/market.ts";

const at = eventNumber("epoch_closed");
const closed = eventAt(at, 1) as unknown as EpochClosed;

describe("certificate roots", () => {
  test("rejects: another root than the journal's, at the entry that closed the epoch", async () => {
    const certificates = new Map([[closed.epoch, word(1)]]);
    await expectRefused(journal.lines, at, /publishes another certificate root of epoch/, { certificates });
  });

  test("rejects: an epoch that does not close in the journal", async () => {
    const certificates = new Map([[closed.epoch + 1, null]]);
    await expectRefused(journal.lines, journal.lines.length, /does not close in this journal/, {
      certificates,
    });
  });

  test("behavior: the root is that of the sums and commitments of those who had given one", async () => {
    const [ann, cas] = [householdOf("ann"), householdOf("cas")];
    // Accounts stand in the order in which they were opened: treasury, grid operator, ann, bob, cas.
    expect(closed.accounts.filter((_, row) => closed.certified[row] === 1)).toEqual([2, 4]);
    const sumsOf = (account: number) => {
      const row = closed.accounts.indexOf(account);
      return { soldWh: closed.soldWh[row] as number, boughtWh: closed.boughtWh[row] as number };
    };
    expect([sumsOf(2).soldWh, sumsOf(4).boughtWh].every((wh) => wh > 0)).toBe(true);
    const { root } = certificateTree(
      (
        [
          [ann, 2],
          [cas, 4],
        ] as const
      ).map(([{ account }, number]) => ({
        commitment: secretCommitment(certificateSecretOf(account)).toString(),
        ...sumsOf(number),
      })),
    );
    for (const published of [null, root]) {
      const report = await audit(DOMAIN, journal.lines, {
        certificates: new Map([[closed.epoch, published]]),
      });
      expect(report).toMatchObject({ auditOk: true, certificateRoots: { [closed.epoch]: root } });
    }
    expect((await audit(DOMAIN, journal.lines)).certificateRoots).toEqual({});
  });
});
