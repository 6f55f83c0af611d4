// Owns what somebody hostile sends: each attack is one request made from an honest one. It refuses to be subtle about
// the outcome: where an attack must never be accepted, whatever the region's state, the request says so.

import { commandSchema } from "../../protocol/commands.ts";
import { gatewayOf, HOUSEHOLDS, homeOf, INTRUDER, type Pen, walletPen, windowOf } from "./people.ts";
import {
  type Clients,
  type Draft,
  HIGHEST_BID,
  NAMEPLATE_WH,
  OTHER_DOMAIN,
  orderOf,
  penOf,
  windowEnvelope,
} from "./requests.ts";
import type { Attack } from "./steps.ts";

const ATTACKED: readonly Attack[] = ["above nameplate", "window not over", "window again"];
/** Long before every region. */
const LONG_AGO_S = 1_000_000_000;
const MONTH_S = 30 * 86_400;

/** The request of an attack. `salt` chooses among its spellings. */
export async function attackOf(clients: Clients, how: Attack, who: number, salt: number): Promise<Draft> {
  const home = homeOf(who);
  const owner = penOf(home, 0);
  const order = orderOf(home, "sell", [90_000], 10);
  const send = async (
    body: Parameters<Clients["bind"]>[0],
    pen: Pen,
    more: Parameters<Clients["bind"]>[2] = {},
    evidence?: unknown,
    mustFail = true,
  ): Promise<Draft> => {
    const command = clients.bind(body, who, more);
    const raw = { command, auth: await pen(command), ...(evidence === undefined ? {} : { evidence }) };
    return { name: how, who: null, raw, mustFail, isHonest: false };
  };
  const readings = (firstSlot: number, netWh: readonly number[], mustFail: boolean): Promise<Draft> => {
    const window = windowOf(gatewayOf(home, 0), firstSlot, netWh);
    const body = { type: "submit_readings", account: home.account, firstSlot, netWh } as const;
    return send(body, owner, windowEnvelope(firstSlot, 9 - ATTACKED.indexOf(how)), window, mustFail);
  };
  const last = clients.lastWindow(who);
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
    case "above nameplate":
      return readings(last, [NAMEPLATE_WH + 1, 0, 0, 0], true);
    // Not by itself refused: the region's clock may be ahead. That none is accepted early is the book's to see.
    case "window not over":
      return readings(last + 4, [100, 100, 100, 100], false);
    case "window again":
      return readings(last, [777, 777, -777, 0], false);
    case "no operator":
      return send({ type: "credit_test_quote", account: home.account, amountMicros: 5 }, walletPen(home));
    case "stranger":
      return send(orderOf(INTRUDER, "sell", [90_000], 10), walletPen(INTRUDER));
    case "overdraft of limits":
      return send(orderOf(home, "buy", [HIGHEST_BID + 1], 1), owner);
    case "junk":
      return junk(clients, who, salt);
  }
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
