// Owns whether a household's documents fit the region that the page proves for, and each other, in words. It refuses to
// change them; what a proof needs beyond that, the prover says.

import type { MeterDocument, SignedWindowDocument } from "../../clients/household/meter-documents.ts";
import { verifyPoseidon } from "../../evidence/eddsa-poseidon.ts";
import { packReadings, regionTag, windowMessage } from "../../evidence/gateway-window.ts";
import type { Hex } from "../../protocol/fields.ts";

/** Where a window is proved. */
export interface ProvingPlace {
  readonly chainId: number;
  readonly settlement: Hex;
  readonly region: string;
  readonly windowSlots: number;
}

/** Why a meter is none of this region's, or null. */
export function meterMisfit(
  { chainId, settlement, region }: Pick<MeterDocument, "chainId" | "settlement" | "region">,
  place: ProvingPlace,
): string | null {
  if (region !== place.region)
    return `It is for the region ${region}, and this page proves for ${place.region}.`;
  if (chainId !== place.chainId)
    return `It is for chain ${chainId}, and this deployment is on chain ${place.chainId}.`;
  if (settlement !== place.settlement)
    return `It is for another settlement contract (${settlement}) than this deployment\u2019s.`;
  return null;
}

/** Why a window cannot be proved here, by what stands in it, or null. Checks the gateway's signature. */
export function windowMisfit(window: SignedWindowDocument, place: ProvingPlace): string | null {
  const { context, firstSlot, netWh, gateway, signature } = window;
  const { chainId, settlement, regionId, windowSlots } = context;
  const misfit = meterMisfit({ chainId, settlement, region: regionId }, place);
  if (misfit !== null) return misfit;
  if (windowSlots !== place.windowSlots)
    return `It has ${windowSlots} quarter-hours, and this region\u2019s windows have ${place.windowSlots}.`;
  const message = windowMessage(regionTag(context), firstSlot, packReadings(netWh));
  return verifyPoseidon(gateway, message, signature)
    ? null
    : "The gateway\u2019s signature does not fit these readings: the file was changed, or is another gateway\u2019s.";
}

/** Why a window is not this meter's, or null. */
export function pairMisfit(
  { gateway: [x, y] }: SignedWindowDocument,
  { gateway }: MeterDocument,
): string | null {
  return x === gateway[0] && y === gateway[1]
    ? null
    : "It was signed by another gateway than the one in your meter\u2019s file.";
}
