// Owns the accounts of a measurement: wallets with a session key each, opened in a region of their own, and their
// signed requests. It refuses to be of use outside measurements: every key is derived from a number.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { Command, CommandOf, Parameters } from "../protocol/commands.ts";
import { type Hex, NO_ADDRESS, type Side } from "../protocol/fields.ts";
import { commandId, type SigningDomain } from "../protocol/typed-data.ts";
import type { Prepared } from "./load-generator.ts";

export const DOMAIN: SigningDomain = { chainId: 31_337, settlement: `0x${"00".repeat(20)}` };

/** Bytes that follow from a text. */
export function seedOf(text: string): Hex {
  return `0x${createHash("sha256").update(text).digest("hex")}`;
}

export const OPERATOR: PrivateKeyAccount = privateKeyToAccount(seedOf("operator"));
export const OPERATOR_ADDRESS = OPERATOR.address.toLowerCase() as Hex;

export const PARAMETERS: Parameters = {
  networkFeeMicrosPerKwh: 30_000,
  takeRateBps: 100,
  clearingPriceK: 5_000,
  proofDelaySeconds: 3_600,
  emissionPerEpoch: "1000000000000000000000",
  emissionDecayBps: 100,
  rewardWeightEnergy: 1,
  rewardWeightCompute: 0,
  rewardWeightBandwidth: 0,
  shareCapBps: 2_500,
  outflowCapBps: 5_000,
  rewardPerFee: "1000000000000000000",
  providerMinimumStake: 0,
  auditRateBps: 0,
};

/** An account with a session key. */
export interface Member {
  readonly account: Hex;
  readonly wallet: PrivateKeyAccount;
  readonly sessionKey: Hex;
  readonly secret: KeyObject;
}

const PKCS8_HEAD = "302e020100300506032b657004220420";

/** The first `size` members; the same every time. */
export function membersOf(size: number): Member[] {
  return Array.from({ length: size }, (_, index) => {
    const wallet = privateKeyToAccount(seedOf(`wallet ${index}`));
    const seed = seedOf(`session ${index}`).slice(2);
    const secret = createPrivateKey({
      key: Buffer.from(PKCS8_HEAD + seed, "hex"),
      format: "der",
      type: "pkcs8",
    });
    const key = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
    return { account: wallet.address.toLowerCase() as Hex, wallet, sessionKey: `0x${key}`, secret };
  });
}

let lastNonce = 0;

/** What every command carries beside its own fields; good for an hour. */
export function envelope(region: string, atS = Math.floor(Date.now() / 1000)) {
  lastNonce += 1;
  return { region, nonce: lastNonce, expiresAtS: atS + 3_600 };
}

/** A command signed by a wallet, as the gateway takes it. */
export async function signedByWallet(
  wallet: PrivateKeyAccount,
  path: string,
  command: Command,
  more = {},
): Promise<Prepared> {
  const signature = await wallet.sign({ hash: commandId(DOMAIN, command) });
  return {
    method: "POST",
    path,
    body: JSON.stringify({ chainId: DOMAIN.chainId, command, signature, ...more }),
  };
}

/** A command signed by a member's session key. */
export function signedBySession(member: Member, method: string, path: string, command: Command): Prepared {
  const digest = Buffer.from(commandId(DOMAIN, command).slice(2), "hex");
  const signature = `0x${sign(null, digest, member.secret).toString("hex")}`;
  const body = JSON.stringify({ chainId: DOMAIN.chainId, command, signature, sessionKey: member.sessionKey });
  return { method, path, body };
}

/** The command that opens a region of the measurements' terms. */
export function opening(
  region: string,
  receiptKey: Hex,
  more: Partial<CommandOf<"open_region">> = {},
): CommandOf<"open_region"> {
  return {
    type: "open_region",
    ...envelope(region),
    timeZone: "Europe/Amsterdam",
    windowSlots: 96,
    epochSlots: 7 * 96,
    quote: "test",
    operator: OPERATOR_ADDRESS,
    gridOperator: OPERATOR_ADDRESS,
    treasury: OPERATOR_ADDRESS,
    mirror: NO_ADDRESS,
    receiptKey,
    parameters: PARAMETERS,
    ...more,
  };
}

/** The request that registers and opens a region. */
export async function openingRequest(url: string, region: string): Promise<Prepared> {
  const deployment = (await (await fetch(`${url}/v1/deployment`)).json()) as { receiptKey: Hex };
  const profile = {
    region,
    name: "Measured",
    place: "A loopback device",
    latitude: 52,
    longitude: 5,
    timeZone: "Europe/Amsterdam",
    operator: OPERATOR_ADDRESS,
    jurisdiction: "none",
    terms: "for measurements only",
    currency: "EUR",
    tariffs: [{ name: "standard", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 60_000 }],
    isSimulation: true,
  };
  return signedByWallet(OPERATOR, "/v1/regions", opening(region, deployment.receiptKey), { profile });
}

/** Credits every member with test money, which opens its account. */
export function creditRequests(region: string, members: readonly Member[]): Promise<Prepared[]> {
  return Promise.all(
    members.map(({ account }) =>
      signedByWallet(OPERATOR, `/v1/regions/${region}/credits`, {
        type: "credit_test_quote",
        account,
        ...envelope(region),
        amountMicros: 1_000_000_000,
      }),
    ),
  );
}

/** Every member's authorisation of its session key, by its wallet. */
export function authorisationRequests(region: string, members: readonly Member[]): Promise<Prepared[]> {
  return Promise.all(
    members.map(({ account, wallet, sessionKey }) =>
      signedByWallet(wallet, `/v1/regions/${region}/sessions`, authorisation(region, account, sessionKey)),
    ),
  );
}

/** A session key for everything, for a month. */
export function authorisation(
  region: string,
  account: Hex,
  key: Hex,
  atS?: number,
): CommandOf<"authorise_session"> {
  const bound = envelope(region, atS);
  return {
    type: "authorise_session",
    account,
    ...bound,
    key,
    resources: ["energy"],
    sides: ["sell", "buy"],
    leastAskMicrosPerKwh: -1_000_000,
    highestBidMicrosPerKwh: 1_000_000,
    dailyWh: 1_000_000_000,
    leastAskMicrosPerTera: 0,
    highestBidMicrosPerTera: 0,
    dailyMega: 0,
    spendingLimitMicros: 1_000_000_000,
    sessionExpiresAtS: bound.expiresAtS + 30 * 86_400,
  };
}

/** A ladder of so many steps around usual tariffs, ascending for a seller, descending for a buyer. */
export function ladder(side: Side, steps: number, salt: number) {
  return Array.from({ length: steps }, (_, step) => ({
    limitPriceMicrosPerKwh:
      side === "sell" ? 70_000 + 9_000 * step + (salt % 5_000) : 290_000 - 9_000 * step - (salt % 5_000),
    capWhPerSlot: 500 + (salt % 400),
  }));
}

/** A standing order. */
export function orderOf(
  region: string,
  account: Hex,
  side: Side,
  steps: number,
  salt: number,
  replaces = 0,
  atS?: number,
): CommandOf<"place_order"> {
  return {
    type: "place_order",
    account,
    ...envelope(region, atS),
    side,
    steps: ladder(side, steps, salt),
    validFromS: 0,
    validUntilS: 0,
    hours: [],
    replaces,
  };
}
