// Owns the effect before the vote: closed epochs paid once more from what was delivered and sold in them, under other values, beside
// what was paid. It refuses to guess: deliveries and prices stay as they were.

import type { Parameters } from "../protocol/commands.ts";
import { type PromisedResource, RESOURCES, type Resource } from "../protocol/products.ts";
import { decayedEmission, type RewardTerms, rewardShare, rewardTerms } from "./rewards.ts";

const BASIS_POINTS = 10_000n;
const KWH_IN_WH = 1_000n;

/** A promised resource in a closed epoch: what each account that delivered of it did and got, by its place. */
export interface PaidResource {
  readonly resource: PromisedResource;
  /** Delivered by everybody; megafuel or megabytes. */
  readonly units: bigint;
  readonly accounts: ArrayLike<number>;
  readonly deliveredMega: ArrayLike<number>;
  /** Token base units. */
  readonly rewards: ArrayLike<bigint>;
  /** What deliveries brought before the fee. */
  readonly salesMicros: ArrayLike<number>;
  readonly feesMicros: ArrayLike<number>;
}

/** A closed epoch: what it was decided by, and what each account that traded in it did and got, by its place. */
export interface PaidEpoch {
  readonly epoch: number;
  readonly parametersVersion: number;
  readonly voteVersion: number;
  readonly parameters: Parameters;
  /** What it could emit at most, token base units. */
  readonly emission: bigint;
  readonly deliveredWh: number;
  readonly accounts: ArrayLike<number>;
  readonly soldWh: ArrayLike<number>;
  readonly boughtWh: ArrayLike<number>;
  /** Token base units. */
  readonly rewards: ArrayLike<bigint>;
  /** What sales at prices above zero brought before the fee. */
  readonly salesMicros: ArrayLike<number>;
  readonly feesMicros: ArrayLike<number>;
  readonly networkMicros: ArrayLike<number>;
  readonly promised: readonly PaidResource[];
  /** Promised resources that were delivered, of which it was not kept whose the fees and sales were. */
  readonly leftOut: readonly { readonly resource: PromisedResource; readonly units: bigint }[];
}

/** What shall be otherwise. */
export interface PreviewChange {
  readonly values: Partial<Parameters>;
  /** The emission begins anew at `emissionPerEpoch` with the first of the epochs, and falls from there. */
  readonly restartsEmission: boolean;
}

/** What somebody got and bore, or would have. */
export interface Outcome {
  /** Token base units. */
  rewards: bigint;
  feesMicros: bigint;
  networkMicros: bigint;
  /** From sales at prices above zero, after the fee. */
  receivedMicros: bigint;
}

/** The same work under the rules of its time and under others. */
export interface Compared {
  soldWh: number;
  boughtWh: number;
  readonly paid: Outcome;
  readonly preview: Outcome;
}

/** Of one resource. */
export interface ComparedResource extends Compared {
  /** Wh, megafuel or megabytes. */
  units: bigint;
}

/** One epoch's totals. */
export interface ComparedEpoch extends Compared {
  readonly epoch: number;
  readonly parametersVersion: number;
  readonly voteVersion: number;
  readonly emission: bigint;
  readonly previewEmission: bigint;
}

/** A resource in all epochs. */
export interface ResourceEffect {
  readonly total: ComparedResource;
  /** By the account's number. */
  readonly accounts: Map<number, ComparedResource>;
  /** What sales at prices above zero brought. */
  salesMicros: bigint;
}

/** The newest epoch's, in force and under the change, for what would be done next. */
export interface NewestEpoch {
  readonly inForce: Parameters;
  readonly changed: Parameters;
  /** Delivered of each resource, also where it was left out. */
  readonly units: Readonly<Record<Resource, bigint>>;
}

/** Compares epoch by epoch; those of a large region need not be in memory at once. */
export class Preview {
  readonly epochs: ComparedEpoch[] = [];
  readonly resources: Readonly<Record<Resource, ResourceEffect>> = {
    energy: noEffect(),
    compute: noEffect(),
    bandwidth: noEffect(),
  };
  /** Deliveries that are neither in what was paid nor in what would have been. */
  readonly leftOut: { readonly epoch: number; readonly resource: PromisedResource }[] = [];
  newest: NewestEpoch | null = null;
  readonly #change: PreviewChange;
  #nextEmission: bigint | null = null;

  constructor(change: PreviewChange) {
    this.#change = change;
  }

  /** All resources and everybody together. */
  get total(): Compared {
    const total = nothing();
    for (const resource of RESOURCES) addCompared(total, this.resources[resource].total);
    return total;
  }

  /** All resources together, by the account's number; made anew for whoever asks. */
  get accounts(): Map<number, Compared> {
    const all = new Map<number, Compared>();
    for (const resource of RESOURCES)
      for (const [account, one] of this.resources[resource].accounts)
        addCompared(found(all, account, nothing), one);
    return all;
  }

  /** Adds an epoch; ascending. */
  take(paid: PaidEpoch): void {
    const { epoch, parametersVersion, voteVersion, parameters, emission } = paid;
    const changed = { ...parameters, ...this.#change.values };
    const previewEmission = this.#emissionOf(emission, changed);
    const emissions = { emission, previewEmission };
    const row: ComparedEpoch = { epoch, parametersVersion, voteVersion, ...emissions, ...nothing() };
    const units = { energy: BigInt(paid.deliveredWh), compute: 0n, bandwidth: 0n };
    for (const { resource, units: delivered } of [...paid.promised, ...paid.leftOut])
      units[resource] = delivered;
    this.leftOut.push(...paid.leftOut.map(({ resource }) => ({ epoch, resource })));
    for (const deliveries of deliveriesIn(paid)) {
      const { resource } = deliveries;
      const terms = rewardTerms(changed, resource, previewEmission, units[resource]);
      addCompared(row, this.#takeResource(deliveries, { parameters, changed, terms }));
    }
    this.epochs.push(row);
    this.newest = { inForce: parameters, changed, units };
  }

  /** Adds an epoch's deliveries of a resource, and answers their sum. */
  #takeResource(deliveries: Deliveries, under: Under): ComparedResource {
    const effect = this.resources[deliveries.resource];
    const sum = noUnits();
    for (let place = 0; place < deliveries.accounts.length; place += 1) {
      const own = found(effect.accounts, deliveries.accounts[place] as number, noUnits);
      const was = outcomeOf(deliveries, place);
      const would = outcomeUnder(deliveries, place, under);
      const units = deliveries.units[place] as number;
      for (const one of [own, sum]) {
        one.units += BigInt(units);
        if (deliveries.resource === "energy") one.soldWh += units;
        one.boughtWh += deliveries.boughtWh?.[place] ?? 0;
        add(one.paid, was);
        add(one.preview, would);
      }
      effect.salesMicros += BigInt(deliveries.salesMicros[place] as number);
    }
    addCompared(effect.total, sum);
    effect.total.units += sum.units;
    return sum;
  }

  #emissionOf(recorded: bigint, parameters: Parameters): bigint {
    if (!this.#change.restartsEmission) return recorded;
    const emission = this.#nextEmission ?? BigInt(parameters.emissionPerEpoch);
    this.#nextEmission = decayedEmission(emission, parameters);
    return emission;
  }
}

/** One resource in one epoch, by place; what is bought and bears a network's fee is energy. */
interface Deliveries {
  readonly resource: Resource;
  readonly accounts: ArrayLike<number>;
  readonly units: ArrayLike<number>;
  readonly rewards: ArrayLike<bigint>;
  readonly salesMicros: ArrayLike<number>;
  readonly feesMicros: ArrayLike<number>;
  readonly boughtWh?: ArrayLike<number>;
  readonly networkMicros?: ArrayLike<number>;
}

/** What deliveries were decided by, and what they are paid by again. */
interface Under {
  readonly parameters: Parameters;
  readonly changed: Parameters;
  readonly terms: RewardTerms;
}

function deliveriesIn(paid: PaidEpoch): Deliveries[] {
  return [
    { ...paid, resource: "energy", units: paid.soldWh },
    ...paid.promised.map((one) => ({ ...one, units: one.deliveredMega })),
  ];
}

function outcomeOf(paid: Deliveries, place: number): Outcome {
  const feesMicros = BigInt(paid.feesMicros[place] as number);
  return {
    rewards: paid.rewards[place] as bigint,
    feesMicros,
    networkMicros: BigInt(paid.networkMicros?.[place] ?? 0),
    receivedMicros: BigInt(paid.salesMicros[place] as number) - feesMicros,
  };
}

/**
 * The fee of an epoch's sales together is at most a micro a slot, or a trade, less than that of each, for it was rounded up in
 * each; the network's is less than a micro a slot more. What no change touches stays what was paid; what it touches is as if the
 * epoch's own values had been otherwise, also for a trade that was made under earlier ones.
 */
function outcomeUnder(paid: Deliveries, place: number, { parameters, changed, terms }: Under): Outcome {
  const salesMicros = BigInt(paid.salesMicros[place] as number);
  const feesMicros =
    changed.takeRateBps === parameters.takeRateBps
      ? BigInt(paid.feesMicros[place] as number)
      : feeOf(salesMicros, changed);
  const networkMicros =
    changed.networkFeeMicrosPerKwh === parameters.networkFeeMicrosPerKwh
      ? BigInt(paid.networkMicros?.[place] ?? 0)
      : networkOf(BigInt(paid.boughtWh?.[place] ?? 0), changed);
  return {
    rewards: rewardShare(terms, BigInt(paid.units[place] as number), feesMicros),
    feesMicros,
    networkMicros,
    receivedMicros: salesMicros - feesMicros,
  };
}

/** Take rate of sales, rounded up as the market does it. Micros. */
export function feeOf(salesMicros: bigint, { takeRateBps }: Parameters): bigint {
  return (salesMicros * BigInt(takeRateBps) + BASIS_POINTS - 1n) / BASIS_POINTS;
}

/** Network fee of purchases, rounded down. Micros. */
export function networkOf(boughtWh: bigint, { networkFeeMicrosPerKwh }: Parameters): bigint {
  return (boughtWh * BigInt(networkFeeMicrosPerKwh)) / KWH_IN_WH;
}

function nothing(): Compared {
  const none = (): Outcome => ({ rewards: 0n, feesMicros: 0n, networkMicros: 0n, receivedMicros: 0n });
  return { soldWh: 0, boughtWh: 0, paid: none(), preview: none() };
}

const noUnits = (): ComparedResource => ({ ...nothing(), units: 0n });
const noEffect = (): ResourceEffect => ({ total: noUnits(), accounts: new Map(), salesMicros: 0n });

function found<T>(sums: Map<number, T>, account: number, make: () => T): T {
  const known = sums.get(account);
  if (known !== undefined) return known;
  const made = make();
  sums.set(account, made);
  return made;
}

function addCompared(sum: Compared, one: Compared): void {
  sum.soldWh += one.soldWh;
  sum.boughtWh += one.boughtWh;
  add(sum.paid, one.paid);
  add(sum.preview, one.preview);
}

function add(sum: Outcome, one: Outcome): void {
  sum.rewards += one.rewards;
  sum.feesMicros += one.feesMicros;
  sum.networkMicros += one.networkMicros;
  sum.receivedMicros += one.receivedMicros;
}
