// Owns telling an app that its job is over: one signed POST, and when the next is tried. It refuses redirects, answers that take
// long, and addresses that are not https, but for loopback on the local chain.

import { WEBHOOK_SIGNATURE_HEADER, WEBHOOK_TIME_HEADER, webhookBytes } from "../../evidence/job-webhook.ts";
import type { Hex } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";

/** How long the app may take to answer. Wall milliseconds. */
export const WEBHOOK_TIMEOUT_MS = 10_000;

/** Pauses before the second try and those after it; then it is given up. */
export const WEBHOOK_PAUSES_MS = [5_000, 30_000, 300_000, 1_800_000, 7_200_000] as const;

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** Whether a job may name this address. */
export function isWebhookAddress(text: string, chainId: number): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && chainId === LOCAL_CHAIN_ID && LOOPBACK.has(url.hostname);
}

/** Sends it once; true when the app took it with a status of 2xx. Never throws. */
export async function sendWebhook(
  url: string,
  body: string,
  nowMs: number,
  sign: (message: Uint8Array) => Hex,
): Promise<boolean> {
  const timeS = Math.floor(nowMs / 1000);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        [WEBHOOK_TIME_HEADER]: String(timeS),
        [WEBHOOK_SIGNATURE_HEADER]: sign(webhookBytes(timeS, body)),
      },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
    });
    // Whatever it says beyond its status is not read.
    await response.body?.cancel();
    return response.status >= 200 && response.status < 300;
  } catch {
    return false;
  }
}
