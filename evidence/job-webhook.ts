// Owns what a deployment signs when it tells an app that a job is over, and how the app checks that. It refuses what was signed
// by another key, for another moment, or about other bytes.

import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../protocol/fields.ts";
import { verifyStrictly } from "./ed25519.ts";

/** Header with the wall time of sending, in Unix seconds. */
export const WEBHOOK_TIME_HEADER = "polder-time";
/** Header with the signature: Ed25519 by the deployment's receipt key, 0x and 128 hex digits. */
export const WEBHOOK_SIGNATURE_HEADER = "polder-signature";

/** Seconds that a message may be old, or ahead of its reader's clock. */
export const WEBHOOK_TOLERANCE_SECONDS = 300;

/** Bytes that are signed: `polder/job-webhook/v1|`, the time, `|`, and the body as it is sent. */
export function webhookBytes(timeS: number, body: string): Uint8Array {
  return utf8ToBytes(`polder/job-webhook/v1|${timeS}|${body}`);
}

/**
 * Whether a message is the deployment's own and of now.
 * @param receiptKey the deployment's, from `/v1/deployment` or pinned
 * @param nowS the reader's clock, Unix seconds
 */
export async function verifyWebhookMessage(
  receiptKey: Hex,
  message: { readonly time: string | null; readonly signature: string | null; readonly body: string },
  nowS: number,
): Promise<boolean> {
  const { time, signature, body } = message;
  if (time === null || !/^[1-9][0-9]{0,11}$/.test(time)) return false;
  if (signature === null || !/^0x[0-9a-f]{128}$/.test(signature)) return false;
  const timeS = Number(time);
  if (Math.abs(nowS - timeS) > WEBHOOK_TOLERANCE_SECONDS) return false;
  const verdict = await verifyStrictly(receiptKey, webhookBytes(timeS, body), signature as Hex);
  return verdict.ok;
}
