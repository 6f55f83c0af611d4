// Owns the operator's one step for the deployment to sell compute itself: the key of its receipts becomes a session key of the
// operator's account, which may sell compute and nothing else. It refuses to be done by anybody but the operator's wallet.

import { LAST_INSTANT_S } from "../../protocol/fields.ts";
import type { PolderClient } from "../sdk/client.ts";
import { passing } from "../sdk/problem.ts";
import type { Signer } from "../sdk/signer.ts";

/** Megafuel a UTC day: more than a deployment offers. */
const DAILY_MEGA = 1_000_000_000_000;

/**
 * Lets the deployment sell compute in a region on the operator's account. Done before, it changes nothing.
 * @throws PolderProblem where the signer is not the region's operator
 */
export async function authoriseEdge(client: PolderClient, region: string, operator: Signer): Promise<void> {
  const { receiptKey } = await client.deployment();
  const { account } = operator;
  await passing("account_exists", () => client.submit(region, operator, { type: "admit_account", account }));
  await passing("session_exists", () =>
    client.submit(region, operator, {
      type: "authorise_session",
      key: receiptKey,
      resources: ["compute"],
      sides: ["sell"],
      leastAskMicrosPerKwh: 0,
      highestBidMicrosPerKwh: 0,
      dailyWh: 0,
      leastAskMicrosPerTera: 0,
      highestBidMicrosPerTera: 0,
      dailyMega: DAILY_MEGA,
      spendingLimitMicros: 0,
      sessionExpiresAtS: LAST_INSTANT_S,
    }),
  );
}
