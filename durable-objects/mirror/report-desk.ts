// Owns which region's epoch is reported next, and whether what the chain has of the last one is the region's own. It refuses to
// post a report that does not balance, that the contract would refuse, or beside one on its way.

import { type ContractErrorName, decodeErrorResult } from "viem";
import type { EpochReport } from "../../evidence/epoch-report.ts";
import { RecentMap } from "../../evidence/recent-map.ts";
import { reportCall, reportDigest } from "../../governance/calls/report-call.ts";
import { settlementAbi } from "../../governance/generated/abi.ts";
import type { ChainProblem, ChainRegion } from "../../protocol/chain-answer.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import { callAt, decode, hexText, type Pin, quantity, type Read, troubleOf } from "./agreed-chain.ts";
import { makeReport, requireBalance } from "./epoch-reports.ts";
import type { LatestView, Outbox, Posting } from "./outbox.ts";
import type { MirrorDesk, RegionMirror } from "./region-mirror.ts";
import type { RpcError } from "./rpc.ts";
import type { SlashPosting } from "./slash-desk.ts";
import { ChainTrouble } from "./trouble.ts";

/** A report with the name that the contract knows it by. A closed epoch's never changes. */
interface MadeReport {
  readonly report: EpochReport;
  readonly digest: Hex;
}

/** Reports are small: their leaves are not kept. */
const REPORTS_KEPT = 128;
/** More than any chain asks for one; an endpoint that estimates more is not believed. */
const MAX_GAS = 5_000_000;

/** A report on its way. */
export interface ReportPosting extends Posting {
  readonly kind?: undefined;
  readonly region: string;
  readonly epoch: number;
  /** By which the contract knows the report. */
  readonly digest: Hex;
}

/** What the mirror's wallet sends. */
export type MirrorPosting = ReportPosting | SlashPosting;

/** What a transaction is for: a region's reports come one after the other. */
export function nameOf(posting: MirrorPosting): string {
  return posting.kind === "slash" ? posting.name : posting.region;
}

/** The reports of all regions of a deployment. */
export class ReportDesk {
  readonly #desk: MirrorDesk;
  readonly #outbox: Outbox<MirrorPosting>;
  readonly #made = new RecentMap<MadeReport>(REPORTS_KEPT);
  /** What of the chain was held against the region already, by region. */
  readonly #held = new Map<string, string>();
  #turn = 0;

  constructor(desk: MirrorDesk, outbox: Outbox<MirrorPosting>) {
    this.#desk = desk;
    this.#outbox = outbox;
  }

  /** Holds the chain's last reports against the regions, then posts what is due. @throws ChainTrouble of the endpoints */
  async poll(pin: Pin, mirrors: readonly RegionMirror[]): Promise<void> {
    const { signal } = this.#desk.chain;
    this.#turn += 1;
    for (const mirror of mirrors) await this.#guarded(mirror, () => this.#hold(pin, mirror));
    const due = mirrors.filter(isDue);
    if (due.length === 0 && (await this.#outbox.isEmpty())) return;
    const view = await this.#outbox.latest(this.#turn, signal);
    const problem = await this.#outbox.settle(view, signal);
    for (const mirror of due) await this.#guarded(mirror, () => this.#report(pin, view, mirror, problem));
  }

  /** A region's report that is in no block yet. */
  async inFlight(region: string): Promise<ChainRegion["reportInFlight"]> {
    const found = await this.#outbox.inFlight(region);
    if (found === null || found.kind === "slash") return null;
    const { epoch, nonce, sentAtMs, timesSent, transaction } = found;
    return { epoch, nonce, sentAtMs, timesSent, transaction };
  }

  /** One region's trouble is no other's; that of the endpoints is everybody's. */
  async #guarded(mirror: RegionMirror, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const trouble = troubleOf(error);
      if (!(trouble instanceof ChainTrouble) || trouble.isOfChain) throw trouble;
      mirror.sides = null;
      mirror.trouble(trouble.problem);
    }
  }

  /** The last report on the chain must be the region's own: the key may be in other hands too. */
  async #hold(pin: Pin, mirror: RegionMirror): Promise<void> {
    const { sides, word, name } = mirror;
    if (sides === null) return;
    const { reportedEpoch, firstEpoch } = sides.chain.books;
    if (reportedEpoch < firstEpoch) return;
    const { chain, reads } = this.#desk;
    const [onChain] = await chain.read<[Hex]>(pin, [reads.reportDigest(word, reportedEpoch)]);
    const mark = `${reportedEpoch} ${onChain}`;
    if (this.#held.get(name) === mark) return;
    const { lastClosedEpoch } = sides.mirrored;
    const isKnown = lastClosedEpoch !== null && reportedEpoch <= lastClosedEpoch;
    // Of an epoch that the region has not closed there was nothing to report; of one before its first, that it was empty.
    if (!isKnown && reportedEpoch >= sides.mirrored.firstEpoch)
      throw new ChainTrouble("reported_otherwise", { epoch: reportedEpoch, onChain, ours: null });
    const { digest } = await this.#make(mirror, reportedEpoch, sides.mirrored.firstEpoch);
    if (digest !== onChain)
      throw new ChainTrouble("reported_otherwise", { epoch: reportedEpoch, onChain, ours: digest });
    this.#held.set(name, mark);
  }

  async #report(
    pin: Pin,
    view: LatestView,
    mirror: RegionMirror,
    sending: ChainProblem | null,
  ): Promise<void> {
    const { sides, name, word } = mirror;
    if (sides === null) return;
    const { operator, epochSlots } = sides.chain.books;
    if (operator !== this.#desk.mirror) throw new ChainTrouble("other_operator", { operator });
    const now = await this.#readLatest(view, this.#desk.reads.booksOf(word));
    const next = now.reportedEpoch + 1;
    const underway = await this.#outbox.inFlight(name);
    if (underway !== null && underway.kind !== "slash") {
      if (sending !== null) mirror.trouble(sending);
      else if (underway.timesSent > 1)
        mirror.trouble({
          code: "report_delayed",
          facts: { epoch: underway.epoch, timesSent: underway.timesSent },
        });
      return;
    }
    const { firstEpoch, lastClosedEpoch } = sides.mirrored;
    const isClosed = next < firstEpoch || (lastClosedEpoch !== null && next <= lastClosedEpoch);
    // The chain's clock may be behind the market's.
    const isOver = view.timeS >= slotStartS((next + 1) * epochSlots);
    if (now.stage !== "open" || !isClosed || !isOver) return;
    const made = await this.#make(mirror, next, firstEpoch);
    await requireBalance(this.#desk, pin, word, made.report);
    const data = reportCall(word, made.report);
    const gas = await this.#rehearse(view, mirror, made, data);
    if (gas === null) return;
    const posting = { region: name, epoch: next, digest: made.digest, data, gas };
    const problem = await this.#outbox.post(posting, view, this.#desk.chain.signal);
    if (problem !== null) mirror.trouble(problem);
  }

  async #make(mirror: RegionMirror, epoch: number, firstEpoch: number): Promise<MadeReport> {
    const key = `${mirror.name}/${epoch}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const report = await makeReport(mirror.region, epoch, firstEpoch);
    const made = { report, digest: reportDigest(mirror.word, report) };
    this.#made.set(key, made);
    return made;
  }

  /** What the contract would say now. @returns the gas to give it, or null where there is nothing to post any more */
  async #rehearse(
    { rpc }: LatestView,
    mirror: RegionMirror,
    { report, digest }: MadeReport,
    data: Hex,
  ): Promise<number | null> {
    const { signer: _signer, mirror: from, chain, settlement } = this.#desk;
    const estimate = { method: "eth_estimateGas", params: [{ from, to: settlement, data }] };
    const [said, gas] = await rpc.ask([callAt(settlement, data, "latest", from), estimate], chain.signal);
    if (said !== undefined && "error" in said)
      return this.#refused(rpc.name, mirror, { report, digest }, said.error);
    if (gas !== undefined && "result" in gas) {
      const estimated = decode(rpc, quantity, gas.result);
      if (estimated > MAX_GAS)
        throw new ChainTrouble("report_refused", { epoch: report.epoch, gas: estimated });
      // Storage may be dearer by the time it is in a block.
      return Math.ceil(estimated * 1.25);
    }
    throw new ChainTrouble("gas_missing", { epoch: report.epoch, error: gas?.error.message ?? "" });
  }

  #refused(rpc: string, _mirror: RegionMirror, { report }: MadeReport, { data, message }: RpcError): null {
    const { epoch } = report;
    if (data === null) throw new ChainTrouble("rpc_refused", { rpc, error: message });
    const { name, facts } = revertOf(data);
    // Somebody was first, or the chain's clock is behind: the next poll sees which, and what the chain has is held then.
    if (name === "Settlement_ReportOutOfOrder" || name === "Settlement_EpochNotOver") return null;
    throw new ChainTrouble("report_refused", { epoch, refusal: name, ...facts });
  }

  async #readLatest<T>({ rpc }: LatestView, { to, data, decode: read }: Read<T>): Promise<T> {
    const [answer] = await rpc.need([callAt(to, data, "latest")], this.#desk.chain.signal);
    return read(decode(rpc, hexText, answer));
  }
}

/** The contract's own word for a refusal, with its values. */
function revertOf(data: Hex): { readonly name: string; readonly facts: Record<string, string> } {
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi: settlementAbi, data });
    const name: ContractErrorName<typeof settlementAbi> = errorName;
    const values = args as readonly unknown[];
    return {
      name,
      facts: Object.fromEntries(values.map((value, place) => [`value${place + 1}`, String(value)])),
    };
  } catch {
    return { name: data.slice(0, 10), facts: {} };
  }
}

/** By what is final, an epoch of the region is closed and not reported yet. */
function isDue({ sides }: RegionMirror): boolean {
  if (sides === null || sides.chain.books.stage !== "open") return false;
  const next = sides.chain.books.reportedEpoch + 1;
  const { firstEpoch, lastClosedEpoch } = sides.mirrored;
  return next < firstEpoch || (lastClosedEpoch !== null && next <= lastClosedEpoch);
}
