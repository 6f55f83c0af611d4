// Owns the comparison of how a journal says that providers' stakes stand with what the chain has. It refuses an event that the chain
// has otherwise or not at all; one that was passed over is named.

import type { StakeEvent } from "../../governance/calls/stake-reads.ts";
import type { Entry } from "../../market/journal.ts";
import type { RegionState } from "../../market/state.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import type { MirroredChain, Wrong } from "./mirrored-events.ts";

type StakeCommand = CommandOf<"record_stake">;

/** Follows the chain's stake events through a journal. */
export class RecordedStakes {
  /** Events that the journal has as the chain. */
  held = 0;
  /** Numbers of events that the region passed over; the next one of the same provider says all that they said. */
  readonly passedOver: number[] = [];
  readonly #chain: MirroredChain | undefined;
  readonly #ahead: { readonly entry: number; readonly command: StakeCommand }[] = [];
  #taken = 0;

  constructor(chain: MirroredChain | undefined) {
    this.#chain = chain;
  }

  /** Holds an entry that the rules gave; says what is wrong, or null. */
  take({ command, number: entry }: Entry, { header }: RegionState): Wrong | null {
    const events = this.#chain?.record.stakeEvents ?? null;
    if (events === null || header.opened?.quote !== "settlement" || command?.type !== "record_stake")
      return null;
    for (let number = this.#taken + 1; number < command.nonce; number += 1) this.passedOver.push(number);
    this.#taken = command.nonce;
    if (command.nonce > events.length) this.#ahead.push({ entry, command });
    return this.#hold(command, events);
  }

  /** Holds what came after the record. */
  async finish(): Promise<Wrong | null> {
    if (this.#chain === undefined || this.#ahead.length === 0) return null;
    const again = (await this.#chain.again()).stakeEvents ?? [];
    for (const { entry, command } of this.#ahead) {
      if (command.nonce > again.length)
        return { entry, reason: `stake event ${command.nonce} was taken, and the chain has none` };
      const wrong = this.#hold(command, again);
      if (wrong !== null) return { entry, ...wrong };
    }
    return null;
  }

  #hold(command: StakeCommand, events: readonly StakeEvent[]): Wrong | null {
    const event = events[command.nonce - 1];
    if (event === undefined) return null;
    const parts = ["account", "nodeKey", "stakedMicros", "isUnbonding"] as const;
    const part = parts.find((name) => command[name] !== event[name]);
    if (part === undefined) {
      this.held += 1;
      return null;
    }
    return {
      reason: `stake event ${command.nonce} was taken with ${part} ${command[part]}, and the chain has ${event[part]}`,
    };
  }
}
