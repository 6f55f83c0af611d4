// Owns the machines that sell compute in a local market, and the app that buys it: their accounts, session keys and nodes. It
// refuses to be the only seller: the deployment itself sells too, at its operator's price.

import { join } from "node:path";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import { LAST_INSTANT_S, type Side } from "../../protocol/fields.ts";
import { MAX_REGION_MICROS } from "../../protocol/limits.ts";
import { ProviderNode } from "../provider/provider-node.ts";
import type { PolderClient } from "../sdk/client.ts";
import { passing } from "../sdk/problem.ts";
import { type Signer, walletSigner } from "../sdk/signer.ts";
import { type HouseholdKeys, householdKeys, isKnown } from "./neighbourhood.ts";
import type { Stake } from "./settled-money.ts";

/** A machine of the neighbourhood. */
export interface Machine {
  readonly name: string;
  readonly priceMicrosPerTera: number;
}

/** About three and a half cents for an hour of a core, as clouds ask; below the deployment's own price, which is the last resort. */
export const MACHINES: readonly Machine[] = [
  { name: "machine-1", priceMicrosPerTera: 900 },
  { name: "machine-2", priceMicrosPerTera: 1_000 },
  { name: "machine-3", priceMicrosPerTera: 1_100 },
];

/** What each has at stake: twice what the region asks for at first. Micros. */
const STAKE_MICROS = 100_000_000n;
export const STAKES: readonly Stake[] = MACHINES.map(({ name }) => ({ name, amountMicros: STAKE_MICROS }));

/** The app's account. */
export const APP = { name: "app", creditMicros: 1_000_000_000 };

/** What one ask offers: some hours of a core. */
const OFFER_MEGA = 100_000_000;
const DAILY_MEGA = 1_000_000_000_000;
/** No bound: what a job may cost is said for each, and little fuel for a cent is a high price. */
const HIGHEST_BID = MAX_REGION_MICROS;

/** Whose accounts they are, and where. */
export interface Neighbours {
  readonly client: PolderClient;
  readonly region: string;
  readonly seed: string;
  /** Null where accounts come from the chain. */
  readonly operator: Signer | null;
}

export interface MachinesOptions extends Neighbours {
  readonly folder: string;
  readonly report: (message: string) => void;
}

export interface Machines {
  /** Those of the app. */
  readonly app: HouseholdKeys;
  readonly count: number;
  stop(): Promise<void>;
}

/** Lets the app buy and the machines sell, as far as nobody has, and starts the nodes. */
export async function startMachines(options: MachinesOptions): Promise<Machines> {
  const { client, region, folder, report } = options;
  const app = await admitTrader(options, APP.name, "buy", APP.creditMicros);
  const nodes = await Promise.all(
    MACHINES.map(async ({ name, priceMicrosPerTera }) => {
      const { account, sessionSeed } = await admitTrader(options, name, "sell", 0);
      const leases = [
        "compute-job",
        "compute-lease-hour",
        "compute-lease-day",
        "compute-lease-week",
      ] as const;
      return ProviderNode.start({
        client,
        region,
        key: { account, seed: sessionSeed },
        offers: leases.map((product) => ({ product, quantityMega: OFFER_MEGA, priceMicrosPerTera })),
        cores: 1,
        room: 4,
        folder: join(folder, "modules"),
        report: (line) => report(`${name}: ${line}`),
      });
    }),
  );
  return {
    app,
    count: nodes.length,
    stop: async () => {
      // Their asks go when their objects find them gone; a market that stops has no time to take leave.
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
}

/** Gives an account of the neighbourhood its session key for one side of compute, and its money where that is test money. */
export async function admitTrader(
  { client, region, seed, operator }: Neighbours,
  name: string,
  side: Side,
  creditMicros: number,
): Promise<HouseholdKeys> {
  const keys = householdKeys(seed, name);
  const { account } = keys;
  if (operator !== null) {
    await passing("account_exists", () =>
      client.submit(region, operator, { type: "admit_account", account }),
    );
    const { sessions } = await client.account(region, account);
    // The session key is authorised last, so it stands for the money too.
    if (sessions.length === 0 && creditMicros > 0)
      await client.submit(region, operator, {
        type: "credit_test_quote",
        account,
        amountMicros: creditMicros,
      });
  }
  if (!(await isKnown(client, region, keys))) await authorise(client, region, keys, side, creditMicros);
  return keys;
}

async function authorise(
  client: PolderClient,
  region: string,
  { wallet, sessionSeed }: HouseholdKeys,
  side: Side,
  spendingLimitMicros: number,
): Promise<void> {
  await passing("session_exists", () =>
    client.submit(region, walletSigner(wallet), {
      type: "authorise_session",
      key: sessionKeyOf(sessionSeed),
      resources: ["compute"],
      sides: [side],
      leastAskMicrosPerKwh: 0,
      highestBidMicrosPerKwh: 0,
      dailyWh: 0,
      leastAskMicrosPerTera: 0,
      highestBidMicrosPerTera: HIGHEST_BID,
      dailyMega: DAILY_MEGA,
      spendingLimitMicros,
      sessionExpiresAtS: LAST_INSTANT_S,
    }),
  );
}
