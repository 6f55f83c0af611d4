// Owns the row of how long a preview takes: a month of days of a thousand providers and their buyers, cleared by the real region,
// asked for over HTTP. It refuses a month in which fewer sold, and a preview without a change that differs from what was paid.

import { type Stack, startStack } from "../../clients/local/stack.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { MAX_PREVIEW_EPOCHS } from "../../protocol/limits.ts";
import type { PreviewAnswer } from "../../protocol/preview-answer.ts";
import type { Profile } from "../../protocol/profile.ts";
import { OPERATOR_ADDRESS, orderOf, PARAMETERS } from "../fleet.ts";
import { median } from "../median.ts";
import {
  addressOf,
  enrolmentSubmissions,
  FIRST_SLOT,
  MIDNIGHT_S,
  openingSubmissions,
  REGION,
  SLOTS,
  submission,
  windowSubmission,
} from "../neighbourhood.ts";
import { limited, type Measurement } from "../row.ts";

const LIMIT_MS = 1_000;
const PROVIDERS = 1_000;
const BUYERS = 500;
const DAYS = MAX_PREVIEW_EPOCHS;
const ROUNDS = 9;
const DAY_S = 86_400;
const OPENS_S = MIDNIGHT_S - 12 * 3_600;
/** Submissions of one request. */
const TOGETHER = 250;

const PROFILE: Profile = {
  region: REGION,
  name: "Measured",
  place: "A loopback device",
  latitude: 52,
  longitude: 5,
  timeZone: "Europe/Amsterdam",
  operator: OPERATOR_ADDRESS as Profile["operator"],
  jurisdiction: "none",
  terms: "for measurements only",
  currency: "EUR",
  tariffs: [{ name: "standard", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 60_000 }],
  isSimulation: true,
};

/** Measures the row. */
export const measure: Measurement = async (say) => {
  const stack = await startStack({ entryFile: "bench/preview-worker.js" });
  try {
    await fill(stack, say);
    const same = await ask(stack, {});
    if (JSON.stringify(same.total.preview) !== JSON.stringify(same.total.paid))
      throw new Error("a preview without a change differs from what was paid");
    const sold = same.providers.length + same.leftOut.providers;
    if (same.epochs.length !== DAYS || sold < PROVIDERS)
      throw new Error(`${same.epochs.length} epochs of ${sold} providers`);
    const values = { takeRateBps: 150, rewardWeightCompute: 1, emissionPerEpoch: "900000000000000000000" };
    const tookMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = performance.now();
      await ask(stack, values);
      tookMs.push(performance.now() - started);
    }
    const ours = Math.max(...tookMs);
    say(`previews took ${tookMs.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    return [
      limited({
        name: "preview",
        ours,
        unit: "ms",
        higherIsBetter: false,
        limit: `at most ${LIMIT_MS} ms`,
        isWithinLimit: ours <= LIMIT_MS,
        note: `longest of ${ROUNDS} over HTTP, median ${median(tookMs).toFixed(0)}; ${DAYS} epochs of a day, ${sold} providers and ${BUYERS} buyers, three values changed`,
      }),
    ];
  } finally {
    await stack.stop();
  }
};

/** A month of a neighbourhood. */
async function fill(stack: Stack, say: (line: string) => void): Promise<void> {
  await post(stack, "register", PROFILE);
  await submit(
    stack,
    openingSubmissions(OPENS_S, {
      epochSlots: SLOTS,
      parameters: { ...PARAMETERS, proofDelaySeconds: 3_600 },
    }),
    OPENS_S,
  );
  const homes = Array.from({ length: PROVIDERS + BUYERS }, (_, home) => home);
  for (const some of inTurns(homes))
    await submit(
      stack,
      some.flatMap((home) => [...enrolmentSubmissions(home, OPENS_S), order(home)]),
      OPENS_S,
    );
  for (let day = 0; day < DAYS; day += 1) {
    const overS = MIDNIGHT_S + (day + 1) * DAY_S + 60;
    for (const some of inTurns(homes))
      await submit(
        stack,
        some.map((home) => windowSubmission(home, overS, FIRST_SLOT + SLOTS * day, netOf(home, day))),
        overS,
      );
    await post(stack, "go-to", overS + 3_600);
    while (
      (await post<{ windowFirstSlot: number }>(stack, "progress", null)).windowFirstSlot <=
      FIRST_SLOT + SLOTS * day
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    if (day % 10 === 9) say(`${day + 1} days are over`);
  }
}

function order(home: number): Submission {
  const isSeller = home < PROVIDERS;
  const placed = orderOf(REGION, addressOf(home), isSeller ? "sell" : "buy", 1, home, 0, OPENS_S);
  const limitPriceMicrosPerKwh = isSeller ? 60_000 + 40 * home : 300_000 - 40 * (home - PROVIDERS);
  const steps = [{ limitPriceMicrosPerKwh, capWhPerSlot: 5_000 }];
  return submission({ ...placed, steps }, { scheme: "wallet", address: addressOf(home) });
}

/** A sun for those that sell, a load for those that buy. */
function netOf(home: number, day: number): number[] {
  return Array.from({ length: SLOTS }, (_, slot) => {
    if (home >= PROVIDERS) return -(900 + ((home * 31 + slot * 17 + day) % 400));
    const sun = Math.sin(((slot - 24) * Math.PI) / 48);
    return sun <= 0 ? 0 : Math.round(sun * (500 + ((home + day) % 300)));
  });
}

function* inTurns(homes: readonly number[]): Generator<readonly number[]> {
  for (let from = 0; from < homes.length; from += TOGETHER) yield homes.slice(from, from + TOGETHER);
}

async function submit(stack: Stack, submissions: readonly Submission[], atS: number): Promise<void> {
  await post(stack, "go-to", atS);
  const refusals = await post<string[]>(stack, "submit", submissions);
  if (refusals.length > 0) throw new Error(`refused: ${[...new Set(refusals)].join(", ")}`);
}

const ask = (stack: Stack, values: object): Promise<PreviewAnswer> =>
  post(stack, "governance/previews", { region: REGION, values, epochs: DAYS });

async function post<T>(stack: Stack, method: string, body: unknown): Promise<T> {
  const response = await fetch(`${stack.url}/v1/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
