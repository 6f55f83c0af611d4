// Owns how households, and whoever attacks with proofs, bring a window in: its registry is asked for over the network, the
// window proved after a while, and once more where the registry has changed. It refuses to ask for one leaf alone.

import type { Registry } from "../../protocol/answers.ts";
import { type Household, homeOf } from "./people.ts";
import { type ProofScene, proofAttacksOf } from "./proof-attacks.ts";
import type { Clients, Draft } from "./requests.ts";
import type { ProofAttack, Trip } from "./steps.ts";
import type { Timeline } from "./timeline.ts";
import type { Traffic } from "./traffic.ts";

/** Until the first request of an attack is answered, beside its trip. */
const LATER_MS = 50;

/** Windows on their way into a region. */
export class Windows {
  readonly counts = { "registries asked": 0, "windows proved": 0, "leaf not there": 0, "proved again": 0 };
  readonly #timeline: Timeline;
  readonly #traffic: Traffic;
  readonly #clients: Clients;
  readonly #note: (text: string) => void;

  constructor(timeline: Timeline, traffic: Traffic, clients: Clients, note: (text: string) => void) {
    this.#timeline = timeline;
    this.#traffic = traffic;
    this.#clients = clients;
    this.#note = note;
  }

  /** A household brings in the window that ended last by its clock, if it is there. */
  bring(who: number, gateway: number, provesMs: number, trip: Trip, isAgain = false): void {
    if (this.#isAway(who)) return;
    const firstSlot = this.#clients.lastWindow(who);
    this.counts["registries asked"] += 1;
    this.#traffic.ask(
      (region) => region.registry(firstSlot),
      trip,
      (registry) => {
        if (registry === null) return this.#note(`home ${who} is not told window ${firstSlot}`);
        this.#timeline.after(provesMs, () => this.#send({ who, gateway, provesMs, trip, isAgain }, registry));
      },
    );
  }

  /** An attack on the window that ended last; it needs to know what the region tells everybody. */
  attack(how: ProofAttack, who: number, salt: number, trip: Trip): void {
    const firstSlot = this.#clients.lastWindow(who);
    this.#traffic.ask(
      (region) => [region.registry(firstSlot), region.registry(firstSlot + 4)] as const,
      trip,
      ([registry, next]) => {
        if (registry === null) return this.#note(`${how}: window ${firstSlot} is not told`);
        const scene: ProofScene = { clients: this.#clients, who, salt, registry, next };
        this.#timeline.hold(async () => this.#sendAll(await proofAttacksOf(how, scene), homeOf(who), trip));
      },
    );
  }

  /**
   * Sends one request, and when that is answered all others at once, with one between them that was accepted before: who
   * has failed must not have many looked at at a time.
   */
  async #sendAll([first, ...others]: readonly Draft[], home: Household, trip: Trip): Promise<void> {
    if (first === undefined) return;
    await this.#traffic.send(first, trip);
    const laterMs = Math.max(...trip.outMs, 0) + trip.hopMs + LATER_MS;
    this.#timeline.after(laterMs, () => {
      const before = this.#traffic.requests.findLast(
        ({ submission: { command }, isAccepted }) =>
          isAccepted && command.type === "submit_readings" && command.account === home.account,
      );
      for (const draft of others)
        this.#timeline.hold(async () => {
          await this.#traffic.send(draft, trip);
          if (before !== undefined) this.#traffic.carry(before, trip);
        });
    });
  }

  #isAway(who: number): boolean {
    return this.#clients.homes[who]?.isAway === true;
  }

  #send(wish: Bringing, registry: Registry): void {
    const { who, gateway, trip } = wish;
    if (this.#isAway(who)) return;
    this.#timeline.hold(async () => {
      const draft = await this.#clients.readings(who, gateway, registry);
      if (draft === null) {
        this.counts["leaf not there"] += 1;
        return this.#note(`home ${who}, gateway ${gateway} is not in window ${registry.firstSlot}`);
      }
      this.counts["windows proved"] += 1;
      const tell: typeof draft.tell = (outcome) => {
        if (!("rejection" in outcome) || outcome.rejection.code !== "registry_root_wrong") return;
        if (wish.isAgain) return;
        wish.isAgain = true;
        this.counts["proved again"] += 1;
        this.bring(who, gateway, wish.provesMs, trip, true);
      };
      await this.#traffic.send({ ...draft, tell }, trip);
    });
  }
}

interface Bringing {
  readonly who: number;
  readonly gateway: number;
  readonly provesMs: number;
  readonly trip: Trip;
  /** It was proved against another root before; twice is enough. */
  isAgain: boolean;
}
