// Owns the check that a refusal changed no byte of a state and no look-up. It refuses to know what was asked.

import { expect } from "vitest";
import { decide } from "../../market/decide.ts";
import type { Request } from "../../market/decision.ts";
import { type Authentication, execute } from "../../market/journal.ts";
import { canonicalBytes } from "../../market/snapshot.ts";
import type { RegionState } from "../../market/state.ts";
import type { ErrorCode, Rejection } from "../../protocol/errors.ts";

/** How every command of these tests is said to be signed. */
export const AUTH: Authentication = { scheme: "wallet", signature: "0x" };

/** All bytes of a state. */
export function bytesOf(state: RegionState): Buffer {
  return Buffer.concat([...canonicalBytes(state)]);
}

/** What a state's look-ups hold, to be compared with those made again from its tables. */
export function indexesOf(state: RegionState): Record<string, [string | number, number][]> {
  const sorted = Object.entries(state.indexes).map(([name, map]) => {
    const pairs = [...(map as Map<string | number, number>)];
    return [name, pairs.sort(([left], [right]) => (left < right ? -1 : 1))] as const;
  });
  return Object.fromEntries(sorted);
}

/** Expects a refusal with this code, and that nothing of the state changed. */
export function expectRejected(
  state: RegionState,
  request: Request,
  atS: number,
  code: ErrorCode,
): Rejection {
  const before = bytesOf(state);
  const indexes = indexesOf(state);
  const decision = decide(state, request, atS);
  expect("rejection" in decision ? decision.rejection.code : decision.events.map(({ type }) => type)).toEqual(
    code,
  );
  const result = execute(state, request, AUTH, null, atS);
  expect(result).toEqual(decision);
  expect(bytesOf(state).equals(before), "the state changed").toBe(true);
  expect(indexesOf(state)).toEqual(indexes);
  return (decision as { rejection: Rejection }).rejection;
}
