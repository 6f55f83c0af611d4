// Owns the typed way to a deployment over HTTP, for browsers and Node. It refuses to hide refusals: they are thrown as
// problems; only transient ones are tried again, with the very same signed command, which is safe by its id.

import type { Receipt } from "../../evidence/receipt.ts";
import { readClaim, type SumClaim } from "../../evidence/sum-claim.ts";
import type {
  Account,
  Bill,
  BillLine,
  Certificates,
  ClearedSlot,
  Curve,
  Epoch,
  Head,
  LeafAnswer,
  Market,
  Order,
  Registry,
  ReportAnswer,
} from "../../protocol/answers.ts";
import type { ChainStatus } from "../../protocol/chain-answer.ts";
import { type MarketClock, marketTimeS, parseClock } from "../../protocol/clock.ts";
import type { Command, CommandType } from "../../protocol/commands.ts";
import type { MarketEvent } from "../../protocol/events.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { MAX_COMMAND_LIFE_S } from "../../protocol/limits.ts";
import type { PreviewAnswer, PreviewRequest } from "../../protocol/preview-answer.ts";
import type { Profile } from "../../protocol/profile.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";
import { isAcceptedAnswer, isBytes, isCount, isHex, isRecord, recordOf } from "./answer-shape.ts";
import { splitLines } from "./journal-lines.ts";
import { isLasting, PolderProblem, pauseMs, problemFrom, TransportFault } from "./problem.ts";
import type { Signer } from "./signer.ts";

/** What signatures, receipts and time of a deployment are bound to. */
export interface Deployment extends SigningDomain {
  /** Whose votes it shows; the zero address where it shows none. */
  readonly governor: Hex;
  readonly operator: string;
  readonly receiptKey: Hex;
  readonly clock: MarketClock;
}

/** An accepted command. */
export interface Accepted {
  readonly commandId: Hex;
  /** Number of the journal entry; of a placed order also its order id. */
  readonly entry: number;
  readonly atS: number;
  readonly events: readonly MarketEvent[];
  readonly receipt: Receipt;
}

export type { Account, Bill, BillLine, ClearedSlot, Curve, Market, Order, Registry };

type DraftOf<T extends CommandType> = Omit<
  Extract<Command, { type: T }>,
  "region" | "account" | "nonce" | "expiresAtS"
> & {
  readonly account?: Hex;
  readonly nonce?: number;
  readonly expiresAtS?: number;
};

/** A command without what the client fills in: region, account, nonce and expiry. */
export type Draft = { [T in CommandType]: DraftOf<T> }[CommandType];

export interface ClientOptions {
  readonly fetch?: typeof fetch;
  /** How often a transient refusal or a lost answer is tried again. */
  readonly retries?: number;
}

/** Wall seconds in which a signed command must be accepted. */
const COMMAND_LIFE_SECONDS = 60;

/** A deployment's HTTP interface. */
export class PolderClient {
  readonly url: string;
  readonly #fetch: typeof fetch;
  readonly #retries: number;
  #deployment: Promise<Deployment> | undefined;

  constructor(url: string, options: ClientOptions = {}) {
    this.url = url.replace(/\/+$/, "");
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#retries = options.retries ?? 5;
  }

  /** What this deployment is bound to; asked for until it was answered once. */
  deployment(): Promise<Deployment> {
    this.#deployment ??= this.#readDeployment().catch((error: unknown) => {
      this.#deployment = undefined;
      throw error;
    });
    return this.#deployment;
  }

  /** Market time now, by this machine's clock and the deployment's mapping. */
  async marketTimeS(): Promise<number> {
    return marketTimeS((await this.deployment()).clock, Date.now());
  }

  async regions(): Promise<readonly Profile[]> {
    return listIn(await this.get("/v1/regions"), "regions");
  }

  async nearestRegions(latitude: number, longitude: number) {
    const near = `${latitude.toFixed(6)},${longitude.toFixed(6)}`;
    return listIn<{ profile: Profile; distanceKm: number }>(
      await this.get(`/v1/regions/nearest?near=${near}`),
      "regions",
    );
  }

  market(region: string): Promise<Market> {
    return this.get(`/v1/regions/${region}/market`);
  }

  region(region: string): Promise<{ profile: Profile; market: Market | null }> {
    return this.get(`/v1/regions/${region}`);
  }

  /**
   * All meters' leaves of the window that begins at `firstSlot`: open, running or next. Whoever proves takes them all and
   * makes its own path; whether they have the root is for the caller to compare.
   */
  async registry(region: string, firstSlot: number): Promise<Registry> {
    const answer = await this.get<Registry>(`/v1/regions/${region}/registry/${firstSlot}`);
    const { root, leaves } = answer;
    const isWhole =
      answer.firstSlot === firstSlot &&
      isHex(root, 32) &&
      Array.isArray(leaves) &&
      leaves.every((leaf) => isHex(leaf, 32));
    if (!isWhole) throw new TransportFault("the answer is not the registry of this window");
    return answer;
  }

  /** How far the deployment has followed its chain, and what is in the way. */
  chain(): Promise<ChainStatus> {
    return this.get("/v1/chain");
  }

  /** What the region reports of a closed epoch to the chain. */
  report(region: string, epoch: number): Promise<ReportAnswer> {
    return this.get(`/v1/regions/${region}/epochs/${epoch}/report`);
  }

  /**
   * What an account is owed at the end of an epoch, with the path that the contract asks for.
   * @throws TransportFault where the answer is another epoch's or account's, or its path does not lead to its root.
   */
  async leaf(region: string, epoch: number, account: Hex): Promise<SumClaim> {
    const answer = await this.get<LeafAnswer>(`/v1/regions/${region}/epochs/${epoch}/leaves/${account}`);
    const claim = claimOf(answer);
    if (claim.epoch !== epoch || claim.leaf.account !== account.toLowerCase())
      throw new TransportFault("the answer is not this account's leaf of this epoch");
    return claim;
  }

  slot(region: string, slot: number): Promise<ClearedSlot> {
    return this.get(`/v1/regions/${region}/slots/${slot}`);
  }

  /** Cleared slots in [from, until), page by page. */
  async *slots(region: string, from: number, until: number): AsyncGenerator<ClearedSlot> {
    for (let next: number | null = from; next !== null; ) {
      const page: { slots: ClearedSlot[]; next: number | null } = await this.get(
        `/v1/regions/${region}/slots?from=${next}&until=${until}`,
      );
      yield* listIn<ClearedSlot>(page, "slots");
      next = following(page.next, next, "slots");
    }
  }

  account(region: string, account: Hex): Promise<Account> {
    return this.get(`/v1/regions/${region}/accounts/${account}`);
  }

  async orders(region: string, account: Hex): Promise<readonly Order[]> {
    return listIn(await this.get(`/v1/regions/${region}/accounts/${account}/orders`), "orders");
  }

  order(region: string, orderId: number): Promise<Order> {
    return this.get(`/v1/regions/${region}/orders/${orderId}`);
  }

  /** A page of an account's bill; `next` says where the next one begins. */
  bill(region: string, account: Hex, query: Readonly<Record<string, string | number>> = {}): Promise<Bill> {
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    return this.get(`/v1/regions/${region}/accounts/${account}/bill?${search}`);
  }

  /** A closed epoch: what everybody sold, bought and was rewarded; undefined while it has not closed. */
  async epoch(region: string, epoch: number): Promise<Epoch | undefined> {
    const answer = await this.get<object>(`/v1/regions/${region}/epochs?from=${epoch}&until=${epoch + 1}`);
    return listIn<Epoch>(answer, "epochs")[0];
  }

  /** What everybody would have received in the last epochs under other values. @throws PolderProblem, TransportFault */
  preview(request: PreviewRequest): Promise<PreviewAnswer> {
    return this.send("POST", "/v1/governance/previews", request);
  }

  /** The certificate tree of a closed epoch: all leaves, so that asking does not say which is whose. */
  certificates(region: string, epoch: number): Promise<Certificates> {
    return this.get(`/v1/regions/${region}/epochs/${epoch}/certificates`);
  }

  /** An account's bill in [from, until), page after page. @throws PolderProblem, TransportFault */
  async *billPages(
    region: string,
    account: Hex,
    query: Readonly<Record<string, string | number>> & { readonly from: number; readonly until: number },
  ): AsyncGenerator<Bill> {
    for (let next: number | null = query.from; next !== null; ) {
      const page: Bill = await this.bill(region, account, { ...query, from: next });
      listIn(page, "lines");
      yield page;
      next = following(page.next, next, "bill");
    }
  }

  receipt(region: string, reference: number | Hex): Promise<Accepted> {
    return this.get(`/v1/regions/${region}/receipts/${reference}`);
  }

  head(region: string): Promise<Head> {
    return this.get(`/v1/regions/${region}/journal/head`);
  }

  stateHash(region: string): Promise<{ entry: number; stateHash: Hex }> {
    return this.get(`/v1/regions/${region}/state`);
  }

  /** The journal's lines as they come, entries from..to. @throws PolderProblem, TransportFault also half-way */
  async *journal(region: string, from = 1, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<string> {
    try {
      const response = await this.#fetch(`${this.url}/v1/regions/${region}/journal?from=${from}&to=${to}`);
      if (!response.ok || response.body === null) throw problemFrom(response.status, await response.text());
      yield* splitLines(response.body as unknown as AsyncIterable<Uint8Array>);
    } catch (cause) {
      if (cause instanceof PolderProblem || cause instanceof TransportFault) throw cause;
      throw new TransportFault(`the journal from ${this.url} broke off`, { cause });
    }
  }

  /** Completes, signs and submits a command; the same signed command is sent again when an answer is lost. */
  async submit(region: string, signer: Signer, draft: Draft, evidence?: unknown): Promise<Accepted> {
    const signed = await this.sign(region, signer, draft, evidence);
    return acceptedOf(await this.send("POST", `/v1/regions/${region}/commands`, signed));
  }

  /** Registers and opens a region; the signer must be the deployment's operator. */
  async openRegion(
    signer: Signer,
    profile: Profile,
    draft: Omit<DraftOf<"open_region">, "receiptKey">,
  ): Promise<Accepted> {
    const { receiptKey } = await this.deployment();
    const signed = await this.sign(profile.region, signer, { ...draft, receiptKey });
    return acceptedOf(await this.send("POST", "/v1/regions", { ...signed, profile }));
  }

  /** A signed command as the gateway takes it. */
  async sign(region: string, signer: Signer, draft: Draft, evidence?: unknown) {
    const { chainId, settlement, clock } = await this.deployment();
    const life = Math.min(
      MAX_COMMAND_LIFE_S - 900,
      Math.ceil(COMMAND_LIFE_SECONDS * Math.max(1, clock.rate)),
    );
    const command = {
      ...(WITHOUT_ACCOUNT.has(draft.type) ? {} : { account: signer.account }),
      region,
      nonce: Math.floor(Math.random() * Number.MAX_SAFE_INTEGER),
      expiresAtS: marketTimeS(clock, Date.now()) + life,
      ...draft,
    } as unknown as Command;
    const auth = await signer.sign({ chainId, settlement }, command);
    return {
      chainId,
      command,
      signature: auth.signature,
      ...(auth.scheme === "session" ? { sessionKey: auth.key } : {}),
      ...(evidence === undefined ? {} : { evidence }),
    };
  }

  /** Reads a path. @throws PolderProblem, TransportFault */
  get<T>(path: string): Promise<T> {
    return this.send("GET", path);
  }

  /** Sends a request, again when its refusal is transient or its answer was lost. */
  async send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      const fault = await this.#attempt<T>(method, path, body, headers);
      if ("value" in fault) return fault.value;
      const { error } = fault;
      if (isLasting(error) || attempt >= this.#retries) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs(error, attempt)));
    }
  }

  async #attempt<T>(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<{ value: T } | { error: PolderProblem | TransportFault }> {
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(`${this.url}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: isBytes(body) ? body : JSON.stringify(body) }),
      });
      // The connection may break in the middle of an answer, too.
      text = await response.text();
    } catch (cause) {
      return { error: new TransportFault(`no answer from ${this.url}`, { cause }) };
    }
    // Every answer is an object; whatever else comes with status 200 was said by some other server.
    const value = response.ok ? recordOf(text) : null;
    return value === null ? { error: problemFrom(response.status, text) } : { value: value as T };
  }

  async #readDeployment(): Promise<Deployment> {
    const raw = await this.get<Record<string, unknown>>("/v1/deployment");
    const { chainId, settlement, governor = NO_ADDRESS, operator, receiptKey, clock } = raw;
    const isWhole =
      isCount(chainId) &&
      isHex(settlement, 20) &&
      isHex(governor, 20) &&
      typeof operator === "string" &&
      isHex(receiptKey, 32) &&
      isRecord(clock) &&
      typeof clock.origin === "string" &&
      typeof clock.rate === "number";
    if (!isWhole) throw new TransportFault(`${this.url} does not say what it is bound to`);
    return {
      chainId,
      settlement,
      governor,
      operator,
      receiptKey,
      clock: parseClock(clock.origin as string, String(clock.rate), chainId),
    };
  }
}

/** The answer to an accepted command. @throws TransportFault for anything else: whether it was accepted is not known */
function acceptedOf(answer: object): Accepted {
  if (!isAcceptedAnswer(answer)) throw new TransportFault("the answer is not that of an accepted command");
  return answer as Accepted;
}

/** Where the page after one begins, or null. @throws TransportFault where it would be no later one */
function following(next: number | null, last: number, what: string): number | null {
  if (next !== null && !(isCount(next) && next > last))
    throw new TransportFault(`the pages of ${what} do not go on`);
  return next;
}

/** A list in an answer. @throws TransportFault where there is none */
function listIn<T>(answer: object, name: string): readonly T[] {
  const list = (answer as Record<string, unknown>)[name];
  if (!Array.isArray(list)) throw new TransportFault(`the answer has no ${name}`);
  return list;
}

/** Commands that act for no account. */
const WITHOUT_ACCOUNT: ReadonlySet<CommandType> = new Set([
  "open_region",
  "set_parameters",
  "appoint_installers",
  "schedule_terms",
  "schedule_parameters",
  "enrol_meter",
  "revoke_meter",
]);

function claimOf(answer: LeafAnswer): SumClaim {
  try {
    return readClaim(answer);
  } catch (error) {
    if (error instanceof RangeError) throw new TransportFault(`the answer is no leaf: ${error.message}`);
    throw error;
  }
}
