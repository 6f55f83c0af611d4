// Owns what the market's tests have in common: a region over virtual time, drafts of every command with faked but
// consistent signer facts, and the check that a refusal changed no byte. It refuses to hide a rejection.

import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Request } from "../../market/decision.ts";
import { nextDueS } from "../../market/due.ts";
import { violations } from "../../market/invariants.ts";
import {
  applyEntry,
  chainHash,
  type Entry,
  encodeLine,
  execute,
  executeDue,
  GENESIS_HASH,
  type Sha256,
} from "../../market/journal.ts";
import { rootOfWindow } from "../../market/registry.ts";
import { createState, type RegionState } from "../../market/state.ts";
import type { Command, CommandOf, Parameters } from "../../protocol/commands.ts";
import type { ErrorCode, Rejection } from "../../protocol/errors.ts";
import type { MarketEvent, SlotCleared } from "../../protocol/events.ts";
import { type Hex, NO_ADDRESS, type Side } from "../../protocol/fields.ts";
import { commandId, type SigningDomain } from "../../protocol/typed-data.ts";
import type { EvidenceFacts, VerifiedSigner } from "../../protocol/verified-facts.ts";
import { AUTH, expectRejected } from "./untouched-state.ts";

/** SHA-256 over pieces, as the market wants it handed in. */
export const sha256: Sha256 = (...pieces) => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
};

export const DOMAIN: SigningDomain = { chainId: 31_337, settlement: `0x${"00".repeat(20)}` };
export const REGION = "polder-one";

/** A midnight, so that windows, days and small epochs begin together. */
export const MIDNIGHT_S = 20_000 * 86_400;
/** The slot that begins at midnight: the first slot of a region that `openMarket` opens. */
export const FIRST_SLOT = MIDNIGHT_S / 900;
/** Half an hour before midnight, when `openMarket` opens the region. */
export const OPENED_AT_S = MIDNIGHT_S - 1_800;

/** An address made of a number. */
export const address = (number: number): Hex => `0x${number.toString(16).padStart(40, "0")}`;
/** 32 bytes made of a number: session keys, gateways, connections. */
export const word = (number: number): Hex => `0x${number.toString(16).padStart(64, "0")}`;

export const OPERATOR = address(0xa1);
export const TREASURY = address(0xa2);
export const GRID = address(0xa3);
export const INSTALLER = address(0xa4);

/** Parameters without fees, so that a test that wants them says so. */
export const PARAMETERS: Parameters = {
  networkFeeMicrosPerKwh: 0,
  takeRateBps: 0,
  clearingPriceK: 5_000,
  proofDelaySeconds: 900,
  emissionPerEpoch: "1000000",
  emissionDecayBps: 1_000,
  rewardWeightEnergy: 1,
  ...{ rewardWeightCompute: 0, rewardWeightBandwidth: 0 },
  shareCapBps: 10_000,
  outflowCapBps: 5_000,
  rewardPerFee: "1000000000",
  ...{ providerMinimumStake: 0, auditRateBps: 0 },
};

/** A command without what binds it to a moment, and who is said to have signed it. */
export interface Draft extends Pick<Request, "signer" | "evidence"> {
  readonly command: { readonly type: Command["type"]; readonly [field: string]: unknown };
}

export const wallet = (account: Hex): VerifiedSigner => ({ scheme: "wallet", address: account });
export const session = (key: Hex): VerifiedSigner => ({ scheme: "session", key });

type Body<T extends Command["type"]> = Partial<Omit<CommandOf<T>, "type" | "account">>;

/** Opens the region: four-slot windows, epochs of two hours, test money. */
export function open(
  more: Body<"open_region"> & { parameters?: Parameters } = {},
  signer = wallet(OPERATOR),
): Draft {
  const command = {
    type: "open_region",
    timeZone: "Europe/Amsterdam",
    windowSlots: 4,
    epochSlots: 8,
    quote: "test",
    operator: OPERATOR,
    gridOperator: GRID,
    treasury: TREASURY,
    mirror: NO_ADDRESS,
    receiptKey: word(0xee),
    parameters: PARAMETERS,
    ...more,
  } as const;
  return { command, signer, evidence: null };
}

export function setParameters(parameters: Partial<Parameters>, signer = wallet(OPERATOR)): Draft {
  const command = { type: "set_parameters", parameters: { ...PARAMETERS, ...parameters } } as const;
  return { command, signer, evidence: null };
}

export function credit(account: Hex, amountMicros: number, signer = wallet(OPERATOR)): Draft {
  return { command: { type: "credit_test_quote", account, amountMicros } as const, signer, evidence: null };
}

/** Authorises a key that may do everything for a very long time, unless told otherwise. */
export function authorise(
  account: Hex,
  key: Hex,
  more: Body<"authorise_session"> = {},
  signer = wallet(account),
): Draft {
  const command = {
    type: "authorise_session",
    account,
    key,
    resources: ["energy"],
    sides: ["sell", "buy"],
    leastAskMicrosPerKwh: -10_000_000,
    highestBidMicrosPerKwh: 10_000_000,
    dailyWh: 1_000_000_000,
    ...{ leastAskMicrosPerTera: 0, highestBidMicrosPerTera: 0, dailyMega: 0 },
    spendingLimitMicros: 1_000_000_000,
    sessionExpiresAtS: MIDNIGHT_S + 365 * 86_400,
    ...more,
  } as const;
  return { command, signer, evidence: null };
}

export function revoke(account: Hex, key: Hex, signer = wallet(account)): Draft {
  return { command: { type: "revoke_session", account, key } as const, signer, evidence: null };
}

export function appoint(installers: readonly Hex[], signer = wallet(OPERATOR)): Draft {
  return { command: { type: "appoint_installers", installers } as const, signer, evidence: null };
}

export function admit(account: Hex, signer = wallet(OPERATOR)): Draft {
  return { command: { type: "admit_account", account } as const, signer, evidence: null };
}

/** The leaf of meter `meter`, as the verifier of its consent would have made it. */
export const leafOf = (meter: number): Hex => word(0x1eaf_0000 + meter);

/** Enrols gateway `meter` on connection `meter`; the facts are what the verifier of its consent would say. */
export function enrol(
  meter: number,
  more: Body<"enrol_meter"> & { readonly leaf?: Hex } = {},
  signer = wallet(INSTALLER),
): Draft {
  const { leaf = leafOf(meter), ...fields } = more;
  const command = {
    type: "enrol_meter",
    gatewayX: String(meter),
    gatewayY: "1",
    commitment: String(meter),
    connection: word(meter),
    nameplateWh: 1_000_000,
    connectionWh: 1_000_000,
    saleCapWh: 100_000_000,
    purchaseCapWh: 100_000_000,
    windowSlots: 4,
    replaces: word(0),
    ...fields,
  } as const;
  return { command, signer, evidence: { kind: "gateway-consent", gateway: word(meter), leaf } };
}

export function unenrol(meter: number, isEmergency = false, signer = wallet(INSTALLER)): Draft {
  return { command: { type: "revoke_meter", gateway: word(meter), isEmergency }, signer, evidence: null };
}

/** A ladder order; steps are [limit in micros per kWh, cap in Wh]. */
export function place(
  account: Hex,
  side: Side,
  steps: readonly (readonly [number, number])[],
  more: Body<"place_order"> = {},
  signer = wallet(account),
): Draft {
  const command = {
    type: "place_order",
    account,
    side,
    steps: steps.map(([limitPriceMicrosPerKwh, capWhPerSlot]) => ({ limitPriceMicrosPerKwh, capWhPerSlot })),
    validFromS: 0,
    validUntilS: 0,
    hours: [],
    replaces: 0,
    ...more,
  } as const;
  return { command, signer, evidence: null };
}

export function cancel(account: Hex, orderId: number, signer = wallet(account)): Draft {
  return { command: { type: "cancel_order", account, orderId } as const, signer, evidence: null };
}

/** What is claimed of one window of a meter; `netWh` shorter than `slots` is filled up with zeroes. */
export function readings(
  account: Hex,
  meter: number,
  firstSlot: number,
  netWh: readonly number[],
  slots = 4,
  signer = wallet(account),
): Draft {
  const padded = [...netWh, ...new Array<number>(Math.max(0, slots - netWh.length)).fill(0)];
  const command = { type: "submit_readings", account, firstSlot, netWh: padded } as const;
  return {
    command,
    signer,
    evidence: { kind: "meter-proof", root: ROOT_OF_WINDOW, nullifier: nullifierOf(meter, firstSlot) },
  };
}

/** Commits to a number: to the market Poseidon of a secret is no other. */
export function commit(account: Hex, number: number, signer = wallet(account)): Draft {
  const command = { type: "commit_certificate", account, commitment: String(number) } as const;
  return { command, signer, evidence: null };
}

/** Stands in a draft for the root that the region has for the window. */
export const ROOT_OF_WINDOW: Hex = "0x";

/** What a meter's proofs of a window have in common. */
export const nullifierOf = (meter: number, firstSlot: number): Hex =>
  `0x${sha256(word(meter), String(firstSlot))}`;

/** A region over virtual time: what is due is done before each command, and every entry is kept and checked. */
export class Market {
  readonly state: RegionState = createState();
  readonly entries: Entry[] = [];
  readonly lines: string[] = [];
  hash = GENESIS_HASH;
  atS: number;
  readonly region: string;
  #nonce = 0;

  constructor(atS: number, region = REGION) {
    this.atS = atS;
    this.region = region;
  }

  /** Goes to a moment and does what is due until then. */
  to(atS: number): Entry[] {
    const done: Entry[] = [];
    this.atS = Math.max(this.atS, atS);
    for (;;) {
      const entry = executeDue(this.state, this.atS, sha256);
      if (entry === null) return done;
      done.push(this.#keep(entry));
    }
  }

  /** Binds a draft to now. */
  request(draft: Draft, envelope: Partial<Pick<Command, "region" | "nonce" | "expiresAtS">> = {}): Request {
    this.#nonce += 1;
    const { type, ...body } = draft.command;
    const bound = { region: this.region, nonce: this.#nonce, expiresAtS: this.atS + 3_600, ...envelope };
    const command = { type, ...bound, ...body } as unknown as Command;
    const { signer, evidence } = draft;
    return {
      command,
      commandId: commandId(DOMAIN, command),
      signer,
      evidence: this.#rooted(command, evidence),
    };
  }

  /** A proof is made against the root of its window, which a draft does not know. */
  #rooted(command: Command, evidence: EvidenceFacts | null): EvidenceFacts | null {
    if (evidence?.kind !== "meter-proof" || evidence.root !== ROOT_OF_WINDOW) return evidence;
    if (command.type !== "submit_readings") throw new Error(`${command.type} shows no proof`);
    return { ...evidence, root: rootOfWindow(this.state, command.firstSlot) };
  }

  /** Executes a request as it is. */
  execute(request: Request): { entry: Entry } | { rejection: Rejection } {
    this.to(this.atS);
    const result = execute(this.state, request, AUTH, request.evidence, this.atS);
    if ("entry" in result) this.#keep(result.entry);
    return result;
  }

  /** Executes a draft that must be accepted; answers its entry. */
  accept(draft: Draft): Entry {
    const result = this.execute(this.request(draft));
    if ("rejection" in result) throw new Error(`refused: ${JSON.stringify(result.rejection)}`);
    return result.entry;
  }

  /** Expects a refusal that changes nothing. */
  refuse(draft: Draft, code: ErrorCode): Rejection {
    this.to(this.atS);
    return expectRejected(this.state, this.request(draft), this.atS, code);
  }

  /** Free micros of an account. */
  balance(account: Hex): number {
    const row = this.state.indexes.accountByAddress.get(account);
    return row === undefined ? 0 : (this.state.tables.accounts.columns.freeMicros[row] as number);
  }

  /** Number of an account. */
  account(owner: Hex): number {
    return this.state.indexes.accountByAddress.get(owner) as number;
  }

  /** Every event of a type so far. */
  events<T extends MarketEvent["type"]>(type: T): Extract<MarketEvent, { type: T }>[] {
    const all = this.entries.flatMap((entry) => entry.events);
    return all.filter((event): event is Extract<MarketEvent, { type: T }> => event.type === type);
  }

  /** How a slot cleared. */
  slot(number: number): SlotCleared {
    const found = this.events("slot_cleared").find((event) => event.slot === number);
    if (found === undefined) throw new Error(`slot ${number} has not cleared`);
    return found;
  }

  /** Wh an account sold (positive) or bought (negative) in a slot. */
  filled(slot: number, owner: Hex): number {
    const { accounts, filledWh } = this.slot(slot);
    const index = accounts.indexOf(this.account(owner));
    return index < 0 ? 0 : (filledWh[index] as number);
  }

  #keep(entry: Entry): Entry {
    const body = JSON.stringify(entry);
    this.hash = chainHash(sha256, this.hash, body);
    this.lines.push(encodeLine(this.hash, body));
    this.entries.push(entry);
    expect(violations(this.state)).toEqual([]);
    return entry;
  }
}

/** An opened region, half an hour before its first slot at midnight. */
export function openMarket(more: MarketTerms = {}): Market {
  const { parameters, ...terms } = more;
  const market = new Market(OPENED_AT_S);
  market.accept(open({ ...terms, parameters: { ...PARAMETERS, ...parameters } }));
  market.accept(appoint([INSTALLER]));
  return market;
}

type MarketTerms = Omit<Body<"open_region">, "parameters"> & { readonly parameters?: Partial<Parameters> };

/** Makes homes with a meter each (numbered like the home) and money; answers their addresses. */
export function settle(market: Market, homes: number, micros = 1_000_000_000): Hex[] {
  const windowSlots = market.state.header.opened?.windowSlots;
  return Array.from({ length: homes }, (_, index) => {
    const home = address(index + 1);
    market.accept(enrol(index + 1, windowSlots === undefined ? {} : { windowSlots }));
    market.accept(micros > 0 ? credit(home, micros) : admit(home));
    return home;
  });
}

/** The moment a window's slots clear, under the default delay. */
export function deadlineS(firstSlot: number, slots = 4, delayS = 900): number {
  return (firstSlot + slots) * 900 + delayS;
}

/** A fresh state from the journal's text alone. */
export function replay(lines: readonly string[]): RegionState {
  const state = createState();
  for (const line of lines) applyEntry(state, (JSON.parse(line) as { entry: Entry }).entry);
  return state;
}

/** What is due next; asserts that the region is open. */
export function dueS(market: Market): number {
  const due = nextDueS(market.state);
  if (due === null) throw new Error("the region is not open");
  return due;
}

/** Proves a window for some homes (home n has meter n) and clears it; readings are by home number. */
export function prove(
  market: Market,
  firstSlot: number,
  netWh: Readonly<Record<number, readonly number[]>>,
): void {
  market.to((firstSlot + 4) * 900);
  for (const [home, wh] of Object.entries(netWh)) {
    market.accept(readings(address(Number(home)), Number(home), firstSlot, wh));
  }
  market.to(deadlineS(firstSlot));
}
