// Owns the audit's promise about what a journal leaves out, adds or moves, and what receipts and claims are good for. It
// refuses an omission that nobody can be told of.

import { describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import type { Receipt } from "../../evidence/receipt.ts";
import type { Entry } from "../../market/journal.ts";
import {
  commandNumber,
  entryAt,
  eventNumber,
  expectRefused,
  journal,
  steps,
} from "../support/client-audit.ts";
import {
  bodiesOf,
  chained,
  type Forgery,
  forged,
  householdOf,
  LIVELY_UNTIL_S,
  operator,
  receiptOf,
  type Step,
  sign,
  writeJournal,
} from "../support/client-journal.ts";
import { DOMAIN } from "../support/market.ts";

describe("entries are left out, added or moved", () => {
  test("rejects: a missing entry, with and without a new chain", async () => {
    for (const number of [1, commandNumber("credit_test_quote", 1), eventNumber("slot_cleared", 2)]) {
      const without = journal.lines.toSpliced(number - 1, 1);
      await expectRefused(without, number, /hash does not follow/);
      await expectRefused(chained(bodiesOf(without)), number, /says it is number/);
    }
    const renumbered = (number: number) =>
      forged(journal.lines, (entries) => entries.toSpliced(number - 1, 1));
    await expectRefused(renumbered(1), 1, /region_not_open/);
    const appointed = commandNumber("appoint_installers");
    await expectRefused(renumbered(appointed), appointed, /not_installer/);
    const enrolment = commandNumber("enrol_meter");
    // The next enrolment takes its place in the tree, which its events do not say.
    await expectRefused(
      renumbered(enrolment),
      commandNumber("enrol_meter", 1) - 1,
      /not what the rules give/,
    );
    const authorised = commandNumber("authorise_session", 2);
    // The order after it has another number now, and so has what it placed.
    await expectRefused(renumbered(authorised), authorised, /not what the rules give/);
  });

  test("rejects: a missing step of the region's own, at the next entry", async () => {
    for (const nth of [0, 2, 3]) {
      const tick = eventNumber("slot_cleared", nth);
      const lines = forged(journal.lines, (entries) => entries.toSpliced(tick - 1, 1));
      await expectRefused(lines, tick, /not what the rules give/);
    }
    const closing = eventNumber("window_closed");
    const lines = forged(journal.lines, (entries) => entries.toSpliced(closing - 1, 1));
    await expectRefused(lines, closing, /a step due at \d+ is missing/);
  });

  test("rejects: a step taken too early", async () => {
    const tick = eventNumber("slot_cleared");
    const readings = commandNumber("submit_readings", 2);
    const early = (atS: number) =>
      forged(journal.lines, (entries) => {
        const [step] = entries.splice(tick - 1, 1) as [Forgery];
        return entries.toSpliced(readings - 1, 0, { ...step, atS });
      });
    await expectRefused(early(entryAt(readings).atS), readings, /nothing is due/);
    // With its right time it stands early all the same, and what it settled is not what was proved by then.
    await expectRefused(early(entryAt(tick).atS), readings, /not what the rules give/);
  });

  test("rejects: reordered entries", async () => {
    const swapped = (left: number) => (entries: Forgery[]) =>
      entries.toSpliced(left - 1, 2, entries[left] as Forgery, entries[left - 1] as Forgery);
    const placed = commandNumber("place_order");
    const bodies = bodiesOf(journal.lines);
    await expectRefused(
      journal.lines.toSpliced(
        placed - 1,
        2,
        journal.lines[placed] as string,
        journal.lines[placed - 1] as string,
      ),
      placed,
      /hash does not follow/,
    );
    await expectRefused(
      chained(bodies.toSpliced(placed - 1, 2, bodies[placed] as string, bodies[placed - 1] as string)),
      placed,
      /says it is number/,
    );
    await expectRefused(forged(journal.lines, swapped(placed)), placed, /not what the rules give/);
    const tick = eventNumber("slot_cleared");
    await expectRefused(forged(journal.lines, swapped(tick)), tick, /not what the rules give/);
    await expectRefused(forged(journal.lines, swapped(tick - 1)), tick - 1, /not what the rules give/);
  });

  test("rejects: an order the operator wrote for a household", async () => {
    const victim = householdOf("ann");
    const at = commandNumber("place_order");
    const { atS } = entryAt(at);
    const { command } = entryAt(at);
    const draft = { ...command, nonce: 1, type: "place_order" } as const;
    const thief = householdOf("thief");
    for (const [signer, reason] of [
      [operator, /not_account_owner/],
      [thief.owner, /not_account_owner/],
      [thief.session, /session_unknown/],
    ] as const) {
      const forgery = await sign(atS, signer, { ...draft, account: victim.account });
      const entry = { ...entryAt(at), command: forgery.command, auth: forgery.auth } as unknown as Forgery;
      await expectRefused(
        forged(journal.lines, (entries) => entries.toSpliced(at - 1, 0, entry)),
        at,
        reason,
      );
    }
  });

  test("rejects: a user's command that the operator plays twice, at once and after it was forgotten", async () => {
    const at = commandNumber("place_order");
    const twice = forged(journal.lines, (entries) => entries.toSpliced(at, 0, entries[at - 1] as Forgery));
    await expectRefused(twice, at + 1, /accepted before/);
    const last = journal.lines.length;
    const later = { ...entryAt(at), atS: entryAt(last).atS } as unknown as Forgery;
    await expectRefused(
      forged(journal.lines, (entries) => [...entries, later]),
      last + 1,
      /accepted before/,
    );
    // Much later its id is forgotten, and then it has expired.
    const dayLater = await writeJournal(steps, LIVELY_UNTIL_S + 86_400);
    const end = dayLater.entries.at(-1) as Entry;
    const stale = { ...entryAt(at), atS: end.atS } as unknown as Forgery;
    await expectRefused(
      forged(dayLater.lines, (entries) => [...entries, stale]),
      end.number + 1,
      /accepted before/,
    );
  });

  test("rejects: a history that leaves a command out and is consistent in itself, by its receipt", async () => {
    for (const [index, { command }] of steps.entries()) {
      if (command.type !== "cancel_order" && command.type !== "credit_test_quote") continue;
      const { lines } = await writeJournal(steps.toSpliced(index, 1), LIVELY_UNTIL_S).catch(() => ({
        lines: null,
      }));
      if (lines === null) continue;
      expect((await audit(DOMAIN, lines)).auditOk, "nothing in it is wrong by itself").toBe(true);
      const receipt = journal.receipts[index] as Receipt;
      await expectRefused(lines, receipt.entry, /another entry stood here|the journal lacks it/, {
        receipts: [receipt],
      });
    }
  });
});

describe("receipts and claims", () => {
  test("rejects: a truncated tail, naming the first entry that a receipt or the region's own claim has", async () => {
    const placed = commandNumber("place_order");
    const { receipts, claimed } = journal;
    const cut = journal.lines.slice(0, placed - 1);
    expect((await audit(DOMAIN, cut)).auditOk, "a shorter journal is right by itself").toBe(true);
    await expectRefused(cut, placed, /the journal lacks it/, { receipts });
    await expectRefused(cut, placed, /the journal lacks it/, { receipts: receipts.toReversed() });
    await expectRefused(cut, placed, /claims \d+ entries/, { claimed });
    const last = receipts.at(-1) as Receipt;
    await expectRefused(cut, last.entry, /the journal lacks it/, { receipts: [last] });
  });

  test("rejects: a receipt for another entry, of another key, another region, or bent", async () => {
    const [first, second] = journal.receipts.slice(10, 12) as [Receipt, Receipt];
    const laterS = (steps[10] as Step).atS + 1;
    const delayed = steps.map((step, index) =>
      index < 10 ? step : { ...step, atS: Math.max(step.atS, laterS) },
    );
    const other = await writeJournal(delayed, LIVELY_UNTIL_S);
    await expectRefused(other.lines, first.entry, /another entry stood here/, { receipts: [first] });
    const bad: [Receipt, RegExp][] = [
      [{ ...first, entryHash: second.entryHash }, /not the region's: signature_invalid/],
      [{ ...first, key: second.commandId }, /not the region's: signature_invalid/],
      [{ ...first, commandId: second.commandId }, /not the region's: signature_invalid/],
      [{ ...first, signature: `0x${"00".repeat(64)}` }, /not the region's/],
      [{ ...first, entry: first.entry + 1 }, /not the region's: evidence_malformed/],
      [
        receiptOf(entryAt(first.entry), first.entryHash.slice(2), { region: "elsewhere" }),
        /another region's/,
      ],
      [receiptOf(entryAt(first.entry), first.entryHash.slice(2), { chainId: 1 }), /another region's/],
    ];
    for (const [receipt, reason] of bad) {
      await expectRefused(journal.lines, receipt.entry, reason, { receipts: [receipt] });
      await expectRefused(journal.lines.slice(0, 5), receipt.entry, reason, { receipts: [receipt] });
    }
  });

  test("rejects: a claimed state hash that the replay does not give", async () => {
    const { claimed } = journal;
    const wrong = { ...claimed, stateHash: `0x${"ab".repeat(32)}` } as const;
    await expectRefused(journal.lines, claimed.entry, /state hash is not the replay's/, { claimed: wrong });
    const earlier = { ...claimed, entry: claimed.entry - 1 };
    await expectRefused(journal.lines, earlier.entry, /state hash is not the replay's/, { claimed: earlier });
  });
});
