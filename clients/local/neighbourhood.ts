// Owns setting up a neighbourhood on a local deployment: the region with its installer, and per household its wallet,
// meter, session key and test money. It refuses nothing that is there already: running it again changes nothing.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import type { MeterLimits } from "../../evidence/meter-statement.ts";
import { formatApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { type Hex, LAST_INSTANT_S, NO_ADDRESS } from "../../protocol/fields.ts";
import { MAX_WINDOW_CAP_WH } from "../../protocol/limits.ts";
import type { Profile } from "../../protocol/profile.ts";
import { enrolmentOf, requestEnrolment, WIDEST_LIMITS } from "../household/enrolment-request.ts";
import type { MeterSource } from "../household/meter-source.ts";
import type { HouseholdMeter } from "../household/meter-windows.ts";
import type { PolderClient } from "../sdk/client.ts";
import { PolderProblem, passing } from "../sdk/problem.ts";
import { type Signer, sessionSigner, walletSigner } from "../sdk/signer.ts";

/** All keys of a household; on a local deployment they follow from one seed. */
export interface HouseholdKeys {
  readonly wallet: LocalAccount;
  readonly walletKey: Hex;
  readonly account: Hex;
  readonly sessionSeed: Hex;
  readonly gatewaySeed: Hex;
  /** The meter's secret. */
  readonly secret: bigint;
  readonly apiKey: string;
}

/** A key for a purpose: keccak256 of seed and purpose. Only for local deployments, whose keys guard nothing. */
export function derivedKey(seed: string, purpose: string): Hex {
  return `0x${bytesToHex(keccak_256(utf8ToBytes(`polder/local/${seed}/${purpose}`)))}`;
}

/** The wallet of a local deployment's operator. */
export function operatorWallet(seed: string): LocalAccount {
  return privateKeyToAccount(derivedKey(seed, "operator"));
}

/** The wallet of a local deployment's one installer. */
export function installerWallet(seed: string): LocalAccount {
  return privateKeyToAccount(derivedKey(seed, "installer"));
}

/** The wallet of a local deployment that says what the chain says, and reports to it. */
export function mirrorWallet(seed: string): LocalAccount {
  return privateKeyToAccount(derivedKey(seed, "mirror"));
}

/** Pays for the ballots of voters without ether. */
export function relayWallet(seed: string): LocalAccount {
  return privateKeyToAccount(derivedKey(seed, "relay"));
}

/** The wallet that may freeze what a local deployment reports. */
export function guardianWallet(seed: string): LocalAccount {
  return privateKeyToAccount(derivedKey(seed, "guardian"));
}

/** The keys of one household. */
export function householdKeys(seed: string, name: string): HouseholdKeys {
  const walletKey = derivedKey(seed, `${name}/wallet`);
  const wallet = privateKeyToAccount(walletKey);
  const account = wallet.address.toLowerCase() as Hex;
  const sessionSeed = derivedKey(seed, `${name}/session`);
  return {
    wallet,
    walletKey,
    account,
    sessionSeed,
    gatewaySeed: derivedKey(seed, `${name}/gateway`),
    // A field element; a real household's is drawn and never derived.
    secret: BigInt(derivedKey(seed, `${name}/meter`)) >> 8n,
    apiKey: formatApiKey(account, sessionSeed),
  };
}

export interface RegionTerms {
  /** Test money, which it is without it, or what the region's mirror finds on the chain. */
  readonly quote?: "test" | "settlement";
  readonly profile: Omit<Profile, "operator">;
  readonly windowSlots: 4 | 96;
  readonly epochSlots: number;
  readonly parameters: Parameters;
}

/**
 * Opens the region and appoints its installer, unless it is open; where its money is a chain's, so are its installers.
 * @returns the operator's signer.
 */
export async function openRegion(client: PolderClient, seed: string, terms: RegionTerms): Promise<Signer> {
  const operator = walletSigner(operatorWallet(seed));
  const { quote = "test" } = terms;
  const known = await client.regions();
  if (known.some(({ region }) => region === terms.profile.region)) {
    const { market } = await client.region(terms.profile.region);
    if (market !== null) return operator;
  }
  await client.openRegion(
    operator,
    { ...terms.profile, operator: operator.account },
    {
      type: "open_region",
      timeZone: terms.profile.timeZone,
      windowSlots: terms.windowSlots,
      epochSlots: terms.epochSlots,
      quote,
      operator: operator.account,
      gridOperator: accountOf(seed, "grid operator"),
      treasury: accountOf(seed, "treasury"),
      mirror: quote === "test" ? NO_ADDRESS : (mirrorWallet(seed).address.toLowerCase() as Hex),
      parameters: terms.parameters,
    },
  );
  if (quote === "test") await appointInstaller(client, terms.profile.region, seed, operator);
  return operator;
}

async function appointInstaller(
  client: PolderClient,
  region: string,
  seed: string,
  operator: Signer,
): Promise<void> {
  const installers = [installerWallet(seed).address.toLowerCase() as Hex];
  await client.submit(region, operator, { type: "appoint_installers", installers });
}

export interface Enrolment {
  readonly name: string;
  readonly creditMicros: number;
  readonly limits?: MeterLimits;
}

/** Gives a household its meter, its test money and its session key, unless it has them. */
export async function enrolHousehold(
  client: PolderClient,
  region: string,
  seed: string,
  operator: Signer,
  { name, creditMicros, limits = WIDEST_LIMITS }: Enrolment,
): Promise<HouseholdKeys> {
  const keys = householdKeys(seed, name);
  const knows = await sessionsOf(client, region, keys.account);
  if (isAuthorised(knows, keys)) return keys;
  const enrolling = () =>
    passing("meter_exists", () => enrolMeter(client, region, seed, { name, keys, limits }));
  try {
    await enrolling();
  } catch (error) {
    // A first start that was cut off may have opened the region and appointed nobody.
    if (!isProblem(error, "not_installer")) throw error;
    await appointInstaller(client, region, seed, operator);
    await enrolling();
  }
  await client.submit(region, operator, {
    type: "credit_test_quote",
    account: keys.account,
    amountMicros: creditMicros,
  });
  await authoriseAgent(client, region, keys, creditMicros);
  return keys;
}

/**
 * Gives a household its session key where its money and its meter come from the chain, unless it has it.
 * @throws Error where its deposit is not credited within a minute
 */
export async function admitHousehold(
  client: PolderClient,
  region: string,
  seed: string,
  { name, creditMicros }: Enrolment,
): Promise<HouseholdKeys> {
  const keys = householdKeys(seed, name);
  if (!(await isKnown(client, region, keys))) await authoriseAgent(client, region, keys, creditMicros);
  return keys;
}

/**
 * Waits until the mirror has opened an account, by what its wallet did on the chain.
 * @returns whether its session key is authorised. @throws Error where that takes longer than a minute
 */
export async function isKnown(client: PolderClient, region: string, keys: HouseholdKeys): Promise<boolean> {
  for (const endMs = Date.now() + CREDITED_WITHIN_MS; ; ) {
    const knows = await sessionsOf(client, region, keys.account);
    if (knows !== null) return isAuthorised(knows, keys);
    if (Date.now() > endMs)
      throw new Error(`what ${keys.account} did on the chain was not taken over by the region`);
    await new Promise((resolve) => setTimeout(resolve, CREDIT_POLL_MS));
  }
}

const CREDITED_WITHIN_MS = 60_000;
const CREDIT_POLL_MS = 50;

async function authoriseAgent(
  client: PolderClient,
  region: string,
  keys: HouseholdKeys,
  spendingLimitMicros: number,
): Promise<void> {
  await passing("session_exists", () =>
    client.submit(region, walletSigner(keys.wallet), {
      type: "authorise_session",
      key: sessionKeyOf(keys.sessionSeed),
      resources: ["energy"],
      sides: ["sell", "buy"],
      leastAskMicrosPerKwh: 0,
      highestBidMicrosPerKwh: 5_000_000,
      dailyWh: MAX_WINDOW_CAP_WH,
      leastAskMicrosPerTera: 0,
      highestBidMicrosPerTera: 0,
      dailyMega: 0,
      spendingLimitMicros,
      sessionExpiresAtS: LAST_INSTANT_S,
    }),
  );
}

/** What an installer does: the household's request, and the connection's tag. */
async function enrolMeter(
  client: PolderClient,
  region: string,
  seed: string,
  home: { readonly name: string; readonly keys: HouseholdKeys; readonly limits: MeterLimits },
): Promise<void> {
  const [{ chainId, settlement }, { windowSlots }] = await Promise.all([
    client.deployment(),
    client.market(region),
  ]);
  const { name, keys, limits } = home;
  const context = { chainId, settlement, regionId: region, windowSlots };
  const request = requestEnrolment(context, keys.gatewaySeed, keys.secret, limits);
  const draft = enrolmentOf(request, { connection: derivedKey(seed, `${name}/connection`), limits });
  await client.submit(region, walletSigner(installerWallet(seed)), draft, request.consent);
}

/** The meter as its household's agent has it. */
export function householdMeter(
  { gatewaySeed, secret }: HouseholdKeys,
  source: MeterSource,
  limits: MeterLimits = WIDEST_LIMITS,
): HouseholdMeter {
  return { source, gatewaySeed, secret, limits };
}

/** The signer an agent uses: the household's session key. */
export function agentSigner({ account, sessionSeed }: HouseholdKeys): Signer {
  return sessionSigner(account, sessionSeed);
}

/** Accounts that are no household's in a local deployment. */
export function accountOf(seed: string, purpose: string): Hex {
  return walletOf(seed, purpose).address.toLowerCase() as Hex;
}

/** The wallet of such an account. */
export function walletOf(seed: string, purpose: string): LocalAccount {
  return privateKeyToAccount(derivedKey(seed, purpose));
}

/** An account's session keys; null where it is not open. */
async function sessionsOf(
  client: PolderClient,
  region: string,
  account: Hex,
): Promise<readonly { readonly key: Hex }[] | null> {
  try {
    return (await client.account(region, account)).sessions;
  } catch (error) {
    if (isProblem(error, "account_not_found")) return null;
    throw error;
  }
}

/** The session key is authorised last, so it stands for the rest. */
function isAuthorised(
  sessions: readonly { readonly key: Hex }[] | null,
  { sessionSeed }: HouseholdKeys,
): boolean {
  return sessions?.some(({ key }) => key === sessionKeyOf(sessionSeed)) ?? false;
}

function isProblem(error: unknown, code: string): boolean {
  return error instanceof PolderProblem && error.code === code;
}
