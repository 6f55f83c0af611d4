// Owns the way of a region's voted parameters from the chain into its journal: every version in its order, once. It refuses to let
// one that the region can never keep hold up those after it, and to judge what a vote has decided.

import type { ChainProblem } from "../../protocol/chain-answer.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { figuresOfValues } from "../../protocol/governed-values.ts";
import type { Mirrored } from "../region-reads.ts";
import type { Pin } from "./agreed-chain.ts";
import { type VotedVersion, versionOf } from "./contract-reads.ts";
import { decideAll } from "./mirrored-region.ts";
import type { MirrorDesk, RegionMirror } from "./region-mirror.ts";

/** Versions of one poll; a value changes once a week at the most. */
const VERSIONS_PER_POLL = 50;

/** Refusals of the version itself, whenever it were asked again: the next one carries all values too. */
const NEVER: ReadonlySet<ErrorCode> = new Set(["parameters_out_of_bounds", "malformed_request"]);

/** The stream of one region's voted parameters. */
export class VoteMirror {
  readonly #mirror: RegionMirror;
  readonly #desk: MirrorDesk;
  /** The region's own version that was compared last, and what differed in it. */
  #compared: { readonly parametersVersion: number; readonly facts: ChainProblem["facts"] | null } | null =
    null;

  constructor(mirror: RegionMirror, desk: MirrorDesk) {
    this.#mirror = mirror;
    this.#desk = desk;
  }

  /**
   * Brings the region up to the newest version.
   * @param count of versions on the chain, the opening's included; 0 where the region is not governed there.
   */
  async follow(pin: Pin, count: number, { voteVersion, parametersVersion }: Mirrored): Promise<void> {
    const newest = Math.max(0, count - 1);
    // Fewer than were taken: the contract is another one, or the chain is.
    if (newest < voteVersion) {
      this.#trouble("votes_differ", { voteVersion, onChain: newest });
      return;
    }
    if (count === 1) await this.#compareOpening(pin, parametersVersion);
    const until = Math.min(newest, voteVersion + VERSIONS_PER_POLL);
    if (until === voteVersion) return;
    const numbers = Array.from({ length: until - voteVersion }, (_, step) => voteVersion + 1 + step);
    for (const [place, version] of (await this.#read(pin, numbers)).entries()) {
      const isDone = await this.#hand(numbers[place] as number, version);
      if (!isDone) return;
    }
    this.#mirror.hasMore ||= until < newest;
  }

  /** @returns whether the next one may follow: it was taken, or never will be. */
  async #hand(number: number, { fromEpoch, values }: VotedVersion): Promise<boolean> {
    const ready = await this.#desk.signer.submissionOf(this.#mirror.name, {
      type: "schedule_parameters",
      nonce: number,
      fromEpoch,
      figures: figuresOfValues(values),
    });
    const outcome =
      "rejection" in ready ? ready : (await decideAll(this.#mirror.region, [ready.submission]))[0];
    if (outcome !== undefined && !("rejection" in outcome)) {
      this.#mirror.standing = { ...this.#mirror.standing, votesMirrored: number };
      return true;
    }
    const refusal = outcome?.rejection.code ?? "internal_fault";
    this.#trouble("parameters_refused", { version: number, fromEpoch, refusal });
    return NEVER.has(refusal);
  }

  /** Before the first vote the region must have what it was taken up with on the chain, and its operator set nothing else. */
  async #compareOpening(pin: Pin, parametersVersion: number): Promise<void> {
    if (this.#compared?.parametersVersion !== parametersVersion)
      this.#compared = { parametersVersion, facts: await this.#difference(pin) };
    const { facts } = this.#compared;
    if (facts !== null) this.#trouble("votes_differ", facts);
  }

  async #difference(pin: Pin): Promise<ChainProblem["facts"] | null> {
    const [{ values }] = (await this.#read(pin, [0])) as [VotedVersion];
    const figures = Object.entries(figuresOfValues(values));
    for (const { parameters } of await this.#mirror.region.parameters())
      for (const [name, onChain] of figures) {
        const here = parameters[name as keyof typeof parameters];
        if (here !== onChain) return { parameter: name, here, onChain };
      }
    return null;
  }

  #read(pin: Pin, numbers: readonly number[]): Promise<VotedVersion[]> {
    const { chain, rewardParameters } = this.#desk;
    return chain.read<VotedVersion[]>(
      pin,
      numbers.map((number) => versionOf(rewardParameters, this.#mirror.word, number)),
    );
  }

  #trouble(code: ChainProblem["code"], facts: ChainProblem["facts"]): void {
    this.#mirror.trouble({ code, facts });
  }
}
