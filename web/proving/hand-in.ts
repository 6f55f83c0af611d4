// Owns what the proving page asks of a region beyond what the other page does: the registry, and the handing in. It
// refuses to send a key: commands are signed here.

import type { Accepted } from "../../clients/sdk/client.ts";
import { sessionSigner } from "../../clients/sdk/signer.ts";
import type { ShownWindow } from "../../evidence/meter-proof.ts";
import type { WindowRegistry } from "../../evidence/meter-registry.ts";
import type { ApiKey } from "../../evidence/session-signature.ts";
import { client } from "../api.ts";

/** Every meter's leaf of a window. @throws PolderProblem, TransportFault */
export function readRegistry(region: string, firstSlot: number): Promise<WindowRegistry> {
  return client.get(`/v1/regions/${region}/registry/${firstSlot}`);
}

/** Hands in a proved window for a key's account. @throws PolderProblem, TransportFault */
export function sendWindow(
  region: string,
  { account, seed }: ApiKey,
  firstSlot: number,
  { netWh, evidence }: ShownWindow,
): Promise<Accepted> {
  const draft = { type: "submit_readings" as const, firstSlot, netWh: [...netWh] };
  return client.submit(region, sessionSigner(account, seed), draft, evidence);
}
