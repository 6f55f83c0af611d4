// Owns the audit's promise: whatever an operator does to a journal, the first entry that does not follow is named. It
// refuses a tampering that passes, and one that is blamed on another entry.

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type AuditOptions, audit } from "../../clients/audit/audit.ts";
import { splitLines } from "../../clients/sdk/journal-lines.ts";
import { ed25519Signer } from "../../durable-objects/digest.ts";
import { type Receipt, receiptStatementBytes } from "../../evidence/receipt.ts";
import type { Entry } from "../../market/journal.ts";
import type { CommandType } from "../../protocol/commands.ts";
import {
  bodiesOf,
  chained,
  changed,
  type Forgery,
  forged,
  householdOf,
  type Journal,
  LIVELY_UNTIL_S,
  livelySteps,
  operator,
  rewritten,
  type Step,
  sign,
  writeJournal,
} from "../support/client-journal.ts";
import { DOMAIN } from "../support/market.ts";

let steps: readonly Step[];
let journal: Journal;

beforeAll(async () => {
  steps = await livelySteps();
  journal = await writeJournal(steps, LIVELY_UNTIL_S);
});

async function expectRefused(
  lines: readonly string[],
  entry: number,
  reason: RegExp,
  options: AuditOptions = {},
): Promise<void> {
  const report = await audit(DOMAIN, lines, options);
  expect(report.failure).toEqual({ entry, reason: expect.stringMatching(reason) });
  expect(report.auditOk).toBe(false);
}

/** Number of the nth entry (from 0) that a predicate holds for. */
function find(holds: (entry: Entry) => boolean, nth = 0): number {
  const found = journal.entries.filter(holds)[nth];
  if (found === undefined) throw new Error("no such entry");
  return found.number;
}
const commandNumber = (type: CommandType, nth = 0) => find(({ command }) => command?.type === type, nth);
const eventNumber = (type: string, nth = 0) =>
  find(({ events }) => events.some((event) => event.type === type), nth);
const entryAt = (number: number) => journal.entries[number - 1] as Entry;
const eventAt = (number: number, index = 0) => entryAt(number).events[index] as unknown as Forgery;

/** The line of an entry replaced by one that keeps its hash and those after it. */
function unchained(number: number, path: string, value: unknown): string[] {
  const line = journal.lines[number - 1] as string;
  const [body] = bodiesOf([line]) as [string];
  return journal.lines.with(number - 1, line.replace(body, rewritten(body, path, value)));
}

describe("what was written is changed", () => {
  test("rejects: a changed field of a command, by the chain alone and by its signature", async () => {
    const fields: [CommandType, string, unknown][] = [
      ["credit_test_quote", "command.amountMicros", 50_000_001],
      ["enrol_meter", "command.nameplateWh", 4_999],
      ["authorise_session", "command.spendingLimitMicros", 1],
      ["place_order", "command.steps.0.limitPriceMicrosPerKwh", 99_999],
      ["place_order", "command.nonce", 0],
      ["submit_readings", "command.netWh.0", 99],
      ["cancel_order", "command.orderId", 1],
      ["set_parameters", "command.parameters.takeRateBps", 1],
    ];
    for (const [type, path, value] of fields) {
      const number = commandNumber(type);
      await expectRefused(unchained(number, path, value), number, /hash does not follow/);
      await expectRefused(
        changed(journal.lines, number, path, value),
        number,
        /signature_invalid|rules refuse the command: (not_operator|not_account_owner)/,
      );
    }
    await expectRefused(changed(journal.lines, 1, "command.windowSlots", 96), 1, /not_operator/);
  });

  test("rejects: a command nobody could have sent, without a fault of the audit's own", async () => {
    const number = commandNumber("place_order");
    const order = entryAt(number);
    const wrong: [string, unknown][] = [
      ["command", null],
      ["command", { type: "give_me_money" }],
      ["command", { ...order.command, more: 1 }],
      ["command.account", 7],
      ["command.steps", []],
      ["auth", undefined],
      ["auth", "trust me"],
      ["auth", { scheme: "nobody", signature: "0x" }],
      ["auth", { ...order.auth, more: 1 }],
      ["auth.signature", null],
      ["events", null],
      ["more", 1],
    ];
    for (const [path, value] of wrong) {
      await expectRefused(
        changed(journal.lines, number, path, value),
        number,
        /malformed|not what the rules give/,
      );
    }
  });

  test("rejects: a changed amount of an event, with every hash after it computed anew", async () => {
    const cleared = find(({ events }) =>
      events.some((event) => event.type === "slot_cleared" && event.tradedWh > 0),
    );
    const amounts = eventAt(cleared).amountMicros as number[];
    const changes: [number, string, unknown][] = [
      [commandNumber("credit_test_quote"), "events.1.amountMicros", 50_000_001],
      [cleared, "events.0.amountMicros.0", (amounts[0] as number) + 1],
      [cleared, "events.0.dustMicros", 1_000],
      [cleared, "events.0.priceMicrosPerKwh", 1],
      [cleared, "events", []],
      [eventNumber("readings_accepted"), "events.0.netWh.0", 101],
      [eventNumber("epoch_closed"), "events.1.rewards.0", "9"],
    ];
    changes[0] = [
      changes[0]?.[0] as number,
      `events.${entryAt(commandNumber("credit_test_quote")).events.findIndex(({ type }) => type === "quote_credited")}.amountMicros`,
      50_000_001,
    ];
    for (const [number, path, value] of changes) {
      await expectRefused(changed(journal.lines, number, path, value), number, /not what the rules give/);
    }
  });

  test("rejects: a changed signature, of either kind", async () => {
    for (const type of ["credit_test_quote", "place_order"] as const) {
      const number = commandNumber(type);
      const signature = entryAt(number).auth?.signature as string;
      const bent = `${signature.slice(0, 20)}${signature[20] === "0" ? "1" : "0"}${signature.slice(21)}`;
      await expectRefused(changed(journal.lines, number, "auth.signature", bent), number, /refuse/);
      await expectRefused(
        changed(journal.lines, number, "auth.signature", signature.slice(0, -2)),
        number,
        /signature_malformed/,
      );
      await expectRefused(
        changed(journal.lines, number, "auth.signature", signature.toUpperCase().replace("0X", "0x")),
        number,
        /not what the rules give/,
      );
    }
    const number = commandNumber("place_order");
    await expectRefused(
      changed(journal.lines, number, "auth.key", `0x${"11".repeat(32)}`),
      number,
      /refused: signature_/,
    );
  });

  test("rejects: evidence that is swapped, changed, missing, or on what needs none", async () => {
    const [ann, bob] = [commandNumber("submit_readings", 0), commandNumber("submit_readings", 1)];
    const [sameAsCas, cas] = [commandNumber("submit_readings", 4), commandNumber("submit_readings", 5)];
    const swap = (left: number, right: number) =>
      forged(journal.lines, (entries) => {
        const [one, other] = [entries[left - 1] as Forgery, entries[right - 1] as Forgery];
        [one.evidence, other.evidence] = [other.evidence, one.evidence];
        return entries;
      });
    await expectRefused(swap(ann, bob), ann, /gateway_signature_invalid/);
    await expectRefused(swap(bob, sameAsCas), bob, /gateway_signature_invalid/);
    // The same readings of the same window: each signature fits, but the meter is somebody else's.
    await expectRefused(swap(sameAsCas, cas), sameAsCas, /meter_not_owned/);
    await expectRefused(
      changed(journal.lines, ann, "evidence.signature.s", "1"),
      ann,
      /gateway_signature_invalid/,
    );
    await expectRefused(changed(journal.lines, ann, "evidence", undefined), ann, /evidence_malformed/);
    const { evidence } = entryAt(ann);
    const placed = commandNumber("place_order");
    await expectRefused(changed(journal.lines, placed, "evidence", evidence), placed, /evidence_malformed/);
  });

  test("rejects: another state hash, rules version, command id, market time or number", async () => {
    const closed = eventNumber("epoch_closed");
    const placed = commandNumber("place_order");
    const tick = eventNumber("slot_cleared");
    const { atS } = entryAt(placed);
    const changes: [number, string, unknown, RegExp][] = [
      [closed, "stateHash", `0x${"00".repeat(32)}`, /not what the rules give/],
      [closed, "stateHash", undefined, /not what the rules give/],
      [placed, "stateHash", `0x${"00".repeat(32)}`, /not what the rules give/],
      [placed, "rules", entryAt(placed).rules + 1, /decided by rules/],
      [placed, "rules", 0, /decided by rules/],
      [placed, "commandId", `0x${"00".repeat(32)}`, /not what the rules give/],
      [placed, "atS", atS - 61, /goes back/],
      [placed, "atS", atS + 0.5, /malformed: atS/],
      [placed, "atS", String(atS), /malformed: atS/],
      [placed, "atS", atS + 10_000_000, /command_expired|a step due/],
      [tick, "atS", entryAt(tick).atS - 1, /nothing is due/],
      [tick, "atS", entryAt(tick).atS + 1, /nothing is due/],
      [placed, "number", placed + 1, /says it is number/],
    ];
    for (const [number, path, value, reason] of changes) {
      await expectRefused(changed(journal.lines, number, path, value), number, reason);
    }
  });

  test("rejects: what is not a line, not JSON or not an entry, even with a right hash", async () => {
    const number = commandNumber("cancel_order");
    const line = journal.lines[number - 1] as string;
    for (const broken of [
      "",
      "{}",
      line.slice(0, -1),
      ` ${line}`,
      `${line} `,
      line.replace('"entry"', '"Entry"'),
    ]) {
      await expectRefused(
        journal.lines.with(number - 1, broken),
        number,
        /not a journal line|hash does not follow/,
      );
    }
    const bodies = bodiesOf(journal.lines);
    for (const body of ["", "{", "null", "[]", "7", '"entry"', "{}"]) {
      await expectRefused(chained(bodies.with(number - 1, body)), number, /not JSON|malformed/);
    }
    // The same JSON with other bytes is another entry.
    const [spaced, doubled] = [
      bodies[number - 1]?.replace(",", ", "),
      bodies[number - 1]?.replace("{", '{"number":1,'),
    ];
    for (const body of [spaced, doubled]) {
      await expectRefused(
        chained(bodies.with(number - 1, body as string)),
        number,
        /not what the rules give/,
      );
    }
  });

  test("rejects: the journal of another chain, at its first signature", async () => {
    const report = await audit({ ...DOMAIN, chainId: 1 }, journal.lines);
    expect(report.failure?.entry).toBe(1);
  });
});

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
    const enrolment = commandNumber("enrol_meter");
    // The credit after it now opens the account itself, which its events do not say.
    await expectRefused(renumbered(enrolment), enrolment, /not what the rules give/);
    const authorised = commandNumber("authorise_session");
    const first = commandNumber("place_order");
    await expectRefused(renumbered(authorised), first - 1, /session_unknown/);
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
    const other = await writeJournal(
      await Promise.all(
        steps.map(async (step, index) => (index === 10 ? { ...step, atS: step.atS + 1 } : step)),
      ).then((all) =>
        all.map((step, index) =>
          index > 10 ? { ...step, atS: Math.max(step.atS, (steps[10] as Step).atS + 1) } : step,
        ),
      ),
      LIVELY_UNTIL_S,
    );
    await expectRefused(other.lines, first.entry, /another entry stood here/, { receipts: [first] });
    const bad: [Receipt, RegExp][] = [
      [{ ...first, entryHash: second.entryHash }, /not the region's: signature_invalid/],
      [{ ...first, key: second.commandId }, /not the region's: signature_invalid/],
      [{ ...first, commandId: second.commandId }, /not the region's: signature_invalid/],
      [{ ...first, signature: `0x${"00".repeat(64)}` }, /not the region's/],
      [{ ...first, entry: first.entry + 1 }, /not the region's: evidence_malformed/],
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

describe("an honest journal", () => {
  test("behavior: passes with its receipts and its claim, and every part of it is counted", async () => {
    const { lines, entries, receipts, claimed } = journal;
    const report = await audit(DOMAIN, lines, { receipts, claimed });
    expect(report.failure).toBeNull();
    const ofType = (type: string) =>
      entries.filter(({ events }) => events.some((event) => event.type === type)).length;
    expect(ofType("slot_cleared")).toBe(8);
    expect(ofType("window_closed")).toBe(2);
    expect(ofType("epoch_closed")).toBe(1);
    expect(report).toMatchObject({
      auditOk: true,
      entries: lines.length,
      commands: steps.length,
      signatures: steps.length,
      evidences: steps.filter(({ evidence }) => evidence !== undefined).length,
      dueSteps: lines.length - steps.length,
      stateHashes: 2,
      receipts: receipts.length,
      stateHash: claimed.stateHash,
    });
  });

  test("behavior: a journal of nothing is right, and claims nothing", async () => {
    expect(await audit(DOMAIN, [])).toMatchObject({ auditOk: true, entries: 0, failure: null });
    await expectRefused([], 1, /claims/, { claimed: journal.claimed });
  });

  test("property: one byte changed anywhere is refused at its own entry", async () => {
    const bytes = Buffer.from(`${journal.lines.join("\n")}\n`);
    const seed = Date.now();
    const where = fc.record({ at: fc.nat(bytes.length - 1), mask: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(where, async ({ at, mask }) => {
        const changedBytes = Buffer.from(bytes);
        changedBytes[at] = (bytes[at] as number) ^ mask;
        const number = bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
        const report = await audit(DOMAIN, splitLines([changedBytes]));
        expect(report.failure?.entry).toBe(number);
      }),
      { seed, numRuns: 150, verbose: 1 },
    );
  });

  test("property: whatever value of an entry is replaced, even with a right chain, it is refused there and never faults", async () => {
    const bodies = bodiesOf(journal.lines);
    const value = fc.jsonValue({ maxDepth: 1 });
    const where = fc.record({ entry: fc.nat(bodies.length - 1), path: fc.nat(1_000_000), value });
    await fc.assert(
      fc.asyncProperty(where, async ({ entry, path, value: other }) => {
        const body = bodies[entry] as string;
        const paths = pathsOf(JSON.parse(body));
        const chosen = paths[path % paths.length] as string;
        let forgery: string;
        try {
          forgery = rewritten(body, chosen, other);
        } catch {
          return;
        }
        const report = await audit(DOMAIN, chained(bodies.with(entry, forgery)));
        expect(report.failure?.entry, chosen).toBe(entry + 1);
      }),
      { seed: Date.now(), numRuns: 150, verbose: 1 },
    );
  });
});

/** Every path to a value inside a JSON value. */
function pathsOf(value: unknown, prefix = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    `${prefix}${name}`,
    ...pathsOf(inner, `${prefix}${name}.`),
  ]);
}

/** Receipts are signed statements; a test that bends one must not sign it anew by accident. */
void [ed25519Signer, receiptStatementBytes];
