// Owns a meter's file as a household keeps it, for tests that start agents as processes. It refuses to let others read it.

import { writeFileSync } from "node:fs";
import { WIDEST_LIMITS } from "../../clients/household/enrolment-request.ts";
import { type MeterDocument, meterDocumentText } from "../../clients/household/meter-documents.ts";
import type { HouseholdKeys } from "../../clients/local/neighbourhood.ts";
import type { PolderClient } from "../../clients/sdk/client.ts";
import { exactBytes } from "../../evidence/bytes.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";

/** What a household keeps of its meter; the gateway's seed is not in it. */
export async function meterOf(
  client: PolderClient,
  region: string,
  { gatewaySeed, secret }: HouseholdKeys,
): Promise<MeterDocument> {
  const { chainId, settlement } = await client.deployment();
  const gateway = poseidonKeyOf(exactBytes(gatewaySeed, 32, "gateway seed"));
  return { chainId, settlement, region, secret, gateway, limits: WIDEST_LIMITS };
}

/** Writes a meter's file and answers its path. */
export function writeMeter(file: string, meter: MeterDocument, mode = 0o600): string {
  writeFileSync(file, meterDocumentText(meter), { mode });
  return file;
}
