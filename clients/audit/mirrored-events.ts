// Owns the comparison of what a journal took from its chain with what the chain has: deposits, and events of the register of
// meters. It refuses an event that the chain has otherwise or not at all, and a deposit that was left out.

import { depositsHashOf } from "../../evidence/deposit-chain.ts";
import type { RegistryEvent } from "../../governance/calls/registry-event.ts";
import type { Entry } from "../../market/journal.ts";
import type { RegionState } from "../../market/state.ts";
import { type CommandOf, REGISTRY_COMMANDS } from "../../protocol/commands.ts";
import { slotStartS } from "../../protocol/units.ts";
import type { ChainDeposit, RegionRecord } from "../chain/region-record.ts";

/** What a chain has of a region, and how to ask it once more. */
export interface MirroredChain {
  readonly record: Pick<RegionRecord, "stage" | "deposits" | "registryEvents" | "versions" | "stakeEvents">;
  /** Reads the record again: a journal that came after it may have taken more. */
  again(): Promise<Pick<RegionRecord, "deposits" | "registryEvents" | "versions" | "stakeEvents">>;
  /** Time of the block that a deposit is in. Unix seconds. */
  depositTimeS(index: number): Promise<number>;
}

/** What is wrong, and at which entry where it is not the one at hand. */
export interface Wrong {
  readonly reason: string;
  readonly entry?: number;
}

/** A command that took an event which the record does not reach to. */
interface Ahead<Command> {
  readonly entry: number;
  readonly command: Command;
}

type RegistryCommand = CommandOf<"appoint_installers"> | CommandOf<"enrol_meter"> | CommandOf<"revoke_meter">;

/** Follows the chain's events through a journal. */
export class MirroredEvents {
  /** Deposits and events that were held against the chain. */
  readonly held = { deposits: 0, registryEvents: 0 };
  /** Numbers of the register's events that the region passed over; later ones may come yet. */
  readonly passedOver: number[] = [];
  /** Deposits that the journal lacks. */
  uncredited: readonly ChainDeposit[] = [];
  readonly #chain: MirroredChain | undefined;
  readonly #deposits: Ahead<CommandOf<"credit_deposit">>[] = [];
  readonly #registry: Ahead<RegistryCommand>[] = [];
  readonly #closings: { readonly entry: number; readonly epoch: number; readonly beganAtS: number }[] = [];
  #credited = 0;
  #registryNumber = 0;

  constructor(chain: MirroredChain | undefined) {
    this.#chain = chain;
  }

  /** Holds an entry that the rules gave; says what is wrong, or null. */
  take({ command, events, number: entry }: Entry, { header }: RegionState): Wrong | null {
    if (this.#chain === undefined || header.opened?.quote !== "settlement") return null;
    const { epochSlots } = header.opened;
    for (const event of events)
      if (event.type === "epoch_closed")
        this.#closings.push({ entry, epoch: event.epoch, beganAtS: slotStartS(event.epoch * epochSlots) });
    if (command === undefined) return null;
    const { deposits, registryEvents } = this.#chain.record;
    if (command.type === "credit_deposit") {
      this.#credited = command.nonce;
      if (command.nonce > deposits.length) this.#deposits.push({ entry, command });
      return this.#holdDeposit(command, deposits);
    }
    if (!isRegistry(command)) return null;
    for (let number = this.#registryNumber + 1; number < command.nonce; number += 1)
      this.passedOver.push(number);
    this.#registryNumber = command.nonce;
    if (registryEvents === null) return null;
    if (command.nonce > registryEvents.length) this.#registry.push({ entry, command });
    return this.#holdEvent(command, registryEvents);
  }

  /** Holds what came after the record, and looks for deposits that were left out. */
  async finish(): Promise<Wrong | null> {
    const chain = this.#chain;
    if (chain === undefined) return null;
    const wrong = this.#deposits.length + this.#registry.length === 0 ? null : await this.#holdAhead(chain);
    this.uncredited = chain.record.deposits.slice(this.#credited);
    if (wrong !== null || this.uncredited.length === 0 || OVER.has(chain.record.stage)) return wrong;
    const [{ index, account, amountMicros }] = this.uncredited as [ChainDeposit];
    const madeAtS = await chain.depositTimeS(index);
    const passed = this.#closings.find(({ beganAtS }) => beganAtS >= madeAtS);
    if (passed === undefined) return null;
    return {
      entry: passed.entry,
      reason: `deposit ${index} (${amountMicros} micros for ${account}) is on the chain, and epoch ${passed.epoch} began and closed without it`,
    };
  }

  async #holdAhead(chain: MirroredChain): Promise<Wrong | null> {
    const { deposits, registryEvents } = await chain.again();
    for (const { entry, command } of this.#deposits) {
      if (command.nonce > deposits.length)
        return { entry, reason: `deposit ${command.nonce} was credited, and the chain has none` };
      const wrong = this.#holdDeposit(command, deposits);
      if (wrong !== null) return { entry, ...wrong };
    }
    for (const { entry, command } of this.#registry) {
      if (registryEvents === null || command.nonce > registryEvents.length)
        return { entry, reason: `event ${command.nonce} of the register was taken, and the chain has none` };
      const wrong = this.#holdEvent(command, registryEvents);
      if (wrong !== null) return { entry, ...wrong };
    }
    return null;
  }

  #holdDeposit(command: CommandOf<"credit_deposit">, deposits: readonly ChainDeposit[]): Wrong | null {
    const made = deposits[command.nonce - 1];
    if (made === undefined) return null;
    const parts = [
      ["account", command.account, made.account],
      ["amountMicros", String(command.amountMicros), String(made.amountMicros)],
      ["depositsHash", depositsHashOf(command), made.depositsHash],
    ] as const;
    const differing = parts.find(([, credited, onChain]) => credited !== onChain);
    if (differing === undefined) {
      this.held.deposits += 1;
      return null;
    }
    const [part, credited, onChain] = differing;
    return {
      reason: `deposit ${command.nonce} was credited with ${part} ${credited}, and the chain has ${onChain}`,
    };
  }

  #holdEvent(command: RegistryCommand, events: readonly RegistryEvent[]): Wrong | null {
    const event = events[command.nonce - 1];
    if (event === undefined) return null;
    const taken: Readonly<Record<string, unknown>> = { ...command };
    const differing = Object.entries(event.draft).find(
      ([part, onChain]) => JSON.stringify(taken[part]) !== JSON.stringify(onChain),
    );
    if (differing === undefined) {
      this.held.registryEvents += 1;
      return null;
    }
    const [part, onChain] = differing;
    const [took, has] = [taken[part], onChain].map((value) => JSON.stringify(value));
    return {
      reason: `event ${command.nonce} of the register was taken with ${part} ${took}, and the chain has ${has}`,
    };
  }
}

/** Everybody leaves such a region, and nothing is credited any more. */
const OVER: ReadonlySet<RegionRecord["stage"]> = new Set(["upheld", "exiting"]);

function isRegistry(command: NonNullable<Entry["command"]>): command is RegistryCommand {
  return REGISTRY_COMMANDS.has(command.type);
}
