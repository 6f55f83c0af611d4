// Owns an account of money, time and proofs that the region does not keep: who was credited what, what each slot moved,
// which meter claimed, and when the region had to act by itself. It refuses to use the market's own arithmetic for any of it.

import type { Entry } from "../../market/journal.ts";
import type { SubmitReadings } from "../../protocol/commands.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { CertificateBook } from "./certificate-book.ts";
import { RegistryBook } from "./registry-book.ts";
import { TradeBook } from "./trade-book.ts";

/** Tells which gateway's window a command with its evidence claims; null for what nobody proved. */
export type GatewayOf = (command: SubmitReadings, evidence: unknown) => string | null;

/** Tells whether a buyer signed that so much of a trade was delivered. */
export type Vouched = (obligation: number, deliveredMega: number, buyer: string) => boolean;

/** Says what in an entry contradicts the book, or nothing. */
export class Book {
  /** Micros credited by commands, and never by events. */
  credited = 0n;
  readonly #balances = new Map<string, bigint>();
  readonly #addresses: string[] = [];
  #opened: EventOf<"region_opened"> | null = null;
  #parameters: { readonly fromEpoch: number; readonly proofDelaySeconds: number }[] = [];
  #windowFirstSlot = 0;
  #nextSlot = 0;
  readonly registry = new RegistryBook();
  readonly certificates = new CertificateBook();
  /** Gateways whose open window was claimed. */
  readonly #proved = new Set<string>();
  readonly #gatewayOf: GatewayOf;
  /** What each session key may still spend. */
  readonly #allowances = new Map<number, number>();

  readonly trades: TradeBook;

  constructor(gatewayOf: GatewayOf, vouched: Vouched) {
    this.#gatewayOf = gatewayOf;
    this.trades = new TradeBook({
      move: (account, micros) => this.#move(this.#addresses[account] as string, micros),
      toTreasury: (micros) => this.#move(this.#opened?.treasury as string, micros),
      spend: (session, micros) => this.#spend(session, Number(micros)),
      vouched: (id, mega, buyer) => vouched(id, mega, this.#addresses[buyer] as string),
    });
  }

  /** In escrow by address. */
  escrowOf(address: string): bigint {
    return this.trades.escrows.get(this.#addresses.indexOf(address)) ?? 0n;
  }

  #spend(session: number, micros: number): string | null {
    const left = (this.#allowances.get(session) ?? 0) - micros;
    this.#allowances.set(session, left);
    return left < 0 ? `session ${session} spent ${-left} micros more than it may` : null;
  }

  /** First slot of the window whose evidence is awaited. */
  get openSlot(): number {
    return this.#windowFirstSlot;
  }

  /** Balances by address. */
  get balances(): ReadonlyMap<string, bigint> {
    return this.#balances;
  }

  /** Tradings, for the summary. */
  tradedWh = 0;

  /** When the region next acts by itself, or null before it is open. */
  get dueS(): number | null {
    if (this.#opened === null) return null;
    const { windowSlots, epochSlots } = this.#opened;
    const epoch = Math.floor(this.#windowFirstSlot / epochSlots);
    const inForce = this.#parameters.filter(({ fromEpoch }) => fromEpoch <= epoch).at(-1);
    const windowS = (this.#windowFirstSlot + windowSlots) * 900 + (inForce?.proofDelaySeconds ?? 0);
    return Math.min(windowS, this.trades.dueS ?? windowS);
  }

  /** Takes in the next entry; answers what is wrong with it. */
  take(entry: Entry): string | null {
    const due = this.dueS;
    if (entry.command === undefined) {
      if (due !== entry.atS) return `what was due at ${due} was done at ${entry.atS}`;
    } else if (due !== null && due <= entry.atS)
      return `a command was decided at ${entry.atS}, before what was due at ${due}`;
    if (entry.command?.type === "credit_test_quote")
      this.#credit(entry.command.account, entry.command.amountMicros);
    this.certificates.take(entry);
    const misplaced = this.registry.take(entry, this.#windowFirstSlot) ?? this.#prove(entry);
    if (misplaced !== null) return misplaced;
    for (const event of entry.events) {
      const wrong = this.trades.take(event, entry) ?? this.#follow(event);
      if (wrong !== null) return wrong;
    }
    return this.trades.jobs.check(entry);
  }

  #credit(address: string, micros: number): void {
    this.credited += BigInt(micros);
    this.#move(address, BigInt(micros));
  }

  #move(address: string, micros: bigint): void {
    this.#balances.set(address, (this.#balances.get(address) ?? 0n) + micros);
  }

  #follow(event: MarketEvent): string | null {
    switch (event.type) {
      case "region_opened":
        this.#opened = event;
        this.registry.opened(event.firstSlot);
        this.#windowFirstSlot = event.firstSlot;
        this.#nextSlot = event.firstSlot;
        this.#parameters = [{ fromEpoch: 0, proofDelaySeconds: event.parameters.proofDelaySeconds }];
        return null;
      case "parameters_set":
        this.#parameters = [
          ...this.#parameters.filter(({ fromEpoch }) => fromEpoch < event.fromEpoch),
          { fromEpoch: event.fromEpoch, proofDelaySeconds: event.parameters.proofDelaySeconds },
        ];
        return null;
      case "account_opened":
        this.#addresses[event.account] = event.address;
        return null;
      case "session_authorised":
        this.#allowances.set(event.session, event.spendingLimitMicros);
        return null;
      case "slot_cleared":
        return this.#clear(event);
      case "window_closed":
        return this.#close(event);
      case "epoch_closed":
        return this.certificates.closed(event, this.#addresses);
      default:
        return null;
    }
  }

  /** Somebody proved it, for this account, against this window's registry; and nothing else of this meter and window. */
  #prove({ command, events, evidence, atS }: Entry): string | null {
    if (command?.type !== "submit_readings") return null;
    const { firstSlot, netWh } = command;
    const gateway = this.#gatewayOf(command, evidence);
    const { root, nullifier } = evidence as { readonly root: Hex; readonly nullifier: Hex };
    const [event] = events as readonly [EventOf<"readings_accepted">];
    if (gateway === null) return `nobody proved what was accepted for window ${firstSlot}`;
    if (event.nullifier !== nullifier || event.netWh.join() !== netWh.join())
      return `window ${firstSlot}: other claims were accepted than were proved`;
    if (root !== this.registry.rootOf(firstSlot))
      return `window ${firstSlot} was proved against another registry than it has`;
    if (firstSlot !== this.#windowFirstSlot) return `window ${firstSlot} was proved while another was open`;
    if ((firstSlot + netWh.length) * 900 > atS) return `window ${firstSlot} was proved before it was over`;
    if (this.#proved.has(gateway)) return `gateway ${gateway} proved window ${firstSlot} twice`;
    this.#proved.add(gateway);
    return null;
  }

  #clear(event: EventOf<"slot_cleared">): string | null {
    if (event.slot !== this.#nextSlot) return `slot ${event.slot} cleared where ${this.#nextSlot} was next`;
    this.#nextSlot += 1;
    this.certificates.cleared(event);
    const { treasury, gridOperator } = this.#opened as EventOf<"region_opened">;
    let left = BigInt(event.networkMicros) + BigInt(event.feeMicros) + BigInt(event.dustMicros);
    let sold = 0;
    let bought = 0;
    this.#move(gridOperator, BigInt(event.networkMicros));
    this.#move(treasury, BigInt(event.feeMicros) + BigInt(event.dustMicros));
    event.accounts.forEach((account, index) => {
      const micros = BigInt(event.amountMicros[index] as number);
      left += micros;
      this.#move(this.#addresses[account] as string, micros);
      const wh = event.filledWh[index] as number;
      if (wh > 0) sold += wh;
      else bought -= wh;
    });
    for (const [index, session] of event.sessions.entries()) {
      const wrong = this.#spend(session, event.sessionMicros[index] as number);
      if (wrong !== null) return `slot ${event.slot}: ${wrong}`;
    }
    this.tradedWh += event.tradedWh;
    if (left !== 0n) return `slot ${event.slot} made ${left} micros`;
    if (sold !== event.tradedWh || bought !== event.tradedWh)
      return `slot ${event.slot}: ${sold} Wh sold, ${bought} bought, ${event.tradedWh} traded`;
    const poor = [...this.#balances].find(([, micros]) => micros < 0n);
    return poor === undefined ? null : `${poor[0]} holds ${poor[1]} micros`;
  }

  #close({ firstSlot }: EventOf<"window_closed">): string | null {
    if (this.#nextSlot !== firstSlot + (this.#opened?.windowSlots ?? 0))
      return `window ${firstSlot} closed before slot ${this.#nextSlot} cleared`;
    this.#windowFirstSlot = this.#nextSlot;
    this.registry.closed(this.#nextSlot);
    this.#proved.clear();
    return null;
  }
}
