// Owns one region as a Durable Object: it wires the engine to the platform's storage, alarms, archive and feed. It
// refuses everything that is not a verified command or a read; deciding is the market's, verifying the gateway's.

import { DurableObject } from "cloudflare:workers";
import type { EpochCertificate } from "../evidence/certificate-tree.ts";
import { sessionKeyOf } from "../evidence/session-signature.ts";
import type { ProvedSubmission, Submission } from "../evidence/signed-command.ts";
import { keyRefusal } from "../market/decisions/sessions.ts";
import { stateHash } from "../market/journal.ts";
import { addressOf } from "../market/state.ts";
import type {
  Account,
  Book,
  ClearedSlot,
  Epoch,
  Head,
  Market,
  OpenObligation,
  Order,
  Registry,
  ResourceOrder,
  SettledLine,
} from "../protocol/answers.ts";
import type { SubmitReadings } from "../protocol/commands.ts";
import { type Rejection, rejected } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_PAGE_ROWS, MAX_PREVIEWS_PER_MINUTE, UPLOAD_AS_COMMANDS } from "../protocol/limits.ts";
import type { ProductName } from "../protocol/products.ts";
import type { ProviderReputation } from "../protocol/provider-answers.ts";
import { Archive, Archiving } from "./archive.ts";
import { type AuditWork, auditWork, type ResultPlace } from "./audits/audit-work.ts";
import { ed25519Signer, sha256Hex } from "./digest.ts";
import { FAULT_PAUSE_MS, RegionEngine } from "./engine.ts";
import { type Env, marketClock, receiptSeed, signingDomain } from "./environment.ts";
import { FeedPublisher } from "./feed-publisher.ts";
import { type BuyJob, type JobOffer, leastMicrosOf, quoteOf } from "./job-quotes.ts";
import { type LeaseTerms, leaseTermsOf } from "./lease-reads.ts";
import type { Answer, Outcome } from "./outcome.ts";
import { type KeptEpoch, keptEpochs, type Payable } from "./paid-epochs.ts";
import { PerMinute } from "./per-minute.ts";
import { certificatesOf, type EpochRecord, epochFrom, slotFrom } from "./projections.ts";
import type { Admission } from "./proof-attempts.ts";
import { reputationOfAddress, reputationsOf } from "./provider-reads.ts";
import {
  accountNow,
  billOf,
  healthOf,
  type Mirrored,
  marketNow,
  mirroredNow,
  orderNow,
  ordersOf,
  registryOf,
} from "./region-reads.ts";
import { type ArchivedSegment, RegionStore } from "./region-store.ts";
import { BookReads, obligationsOf, openObligation, resourceOrdersOf } from "./resource-reads.ts";
import type { FailedAudit } from "./result-records.ts";
import { type KeptReport, reportOf } from "./settlement-records.ts";
import { type Later, SNAPSHOT_POLICY, type SnapshotPolicy } from "./snapshots.ts";

/** One page of a journal download; `next` is null at its end. */
export interface JournalPage {
  /** First entry of the text; later than asked for when rows have left for the archive in between. */
  readonly first: number | null;
  readonly text: string;
  readonly next: number | null;
}

/** A page of the journal holds about this many characters. */
const JOURNAL_PAGE_CHARACTERS = 2_000_000;

/** The object of one region. */
export class Region extends DurableObject<Env> {
  /** Replaceable by tests that want snapshots or segments sooner. */
  snapshotPolicy: SnapshotPolicy = SNAPSHOT_POLICY;
  segmentCharacters: number | undefined = undefined;
  readonly engine: RegionEngine;
  readonly #store: RegionStore;
  readonly #feed: FeedPublisher;
  readonly #books = new BookReads();
  readonly #previews = new PerMinute(MAX_PREVIEWS_PER_MINUTE);
  #subscriptions = 0;
  readonly #archiving: Archiving;
  #hashed: { readonly entry: number; readonly stateHash: Hex } | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const later: Later = (work, milliseconds) => void setTimeout(work, milliseconds);
    this.#store = new RegionStore(ctx.storage);
    this.#archiving = new Archiving(this.#store, () => new Archive(this.env.ARCHIVE, this.name));
    this.#feed = new FeedPublisher(later, (frame) => this.#sendToFeeds(frame));
    const seed = receiptSeed(env);
    const region = this;
    this.engine = new RegionEngine({
      store: this.#store,
      clock: marketClock(env),
      wallMs: () => Date.now(),
      later,
      wakeAt: (wallMs) => void ctx.storage.setAlarm(wallMs),
      publish: (entries) => this.#feed.add(entries),
      archivedRow: (entry) => this.#archiving.rowOf(entry),
      giveUp: (fault) => ctx.abort(String(fault)),
      snapshotted: (entry) => ctx.waitUntil(this.#archiving.upTo(entry, this.segmentCharacters)),
      authority: {
        chainId: signingDomain(env).chainId,
        key: sessionKeyOf(seed),
        sign: ed25519Signer(seed),
        get region() {
          return region.name;
        },
      },
      get snapshotPolicy() {
        return region.snapshotPolicy;
      },
    });
  }

  /** The region's name, from its opening; before it, from the address it was asked for under. */
  get name(): string {
    return this.engine?.state.header.opened?.region ?? this.ctx.id.name ?? "";
  }

  /** Wakes the region to do what is due. Never throws: the platform would give up on the alarm after a few tries. */
  override alarm(): void {
    try {
      this.engine.wake();
    } catch (fault) {
      console.error("an alarm failed", fault);
      void this.ctx.storage.setAlarm(Date.now() + FAULT_PAUSE_MS);
    }
  }

  /**
   * Decides a verified command; the answer leaves when its journal row is durable.
   * @param ticket that `preflight` gave, for a command that shows a proof.
   */
  submit(submission: Submission, ticket: number | null = null): Promise<Outcome> {
    return this.engine.submit(submission, ticket);
  }

  /** Says whether a command that shows a proof is worth verifying; its outcome where that is clear already. */
  preflight(submission: ProvedSubmission): Promise<Outcome | Admission> {
    return this.engine.preflight(submission);
  }

  /** Counts a proof that was worth verifying, by the ticket of its preflight, and did not hold. */
  proofFailed(command: SubmitReadings, ticket: number): Outcome {
    return this.engine.proofFailed(command, ticket);
  }

  /** The tree of a window that is open, running or next, or null for any other. */
  registry(firstSlot: number): Registry | null {
    return registryOf(this.engine.state, firstSlot, this.engine.atS());
  }

  /**
   * Lets the holder of a session key upload a module, which counts as many commands of its account; or says why not.
   * A key that does not act for the account uses up nothing of its.
   */
  admitUpload(account: Hex, key: Hex): Rejection | null {
    const refusal = this.refuseKey(account, key);
    if (refusal !== null) return refusal;
    const retryAfterSeconds = this.engine.limits.take(account, Date.now(), UPLOAD_AS_COMMANDS);
    return retryAfterSeconds === null ? null : rejected("rate_limited", { retryAfterSeconds });
  }

  /** Why a session key does not act for an account now, or null. */
  refuseKey(account: Hex, key: Hex): Rejection | null {
    const { state } = this.engine;
    if (state.header.opened === null) return rejected("region_not_open");
    return keyRefusal(state, state.indexes.accountByAddress.get(account), key, this.engine.atS());
  }

  /** What a purchase of a job would be decided as now. Nothing is bought; it counts as a command of its account. */
  quoteJob(submission: Submission): JobOffer | { readonly rejection: Rejection } {
    const { account } = submission.command as BuyJob;
    const retryAfterSeconds = this.engine.limits.take(account, Date.now());
    if (retryAfterSeconds !== null) return { rejection: rejected("rate_limited", { retryAfterSeconds }) };
    return quoteOf(this.engine.state, submission, this.engine.atS());
  }

  /** The least that a job's runs would cost now, whoever buys it but this account; null where there are too few sellers. */
  leastJobMicros(buyer: Hex, fuelMega: number, replicas: number): number | null {
    return leastMicrosOf(this.engine.state, buyer, fuelMega, replicas);
  }

  /**
   * Decides commands in this order, answered together: what an intake gathered in one turn. Both ways as JSON, which
   * crosses between objects in a fraction of the time that so many small values take.
   * @param submissions JSON of an array of `Submission`.
   * @returns JSON of each `Outcome`.
   */
  submitAll(submissions: string): Promise<string[]> {
    return Promise.all(
      (JSON.parse(submissions) as Submission[]).map(async (submission) =>
        JSON.stringify(await this.engine.submit(submission)),
      ),
    );
  }

  market(): Market | null {
    return marketNow(this.engine.state, this.#store, this.engine.atS());
  }

  /** What the region was opened with, or null. */
  terms() {
    return this.engine.state.header.opened;
  }

  /** Versions of the parameters, ascending by the epoch they hold from. */
  parameters() {
    return this.engine.state.header.parameters;
  }

  account(address: Hex): Account | null {
    return accountNow(this.engine.state, address, this.engine.atS());
  }

  orders(address: Hex): Order[] {
    return ordersOf(this.engine.state, address, this.engine.atS());
  }

  order(orderId: number): Order | null {
    return orderNow(this.engine.state, orderId, this.engine.atS());
  }

  /** What rests in the book of a product. */
  book(product: ProductName): Book {
    return this.#books.book(this.engine.state, product, Date.now());
  }

  /** An account's orders that rest in the continuous books, ascending. */
  resourceOrders(address: Hex): ResourceOrder[] {
    return resourceOrdersOf(this.engine.state, address);
  }

  /** Trades that are not settled in which an account has a part, ascending. */
  obligations(address: Hex): OpenObligation[] {
    return obligationsOf(this.engine.state, address);
  }

  obligation(obligationId: number): OpenObligation | null {
    return openObligation(this.engine.state, obligationId);
  }

  /** Everybody who sells compute, the most reliable first. */
  providers(): ProviderReputation[] {
    return reputationsOf(this.engine.state);
  }

  provider(address: Hex): ProviderReputation | null {
    return reputationOfAddress(this.engine.state, address);
  }

  /** The terms of an open lease, or null. */
  leaseTerms(obligationId: number): LeaseTerms | null {
    return leaseTermsOf(this.engine.state, obligationId);
  }

  bill(address: Hex, from: number, until: number): SettledLine[] | null {
    if (this.engine.state.header.opened === null) return null;
    return billOf(this.engine.state, this.#store, address, from, until);
  }

  slots(from: number, until: number): ClearedSlot[] {
    return this.#store.slots(from, until, MAX_PAGE_ROWS).map(({ record }) => slotFrom(record));
  }

  epochs(from: number, until: number): Epoch[] {
    return this.#store
      .epochs(from, until)
      .map(({ record }) => epochFrom(this.engine.state, JSON.parse(record) as EpochRecord));
  }

  /** The newest epochs that can be paid once more; null before the region is opened, or that too many asked in this minute. */
  payable(limit: number): Payable | null | "overloaded" {
    const { opened } = this.engine.state.header;
    if (!this.#previews.take(Date.now())) return "overloaded";
    if (opened === null) return null;
    const { windowSlots, epochSlots } = opened;
    return { epochs: this.#store.epochsWithSums(limit), windowSlots, epochSlots };
  }

  /** The first of some epochs with what was delivered and paid in them; at least one, as many as an answer should hold. */
  keptEpochs(epochs: readonly number[]): KeptEpoch[] {
    return keptEpochs(this.engine.state, this.#store, epochs);
  }

  /** The addresses of accounts by their numbers. */
  addresses(accounts: readonly number[]): Hex[] {
    return accounts.map((account) => addressOf(this.engine.state, account));
  }

  /** An account's number, or null. */
  accountNumber(address: Hex): number | null {
    return this.engine.state.indexes.accountByAddress.get(address) ?? null;
  }

  /** What an epoch's certificate tree is made of, in the order of its leaves; null when the epoch has not closed. */
  certificates(epoch: number): EpochCertificate[] | null {
    return certificatesOf(this.#store, epoch);
  }

  /** How far the chain has been mirrored, and what the region is to the chain; null before it is opened. */
  mirrored(): Mirrored | null {
    return mirroredNow(this.engine.state, this.#store);
  }

  /** What a closed epoch reports to the chain, or null. */
  epochReport(epoch: number): KeptReport | null {
    return reportOf(this.#store, epoch);
  }

  /** Results that an audit showed to be wrong, of entries after one, ascending; a few at a time. */
  failedAudits(after: number): FailedAudit[] {
    return this.#store.results.failedAfter(after);
  }

  /** What there is to audit, or null before the region is opened. */
  auditWork(after: ResultPlace): AuditWork | null {
    return auditWork(this.engine.state, after, this.engine.atS());
  }

  head(): Head {
    const { entry, atS } = this.engine.state.header;
    return { entry, hash: this.engine.hash, atS };
  }

  /** SHA-256 over the state's canonical bytes, with the entry it holds for. */
  stateHash(): { readonly entry: number; readonly stateHash: Hex } {
    const { entry } = this.engine.state.header;
    // Reads the whole state: once per entry is enough, however often somebody asks.
    if (this.#hashed?.entry !== entry)
      this.#hashed = { entry, stateHash: stateHash(this.engine.state, sha256Hex) };
    return this.#hashed;
  }

  /** The answer to an accepted command by its id, while it is remembered, or by its entry. */
  async answer(reference: Hex | number): Promise<Outcome> {
    const entry = typeof reference === "number" ? reference : this.#entryOf(reference);
    if (entry === null) return { rejection: rejected("command_not_found") };
    const found: Answer | null =
      entry > this.engine.state.header.entry ? null : await this.engine.answerOf(entry);
    return found === null ? { rejection: rejected("entry_not_found", { entry }) } : { answer: found };
  }

  /** Journal segments in the archive, oldest first; the gateway reads them there itself. */
  segments(): ArchivedSegment[] {
    return this.#store.segments();
  }

  /** Journal lines still in the database, from an entry's row on. */
  journalPage(from: number): JournalPage {
    let text = "";
    let first: number | null = null;
    for (const row of this.#store.rowsFrom(from)) {
      if (text.length > 0 && text.length + row.text.length > JOURNAL_PAGE_CHARACTERS)
        return { first, text, next: row.first };
      first ??= row.first;
      text += row.text;
    }
    return { first, text, next: null };
  }

  health() {
    return {
      ...healthOf(this.engine.state, this.#store),
      queued: this.engine.queued,
      refusals: Object.fromEntries(this.engine.refusals),
      atS: this.engine.atS(),
    };
  }

  /** Registers a shard of the feed; answers where its listeners begin. */
  subscribe(shard: number): Head {
    this.#store.addFeed(shard);
    this.#subscriptions += 1;
    return this.head();
  }

  #entryOf(commandId: Hex): number | null {
    const { tables, indexes } = this.engine.state;
    const row = indexes.commands.get(commandId);
    return row === undefined ? null : (tables.commands.columns.entry[row] as number);
  }

  async #sendToFeeds(frame: string): Promise<void> {
    const before = this.#subscriptions;
    await Promise.all(
      this.#store.feeds().map(async (shard) => {
        const listeners = await this.env.FEED.getByName(`${this.name}/${shard}`).publish(frame);
        // Somebody may have come while the answer was on its way.
        if (listeners === 0 && this.#subscriptions === before) this.#store.removeFeed(shard);
      }),
    );
  }
}
