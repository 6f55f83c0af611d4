// Owns the meters of a simulated region: what each measures and may be enrolled for, the secrets of its household, and what
// its gateway signs. It refuses to know where a leaf stands; that is the registry's.

import type { ClaimPolicy } from "../../circuits/meter-witness.ts";
import { type GatewayConsent, signConsent } from "../../evidence/enrolment.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { type GatewayWindow, regionTag, signWindow } from "../../evidence/gateway-window.ts";
import { type MeterLimits, meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import type { Hex } from "../../protocol/fields.ts";
import { nodeHex, QuadTree } from "../../protocol/quad-tree.ts";
import { kept } from "./kept.ts";
import { DOMAIN, type Gateway, gatewayOf, HOMES, type Household, REGION, secretOf } from "./people.ts";

/** What evidence of the simulated region is bound to. */
export const CONTEXT: EvidenceContext = { ...DOMAIN, regionId: REGION, windowSlots: 4 };

/** Secrets a household may draw for one gateway; a rotation takes another one. */
export const SECRETS = 3;

/** A gateway with one of its household's secrets: what one enrolment is about. */
export interface Meter {
  readonly home: Household;
  readonly gateway: Gateway;
  readonly secret: bigint;
  readonly commitment: bigint;
  readonly limits: MeterLimits;
  readonly leaf: Hex;
}

const WIDE: MeterLimits = {
  nameplateWh: 5_000,
  connectionWh: 5_000,
  saleCapWh: 50_000,
  purchaseCapWh: 50_000,
};
/** A meter that is enrolled for less than it measures: only so much can be proved. */
const NARROW: MeterLimits = { ...WIDE, nameplateWh: 1_000, connectionWh: 700 };

/** What each home claims of its readings: everything, round numbers, what its narrow meter may. */
const HABITS: readonly { readonly limits: MeterLimits; readonly policy: ClaimPolicy }[] = [
  { limits: WIDE, policy: {} },
  { limits: WIDE, policy: { stepWh: 50 } },
  { limits: NARROW, policy: { mostWh: 700 } },
];
const habitOf = (home: Household) => HABITS[HOMES.indexOf(home)] ?? { limits: WIDE, policy: {} };

/** How much a home claims of what it measured. */
export const policyOf = (home: Household): ClaimPolicy => habitOf(home).policy;

const meters = new Map<string, Meter>();

/** A home's meter with one of its secrets, in the region or, for an attack, in another. */
export function meterOf(home: Household, index: number, secretNumber: number, context = CONTEXT): Meter {
  const name = `${home.name} ${index} ${secretNumber} ${context.regionId}`;
  return kept(meters, name, () => {
    const gateway = gatewayOf(home, index);
    const secret = secretOf(home, index, secretNumber);
    const commitment = secretCommitment(secret);
    const { limits } = habitOf(home);
    const leaf = nodeHex(meterLeaf(gateway.key, commitment, regionTag(context), limits));
    return { home, gateway, secret, commitment, limits, leaf };
  });
}

/** The one of a gateway's enrolments that is among some leaves, or null. */
export function meterAmong(home: Household, index: number, leaves: readonly Hex[]): Meter | null {
  for (let secret = 0; secret < SECRETS; secret += 1) {
    const meter = meterOf(home, index, secret);
    if (leaves.includes(meter.leaf)) return meter;
  }
  return null;
}

/** Sun on some, load on others; a few of each, so that signatures and proofs can be kept. */
const READINGS: readonly (readonly number[])[] = [
  [300, 500, 800, 200],
  [-200, -400, -300, -900],
  [1_200, 0, -50, 30],
  [-150, -150, -150, -150],
  [0, 0, 4_999, 1],
  [-5_000, -1, -77, -640],
];

/** What a home's meter measures in a window; the same however often it is asked. */
export function measuredBy(who: number, index: number, firstSlot: number): readonly number[] {
  return READINGS[(who * 3 + index + firstSlot / 4) % READINGS.length] as readonly number[];
}

const windows = new Map<string, GatewayWindow>();

/** A gateway's signature over a window. */
export function windowOf(
  { seed }: Gateway,
  firstSlot: number,
  netWh: readonly number[],
  context = CONTEXT,
): GatewayWindow {
  const name = `${seed} ${firstSlot} ${netWh.join()} ${context.regionId}`;
  return kept(windows, name, () => signWindow(seed, context, firstSlot, netWh));
}

const consents = new Map<string, GatewayConsent>();

/** A gateway's consent to be enrolled with a commitment. */
export function consentOf({ seed, id }: Gateway, commitment: bigint): GatewayConsent {
  return kept(consents, `${id} ${commitment}`, () => signConsent(seed, CONTEXT, commitment));
}

const trees = new Map<string, { readonly tree: QuadTree; readonly root: Hex }>();

/** The tree of leaves by position, built from nothing, with its root. */
export function treeOf(leaves: readonly Hex[]): { readonly tree: QuadTree; readonly root: Hex } {
  return kept(trees, leaves.join(), () => {
    const tree = new QuadTree(leaves.map(BigInt));
    return { tree, root: nodeHex(tree.root) };
  });
}
