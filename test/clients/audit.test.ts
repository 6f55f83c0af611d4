// Owns the audit's promise about what stands in a journal: whatever value an operator changes, the entry is named. It
// refuses a tampering that passes, and one that is blamed on another entry.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { splitLines } from "../../clients/sdk/journal-lines.ts";
import type { CommandType } from "../../protocol/commands.ts";
import {
  commandNumber,
  entryAt,
  eventAt,
  eventNumber,
  expectRefused,
  find,
  journal,
  steps,
  unchained,
} from "../support/client-audit.ts";
import { bodiesOf, chained, changed, type Forgery, forged, rewritten } from "../support/client-journal.ts";
import { DOMAIN } from "../support/market.ts";

describe("what was written is changed", () => {
  test("rejects: a changed field of a command, by the chain alone and by its signature", async () => {
    const fields: [CommandType, string, unknown][] = [
      ["credit_test_quote", "command.amountMicros", 50_000_001],
      ["appoint_installers", "command.installers", []],
      ["enrol_meter", "command.nameplateWh", 4_999],
      ["authorise_session", "command.spendingLimitMicros", 1],
      ["place_order", "command.steps.0.limitPriceMicrosPerKwh", 99_999],
      ["place_order", "command.nonce", 0],
      ["submit_readings", "command.netWh.0", 99],
      ["cancel_order", "command.orderId", 1],
      ["set_parameters", "command.parameters.takeRateBps", 1],
      ["commit_certificate", "command.commitment", "1"],
    ];
    for (const [type, path, value] of fields) {
      const number = commandNumber(type);
      await expectRefused(unchained(number, path, value), number, /hash does not follow/);
      await expectRefused(
        changed(journal.lines, number, path, value),
        number,
        /signature_invalid|rules refuse the command: (not_operator|not_installer|not_account_owner)/,
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
    const credited = commandNumber("credit_test_quote");
    const amounts = eventAt(cleared).amountMicros as number[];
    const changes: [number, string, unknown][] = [
      [credited, "events.0.amountMicros", 50_000_001],
      [cleared, "events.0.amountMicros.0", (amounts[0] as number) + 1],
      [cleared, "events.0.dustMicros", 1_000],
      [cleared, "events.0.priceMicrosPerKwh", 1],
      [cleared, "events", []],
      [commandNumber("enrol_meter"), "events.0.leaf", `0x${"11".repeat(32)}`],
      [commandNumber("enrol_meter"), "events.0.nodes.7", `0x${"11".repeat(32)}`],
      [eventNumber("readings_accepted"), "events.0.netWh.0", 101],
      [eventNumber("epoch_closed"), "events.1.rewards.0", "9"],
      [eventNumber("epoch_closed"), "events.1.boughtWh.1", 1],
      [eventNumber("epoch_closed"), "events.1.certified.0", 0],
      [eventNumber("certificate_committed"), "events.0.commitment", "1"],
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
    await expectRefused(swap(ann, bob), ann, /proof_invalid/);
    // The same readings of the same window: each proof names its account.
    await expectRefused(swap(sameAsCas, cas), sameAsCas, /proof_invalid/);
    const enrolled = commandNumber("enrol_meter");
    const placed = commandNumber("place_order");
    const root = (entryAt(enrolled).events[0] as unknown as { nodes: string[] }).nodes.at(-1);
    const changes: [number, string, unknown, RegExp][] = [
      [ann, "evidence.root", root, /rules refuse the command: registry_root_wrong/],
      [ann, "evidence.nullifier", `0x00${"11".repeat(31)}`, /proof_invalid/],
      [ann, "evidence.nullifier", `0x${"ff".repeat(32)}`, /evidence_malformed/],
      [ann, "evidence.heldBack", [0], /evidence_malformed/],
      [ann, "evidence.proof.pi_a.2", "2", /evidence_malformed/],
      [ann, "evidence.proof.protocol", "plonk", /evidence_malformed/],
      [ann, "evidence.kind", "gateway-consent", /evidence_malformed/],
      [ann, "evidence", undefined, /evidence_malformed/],
      [enrolled, "evidence.signature.s", "1", /gateway_signature_invalid/],
      [enrolled, "evidence", entryAt(ann).evidence, /evidence_malformed/],
      [enrolled, "evidence", undefined, /evidence_malformed/],
      [placed, "evidence", entryAt(ann).evidence, /evidence_malformed/],
    ];
    for (const [number, path, value, reason] of changes)
      await expectRefused(changed(journal.lines, number, path, value), number, reason);
  });

  test("rejects: a proof that does not hold, though nothing else of its entry is wrong, before what is wrong later", async () => {
    const ann = commandNumber("submit_readings");
    const { proof } = entryAt(ann).evidence as {
      proof: { pi_a: string[]; pi_b: string[][]; pi_c: string[] };
    };
    const other = entryAt(commandNumber("submit_readings", 1)).evidence as { proof: typeof proof };
    // Points of the curve all of them: only the pairing tells.
    const invalid = { ...proof, pi_a: proof.pi_c, pi_c: proof.pi_a };
    const lines = changed(journal.lines, ann, "evidence.proof", invalid);
    await expectRefused(lines, ann, /^the command's proof is refused: proof_invalid$/);
    await expectRefused(changed(journal.lines, ann, "evidence.proof", other.proof), ann, /proof_invalid/);
    // Proofs are verified many at a time; an entry after it that does not follow is not blamed first.
    const later = commandNumber("cancel_order");
    await expectRefused(changed(lines, later, "command.nonce", 0), ann, /proof_invalid/);
    await expectRefused(lines.slice(0, -1), ann, /proof_invalid/, { claimed: journal.claimed });
    const report = await audit(DOMAIN, lines);
    expect(report.proofs, "that held before it").toBe(0);
  });

  test("behavior: a proof spelt another way is as good, and its receipt says that another entry stood there", async () => {
    const ann = commandNumber("submit_readings");
    const q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
    const negated = (coordinate: string) => String(q - BigInt(coordinate));
    const { proof } = entryAt(ann).evidence as { proof: { pi_a: string[]; pi_b: string[][] } };
    const [[ax, ay, az], [bx, by, bz]] = [proof.pi_a, proof.pi_b] as [string[], string[][]];
    const spelt = {
      ...proof,
      pi_a: [ax, negated(ay as string), az],
      pi_b: [bx, (by as string[]).map(negated), bz],
    };
    const lines = changed(journal.lines, ann, "evidence.proof", spelt);
    expect((await audit(DOMAIN, lines)).failure).toBeNull();
    await expectRefused(lines, ann, /another entry stood here/, { receipts: journal.receipts });
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
      proofs: 6,
      // One for each enrolment, and one for each window that somebody claimed of.
      registryRoots: 5,
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
