// Owns what somebody hostile sends: each attack is one request made from an honest one. It refuses to be subtle about
// the outcome: where an attack must never be accepted, whatever the region's state, the request says so.

import { seedOf } from "../../bench/fleet.ts";
import { attestDelivery } from "../../evidence/delivery-attestation.ts";
import { commandSchema } from "../../protocol/commands.ts";
import { consentOf, meterOf } from "./meters.ts";
import { enrolment, Installer } from "./offices.ts";
import {
  DOMAIN,
  gatewayOf,
  HOUSEHOLDS,
  homeOf,
  INSTALLER,
  INTRUDER,
  OPERATOR,
  type Pen,
  REGION,
  walletPen,
} from "./people.ts";
import { type Clients, type Draft, HIGHEST_BID, OTHER_DOMAIN, orderOf, penOf } from "./requests.ts";
import type { Attack, ProofAttack } from "./steps.ts";
import { settlementOf, statementOf, voucherBy } from "./trading.ts";

/** Long before every region. */
const LONG_AGO_S = 1_000_000_000;
const MONTH_S = 30 * 86_400;

/** The request of an attack. `salt` chooses among its spellings. */
export async function attackOf(
  clients: Clients,
  how: Exclude<Attack, ProofAttack>,
  who: number,
  salt: number,
): Promise<Draft> {
  const home = homeOf(who);
  const owner = penOf(home, 0);
  const order = orderOf(home, "sell", [90_000], 10);
  const send = async (
    body: Parameters<Clients["bind"]>[0],
    pen: Pen,
    more: Parameters<Clients["bind"]>[2] = {},
    evidence?: unknown,
  ): Promise<Draft> => {
    const command = clients.bind(body, who, more);
    const raw = { command, auth: await pen(command), ...(evidence === undefined ? {} : { evidence }) };
    return { name: how, who: null, raw, mustFail: true, isHonest: false };
  };
  switch (how) {
    case "forged signature":
      return send(order, walletPen(INTRUDER));
    case "another's key":
      return send(order, penOf(homeOf((who + 1) % HOUSEHOLDS), 0));
    case "another chain":
      return send(order, (command) => walletPen(home)(command, OTHER_DOMAIN));
    case "another region":
      return send(order, owner, { region: "elsewhere" });
    case "expired":
      return send(order, owner, { expiresAtS: LONG_AGO_S });
    case "lives too long":
      return send(order, owner, { expiresAtS: clients.nowS(who) + MONTH_S });
    case "no operator":
      return send({ type: "credit_test_quote", account: home.account, amountMicros: 5 }, walletPen(home));
    // Nobody but an installer, not even the operator.
    case "no installer": {
      const { body, evidence } = new Installer().first(home, salt % 2);
      return send(body, walletPen([home, OPERATOR, INTRUDER][salt % 3] as typeof home), {}, evidence);
    }
    // One gateway agrees to what another is to be enrolled with.
    case "consent of another": {
      const { body } = new Installer().first(home, 0, salt % 3);
      const other = salt % 2 === 0 ? meterOf(home, 1, salt % 3) : meterOf(INTRUDER, 0, salt % 3);
      const { commitment } = meterOf(home, 0, salt % 3);
      return send(body, walletPen(INSTALLER), {}, consentOf(other.gateway, commitment));
    }
    // A key that moves to another grid connection is no rotation.
    case "rotation elsewhere": {
      const connection = seedOf(`connection that ${home.name} never had`);
      const { body, evidence } = enrolment(meterOf(home, salt % 2, 1), connection, gatewayOf(home, 0).id);
      return send(body, walletPen(INSTALLER), {}, evidence);
    }
    case "stranger":
      return send(orderOf(INTRUDER, "sell", [90_000], 10), walletPen(INTRUDER));
    case "overdraft of limits":
      return send(orderOf(home, "buy", [HIGHEST_BID + 1], 1), owner);
    case "voucher of the seller":
    case "voucher inflated":
    case "payment without voucher":
    case "result that nobody holds":
    case "result attested by its seller":
    case "run released by its seller": {
      const { seller, body, evidence } = (how.startsWith("r") ? jobAttack : tradeAttack)(clients, how, salt);
      return send(body, penOf(seller, 0), {}, evidence);
    }
    case "junk":
      return junk(clients, who, salt);
  }
}

/** A settlement that the buyer never agreed to. Of a trade that nobody made where none is known. */
function tradeAttack({ trading }: Clients, how: Attack, salt: number) {
  const none = { obligation: 999_999, buyer: 0, seller: 1, quantity: 9 };
  const trade = trading.known.at(-1 - (salt % 5)) ?? none;
  const seller = homeOf(trade.seller);
  const said = statementOf(trade, 1 + (salt % trade.quantity));
  const vouchers: Partial<Record<Attack, unknown>> = {
    "voucher of the seller": voucherBy(seller, said),
    "voucher inflated": voucherBy(homeOf(trade.buyer), { ...said, deliveredMega: said.deliveredMega + 1 }),
  };
  return { seller, body: settlementOf(seller, said, false), evidence: vouchers[how] };
}

/** What a seller would say of a run if the region took its word alone. Of a run that nobody sold where none is known. */
function jobAttack({ trading }: Clients, how: Attack, salt: number) {
  const none = { obligation: 999_999, seller: 1, quantity: 9, jobDigest: seedOf("no job") };
  const { obligation: obligationId, jobDigest, ...run } = trading.runs.at(-1 - (salt % 5)) ?? none;
  const seller = homeOf(run.seller);
  if (how === "run released by its seller")
    return { seller, body: { type: "release_run", obligationId, jobDigest, hasFailed: false } as const };
  const said = { obligationId, fuelMega: run.quantity, jobDigest, outputHash: seedOf("output 1") };
  const own = attestDelivery(DOMAIN, { region: REGION, ...said }, seedOf("a key of the seller's"));
  const body = { type: "report_result", account: seller.account, ...said } as const;
  return { seller, body, evidence: how === "result attested by its seller" ? own : undefined };
}

const ABSURD: readonly unknown[] = [
  -1,
  -0,
  0.5,
  2 ** 53,
  Number.MAX_SAFE_INTEGER,
  1e308,
  null,
  true,
  "",
  "0x",
  "buy",
  "x".repeat(5_000),
  [],
  {},
  [0, 0],
  [23, 1],
  Array.from({ length: 24 }, (_, hour) => hour),
  Array.from({ length: 500 }, () => 1),
  [{ limitPriceMicrosPerKwh: -10_000_000, capWhPerSlot: 1_000_000 }],
  Array.from({ length: 8 }, (_, step) => ({ limitPriceMicrosPerKwh: step, capWhPerSlot: 1 })),
  Array.from({ length: 8 }, (_, step) => ({ limitPriceMicrosPerKwh: -step, capWhPerSlot: 1 })),
];

/** An honest order with one field made absurd. Where the decoder lets it pass, it is signed as it should be. */
async function junk(clients: Clients, who: number, salt: number): Promise<Draft> {
  const home = homeOf(who);
  const sound = clients.bind(orderOf(home, "sell", [90_000], 10), who);
  const fields = [...Object.keys(sound), "unknown"];
  const field = fields[salt % fields.length] as string;
  const spoiled = { ...sound, [field]: ABSURD[Math.floor(salt / fields.length) % ABSURD.length] };
  const decoded = commandSchema.safeParse(spoiled);
  const auth = await penOf(home, 0)(decoded.success ? decoded.data : sound);
  return {
    name: `junk in ${field}`,
    who: null,
    raw: { command: spoiled, auth },
    mustFail: false,
    isHonest: false,
  };
}
