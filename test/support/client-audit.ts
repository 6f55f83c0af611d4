// Owns one good journal that the audit's tests tamper with, and what they find in it. It refuses a tampering that is
// blamed on another entry.

import { expect } from "vitest";
import { type AuditOptions, audit } from "../../clients/audit/audit.ts";
import type { Entry } from "../../market/journal.ts";
import type { CommandType } from "../../protocol/commands.ts";
import {
  bodiesOf,
  type Forgery,
  LIVELY_UNTIL_S,
  livelySteps,
  rewritten,
  writeJournal,
} from "./client-journal.ts";
import { DOMAIN } from "./market.ts";

/** The commands of the journal, and the journal itself. */
export const steps = await livelySteps();
export const journal = await writeJournal(steps, LIVELY_UNTIL_S);

/** Expects that an audit refuses a journal at an entry for a reason. */
export async function expectRefused(
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
export function find(holds: (entry: Entry) => boolean, nth = 0): number {
  const found = journal.entries.filter(holds)[nth];
  if (found === undefined) throw new Error("no such entry");
  return found.number;
}
/** Number of the nth entry that a type of command caused. */
export const commandNumber = (type: CommandType, nth = 0) =>
  find(({ command }) => command?.type === type, nth);
/** Number of the nth entry with a type of event. */
export const eventNumber = (type: string, nth = 0) =>
  find(({ events }) => events.some((event) => event.type === type), nth);
export const entryAt = (number: number) => journal.entries[number - 1] as Entry;
export const eventAt = (number: number, index = 0) => entryAt(number).events[index] as unknown as Forgery;

/** The line of an entry replaced by one that keeps its hash and those after it. */
export function unchained(number: number, path: string, value: unknown): string[] {
  const line = journal.lines[number - 1] as string;
  const [body] = bodiesOf([line]) as [string];
  return journal.lines.with(number - 1, line.replace(body, rewritten(body, path, value)));
}
