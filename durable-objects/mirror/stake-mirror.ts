// Owns the way of providers' stakes from the chain into a region's journal: every event in its order, once. It refuses to let one
// that the region can never take hold up those after it: the next one of the same provider says all that there is.

import { type StakeEvent, stakeEventOf } from "../../governance/calls/stake-reads.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Mirrored } from "../region-reads.ts";
import type { Pin } from "./agreed-chain.ts";
import { decideAll } from "./mirrored-region.ts";
import type { MirrorDesk, RegionMirror } from "./region-mirror.ts";

/** Events read together. */
const EVENTS_PER_TURN = 50;
/** Events of one poll; the next one goes on, so that other regions are not kept waiting. */
const EVENTS_PER_POLL = 500;

/** Refusals of the event itself, whenever it were asked again. */
const NEVER: ReadonlySet<ErrorCode> = new Set(["node_key_taken", "accounts_exhausted", "malformed_request"]);

/** The stream of one region's stakes. */
export class StakeMirror {
  readonly #mirror: RegionMirror;
  readonly #desk: MirrorDesk;

  constructor(mirror: RegionMirror, desk: MirrorDesk) {
    this.#mirror = mirror;
    this.#desk = desk;
  }

  /** Brings the region up to the number of events that the contract has of it. */
  async follow(pin: Pin, events: number, { stakeEvents }: Mirrored): Promise<void> {
    // Fewer than were taken: the contract is another one, or the chain is.
    if (events < stakeEvents) {
      this.#mirror.trouble({ code: "stakes_differ", facts: { mirrored: stakeEvents, onChain: events } });
      return;
    }
    const until = Math.min(events, stakeEvents + EVENTS_PER_POLL);
    for (let done = stakeEvents; done < until; ) {
      const numbers = Array.from(
        { length: Math.min(EVENTS_PER_TURN, until - done) },
        (_, step) => done + 1 + step,
      );
      for (const event of await this.#read(pin, numbers)) if (!(await this.#hand(event))) return;
      done += numbers.length;
    }
    this.#mirror.hasMore ||= until < events;
  }

  /** @returns whether the next one may follow: it was taken, or never will be. */
  async #hand({ number, account, nodeKey, stakedMicros, isUnbonding }: StakeEvent): Promise<boolean> {
    const ready = await this.#desk.signer.submissionOf(this.#mirror.name, {
      type: "record_stake",
      nonce: number,
      ...{ account, nodeKey, stakedMicros, isUnbonding },
    });
    const outcome =
      "rejection" in ready ? ready : (await decideAll(this.#mirror.region, [ready.submission]))[0];
    if (outcome !== undefined && !("rejection" in outcome)) {
      this.#mirror.standing = { ...this.#mirror.standing, stakeEventsMirrored: number };
      return true;
    }
    const refusal = outcome?.rejection.code ?? "internal_fault";
    this.#mirror.trouble({ code: "stake_refused", facts: { event: number, account, refusal } });
    return NEVER.has(refusal);
  }

  #read(pin: Pin, numbers: readonly number[]): Promise<StakeEvent[]> {
    const { chain, providerStake: to } = this.#desk;
    return chain.read<StakeEvent[]>(
      pin,
      numbers.map((number) => ({ to, ...stakeEventOf(this.#mirror.word, number) })),
    );
  }
}
