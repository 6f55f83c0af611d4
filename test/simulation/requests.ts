// Owns what the people of a simulated region send: honest requests of offices and households, each with what its sender
// knows. It refuses to know the region's state: a household knows its clock and what it was answered.

import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Registry } from "../../protocol/answers.ts";
import type { Command, CommandType } from "../../protocol/commands.ts";
import type { RawRequest } from "./gateway.ts";
import { measuredBy, meterAmong, policyOf } from "./meters.ts";
import { admission, appointment, credit, type Form, Installer, OPENING, operatorForm } from "./offices.ts";
import {
  AGENT_HOME,
  DOMAIN,
  HOMES,
  type Household,
  homeOf,
  INSTALLER,
  keyOf,
  METERED,
  OPERATOR,
  type Pen,
  type Person,
  REGION,
  sessionPen,
  walletPen,
} from "./people.ts";
import { Proving } from "./proving.ts";
import type { Step } from "./steps.ts";
import { jobOf, Trading } from "./trading.ts";

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

/** No household lets a key bid more. */
export const HIGHEST_BID = 300_000;
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

/** A command without what binds it to a region and a moment. */
export type Body = Readonly<Record<string, unknown>> & { readonly type: CommandType };

/** Everybody who sends requests. */
export class Clients {
  readonly homes: HomeMemory[] = HOMES.map(() => ({ orders: [], isAway: false, driftS: 0 }));
  readonly proving = new Proving();
  readonly trading = new Trading();
  readonly #installer = new Installer();
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

  /**
   * What opens every simulated region: the operator's opening and its installer, and households with a meter, money, a key
   * and orders.
   */
  async opening(withAgent: boolean): Promise<Draft[]> {
    const drafts = [await this.#office(OPENING), await this.#office(appointment([INSTALLER.account]))];
    // Also where nobody lives there: what the leaves are is the same in every seed, and so are proofs.
    for (const home of METERED) drafts.push(await this.#office(this.#installer.first(home, 0), INSTALLER));
    for (const [who, home] of [...HOMES, ...(withAgent ? [AGENT_HOME] : [])].entries()) {
      // An account is opened by its admission, or with its first money.
      if (who % 2 === 1) drafts.push(await this.#office(admission(home)));
      drafts.push(await this.#office(credit(home, 400_000 * (who + 1))));
      // One home's limit is so low that it binds.
      const limitMicros = who === 1 ? 100_000 : 1_000_000_000;
      const body = authorisation(home, 0, limitMicros, this.nowS(who) + 3_000_000);
      drafts.push(await this.draft("authorisation", null, body, walletPen(home)));
      if (who !== 0)
        drafts.push(await this.draft("commitment", null, commitmentOf(home, 7), walletPen(home)));
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
    const operators = operatorForm(step);
    if (operators !== null) return this.#office(operators);
    const installers = this.#installer.form(step);
    if (installers !== null) return this.#office(installers, INSTALLER);
    if ("who" in step && this.homes[step.who]?.isAway === true) return null;
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
      case "trade": {
        const body = this.trading.order(step, this.nowS(step.who));
        return this.#trader(await this.draft("trade", step.who, body, penOf(homeOf(step.who), step.key)));
      }
      case "untrade": {
        const body = this.trading.cancel(step);
        if (body === null) return null;
        return this.draft("untrade", step.who, body, penOf(homeOf(step.who), step.key));
      }
      case "deliver": {
        const settlement = await this.trading.settlement(step);
        if (settlement === null) return null;
        const { trade, body, evidence } = settlement;
        const pen = penOf(homeOf(trade.seller), step.byKey ? 0 : null);
        return this.draft("delivery", trade.seller, body, pen, evidence);
      }
      case "buy job": {
        const pen = penOf(homeOf(step.who), step.key);
        return this.#trader(await this.draft("job", step.who, jobOf(step), pen));
      }
      case "report": {
        const word = this.trading.word(step);
        if (word === null) return null;
        return this.draft("result", word.who, word.body, word.pen, word.evidence);
      }
      case "authorise": {
        const home = homeOf(step.who);
        const body = authorisation(home, step.key, step.limitMicros, this.nowS(step.who) + step.lastsS);
        return this.draft("authorisation", step.who, body, walletPen(home));
      }
      case "commit":
        return this.draft(
          "commitment",
          step.who,
          commitmentOf(homeOf(step.who), step.commitment),
          walletPen(homeOf(step.who)),
        );
      case "revoke": {
        const home = homeOf(step.who);
        const body: Body = { type: "revoke_session", account: home.account, key: keyOf(home, step.key).key };
        return this.draft("revocation", step.who, body, walletPen(home));
      }
      default:
        return null;
    }
  }

  /**
   * Claims of a window with their proof, against a registry as the region told it; the same command however often it is
   * asked. Null where no enrolment of the gateway is among the leaves: then no proof exists.
   */
  async readings(who: number, index: number, registry: Registry, pen?: Pen): Promise<Draft | null> {
    const home = homeOf(who);
    const { firstSlot, leaves } = registry;
    const meter = meterAmong(home, index, leaves);
    if (meter === null) return null;
    const { account } = home;
    const measured = measuredBy(who, index, firstSlot);
    const policy = policyOf(home);
    const shown = this.proving.prove({ meter, account, firstSlot, netWh: measured, policy, leaves });
    if (shown === null) return null;
    const { netWh, evidence } = shown;
    const body: Body = { type: "submit_readings", account, firstSlot, netWh };
    return this.draft(
      "readings",
      who,
      body,
      pen ?? penOf(home, 0),
      evidence,
      windowEnvelope(firstSlot, index),
    );
  }

  /** An office's form, signed; the installer notes where a meter that was accepted stands. */
  async #office({ name, body, evidence }: Form, office: Person = OPERATOR): Promise<Draft> {
    const draft = await this.draft(name, null, body, walletPen(office), evidence);
    const tell = (outcome: Outcome): void => {
      if ("rejection" in outcome) return;
      for (const event of outcome.answer.events)
        if (event.type === "meter_enrolled") this.#installer.enrolled(event.gateway, event.connection);
    };
    return { ...draft, tell };
  }

  /** Both parties learn of a trade by the answer to the order that came. */
  #trader(draft: Draft): Draft {
    return { ...draft, tell: (outcome) => this.trading.told(outcome, draft.who as number) };
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

/** To a region a commitment is any number. */
function commitmentOf({ account }: Household, commitment: number): Body {
  return { type: "commit_certificate", account, commitment: String(commitment) };
}

function authorisation(home: Household, key: number, limitMicros: number, untilS: number): Body {
  return {
    type: "authorise_session",
    account: home.account,
    key: keyOf(home, key).key,
    resources: ["energy", "compute"],
    sides: ["sell", "buy"],
    leastAskMicrosPerKwh: 0,
    highestBidMicrosPerKwh: HIGHEST_BID,
    dailyWh: 20_000,
    leastAskMicrosPerTera: 1,
    highestBidMicrosPerTera: 105_000,
    dailyMega: 50_000,
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
