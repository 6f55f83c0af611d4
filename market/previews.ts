// Owns the effect before the vote: closed epochs paid once more from what was delivered and sold in them, under other values, beside
// what was paid. It refuses to guess: deliveries and prices stay as they were.

import type { Parameters } from "../protocol/commands.ts";
import { decayedEmission, energyTerms, type RewardTerms, rewardShare } from "./rewards.ts";

const BASIS_POINTS = 10_000n;

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

/** One epoch's totals. */
export interface ComparedEpoch extends Compared {
  readonly epoch: number;
  readonly parametersVersion: number;
  readonly voteVersion: number;
  readonly emission: bigint;
  readonly previewEmission: bigint;
}

/** Compares epoch by epoch; those of a large region need not be in memory at once. */
export class Preview {
  readonly total: Compared = nothing();
  readonly epochs: ComparedEpoch[] = [];
  /** By the account's number. */
  readonly accounts = new Map<number, Compared>();
  /** What sales at prices above zero brought in all epochs. */
  salesMicros = 0n;
  /** The newest epoch's, in force and under the change, for what would be done next. */
  newest: { readonly inForce: Parameters; readonly changed: Parameters } | null = null;
  readonly #change: PreviewChange;
  #nextEmission: bigint | null = null;

  constructor(change: PreviewChange) {
    this.#change = change;
  }

  /** Adds an epoch; ascending. */
  take(paid: PaidEpoch): void {
    const { values } = this.#change;
    const { epoch, parametersVersion, voteVersion, parameters, emission } = paid;
    const changed = { ...parameters, ...values };
    const previewEmission = this.#emissionOf(emission, changed);
    const totals = nothing();
    const row: ComparedEpoch = {
      epoch,
      parametersVersion,
      voteVersion,
      emission,
      previewEmission,
      ...totals,
    };
    const terms = energyTerms(changed, previewEmission, paid.deliveredWh);
    for (let place = 0; place < paid.accounts.length; place += 1) {
      const account = paid.accounts[place] as number;
      let sums = this.accounts.get(account);
      if (sums === undefined) {
        sums = nothing();
        this.accounts.set(account, sums);
      }
      const was = outcomeOf(paid, place);
      const would = outcomeUnder(paid, place, changed, terms);
      for (const one of [sums, row, this.total]) {
        one.soldWh += paid.soldWh[place] as number;
        one.boughtWh += paid.boughtWh[place] as number;
        add(one.paid, was);
        add(one.preview, would);
      }
      this.salesMicros += BigInt(paid.salesMicros[place] as number);
    }
    this.epochs.push(row);
    this.newest = { inForce: parameters, changed };
  }

  #emissionOf(recorded: bigint, parameters: Parameters): bigint {
    if (!this.#change.restartsEmission) return recorded;
    const emission = this.#nextEmission ?? BigInt(parameters.emissionPerEpoch);
    this.#nextEmission = decayedEmission(emission, parameters);
    return emission;
  }
}

/** One kWh more that somebody sells to themselves: what it costs, and what it earns at the most. */
export interface SelfTrade {
  /**
   * While a token of 10¹⁸ base units is worth no more, trading with oneself never pays: 10⁶ ÷ `rewardPerFee` micros a base
   * unit. Null where fees earn nothing. Micros.
   */
  readonly breakEvenMicrosPerToken: bigint | null;
  readonly feeMicros: bigint;
  readonly networkMicros: bigint;
  /** Token base units. */
  readonly reward: bigint;
  /** What a token must be worth before this kWh pays, its network fee counted; null where it earns nothing. Micros. */
  readonly paysAboveMicrosPerToken: bigint | null;
  /** Its reward less its cost at a token's price, rounded down; null where none was named. */
  readonly gainMicros: bigint | null;
}

const TOKEN = 10n ** 18n;
const KWH_IN_WH = 1_000n;

/**
 * What a kWh sold to oneself would do under some parameters.
 * @param priceMicrosPerKwh that it would have: a higher one costs and earns more by the same share.
 * @param deliveredWh of everybody in an epoch, without it.
 * @param tokenMicros what a token is worth, or null.
 */
export function selfTrade(
  parameters: Parameters,
  emission: bigint,
  deliveredWh: number,
  priceMicrosPerKwh: bigint,
  tokenMicros: bigint | null,
): SelfTrade {
  const rewardPerFee = BigInt(parameters.rewardPerFee);
  const feeMicros = feeOf(priceMicrosPerKwh, parameters);
  const networkMicros = networkOf(KWH_IN_WH, parameters);
  const terms = energyTerms(parameters, emission, deliveredWh + Number(KWH_IN_WH));
  const reward = rewardShare(terms, KWH_IN_WH, feeMicros);
  const costMicros = feeMicros + networkMicros;
  return {
    breakEvenMicrosPerToken: rewardPerFee === 0n ? null : (TOKEN * 1_000_000n) / rewardPerFee,
    feeMicros,
    networkMicros,
    reward,
    paysAboveMicrosPerToken: reward === 0n ? null : (costMicros * TOKEN) / reward,
    gainMicros: tokenMicros === null ? null : (reward * tokenMicros) / TOKEN - costMicros,
  };
}

function outcomeOf(paid: PaidEpoch, place: number): Outcome {
  const feesMicros = BigInt(paid.feesMicros[place] as number);
  return {
    rewards: paid.rewards[place] as bigint,
    feesMicros,
    networkMicros: BigInt(paid.networkMicros[place] as number),
    receivedMicros: BigInt(paid.salesMicros[place] as number) - feesMicros,
  };
}

/**
 * The fee of an epoch's sales together is at most a micro a slot less than that of each slot, for it was rounded up in each;
 * the network's is less than a micro a slot more. What no change touches stays what was paid.
 */
function outcomeUnder(paid: PaidEpoch, place: number, changed: Parameters, terms: RewardTerms): Outcome {
  const { parameters } = paid;
  const salesMicros = BigInt(paid.salesMicros[place] as number);
  const feesMicros =
    changed.takeRateBps === parameters.takeRateBps
      ? BigInt(paid.feesMicros[place] as number)
      : feeOf(salesMicros, changed);
  const networkMicros =
    changed.networkFeeMicrosPerKwh === parameters.networkFeeMicrosPerKwh
      ? BigInt(paid.networkMicros[place] as number)
      : networkOf(BigInt(paid.boughtWh[place] as number), changed);
  return {
    rewards: rewardShare(terms, BigInt(paid.soldWh[place] as number), feesMicros),
    feesMicros,
    networkMicros,
    receivedMicros: salesMicros - feesMicros,
  };
}

/** Rounded up, as the market does it. */
function feeOf(salesMicros: bigint, { takeRateBps }: Parameters): bigint {
  return (salesMicros * BigInt(takeRateBps) + BASIS_POINTS - 1n) / BASIS_POINTS;
}

function networkOf(boughtWh: bigint, { networkFeeMicrosPerKwh }: Parameters): bigint {
  return (boughtWh * BigInt(networkFeeMicrosPerKwh)) / KWH_IN_WH;
}

function nothing(): Compared {
  const none = (): Outcome => ({ rewards: 0n, feesMicros: 0n, networkMicros: 0n, receivedMicros: 0n });
  return { soldWh: 0, boughtWh: 0, paid: none(), preview: none() };
}

function add(sum: Outcome, one: Outcome): void {
  sum.rewards += one.rewards;
  sum.feesMicros += one.feesMicros;
  sum.networkMicros += one.networkMicros;
  sum.receivedMicros += one.receivedMicros;
}
