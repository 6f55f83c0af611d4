// Owns everything that must be true of a simulated region, seen from outside: what was durable stays, what was answered
// is in the journal, money and time agree with a book of its own. It refuses to forget the first thing that was not.

import { createHash } from "node:crypto";
import { DOMAIN } from "../../bench/fleet.ts";
import { audit } from "../../clients/audit/audit.ts";
import { sha256Hex } from "../../durable-objects/digest.ts";
import type { Answer, Outcome } from "../../durable-objects/outcome.ts";
import { recover } from "../../durable-objects/recovery.ts";
import type { Region } from "../../durable-objects/region.ts";
import { registryOf } from "../../durable-objects/region-reads.ts";
import { RegionStore } from "../../durable-objects/region-store.ts";
import type { EpochCertificate } from "../../evidence/certificate-tree.ts";
import { decodeLine, type Entry, GENESIS_HASH, stateHash } from "../../market/journal.ts";
import type { Head } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import { AttemptsBook } from "./attempts.ts";
import { Book, type GatewayOf, type Vouched } from "./book.ts";
import { meterVerifier } from "./gateway.ts";
import type { SimulatedBucket } from "./simulated-bucket.ts";
import type { SimulatedStorage } from "./simulated-storage.ts";

/** The first thing that was not as it must be. */
export interface Failure {
  /** Name of the check: two runs fail alike when it is the same. */
  readonly check: string;
  readonly message: string;
}

/** Sees one region from outside. */
export class Witness {
  failure: Failure | null = null;
  readonly book: Book;
  readonly attempts = new AttemptsBook((check, message) => this.fail(check, message));
  readonly counts = {
    entries: 0,
    checkedEntries: 0,
    invariants: 0,
    recoveries: 0,
    audits: 0,
    answers: 0,
    repeats: 0,
    registries: 0,
  };
  readonly #lines: string[] = [];
  /** Ids of all commands that somebody signed and sent. */
  readonly #sent = new Set<Hex>();
  readonly #entryOf = new Map<Hex, number>();
  readonly #answers = new Map<Hex, Answer>();
  #hash = GENESIS_HASH;
  #atS = 0;
  #heldRegistries = "";

  constructor(gatewayOf: GatewayOf, vouched: Vouched) {
    this.book = new Book(gatewayOf, vouched);
  }

  /** Number of the last durable entry. */
  get entry(): number {
    return this.#lines.length;
  }

  get hash(): string {
    return this.#hash;
  }

  get answers(): ReadonlyMap<Hex, Answer> {
    return this.#answers;
  }

  fail(check: string, message: string): void {
    this.failure ??= { check, message };
  }

  sent(commandId: Hex): void {
    this.#sent.add(commandId);
  }

  /** Reads the entries that have become durable. */
  durable(region: Region, head: Head): void {
    if (head.entry <= this.entry) return;
    const { first, text } = region.journalPage(this.entry + 1);
    let number = first ?? 0;
    for (const line of text.split("\n")) {
      if (line === "" || number > head.entry) break;
      if (number > this.entry) this.#read(line);
      number += 1;
    }
    if (this.entry !== head.entry || this.#hash !== head.hash)
      this.fail("journal is whole", `entry ${head.entry} is durable and the journal ends at ${this.entry}`);
  }

  #read(line: string): void {
    const decoded = decodeLine(line);
    const number = this.entry + 1;
    if (decoded === null) {
      this.fail("journal is chained", `line ${number} is no journal line`);
      return;
    }
    const hash = createHash("sha256").update(`${this.#hash}\n${decoded.body}`).digest("hex");
    if (hash !== decoded.hash) this.fail("journal is chained", `the hash of entry ${number} does not follow`);
    const entry = JSON.parse(decoded.body) as Entry;
    if (entry.number !== number)
      this.fail("journal is chained", `entry ${entry.number} stands where ${number} should`);
    if (entry.atS < this.#atS)
      this.fail("time goes on", `entry ${number} is at ${entry.atS}, after ${this.#atS}`);
    this.#lines.push(line);
    this.#hash = hash;
    this.#atS = entry.atS;
    this.counts.entries += 1;
    if (entry.commandId !== undefined) this.#note(entry.commandId, number);
    const wrong = this.book.take(entry);
    if (wrong !== null) this.fail("book agrees", `entry ${number}: ${wrong}`);
  }

  #note(commandId: Hex, number: number): void {
    if (!this.#sent.has(commandId))
      this.fail("nothing is invented", `nobody sent the command of entry ${number}`);
    const before = this.#entryOf.get(commandId);
    if (before !== undefined)
      this.fail("accepted once", `one command is entry ${before} and entry ${number}`);
    this.#entryOf.set(commandId, number);
  }

  /** Somebody was answered. It must be durable by then, and the same as every time before. */
  answered(outcome: Outcome, mustFail: boolean, name: string): void {
    if ("rejection" in outcome) return;
    const { answer } = outcome;
    this.counts.answers += 1;
    if (mustFail) this.fail("attacks are refused", `${name} was accepted as entry ${answer.entry}`);
    const before = this.#answers.get(answer.commandId);
    if (before !== undefined) {
      this.counts.repeats += 1;
      if (JSON.stringify(before) !== JSON.stringify(answer))
        this.fail("answers stay", `entry ${before.entry} was answered differently the second time`);
      return;
    }
    this.#answers.set(answer.commandId, answer);
    const decoded = decodeLine(this.#lines[answer.entry - 1] ?? "");
    if (decoded === null) {
      this.fail("answers are durable", `entry ${answer.entry} was answered and is not durable`);
      return;
    }
    const { commandId, atS, events } = JSON.parse(decoded.body) as Entry;
    const isSame =
      commandId === answer.commandId &&
      atS === answer.atS &&
      JSON.stringify(events) === JSON.stringify(answer.events) &&
      answer.receipt.entryHash === `0x${decoded.hash}`;
    if (!isSame)
      this.fail("answers are true", `the answer for entry ${answer.entry} is not what the journal says`);
  }

  /** A frame of the feed told of an entry. */
  heard(number: number, atS: number): void {
    const decoded = decodeLine(this.#lines[number - 1] ?? "");
    if (decoded === null || (JSON.parse(decoded.body) as Entry).atS !== atS)
      this.fail("the feed is true", `a frame told of entry ${number} at ${atS}, which is not durable`);
  }

  /** A new instance knows from storage exactly what was durable. */
  started(region: Region, storage: SimulatedStorage): void {
    const { entry, hash } = region.head();
    if (entry !== this.entry || hash !== this.#hash)
      this.fail(
        "nothing durable is lost",
        `a new instance begins at entry ${entry}; entry ${this.entry} was durable`,
      );
    const store = new RegionStore(storage.reader());
    this.attempts.stored((account, slot) => store.failedProofs(account, slot), this.book.openSlot);
  }

  /** Memory and storage say the same: the state made again from storage alone has the same bytes. */
  recovers(region: Region, storage: SimulatedStorage): void {
    this.counts.recoveries += 1;
    try {
      const { state, hash } = recover(new RegionStore(storage.reader()));
      const live = stateHash(region.engine.state, sha256Hex);
      if (stateHash(state, sha256Hex) !== live || hash !== region.engine.hash)
        this.fail(
          "storage is the state",
          `at entry ${region.head().entry} storage gives another state than memory has`,
        );
    } catch (fault) {
      this.fail("storage is the state", `storage gives no state: ${String(fault)}`);
    }
  }

  /** The region's balances are the book's; only where all entries are durable. */
  balances(region: Region): void {
    const { state } = region.engine;
    if (state.header.entry !== this.entry) return;
    const { freeMicros, escrowMicros } = state.tables.accounts.columns;
    for (const [address, account] of state.indexes.accountByAddress) {
      const held = BigInt(freeMicros[account] as number);
      const owed = this.book.balances.get(address) ?? 0n;
      if (held !== owed) this.fail("book agrees", `${address} holds ${held} micros, by the book ${owed}`);
      const escrow = BigInt(escrowMicros[account] as number);
      if (escrow !== this.book.escrowOf(address))
        this.fail(
          "book agrees",
          `${address} has ${escrow} in escrow, by the book ${this.book.escrowOf(address)}`,
        );
    }
    if (BigInt(state.header.depositedMicros) !== this.book.credited)
      this.fail(
        "book agrees",
        `${state.header.depositedMicros} micros deposited, by the book ${this.book.credited}`,
      );
  }

  /** What the region tells of the windows that are open, running or next is the book's; only where all is durable. */
  registries(region: Region, atS: number): void {
    const { state } = region.engine;
    const { opened, entry, nextSlot, windowFirstSlot } = state.header;
    if (opened === null || entry !== this.entry || windowFirstSlot !== nextSlot) return;
    const { openSlot, registry } = this.book;
    const lastSlot = Math.max(openSlot, Math.floor(atS / 3_600) * 4 + 4);
    const name = `${entry} ${lastSlot}`;
    if (name === this.#heldRegistries) return;
    this.#heldRegistries = name;
    for (let slot = openSlot; slot <= lastSlot; slot += 4) {
      const told = registryOf(state, slot, atS);
      this.counts.registries += 1;
      const wrong = told === null ? `window ${slot} is not told` : registry.hold(told);
      if (wrong !== null) this.fail("registry agrees", `after entry ${entry}: ${wrong}`);
    }
    for (const slot of [openSlot - 4, openSlot + 1, lastSlot + 4])
      if (registryOf(state, slot, atS) !== null)
        this.fail("registry agrees", `after entry ${entry}: window ${slot} is told, which is no open one`);
  }

  /** What the region tells of closed epochs' certificates is the book's. */
  certificates(
    told: readonly { readonly epoch: number; readonly leaves: EpochCertificate[] | null }[],
  ): void {
    for (const { epoch, leaves } of told) {
      const wrong = this.book.certificates.hold(epoch, leaves);
      if (wrong !== null) this.fail("certificates agree", wrong);
    }
  }

  /** The whole journal, archive first, is what was durable; the shipping audit finds it sound, receipts included. */
  async audit(region: Region, bucket: SimulatedBucket): Promise<void> {
    this.counts.audits += 1;
    const segments = region.segments();
    const archived = segments.map(({ key }) => bucket.textOf(key) ?? "").join("");
    const last = segments.at(-1)?.last ?? 0;
    const text = `${archived}${region.journalPage(last + 1).text}`;
    const lines = text.split("\n").filter((line) => line !== "");
    const durable = lines.slice(0, this.entry);
    if (durable.length !== this.entry || durable.some((line, index) => line !== this.#lines[index]))
      return this.fail("journal is whole", `${durable.length} of ${this.entry} entries can still be read`);
    const receipts = [...this.#answers.values()].map(({ receipt }) => receipt);
    const { entry, stateHash: hash } = region.stateHash();
    const claimed = entry === this.entry ? { claimed: { entry, stateHash: hash } } : {};
    const { failure } = await audit(DOMAIN, durable, { receipts, ...claimed, verifierOf: meterVerifier });
    if (failure !== null) this.fail("audit", `entry ${failure.entry}: ${failure.reason}`);
  }
}
