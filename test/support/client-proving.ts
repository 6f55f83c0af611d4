// Owns a household's window as a test proves it without an agent: signed, claimed whole, and really proved against the
// region's registry. It refuses to keep a test's process alive.

import { claimsOf } from "../../circuits/meter-witness.ts";
import { WIDEST_LIMITS } from "../../clients/household/enrolment-request.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { WindowProver } from "../../clients/household/window-prover.ts";
import type { HouseholdKeys } from "../../clients/local/neighbourhood.ts";
import type { PolderClient } from "../../clients/sdk/client.ts";
import { exactBytes } from "../../evidence/bytes.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { pointOf } from "../../evidence/field-text.ts";
import { regionTag, signWindow } from "../../evidence/gateway-window.ts";
import { type ShownWindow, shownWindowOf } from "../../evidence/meter-proof.ts";
import { meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";

/** One for all of a test file. */
export const prover = new WindowProver();

/** A window and whose it is. */
export interface MeasuredWindow {
  readonly client: PolderClient;
  readonly region: string;
  readonly keys: HouseholdKeys;
  readonly firstSlot: number;
  /** Whole Wh a slot of the window, export positive; all of it is claimed. */
  readonly netWh: readonly number[];
  /** Window whose registry is asked: another one's, for a window that is too far ahead and will have the same. */
  readonly registryOf?: number;
}

/** Claims and proof of a window, or null where its meter is not in the registry of that window. */
export async function showWindow(window: MeasuredWindow): Promise<ShownWindow | null> {
  const { client, region, keys, firstSlot, netWh, registryOf = firstSlot } = window;
  const { account, gatewaySeed, secret } = keys;
  const { chainId, settlement } = await client.deployment();
  const windowSlots = netWh.length as 4 | 96;
  const context = { chainId, settlement, regionId: region, windowSlots };
  const gateway = poseidonKeyOf(exactBytes(gatewaySeed, 32, "gateway seed"));
  const leaf = meterLeaf(gateway, secretCommitment(secret), regionTag(context), WIDEST_LIMITS);
  const path = await new RegionRegistry(client, region).pathOf(leaf, registryOf);
  if (path === null) return null;
  const { r8, s } = signWindow(gatewaySeed, context, firstSlot, netWh).signature;
  const signature = { r8: pointOf(r8), s: BigInt(s) };
  const own = { account, netWh, gateway, signature, secret, limits: WIDEST_LIMITS };
  return shownWindowOf(await prover.prove({ context, firstSlot, ...own, path, claims: claimsOf(netWh) }));
}
