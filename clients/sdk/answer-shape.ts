// Owns what the SDK asks of an answer before it believes its type: whoever answers may be another server, an old one or a
// liar. It refuses, by saying so, what would otherwise fail as somebody's property of null much later.

import type { Hex } from "../../protocol/fields.ts";

/** The object that a text is as JSON, or null. */
export function recordOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** True for bytes, which are sent as they are. */
export function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array;
}

/** True for an object with fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for a number of entries, seconds or the like: a safe integer from zero. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** True for so many bytes as lower-case hex. */
export function isHex(value: unknown, bytes: number): value is Hex {
  return typeof value === "string" && value.length === 2 + 2 * bytes && /^0x[0-9a-f]*$/.test(value);
}

/** True for a list of events as journal, answers and frames carry them. */
export function areEvents(
  value: unknown,
): value is readonly (Readonly<Record<string, unknown>> & { readonly type: string })[] {
  return Array.isArray(value) && value.every((event) => isRecord(event) && typeof event.type === "string");
}

/** True for the answer to an accepted command. Its receipt is verified by whoever relies on it. */
export function isAcceptedAnswer(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.commandId === "string" &&
    isCount(value.entry) &&
    isCount(value.atS) &&
    areEvents(value.events) &&
    isRecord(value.receipt)
  );
}
