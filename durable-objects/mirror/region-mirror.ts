// Owns one region's way from the chain into its journal: deposits, terms, votes, stakes, events of the register, each in the order of
// its numbers, on from where the region is. It refuses a past that is not the one the region has credited.

import { depositsHashOf, NO_DEPOSITS, regionWord } from "../../evidence/deposit-chain.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import type { ChainProblem, ChainRegion } from "../../protocol/chain-answer.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import type { Mirrored } from "../region-reads.ts";
import type { AgreedChain, Pin } from "./agreed-chain.ts";
import {
  type Books,
  type Deposit,
  registryEventsOf,
  type SettlementReads,
  stakeEventsOf,
  type Terms,
  versionCountOf,
} from "./contract-reads.ts";
import type { MirrorMemory } from "./mirror-memory.ts";
import { decideAll, type MirroredRegion, type MirrorSigner } from "./mirrored-region.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { StakeMirror } from "./stake-mirror.ts";
import { ChainTrouble } from "./trouble.ts";
import { VoteMirror } from "./vote-mirror.ts";

/** What every region's mirror shares. */
export interface MirrorDesk {
  readonly chain: AgreedChain;
  readonly reads: SettlementReads;
  readonly settlement: Hex;
  /** The zero address where there is no register. */
  readonly meterRegistry: Hex;
  /** The zero address where nothing is voted on. */
  readonly rewardParameters: Hex;
  /** The zero address where nobody stakes. */
  readonly providerStake: Hex;
  readonly signer: MirrorSigner;
  /** The mirror's own address. */
  readonly mirror: Hex;
  readonly memory: MirrorMemory;
  readonly deployedAtBlock: number;
  readonly pollMs: number;
}

/** Deposits read and handed over together. */
const DEPOSITS_PER_TURN = 50;
/** Deposits of one poll; the next one goes on, so that other regions are not kept waiting. */
const DEPOSITS_PER_POLL = 2_000;
/** Epochs that are looked at in one poll for whether they are final. */
const FINALITY_STEPS = 32;
/** Of Settlement: terms may be replaced until this long before they hold. Seconds of the chain. */
const NOTICE_SECONDS = 3_600;

/** What the chain has of a region, as of one block. */
export interface ChainSide {
  readonly books: Books;
  readonly terms: Terms;
  readonly isExitOpen: boolean;
  readonly registryEvents: number;
  /** Versions of the governed values, the opening's included. */
  readonly versions: number;
  readonly stakeEvents: number;
}

/** What stops nothing, and may come back as a refused report. */
const WARNINGS: ReadonlySet<ChainProblem["code"]> = new Set([
  "terms_passed",
  "terms_differ",
  "votes_differ",
  "parameters_refused",
  "stakes_differ",
  "stake_refused",
  "slash_refused",
  "slash_delayed",
]);

type Standing = Omit<ChainRegion, "region" | "reportInFlight">;

/** A region that settles on the chain. */
export class RegionMirror {
  readonly name: string;
  /** Its name as contracts have it. */
  readonly word: Hex;
  region: MirroredRegion;
  standing: Standing = NOTHING_YET;
  /** The chain's and the region's side of the last poll that got so far; null while nothing may be reported. */
  sides: { readonly chain: ChainSide; readonly mirrored: Mirrored } | null = null;
  /** More waits on the chain than one poll takes. */
  hasMore = false;
  readonly #desk: MirrorDesk;
  readonly #registry: RegistryMirror;
  readonly #votes: VoteMirror;
  readonly #stakes: StakeMirror;
  #finalEpoch = 0;
  #firstEpoch = 0;
  /** The opening's terms are the chain's; neither ever changes. */
  #isCompared = false;

  constructor(name: string, region: MirroredRegion, desk: MirrorDesk) {
    this.name = name;
    this.word = regionWord(name);
    this.region = region;
    this.#desk = desk;
    this.#registry = new RegistryMirror(this, desk);
    this.#votes = new VoteMirror(this, desk);
    this.#stakes = new StakeMirror(this, desk);
  }

  /** Notes what is in the way; the first reason of a poll stays, but for one that only warns. */
  trouble(problem: ChainProblem): void {
    const { problem: known } = this.standing;
    if (known === null || WARNINGS.has(known.code)) this.standing = { ...this.standing, problem };
  }

  /**
   * Brings the region up to a block.
   * @param mirrored where the region is.
   * @throws ChainTrouble for what stops this region; what stops one stream is only noted.
   */
  async poll(pin: Pin, mirrored: Mirrored): Promise<void> {
    this.sides = null;
    this.hasMore = false;
    this.standing = { ...this.standing, ...progressOf(mirrored), problem: null };
    if (mirrored.mirror !== this.#desk.mirror)
      throw new ChainTrouble("other_mirror", { mirror: mirrored.mirror, ours: this.#desk.mirror });
    const { side, credited } = await this.#look(pin, mirrored);
    this.#requireSame(side.books, credited, mirrored);
    const { stage } = side.books;
    if (stage === "upheld" || stage === "exiting") throw new ChainTrouble(stage);
    if (stage === "frozen") this.trouble({ code: "frozen", facts: { epoch: side.books.frozenEpoch } });
    await this.#credit(pin, side.books.depositCount, mirrored);
    await this.#schedule(pin, side.terms, mirrored);
    await this.#votes.follow(pin, side.versions, mirrored);
    await this.#stakes.follow(pin, side.stakeEvents, mirrored);
    this.sides = { chain: side, mirrored };
    await this.#register(pin, side.registryEvents, mirrored);
  }

  /** Endpoints may have forgotten old logs; no report rests on them, and without reports the region would end. */
  async #register(pin: Pin, events: number, mirrored: Mirrored): Promise<void> {
    try {
      await this.#registry.follow(pin, events, mirrored);
    } catch (error) {
      if (!(error instanceof ChainTrouble)) throw error;
      this.trouble(error.problem);
    }
  }

  /** Reads the chain's side as of a block. */
  async #look(pin: Pin, mirrored: Mirrored): Promise<{ side: ChainSide; credited: Deposit }> {
    const { chain, reads } = this.#desk;
    const { windowSlots, registryEvents, versions, stakeEvents } = await this.#counts(pin);
    if (windowSlots === 0) throw new ChainTrouble("not_on_chain");
    const [books, terms, isExitOpen, credited] = await chain.read<[Books, Terms, boolean, Deposit]>(pin, [
      reads.booksOf(this.word),
      reads.termsIn(this.word),
      reads.isExitOpen(this.word),
      reads.depositOf(this.word, mirrored.deposits),
    ]);
    const side = { books, terms, isExitOpen, registryEvents, versions, stakeEvents };
    this.#firstEpoch = books.firstEpoch;
    const lastFinalEpoch = await this.#finality(pin, books);
    this.standing = {
      ...this.standing,
      stage: books.stage,
      isExitOpen,
      depositsOnChain: books.depositCount,
      registryEventsOnChain: registryEvents,
      termsOnChain: terms.version,
      votesOnChain: Math.max(0, versions - 1),
      stakeEventsOnChain: stakeEvents,
      lastReportedEpoch: books.reportedEpoch < books.firstEpoch ? null : books.reportedEpoch,
      lastFinalEpoch: lastFinalEpoch < books.firstEpoch ? null : lastFinalEpoch,
    };
    return { side, credited };
  }

  /** What there is of the region in each contract; nothing in one that the deployment has not. */
  async #counts(
    pin: Pin,
  ): Promise<Pick<ChainSide, "registryEvents" | "versions" | "stakeEvents"> & { windowSlots: number }> {
    const { chain, reads, meterRegistry, rewardParameters, providerStake } = this.#desk;
    const asked = [
      ["windowSlots", reads.windowSlotsOf(this.word)],
      ["registryEvents", registryEventsOf(meterRegistry, this.word)],
      ["versions", versionCountOf(rewardParameters, this.word)],
      ["stakeEvents", stakeEventsOf(providerStake, this.word)],
    ] as const;
    const there = asked.filter(([, { to }]) => to !== NO_ADDRESS);
    const counts = await chain.read<number[]>(
      pin,
      there.map(([, question]) => question),
    );
    const found = Object.fromEntries(there.map(([name], place) => [name, counts[place]]));
    return { windowSlots: 0, registryEvents: 0, versions: 0, stakeEvents: 0, ...found };
  }

  /** The last final epoch: known before, or a few further on; a poll at a time. */
  async #finality(pin: Pin, books: Books): Promise<number> {
    const { chain, reads } = this.#desk;
    // What was final stays final, but for an exit that is fixed to an earlier one than time would have made final.
    const known = books.stage === "exiting" ? books.finalEpoch : Math.max(this.#finalEpoch, books.finalEpoch);
    const steps = books.stage === "exiting" ? 0 : Math.min(FINALITY_STEPS, books.reportedEpoch - known);
    const asked = Array.from({ length: Math.max(0, steps) }, (_, step) => known + 1 + step);
    const found =
      asked.length === 0
        ? []
        : await chain.read<boolean[]>(
            pin,
            asked.map((epoch) => reads.isFinal(this.word, epoch)),
          );
    const firstOpen = found.indexOf(false);
    this.#finalEpoch = known + (firstOpen === -1 ? found.length : firstOpen);
    return this.#finalEpoch;
  }

  /** The chain's region is this one, and its deposits are those that were credited. */
  #requireSame(books: Books, credited: Deposit, mirrored: Mirrored): void {
    const { deposits, depositsHash, windowSlots, epochSlots } = mirrored;
    if (books.windowSlots !== windowSlots || books.epochSlots !== epochSlots)
      throw new ChainTrouble("shape_differs", {
        windowSlots,
        windowSlotsOnChain: books.windowSlots,
        epochSlots,
        epochSlotsOnChain: books.epochSlots,
      });
    const onChain = deposits === 0 ? NO_DEPOSITS : credited.depositsHash;
    if (books.depositCount < deposits || onChain !== depositsHash)
      throw new ChainTrouble("past_changed", {
        deposit: deposits,
        credited: depositsHash,
        onChain,
        depositsOnChain: books.depositCount,
      });
  }

  /** Credits what was deposited since, by the hash chain on from the region's own. */
  async #credit(pin: Pin, depositCount: number, { deposits, depositsHash }: Mirrored): Promise<void> {
    const { chain, reads } = this.#desk;
    const until = Math.min(depositCount, deposits + DEPOSITS_PER_POLL);
    let previousHash = depositsHash;
    for (let done = deposits; done < until; ) {
      const indexes = Array.from(
        { length: Math.min(DEPOSITS_PER_TURN, until - done) },
        (_, k) => done + 1 + k,
      );
      const found = await chain.read<Deposit[]>(
        pin,
        indexes.map((index) => reads.depositOf(this.word, index)),
      );
      const submissions: Submission[] = [];
      for (const [place, deposit] of found.entries()) {
        const nonce = indexes[place] as number;
        submissions.push(await this.#creditOf(nonce, deposit, previousHash));
        previousHash = deposit.depositsHash;
      }
      done = await this.#decideCredits(done, submissions);
      this.standing = { ...this.standing, depositsMirrored: done };
      if (done !== indexes.at(-1)) return;
    }
    this.hasMore ||= until < depositCount;
  }

  async #creditOf(
    nonce: number,
    { account, amountMicros, depositsHash }: Deposit,
    previousHash: Hex,
  ): Promise<Submission> {
    const made = depositsHashOf({ region: this.name, nonce, account, amountMicros, previousHash });
    // A pinned block whose deposits do not follow from each other is no block of this contract. No account: paid back.
    if (account === NO_ADDRESS || made !== depositsHash)
      throw new ChainTrouble("rpcs_disagree", { deposit: nonce, expected: made, got: depositsHash });
    const draft = { type: "credit_deposit", nonce, account, amountMicros, previousHash } as const;
    const ready = await this.#desk.signer.submissionOf(this.name, draft);
    if ("rejection" in ready)
      throw new ChainTrouble("credit_refused", { deposit: nonce, refusal: ready.rejection.code });
    return ready.submission;
  }

  /** @returns index of the last deposit that is credited now. */
  async #decideCredits(done: number, submissions: readonly Submission[]): Promise<number> {
    const outcomes = await decideAll(this.region, submissions);
    const refused = outcomes.findIndex((outcome) => "rejection" in outcome);
    if (refused === -1) return done + submissions.length;
    const outcome = outcomes[refused];
    const code = outcome !== undefined && "rejection" in outcome ? outcome.rejection.code : "internal_fault";
    this.trouble({ code: "credit_refused", facts: { deposit: done + 1 + refused, refusal: code } });
    return done + refused;
  }

  /**
   * Takes over terms once nobody can replace them any more: versions are numbered anew where later ones replace them, and
   * a region takes each number once.
   */
  async #schedule(pin: Pin, newest: Terms, { termsVersion, epochSlots }: Mirrored): Promise<void> {
    const { signer, pollMs } = this.#desk;
    if (termsVersion === 0 && !this.#isCompared) await this.#compareOpening(pin, newest);
    const missing = await this.#termsAfter(pin, newest, termsVersion);
    // Where market time runs fast, a poll may be longer than the notice.
    const fixedS = pin.timeS + NOTICE_SECONDS + signer.marketSeconds(2 * pollMs);
    for (const terms of missing) {
      if (slotStartS(terms.fromEpoch * epochSlots) >= fixedS) return;
      const { version, ...fields } = terms;
      const ready = await signer.submissionOf(this.name, {
        type: "schedule_terms",
        nonce: version,
        ...fields,
      });
      const outcome = "rejection" in ready ? ready : (await decideAll(this.region, [ready.submission]))[0];
      if (outcome === undefined || "rejection" in outcome) {
        const refusal = outcome?.rejection.code ?? "internal_fault";
        const facts = { version, fromEpoch: terms.fromEpoch, refusal };
        const isOver = refusal === "terms_too_late";
        this.trouble({ code: isOver ? "terms_passed" : "terms_refused", facts });
        if (!isOver) return;
      } else this.standing = { ...this.standing, termsMirrored: version };
    }
  }

  /** The contract judges the first reports by the terms it was opened with: the region must have been as well. */
  async #compareOpening(pin: Pin, newest: Terms): Promise<void> {
    const { chain, reads } = this.#desk;
    const [opening] =
      newest.version === 0
        ? [newest]
        : await chain.read<[Terms]>(pin, [
            reads.termsIn(this.word, Math.min(newest.fromEpoch, this.#firstEpoch)),
          ]);
    const [here] = await this.region.parameters();
    let isSame = true;
    for (const name of ["outflowCapBps", "emissionPerEpoch", "emissionDecayBps"] as const) {
      const value = here?.parameters[name] ?? null;
      if (opening.version !== 0 || value === opening[name]) continue;
      isSame = false;
      this.trouble({ code: "terms_differ", facts: { term: name, here: value, onChain: opening[name] } });
    }
    this.#isCompared = isSame;
  }

  /** Versions that the region has not got, ascending. */
  async #termsAfter(pin: Pin, newest: Terms, termsVersion: number): Promise<Terms[]> {
    const missing: Terms[] = [];
    for (let terms = newest; terms.version > termsVersion; ) {
      missing.unshift(terms);
      if (terms.version === termsVersion + 1) break;
      const [before] = await this.#desk.chain.read<[Terms]>(pin, [
        this.#desk.reads.termsIn(this.word, terms.fromEpoch - 1),
      ]);
      if (before.version !== terms.version - 1)
        throw new ChainTrouble("rpcs_disagree", { terms: terms.version });
      terms = before;
    }
    return missing;
  }
}

const NOTHING_YET: Standing = {
  stage: "none",
  depositsMirrored: 0,
  depositsOnChain: 0,
  registryEventsMirrored: 0,
  registryEventsOnChain: 0,
  registryEventsPassedOver: {},
  termsMirrored: 0,
  termsOnChain: 0,
  votesMirrored: 0,
  votesOnChain: 0,
  stakeEventsMirrored: 0,
  stakeEventsOnChain: 0,
  slashesOnChain: 0,
  slashesWaiting: 0,
  slashesPassedOver: {},
  lastSlashRefusal: null,
  isExitOpen: false,
  lastClosedEpoch: null,
  lastReportedEpoch: null,
  lastFinalEpoch: null,
  problem: null,
};

function progressOf(mirrored: Mirrored) {
  const { deposits, registryEvents, termsVersion, voteVersion, stakeEvents, lastClosedEpoch } = mirrored;
  return {
    depositsMirrored: deposits,
    registryEventsMirrored: registryEvents,
    stakeEventsMirrored: stakeEvents,
    termsMirrored: termsVersion,
    votesMirrored: voteVersion,
    lastClosedEpoch,
  };
}
