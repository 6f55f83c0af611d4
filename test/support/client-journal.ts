// Owns a region without a network: commands really signed, decided and journaled by the real rules, and receipts by
// the region's own key, so that a test can play the operator who then cheats. It refuses to hide a rejection.

import { claimsOf } from "../../circuits/meter-witness.ts";
import { enrolmentOf, requestEnrolment } from "../../clients/household/enrolment-request.ts";
import { WindowProver } from "../../clients/household/window-prover.ts";
import {
  accountOf,
  derivedKey,
  householdKeys,
  installerWallet,
  operatorWallet,
} from "../../clients/local/neighbourhood.ts";
import { type Signer, sessionSigner, walletSigner } from "../../clients/sdk/signer.ts";
import { exactBytes } from "../../evidence/bytes.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { pointOf } from "../../evidence/field-text.ts";
import { regionTag, signWindow } from "../../evidence/gateway-window.ts";
import { type ShownWindow, shownWindowOf } from "../../evidence/meter-proof.ts";
import { type MeterLimits, meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import {
  buildReceiptTree,
  type Receipt,
  receiptKeyOf,
  receiptLeafBytes,
  signReceipts,
} from "../../evidence/receipt.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import { type CommandSignature, verifyCommand } from "../../evidence/verified-command.ts";
import {
  chainHash,
  decodeLine,
  type Entry,
  encodeLine,
  execute,
  executeDue,
  GENESIS_HASH,
  stateHash,
} from "../../market/journal.ts";
import { createState } from "../../market/state.ts";
import { type Command, type CommandType, commandSchema } from "../../protocol/commands.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { QuadTree } from "../../protocol/quad-tree.ts";
import { DOMAIN, MIDNIGHT_S, PARAMETERS, sha256 } from "./market.ts";

export const SEED = "journal under audit";
export const REGION = "polder-audit";
export const OPENED_AT_S = MIDNIGHT_S - 1_800;
const RECEIPT_SEED = derivedKey(SEED, "receipts");

/** A signed command on its way to the region, and when it arrives. */
export interface Step {
  readonly atS: number;
  readonly command: Command;
  readonly auth: CommandSignature;
  readonly evidence?: unknown;
}

/** What a region wrote. */
export interface Journal {
  readonly lines: readonly string[];
  readonly entries: readonly Entry[];
  /** One for each command. */
  readonly receipts: readonly Receipt[];
  readonly claimed: { readonly entry: number; readonly stateHash: Hex };
}

export const operator = walletSigner(operatorWallet(SEED));
export const installer = walletSigner(installerWallet(SEED));

/** Keys and signers of a household. */
export function householdOf(name: string) {
  const keys = householdKeys(SEED, name);
  return {
    ...keys,
    session: sessionSigner(keys.account, keys.sessionSeed),
    owner: walletSigner(keys.wallet),
  };
}

const WITHOUT_ACCOUNT: ReadonlySet<CommandType> = new Set([
  "open_region",
  "set_parameters",
  "appoint_installers",
  "schedule_terms",
  "schedule_parameters",
  "enrol_meter",
  "revoke_meter",
]);

let nonce = 0;

/** Completes and signs a command that arrives at `atS`. */
export async function sign(
  atS: number,
  signer: Signer,
  draft: { readonly type: CommandType; readonly [field: string]: unknown },
  evidence?: unknown,
): Promise<Step> {
  nonce += 1;
  const isWide = WITHOUT_ACCOUNT.has(draft.type);
  const command = commandSchema.parse({
    ...(isWide ? {} : { account: signer.account }),
    region: REGION,
    nonce,
    expiresAtS: atS + 3_600,
    ...draft,
  });
  const auth = await signer.sign(DOMAIN, command);
  return { atS, command, auth, ...(evidence === undefined ? {} : { evidence }) };
}

/** Decides the steps in order as an honest region would, each in a flush of its own, and what is due between them. */
export async function writeJournal(steps: readonly Step[], untilS: number): Promise<Journal> {
  const state = createState();
  const lines: string[] = [];
  const entries: Entry[] = [];
  const receipts: Receipt[] = [];
  let hash = GENESIS_HASH;
  const keep = (entry: Entry): void => {
    const body = JSON.stringify(entry);
    hash = chainHash(sha256, hash, body);
    lines.push(encodeLine(hash, body));
    entries.push(entry);
  };
  const advanceTo = (atS: number): void => {
    for (let due = executeDue(state, atS, sha256); due !== null; due = executeDue(state, atS, sha256))
      keep(due);
  };
  for (const { atS, command, auth, evidence } of steps) {
    advanceTo(atS);
    const verdict = await verifyCommand(DOMAIN, command, auth, evidence);
    if (!verdict.ok) throw new Error(`${command.type}: ${verdict.code}`);
    const { commandId, signer, evidence: facts } = verdict;
    const request = { command, commandId, signer, evidence: facts };
    const result = execute(state, request, auth, evidence, atS);
    if ("rejection" in result) throw new Error(`${command.type}: ${JSON.stringify(result.rejection)}`);
    const { entry } = result;
    keep(entry);
    receipts.push(receiptOf(entry, hash));
  }
  advanceTo(untilS);
  return {
    lines,
    entries,
    receipts,
    claimed: { entry: entries.length, stateHash: stateHash(state, sha256) },
  };
}

/** The region's receipt for an entry in a flush of its own; a test may bend what it says before it is signed. */
export function receiptOf(
  { number, atS, commandId }: Entry,
  hash: string,
  bent: { readonly region?: string; readonly chainId?: number } = {},
): Receipt {
  const { chainId, region } = { chainId: DOMAIN.chainId, region: REGION, ...bent };
  const leaf = { region, chainId, entry: number, commandId: commandId as Hex, entryHash: `0x${hash}` as Hex };
  const { root } = buildReceiptTree([receiptLeafBytes(leaf)]);
  const batch = { firstEntry: number, lastEntry: number, atS, root };
  const signature = signReceipts(RECEIPT_SEED, { chainId, region, ...batch });
  return { ...leaf, batch, path: [], key: receiptKeyOf(RECEIPT_SEED), signature };
}

const step = (limitPriceMicrosPerKwh: number) => ({ limitPriceMicrosPerKwh, capWhPerSlot: 1_000 });
const order = { type: "place_order", validFromS: 0, validUntilS: 0, hours: [], replaces: 0 } as const;

/** When `livelySteps` is over. */
export const LIVELY_UNTIL_S = MIDNIGHT_S + 8_300;

/** Where the homes' meters stand in the registry, by their order. */
const HOMES = ["ann", "bob", "cas"].map(householdOf);

/** Three homes with their meters, money and orders, and nothing measured yet. */
export async function quietSteps(): Promise<Step[]> {
  const steps: Step[] = [
    await sign(OPENED_AT_S, operator, {
      type: "open_region",
      timeZone: "Europe/Amsterdam",
      windowSlots: 4,
      epochSlots: 8,
      quote: "test",
      operator: operator.account,
      gridOperator: accountOf(SEED, "grid operator"),
      treasury: accountOf(SEED, "treasury"),
      mirror: NO_ADDRESS,
      receiptKey: receiptKeyOf(RECEIPT_SEED),
      parameters: { ...PARAMETERS, networkFeeMicrosPerKwh: 20_011, takeRateBps: 333 },
    }),
    await sign(OPENED_AT_S, operator, { type: "appoint_installers", installers: [installer.account] }),
  ];
  for (const home of HOMES) steps.push(...(await enrolled(home)));
  const [ann, bob, cas] = HOMES as [Home, Home, Home];
  const atS = OPENED_AT_S + 60;
  steps.push(await sign(atS, ann.session, { ...order, side: "sell", steps: [step(100_000), step(120_000)] }));
  steps.push(await sign(atS, bob.session, { ...order, side: "buy", steps: [step(300_000)] }));
  steps.push(await sign(atS, cas.owner, { ...order, side: "buy", steps: [step(250_000)] }));
  return steps;
}

/** Two cleared windows more, one closed epoch, and every kind of signature and evidence. */
export async function livelySteps(): Promise<Step[]> {
  const steps = await quietSteps();
  // The last one is Cas's.
  const bobOrder = steps.length - 1;
  const [ann, bob, cas] = HOMES as [Home, Home, Home];
  for (const home of [ann, cas]) {
    const commitment = secretCommitment(certificateSecretOf(home.account)).toString();
    steps.push(await sign(OPENED_AT_S + 60, home.owner, { type: "commit_certificate", commitment }));
  }
  const firstSlot = MIDNIGHT_S / 900;
  steps.push(
    ...(await proved(
      firstSlot,
      [ann, [100, 120, 5, 0]],
      [bob, [-100, -40, -7, 0]],
      [cas, [-17, -17, 30, 0]],
    )),
  );
  const laterS = MIDNIGHT_S + 5_000;
  steps.push(await sign(laterS, cas.owner, { type: "cancel_order", orderId: bobOrder + 1 }));
  steps.push(
    await sign(laterS, bob.session, { ...order, side: "buy", steps: [step(280_000)], replaces: bobOrder }),
  );
  // Two homes meter the same, so that their evidence could be mistaken for each other's.
  steps.push(
    ...(await proved(
      firstSlot + 4,
      [ann, [90, 80, 70, 60]],
      [bob, [-50, -60, -70, -80]],
      [cas, [-50, -60, -70, -80]],
    )),
  );
  const lastS = MIDNIGHT_S + 8_200;
  steps.push(
    await sign(lastS, operator, { type: "credit_test_quote", account: bob.account, amountMicros: 777 }),
  );
  steps.push(await sign(lastS, operator, { type: "set_parameters", parameters: PARAMETERS }));
  return steps;
}

type Home = ReturnType<typeof householdOf>;

/** What an account's certificates are made with. */
export const certificateSecretOf = (account: Hex): bigint =>
  BigInt(derivedKey(SEED, `${account}/certificate`)) >> 8n;
const CONTEXT = { ...DOMAIN, regionId: REGION, windowSlots: 4 } as const;
const LIMITS: MeterLimits = {
  nameplateWh: 5_000,
  connectionWh: 5_000,
  saleCapWh: 100_000,
  purchaseCapWh: 100_000,
};

async function enrolled(home: Home): Promise<Step[]> {
  const { account, gatewaySeed, secret, sessionSeed, owner } = home;
  const request = requestEnrolment(CONTEXT, gatewaySeed, secret, LIMITS);
  const connection = derivedKey(SEED, `${account}/connection`);
  return [
    await sign(
      OPENED_AT_S + 30,
      installer,
      enrolmentOf(request, { connection, limits: LIMITS }),
      request.consent,
    ),
    await sign(OPENED_AT_S + 30, operator, { type: "credit_test_quote", account, amountMicros: 50_000_000 }),
    await sign(OPENED_AT_S + 30, owner, {
      type: "authorise_session",
      key: sessionKeyOf(sessionSeed),
      resources: ["energy"],
      sides: ["sell", "buy"],
      leastAskMicrosPerKwh: 0,
      highestBidMicrosPerKwh: 1_000_000,
      dailyWh: 1_000_000,
      leastAskMicrosPerTera: 0,
      highestBidMicrosPerTera: 0,
      dailyMega: 0,
      spendingLimitMicros: 50_000_000,
      sessionExpiresAtS: MIDNIGHT_S + 86_400,
    }),
  ];
}

const prover = new WindowProver();
const tree = new QuadTree(HOMES.map(leafOf));

function leafOf({ gatewaySeed, secret }: Home): bigint {
  return meterLeaf(keyOf(gatewaySeed), secretCommitment(secret), regionTag(CONTEXT), LIMITS);
}

function keyOf(gatewaySeed: Hex) {
  return poseidonKeyOf(exactBytes(gatewaySeed, 32, "gateway seed"));
}

/** A home's window with its claims proved: all that was measured. */
async function shownOf(home: Home, firstSlot: number, netWh: readonly number[]): Promise<ShownWindow> {
  const { r8, s } = signWindow(home.gatewaySeed, CONTEXT, firstSlot, netWh).signature;
  const position = HOMES.findIndex(({ account }) => account === home.account);
  const proof = await prover.prove({
    context: CONTEXT,
    firstSlot,
    account: home.account,
    netWh,
    gateway: keyOf(home.gatewaySeed),
    signature: { r8: pointOf(r8), s: BigInt(s) },
    secret: home.secret,
    limits: LIMITS,
    path: tree.path(position),
    claims: claimsOf(netWh),
  });
  return shownWindowOf(proof);
}

async function proved(
  firstSlot: number,
  ...windows: readonly (readonly [Home, readonly number[]])[]
): Promise<Step[]> {
  return Promise.all(
    windows.map(async ([home, measured]) => {
      const { netWh, evidence } = await shownOf(home, firstSlot, measured);
      const draft = { type: "submit_readings", firstSlot, netWh } as const;
      return sign((firstSlot + 4) * 900, home.session, draft, evidence);
    }),
  );
}

/** The exact bytes of each entry. */
export function bodiesOf(lines: readonly string[]): string[] {
  return lines.map((line) => (decodeLine(line) as { body: string }).body);
}

/** Lines over any bodies with every hash computed anew: what an operator with full power over the journal writes. */
export function chained(bodies: readonly string[]): string[] {
  let hash = GENESIS_HASH;
  return bodies.map((body) => {
    hash = chainHash(sha256, hash, body);
    return encodeLine(hash, body);
  });
}

/** An entry as a forger sees it: JSON without a meaning. */
export type Forgery = Record<string, unknown>;

/** Entries as a forger rewrites them, renumbered and chained anew. */
export function forged(lines: readonly string[], forge: (entries: Forgery[]) => Forgery[]): string[] {
  const entries = bodiesOf(lines).map((body) => JSON.parse(body) as Forgery);
  return chained(forge(entries).map((entry, index) => JSON.stringify({ ...entry, number: index + 1 })));
}

/** One value of an entry rewritten, such as `events.0.amountMicros`; undefined takes it away. */
export function rewritten(body: string, path: string, value: unknown): string {
  const entry = JSON.parse(body) as Forgery;
  const names = path.split(".");
  const last = names.pop() as string;
  const holder = names.reduce<Forgery>((inner, name) => inner[name] as Forgery, entry);
  if (JSON.stringify(holder[last]) === JSON.stringify(value)) throw new Error(`${path} already is ${value}`);
  holder[last] = value;
  return JSON.stringify(entry);
}

/** One value of an entry rewritten, everything after it chained anew. */
export function changed(lines: readonly string[], number: number, path: string, value: unknown): string[] {
  const bodies = bodiesOf(lines);
  return chained(bodies.with(number - 1, rewritten(bodies[number - 1] as string, path, value)));
}
