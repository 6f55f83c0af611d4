// Owns the search for a region's events of the register, and handing them over in their order. It refuses to skip an event that
// the region would take; one that it refuses for ever is passed over and counted.

import type { Submission } from "../../evidence/signed-command.ts";
import { ERRORS, type ErrorCode } from "../../protocol/errors.ts";
import type { Mirrored } from "../region-reads.ts";
import type { Pin } from "./agreed-chain.ts";
import { decideAll } from "./mirrored-region.ts";
import type { MirrorDesk, RegionMirror } from "./region-mirror.ts";
import { contiguous, type RegistryEvent, registryEvents, registryQuery } from "./registry-events.ts";
import { ChainTrouble } from "./trouble.ts";

/** Events asked for together: as many numbers as endpoints take in a filter. */
const EVENTS_PER_TURN = 32;
/** Blocks searched before what was searched is noted, and how often in one poll. */
const BLOCKS_PER_TURN = 100_000;
const TURNS_PER_POLL = 40;
/** A hint this old is written down again, so that a first event after a quiet year is not searched for in all of it. */
const HINT_BLOCKS = 5_000;

/** Refusals that say nothing about the event: it is asked again. */
const NOT_NOW: ReadonlySet<ErrorCode> = new Set([
  "storage_exhausted",
  "region_not_open",
  "not_mirror",
  "command_expired",
  "command_expires_too_late",
  "meters_exhausted",
  "wrong_chain",
  "wrong_region",
]);

/** Where the search goes on. */
interface Hint {
  /** Events up to this number were taken or passed over; they are in this block or before it. */
  readonly number: number;
  readonly block: number;
  /** The region's own number at that time: a region that has less has forgotten, and this is worth nothing. */
  readonly taken: number;
  readonly passedOver: Readonly<Record<string, number>>;
}

/** The register's stream of one region. */
export class RegistryMirror {
  readonly #mirror: RegionMirror;
  readonly #desk: MirrorDesk;
  #hint: Hint | null = null;

  constructor(mirror: RegionMirror, desk: MirrorDesk) {
    this.#mirror = mirror;
    this.#desk = desk;
  }

  /** Brings the region up to the number of events that the register has of it. */
  async follow(pin: Pin, events: number, { registryEvents, windowSlots }: Mirrored): Promise<void> {
    // Fewer than were taken: the register is another one, or the chain is.
    if (events < registryEvents)
      throw new ChainTrouble("registry_incomplete", { mirrored: registryEvents, onChain: events });
    let hint = await this.#hintFrom(registryEvents);
    let hasRewound = hint.block <= this.#desk.deployedAtBlock;
    for (let turn = 0; hint.number < events; turn += 1) {
      if (turn === TURNS_PER_POLL) {
        this.#mirror.hasMore = true;
        return;
      }
      const found = await this.#search(pin, hint, events, windowSlots);
      if (found.events.length > 0) {
        const taken = await this.#take(found.events, hint);
        await this.#keep(taken);
        if (taken.number < (found.events.at(-1) as RegistryEvent).number) return;
        hint = taken;
      } else if (found.through < pin.number) {
        hint = { ...hint, block: found.through };
        await this.#keep(hint);
      } else {
        if (hasRewound)
          throw new ChainTrouble("registry_incomplete", { missing: hint.number + 1, onChain: events });
        hasRewound = true;
        hint = { ...hint, block: this.#desk.deployedAtBlock };
      }
    }
    if (pin.number - hint.block > HINT_BLOCKS) await this.#keep({ ...hint, block: pin.number });
  }

  /** The next events from the hint's block on, as far as one search goes. */
  async #search(pin: Pin, { number, block }: Hint, events: number, windowSlots: 4 | 96) {
    const { chain, meterRegistry } = this.#desk;
    const count = Math.min(EVENTS_PER_TURN, events - number);
    const numbers = Array.from({ length: count }, (_, step) => number + 1 + step);
    const through = Math.min(pin.number, block + BLOCKS_PER_TURN - 1);
    const logs = await chain.logs(registryQuery(meterRegistry, this.#mirror.word, numbers, block, through));
    return { events: contiguous(registryEvents(logs, windowSlots), number + 1), through };
  }

  /** Hands events over, up to the first that the region cannot take now. */
  async #take(events: readonly RegistryEvent[], before: Hint): Promise<Hint> {
    const { signer } = this.#desk;
    let hint = before;
    for (const { number, block, draft, evidence } of events) {
      const ready = await signer.submissionOf(this.#mirror.name, draft, evidence);
      const refusal = "rejection" in ready ? ready.rejection.code : await this.#decide(ready.submission);
      if (refusal !== null && (NOT_NOW.has(refusal) || ERRORS[refusal].transient)) {
        this.#mirror.trouble({ code: "registry_refused", facts: { event: number, refusal } });
        return hint;
      }
      // Out of order is what was taken before, by an answer that was lost.
      const isTaken = refusal === null || refusal === "chain_event_out_of_order";
      const { passedOver } = hint;
      hint = isTaken
        ? { number, block, taken: number, passedOver }
        : {
            ...hint,
            number,
            block,
            passedOver: { ...passedOver, [refusal]: (passedOver[refusal] ?? 0) + 1 },
          };
      this.#show(hint);
    }
    return hint;
  }

  async #decide(submission: Submission): Promise<ErrorCode | null> {
    const [outcome] = await decideAll(this.#mirror.region, [submission]);
    if (outcome === undefined) return "internal_fault";
    return "rejection" in outcome ? outcome.rejection.code : null;
  }

  #show({ taken, passedOver }: Hint): void {
    const { standing } = this.#mirror;
    this.#mirror.standing = {
      ...standing,
      registryEventsMirrored: Math.max(standing.registryEventsMirrored, taken),
      registryEventsPassedOver: passedOver,
    };
  }

  get #key(): string {
    return `register/${this.#mirror.name}`;
  }

  async #hintFrom(registryEvents: number): Promise<Hint> {
    const kept = this.#hint ?? (await this.#desk.memory.get<Hint>(this.#key)) ?? null;
    const hint: Hint =
      kept !== null && kept.taken <= registryEvents
        ? { ...kept, number: Math.max(kept.number, registryEvents) }
        : {
            number: registryEvents,
            block: this.#desk.deployedAtBlock,
            taken: registryEvents,
            passedOver: {},
          };
    this.#hint = hint;
    this.#show(hint);
    return hint;
  }

  async #keep(hint: Hint): Promise<void> {
    this.#hint = hint;
    await this.#desk.memory.put(this.#key, hint);
  }
}
