// Owns the handing in of a proved window. It refuses to send the key that it is handed in with: the command is signed
// here.

import type { Accepted } from "../../clients/sdk/client.ts";
import { sessionSigner } from "../../clients/sdk/signer.ts";
import type { ShownWindow } from "../../evidence/meter-proof.ts";
import type { ApiKey } from "../../evidence/session-signature.ts";
import { client } from "../api.ts";

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
