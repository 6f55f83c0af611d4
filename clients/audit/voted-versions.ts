// Owns the comparison of the parameters that a journal says were voted with the versions that the chain has: each as it is there, in
// force from its epoch on. It refuses one that the chain has not, and one that was left out; one that came late is named.

import { refuseFigures } from "../../market/decisions/region.ts";
import type { Entry } from "../../market/journal.ts";
import type { RegionState } from "../../market/state.ts";
import { type CommandOf, type Figures, figuresSchema, type Parameters } from "../../protocol/commands.ts";
import { figuresOfValues } from "../../protocol/governed-values.ts";
import type { ChainVersion } from "../chain/region-record.ts";
import type { MirroredChain, Wrong } from "./mirrored-events.ts";

/** A version that held later than the chain has it from. */
export interface LateVote {
  readonly version: number;
  readonly fromEpoch: number;
  readonly heldFrom: number;
}

type VoteCommand = CommandOf<"schedule_parameters">;

/** Follows the chain's versions through a journal. */
export class VotedVersions {
  /** Versions that the journal has as the chain. */
  held = 0;
  readonly late: LateVote[] = [];
  /** Entries that set a governed region's parameters to other values than the chain's first, and nobody voted for them. */
  readonly unvoted: number[] = [];
  readonly #chain: MirroredChain | undefined;
  readonly #ahead: { readonly entry: number; readonly command: VoteCommand }[] = [];
  readonly #closings: { readonly entry: number; readonly epoch: number }[] = [];
  #taken = 0;

  constructor(chain: MirroredChain | undefined) {
    this.#chain = chain;
  }

  /** Holds an entry that the rules gave; says what is wrong, or null. */
  take({ command, events, number: entry }: Entry, { header }: RegionState): Wrong | null {
    const versions = this.#chain?.record.versions ?? null;
    if (versions === null || versions.length === 0 || header.opened?.quote !== "settlement") return null;
    for (const event of events)
      if (event.type === "epoch_closed") this.#closings.push({ entry, epoch: event.epoch });
    if (command?.type === "open_region" || command?.type === "set_parameters") {
      const [first] = versions as [ChainVersion];
      if (!isSame(figuresOfValues(first.values), command.parameters)) this.unvoted.push(entry);
    }
    if (command?.type !== "schedule_parameters") return null;
    const { windowSlots } = header.opened;
    for (let number = this.#taken + 1; number < command.nonce; number += 1) {
      const passed = versions[number];
      if (passed !== undefined && refuseFigures(figuresOfValues(passed.values), windowSlots) === null)
        return { reason: `version ${number} of the vote was passed over, and the region could have kept it` };
    }
    this.#taken = command.nonce;
    const heldFrom = events.find((event) => event.type === "parameters_set")?.fromEpoch ?? command.fromEpoch;
    if (heldFrom > command.fromEpoch)
      this.late.push({ version: command.nonce, fromEpoch: command.fromEpoch, heldFrom });
    if (command.nonce >= versions.length) this.#ahead.push({ entry, command });
    return this.#hold(command, versions);
  }

  /** Holds what came after the record, and looks for versions that were left out. */
  async finish(): Promise<Wrong | null> {
    const chain = this.#chain;
    const versions = chain?.record.versions ?? null;
    if (chain === undefined || versions === null) return null;
    if (this.#ahead.length > 0) {
      const again = (await chain.again()).versions ?? [];
      for (const { entry, command } of this.#ahead) {
        if (command.nonce >= again.length)
          return { entry, reason: `version ${command.nonce} of the vote was taken, and the chain has none` };
        const wrong = this.#hold(command, again);
        if (wrong !== null) return { entry, ...wrong };
      }
    }
    for (let number = this.#taken + 1; number < versions.length; number += 1) {
      const { fromEpoch } = versions[number] as ChainVersion;
      const passed = this.#closings.find(({ epoch }) => epoch >= fromEpoch);
      if (passed === undefined) continue;
      return {
        entry: passed.entry,
        reason: `version ${number} of the vote holds from epoch ${fromEpoch} on, and epoch ${passed.epoch} closed without it`,
      };
    }
    return null;
  }

  #hold(command: VoteCommand, versions: readonly ChainVersion[]): Wrong | null {
    const version = versions[command.nonce];
    if (version === undefined) return null;
    const figures = figuresOfValues(version.values);
    const parts = [
      ["fromEpoch", command.fromEpoch, version.fromEpoch],
      ...Object.keys(figures).map((name) => {
        const part = name as keyof Figures;
        return [name, command.figures[part], figures[part]] as const;
      }),
    ] as const;
    const differing = parts.find(([, taken, onChain]) => taken !== onChain);
    if (differing === undefined) {
      this.held += 1;
      return null;
    }
    const [part, taken, onChain] = differing;
    return {
      reason: `version ${command.nonce} of the vote was taken with ${part} ${taken}, and the chain has ${onChain}`,
    };
  }
}

function isSame(figures: Figures, parameters: Parameters): boolean {
  return Object.keys(figuresSchema.shape).every((name) => {
    const part = name as keyof Figures;
    return figures[part] === parameters[part];
  });
}
