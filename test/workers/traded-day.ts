// Owns a window that two homes traded in over HTTP: by API key and by wallet, with real proofs. It refuses to go on to the next.

import { FIRST_SLOT, goTo, MIDNIGHT_S } from "../durable-objects/region-under-test.ts";
import { PARAMETERS, word } from "../support/market.ts";
import { addressOf, expectAccepted, GatewayUnderTest, operator, walletOf } from "./gateway-under-test.ts";

const SOLD = [0, 400, 1_000, 250];
const NEED = [-300, -700, -600, 0];
export const MATCHED = [0, 400, 600, 0];
export const buyer = walletOf(2);
const buyerGateway = word(0xb0b);

/** Seller by API key, buyer by wallet; the first window proved by both and settled. */
export async function tradedDay(opening: Readonly<Record<string, unknown>> = {}): Promise<GatewayUnderTest> {
  const polder = await GatewayUnderTest.furnished(undefined, opening);
  const account = addressOf(buyer);
  expectAccepted(await polder.post("/meters", await polder.enrol(buyerGateway)), 201);
  const credit = polder.command("credit_test_quote", { account, amountMicros: 1_000_000 });
  expectAccepted(await polder.post("/credits", await polder.signed(operator, credit)), 201);
  const ask = { side: "sell", steps: [{ limitPriceMicrosPerKwh: 100_000, capWhPerSlot: 1_000 }] };
  expectAccepted(await polder.post("/orders", ask, polder.apiKey), 201);
  const bid = polder.command(
    "place_order",
    polder.orderFields({
      account,
      side: "buy",
      steps: [{ limitPriceMicrosPerKwh: 300_000, capWhPerSlot: 1_000 }],
    }),
  );
  expectAccepted(await polder.post("/orders", await polder.signed(buyer, bid)), 201);
  goTo(MIDNIGHT_S + 3_600);
  const sold = await polder.proved(SOLD);
  expectAccepted(
    await polder.post(
      "/readings",
      { firstSlot: FIRST_SLOT, netWh: SOLD, evidence: sold.evidence },
      polder.apiKey,
    ),
    201,
  );
  const need = await polder.proved(NEED, { seed: buyerGateway, account });
  expectAccepted(
    await polder.post("/readings", await polder.signed(buyer, need.command, need.evidence)),
    201,
  );
  goTo(MIDNIGHT_S + 3_600 + PARAMETERS.proofDelaySeconds);
  // The next command finds the clearing due; whether the alarm came first does not matter.
  expectAccepted(await polder.post("/orders", ask, polder.apiKey), 201);
  return polder;
}
