// Owns what the people of a simulated region send: honest requests of the operator and the households, each with what
// its sender knows. It refuses to know the region's state: a household knows its clock and what it was answered.

import { PARAMETERS, seedOf } from "../../bench/fleet.ts";
import type { Outcome } from "../../durable-objects/outcome.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Command, CommandType } from "../../protocol/commands.ts";
import type { RawRequest } from "./gateway.ts";
import { RECEIPT_SEED } from "./object-host.ts";
import {
  AGENT_HOME,
  DOMAIN,
  GRID,
  gatewayOf,
  HOMES,
  type Household,
  homeOf,
  keyOf,
  OPERATOR,
  type Pen,
  type Person,
  REGION,
  sessionPen,
  TREASURY,
  walletPen,
  windowOf,
} from "./people.ts";
import type { Step } from "./steps.ts";

/** A request with what a simulation knows of it. */
export interface Draft {
  readonly name: string;
  /** The household that sends it, or null. */
  readonly who: number | null;
  readonly raw: RawRequest;
  /** True where whatever happens it must not be accepted. */
  readonly mustFail: boolean;
  readonly isHonest: boolean;
  /** Told of every outcome that reaches the sender. */
  readonly tell?: (outcome: Outcome) => void;
}

export const NAMEPLATE_WH = 5_000;
/** No household lets a key bid more. */
export const HIGHEST_BID = 300_000;
/** What every household commits to: to a region it is any number. */
export const COMMITMENT = "7";
/** How long a command lives. */
const LIFE_S = 5_400;

/** What a household remembers. */
export interface HomeMemory {
  /** Orders it was told of, oldest first. */
  orders: number[];
  isAway: boolean;
  driftS: number;
}

/** What binds a command to a region and a moment, where it is not as usual. */
interface Envelope {
  readonly region?: string;
  readonly nonce?: number;
  readonly expiresAtS?: number;
}

type Body = Readonly<Record<string, unknown>> & { readonly type: CommandType };

/** Everybody who sends requests. */
export class Clients {
  readonly homes: HomeMemory[] = HOMES.map(() => ({ orders: [], isAway: false, driftS: 0 }));
  readonly #nowMs: () => number;
  #nonce = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Seconds on a household's clock, or the true ones. */
  nowS(who: number | null): number {
    return Math.floor(this.#nowMs() / 1000) + (who === null ? 0 : (this.homes[who]?.driftS ?? 0));
  }

  /** A command bound to now. */
  bind(body: Body, who: number | null, more: Envelope = {}): Command {
    this.#nonce += 1;
    const { type, ...fields } = body;
    const envelope = { region: REGION, nonce: this.#nonce, expiresAtS: this.nowS(who) + LIFE_S, ...more };
    return { type, ...envelope, ...fields } as unknown as Command;
  }

  /** Signs a body as it is. */
  async draft(
    name: string,
    who: number | null,
    body: Body,
    pen: Pen,
    evidence?: unknown,
    envelope: Envelope = {},
  ): Promise<Draft> {
    const command = this.bind(body, who, envelope);
    const raw = { command, auth: await pen(command), ...(evidence === undefined ? {} : { evidence }) };
    return { name, who, raw, mustFail: false, isHonest: true };
  }

  /** What opens every simulated region: the operator's opening, and households with money, a meter, a key and orders. */
  async opening(withAgent: boolean): Promise<Draft[]> {
    const operator = walletPen(OPERATOR);
    const drafts = [await this.draft("opening", null, OPENING, operator)];
    for (const [who, home] of [...HOMES, ...(withAgent ? [AGENT_HOME] : [])].entries()) {
      drafts.push(await this.draft("enrolment", null, enrolment(home, 0), operator));
      drafts.push(await this.draft("credit", null, credit(home, 400_000 * (who + 1)), operator));
      // One home's limit is so low that it binds.
      const limitMicros = who === 1 ? 100_000 : 1_000_000_000;
      const body = authorisation(home, 0, limitMicros, this.nowS(who) + 3_000_000);
      drafts.push(await this.draft("authorisation", null, body, walletPen(home)));
      const commitment: Body = { type: "commit_certificate", account: home.account, commitment: COMMITMENT };
      drafts.push(await this.draft("commitment", null, commitment, walletPen(home)));
      // The agent knows by itself what to order.
      if (home === AGENT_HOME) continue;
      for (const side of ["sell", "buy"] as const) {
        const order = orderOf(home, side, [side === "sell" ? 60_000 : 240_000], 600);
        drafts.push(await this.draft("order", who, order, penOf(home, 0)));
      }
    }
    return drafts;
  }

  /** An honest step's request; null when its sender is away or has nothing to send. */
  async honest(step: Step): Promise<Draft | null> {
    if ("who" in step && this.homes[step.who]?.isAway === true && !BY_OPERATOR.has(step.do)) return null;
    switch (step.do) {
      case "order":
        return this.#order(step);
      case "cancel": {
        const orderId = this.#known(step.who, step.which);
        if (orderId === 0) return null;
        const home = homeOf(step.who);
        const body: Body = { type: "cancel_order", account: home.account, orderId };
        return this.draft("cancel", step.who, body, penOf(home, step.key));
      }
      case "readings":
        return this.#readings(step.who, step.gateway);
      case "authorise": {
        const home = homeOf(step.who);
        const body = authorisation(home, step.key, step.limitMicros, this.nowS(step.who) + step.lastsS);
        return this.draft("authorisation", step.who, body, walletPen(home));
      }
      case "revoke": {
        const home = homeOf(step.who);
        const body: Body = { type: "revoke_session", account: home.account, key: keyOf(home, step.key).key };
        return this.draft("revocation", step.who, body, walletPen(home));
      }
      default:
        return this.#operators(step);
    }
  }

  #operators(step: Step): Promise<Draft> | null {
    const operator = walletPen(OPERATOR);
    switch (step.do) {
      case "credit":
        return this.draft("credit", null, credit(homeOf(step.who), step.micros), operator);
      case "enrol":
        return this.draft("enrolment", null, enrolment(homeOf(step.who), step.gateway), operator);
      case "unenrol": {
        const home = homeOf(step.who);
        const gateway = gatewayOf(home, step.gateway).id;
        return this.draft(
          "disenrolment",
          null,
          { type: "revoke_meter", account: home.account, gateway },
          operator,
        );
      }
      case "parameters": {
        const parameters = {
          ...TERMS,
          networkFeeMicrosPerKwh: step.networkFee,
          takeRateBps: step.takeRateBps,
          proofDelaySeconds: step.delayS,
        };
        return this.draft("parameters", null, { type: "set_parameters", parameters }, operator);
      }
      default:
        return null;
    }
  }

  #order(step: Extract<Step, { do: "order" }>): Promise<Draft> {
    const home = homeOf(step.who);
    const body: Body = {
      ...orderOf(home, step.side, step.prices, step.capWh),
      validUntilS: step.lastsS === 0 ? 0 : this.nowS(step.who) + step.lastsS,
      replaces: step.replaces === null ? 0 : this.#known(step.who, step.replaces),
    };
    return this.draft("order", step.who, body, penOf(home, step.key));
  }

  /** The window that ended last, as a household's clock has it; the same readings however often it is asked. */
  #readings(who: number, index: number): Promise<Draft> {
    const home = homeOf(who);
    const firstSlot = this.lastWindow(who);
    const netWh = READINGS[(who * 3 + index + firstSlot / 4) % READINGS.length] as readonly number[];
    const body: Body = { type: "submit_readings", account: home.account, firstSlot, netWh };
    const evidence = windowOf(gatewayOf(home, index), firstSlot, netWh);
    return this.draft("readings", who, body, penOf(home, 0), evidence, windowEnvelope(firstSlot, index));
  }

  /** First slot of the last whole window on a household's clock. */
  lastWindow(who: number): number {
    return Math.floor(this.nowS(who) / 3_600) * 4 - 4;
  }

  /** An order that a household knows of, or 0. */
  #known(who: number, which: number): number {
    const orders = this.homes[who]?.orders ?? [];
    return orders.length === 0 ? 0 : (orders[which % orders.length] as number);
  }
}

/** Nothing in it is the moment's, so that asked twice a household sends the same bytes. */
export function windowEnvelope(firstSlot: number, spelling: number): Envelope {
  return { nonce: firstSlot * 10 + spelling, expiresAtS: (firstSlot + 8) * 900 + LIFE_S };
}

const BY_OPERATOR: ReadonlySet<Step["do"]> = new Set(["credit", "enrol", "unenrol"]);

/** Sun on some, load on others; a few of each, so that signatures can be kept. */
const READINGS: readonly (readonly number[])[] = [
  [300, 500, 800, 200],
  [-200, -400, -300, -900],
  [1_200, 0, -50, 30],
  [-150, -150, -150, -150],
  [0, 0, 4_999, 1],
  [-5_000, -1, -77, -640],
];

export const TERMS = {
  ...PARAMETERS,
  networkFeeMicrosPerKwh: 20_011,
  takeRateBps: 123,
  proofDelaySeconds: 900,
};

const OPENING: Body = {
  type: "open_region",
  timeZone: "Europe/Amsterdam",
  windowSlots: 4,
  epochSlots: 8,
  quote: "test",
  operator: OPERATOR.account,
  gridOperator: GRID.account,
  treasury: TREASURY.account,
  receiptKey: sessionKeyOf(`0x${RECEIPT_SEED}`),
  parameters: TERMS,
};

const credit = ({ account }: Household, amountMicros: number): Body => ({
  type: "credit_test_quote",
  account,
  amountMicros,
});

/** An order that stands until it is cancelled. */
export function orderOf(
  { account }: Person,
  side: "sell" | "buy",
  prices: readonly number[],
  capWhPerSlot: number,
): Body {
  const steps = prices.map((limitPriceMicrosPerKwh) => ({ limitPriceMicrosPerKwh, capWhPerSlot }));
  return { type: "place_order", account, side, steps, validFromS: 0, validUntilS: 0, hours: [], replaces: 0 };
}

function enrolment(home: Household, index: number): Body {
  const { x, y } = gatewayOf(home, index);
  return {
    type: "enrol_meter",
    account: home.account,
    gatewayX: x,
    gatewayY: y,
    connection: seedOf(`connection of ${home.name}, ${index}`),
    nameplateWh: NAMEPLATE_WH,
    connectionWh: NAMEPLATE_WH,
    saleCapWh: 50_000,
    purchaseCapWh: 50_000,
  };
}

function authorisation(home: Household, key: number, limitMicros: number, untilS: number): Body {
  return {
    type: "authorise_session",
    account: home.account,
    key: keyOf(home, key).key,
    resources: ["energy"],
    sides: ["sell", "buy"],
    leastAskMicrosPerKwh: 0,
    highestBidMicrosPerKwh: HIGHEST_BID,
    dailyWh: 20_000,
    spendingLimitMicros: limitMicros,
    sessionExpiresAtS: untilS,
  };
}

/** The pen of a household: one of its session keys, or its wallet. */
export function penOf(home: Household, key: number | null): Pen {
  return key === null ? walletPen(home) : sessionPen(keyOf(home, key));
}

/** The same deployment on another chain. */
export const OTHER_DOMAIN = { ...DOMAIN, chainId: 1 };
