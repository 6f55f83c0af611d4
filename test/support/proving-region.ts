// Owns a small region with a household that is about to prove a window of four slots, and its documents. It refuses to be
// a simulation: two meters, readings that tests can name, and windows a quarter of a minute long.

import {
  type MeterDocument,
  meterDocumentText,
  signedWindowText,
} from "../../clients/household/meter-documents.ts";
import { enrolHousehold, type HouseholdKeys, operatorWallet } from "../../clients/local/neighbourhood.ts";
import { startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { exactBytes } from "../../evidence/bytes.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { pointOf } from "../../evidence/field-text.ts";
import { signWindow } from "../../evidence/gateway-window.ts";
import { marketTimeS, originFor, parseClock, wallTimeMs } from "../../protocol/clock.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { slotAt } from "../../protocol/units.ts";
import { openTestRegion, REGION, SEED } from "./web-region.ts";

export const WINDOW_SLOTS = 4;
/** A window takes half a minute, and as long is its time for evidence: enough for a slow machine to prove in it. */
const RATE = 120;
/** Some seconds before a window begins: an enrolment acts from the next one on. */
const BEGINS_AT_S = Date.UTC(2026, 5, 19, 21, 50) / 1000;
const LIMITS = { nameplateWh: 2_000, connectionWh: 4_000, saleCapWh: 6_000, purchaseCapWh: 8_000 };

/** What the meter measured: given, taken, given so little that nothing is claimed, and nothing. Wh. */
export const READINGS = [1_194, -327, 38, 0];

export interface ProvingRegion {
  readonly url: string;
  readonly client: PolderClient;
  readonly keys: HouseholdKeys;
  readonly context: EvidenceContext;
  readonly meter: MeterDocument;
  /** The window that runs now; the next one before the first that the meter is in the registry of. */
  firstSlot(): number;
  meterText(changes?: Partial<MeterDocument>): string;
  /** A window as the gateway signed it, or another gateway. */
  windowText(changes?: {
    readonly context?: EvidenceContext;
    readonly firstSlot?: number;
    readonly gatewaySeed?: HouseholdKeys["gatewaySeed"];
  }): string;
  /** Waits until a moment of market time. */
  untilS(atS: number): Promise<void>;
  stop(): Promise<void>;
}

/** Brings up a deployment with the region open and both meters enrolled. */
export async function startProvingRegion(): Promise<ProvingRegion> {
  const origin = originFor(BEGINS_AT_S, Date.now(), RATE);
  const clock = parseClock(origin, String(RATE), LOCAL_CHAIN_ID);
  const stack = await startStack({
    vars: { OPERATOR: operatorWallet(SEED).address, CLOCK_ORIGIN: origin, CLOCK_RATE: String(RATE) },
    logger: (line, level) => level === "error" && console.error(line),
  });
  const client = new PolderClient(stack.url);
  const operator = await openTestRegion(client);
  const enrol = (name: string): Promise<HouseholdKeys> =>
    enrolHousehold(client, REGION, SEED, operator, { name, creditMicros: 5_000_000, limits: LIMITS });
  await enrol("Lark");
  const keys = await enrol("Heron");
  const { chainId, settlement } = await client.deployment();
  const context = { chainId, settlement, regionId: REGION, windowSlots: WINDOW_SLOTS } as const;
  const gateway = poseidonKeyOf(exactBytes(keys.gatewaySeed, 32, "gateway seed"));
  const meter = { chainId, settlement, region: REGION, secret: keys.secret, gateway, limits: LIMITS };
  const windowAt = (slot: number): number => slot - (slot % WINDOW_SLOTS);
  const enrolledFrom = windowAt((await client.market(REGION)).slot) + WINDOW_SLOTS;
  const current = (): number => Math.max(enrolledFrom, windowAt(slotAt(marketTimeS(clock, Date.now()))));
  return {
    url: stack.url,
    client,
    keys,
    context,
    meter,
    firstSlot: current,
    meterText: (changes = {}) => meterDocumentText({ ...meter, ...changes }),
    windowText({ context: bound = context, firstSlot = current(), gatewaySeed = keys.gatewaySeed } = {}) {
      const { gateway: key, signature } = signWindow(gatewaySeed, bound, firstSlot, READINGS);
      return signedWindowText({
        context: bound,
        firstSlot,
        netWh: READINGS,
        gateway: pointOf(key),
        signature: { r8: pointOf(signature.r8), s: BigInt(signature.s) },
      });
    },
    async untilS(atS) {
      const waitMs = wallTimeMs(clock, atS) - Date.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    },
    stop: () => stack.stop(),
  };
}
