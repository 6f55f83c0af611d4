// Owns the row `year`: a whole year of a measured street through the pure core, day by day with the agents' default
// orders, in kWh traded against what that street could have traded. It refuses a year in which an invariant breaks.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type DesiredOrder, ordersAhead } from "../../clients/household/default-orders.ts";
import { loadDataset } from "../../clients/scenario/data-folder.ts";
import { type Dataset, totalsOf } from "../../clients/scenario/data-set.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { violations } from "../../market/invariants.ts";
import { type Entry, execute, executeDue, type Sha256 } from "../../market/journal.ts";
import { createState, type RegionState } from "../../market/state.ts";
import type { Command, Parameters } from "../../protocol/commands.ts";
import { slotStartS } from "../../protocol/units.ts";
import { envelope, PARAMETERS } from "../fleet.ts";
import {
  addressOf,
  enrolmentSubmissions,
  openingSubmissions,
  REGION,
  submission,
  windowSubmission,
} from "../neighbourhood.ts";
import { compared, type Measurement } from "../row.ts";

const DATA = join(
  process.env.POLDER_DATA ?? join(import.meta.dirname, "../../../shared/data"),
  "fontana-17-homes-hourly",
);
/** What the street could have matched by the hour, kWh, worked out before there was a market to match it. */
const MATCHABLE_KWH = 17_695.7;
const WINDOW_SLOTS = 96;
const CREDIT_MICROS = 10_000_000_000;
const FEED_IN_MICROS_PER_KWH = 80_000;
const TERMS: Parameters = { ...PARAMETERS, networkFeeMicrosPerKwh: 0, takeRateBps: 0 };

const sha256: Sha256 = (...pieces) => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
};

/** A region without storage: commands in, entries out, invariants checked after each. */
class PureRegion {
  readonly state: RegionState = createState();
  tradedWh = 0;
  entries = 0;

  /** Does what is due, then decides a command. */
  send({ auth, rawEvidence, ...request }: Submission, atS: number): void {
    this.advanceTo(atS);
    const result = execute(this.state, request, auth, rawEvidence, atS);
    if ("rejection" in result) throw new Error(`refused: ${JSON.stringify(result.rejection)}`);
    this.#keep(result.entry);
  }

  advanceTo(atS: number): void {
    for (
      let entry = executeDue(this.state, atS, sha256);
      entry !== null;
      entry = executeDue(this.state, atS, sha256)
    )
      this.#keep(entry);
  }

  #keep(entry: Entry): void {
    this.entries += 1;
    for (const event of entry.events) if (event.type === "slot_cleared") this.tradedWh += event.tradedWh;
    const broken = violations(this.state);
    if (broken.length > 0) throw new Error(`entry ${entry.number}: ${broken.join("; ")}`);
  }
}

/** Runs a street from its first reading to its last; slots of a window that nobody measured are zero. */
function runYear(street: Dataset): PureRegion {
  const region = new PureRegion();
  const endSlot = street.startSlot + street.slots;
  const firstWindow = Math.floor(street.startSlot / WINDOW_SLOTS) * WINDOW_SLOTS;
  const terms = { tariff: street.tariff(FEED_IN_MICROS_PER_KWH), ...TERMS };
  let atS = slotStartS(firstWindow) - 60;
  for (const step of openingSubmissions(atS, { parameters: TERMS })) region.send(step, atS);
  street.homes.forEach((_, home) => {
    for (const step of enrolmentSubmissions(home, atS, CREDIT_MICROS)) region.send(step, atS);
  });
  let coveredUntil = street.startSlot;
  for (let window = firstWindow; window < endSlot; window += WINDOW_SLOTS) {
    // A day ahead, as agents do: an order acts on slots that start after it was accepted.
    if (coveredUntil < Math.min(endSlot, window + 2 * WINDOW_SLOTS)) {
      const { orders, untilSlot } = ordersAhead(terms, coveredUntil, endSlot);
      street.homes.forEach((_, home) => {
        for (const order of orders) region.send(placing(home, atS, order), atS);
      });
      coveredUntil = untilSlot;
    }
    atS = slotStartS(window + WINDOW_SLOTS) + 1;
    street.homes.forEach((measured, home) => {
      const netWh = Array.from({ length: WINDOW_SLOTS }, (_, offset) => {
        const index = window + offset - street.startSlot;
        return index < 0 || index >= street.slots ? 0 : measured.netWhBySlot(index);
      });
      region.send(windowSubmission(home, atS, window, netWh), atS);
    });
    atS += TERMS.proofDelaySeconds + 1;
    region.advanceTo(atS);
  }
  return region;
}

function placing(home: number, atS: number, { side, steps, ...span }: DesiredOrder): Submission {
  const account = addressOf(home);
  const order: Command = {
    type: "place_order",
    account,
    ...envelope(REGION, atS),
    ...span,
    side,
    steps: [...steps],
    hours: [...span.hours],
    replaces: 0,
  };
  return submission(order, { scheme: "wallet", address: account });
}

/** Measures the row. */
export const measure: Measurement = async (say) => {
  if (!existsSync(DATA)) {
    say(`left out: the measured street is not at ${DATA}`);
    return [];
  }
  const street = loadDataset(DATA);
  const startedMs = performance.now();
  const region = runYear(street);
  const seconds = (performance.now() - startedMs) / 1000;
  const { matchableWh } = totalsOf(street.homes);
  const slots = street.slots;
  say(`${slots} slots in ${seconds.toFixed(1)} s`);
  return [
    compared({
      name: "year",
      ours: region.tradedWh / 1000,
      peer: MATCHABLE_KWH,
      unit: "kWh traded",
      higherIsBetter: true,
      limit: "everything that its quarter-hours could match",
      isWithinLimit: region.tradedWh === matchableWh,
      note: `${region.tradedWh} of ${matchableWh} Wh; ${street.homes.length} homes, ${slots} slots, ${region.entries} entries with every invariant after each, in ${seconds.toFixed(1)} s`,
    }),
  ];
};
