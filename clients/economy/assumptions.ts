// Owns every figure of the economy that no rule of the market says: who could provide, at what cost, and what is wanted.
// It refuses a token price and a number of providers: the model has to find what there is of them.

export const RESOURCES = ["energy", "compute", "bandwidth"] as const;
export type Resource = (typeof RESOURCES)[number];

/** Which of them regions reward today. The market has the others too; no region's weights pay for them yet. */
export const EXISTS: Readonly<Record<Resource, boolean>> = { energy: true, compute: false, bandwidth: false };

/** An epoch is a day. */
export const EPOCHS_PER_YEAR = 365;

/** Who could sell a resource. A provider is drawn uniformly between the two ends of each figure. */
export interface PoolAssumption {
  /** Who could, at the most. */
  readonly size: number;
  /** Units a day on a mean day: Wh of surplus, megafuel, megabytes. */
  readonly capacity: readonly [number, number];
  /** What a unit price is for: kWh in Wh, terafuel in megafuel, terabytes in megabytes. */
  readonly unitsPerPrice: number;
  /** What delivering costs, or forgoes: a kWh's feed-in, a terafuel's or terabyte's electricity and line. Micros. */
  readonly marginalMicros: readonly [number, number];
  /** What being there costs a day, sold or not: device, subscription, attention. Micros. */
  readonly standingMicros: readonly [number, number];
  /** Periods that a provider looks back over, and stays at least. Energy has seasons. */
  readonly lookBackPeriods: number;
}

/** Reviews are every four weeks, thirteen a year. */
export const PERIOD_EPOCHS = 28;
/** Of a pool of a hundred, who may come in a period: word spreads slowly. */
export const ENTRANTS_PER_PERIOD_OF_100 = 5;
/** Who sells at the beginning, of each pool: the cheapest. */
export const FIRST_PROVIDERS = 5;

export const POOLS: Readonly<Record<Resource, PoolAssumption>> = {
  energy: {
    size: 96,
    capacity: [4_000, 12_000],
    unitsPerPrice: 1_000,
    marginalMicros: [40_000, 110_000],
    standingMicros: [60_000, 600_000],
    lookBackPeriods: 13,
  },
  compute: {
    size: 40,
    capacity: [80_000_000, 600_000_000],
    unitsPerPrice: 1_000_000,
    marginalMicros: [500, 3_000],
    standingMicros: [200_000, 2_400_000],
    lookBackPeriods: 3,
  },
  bandwidth: {
    size: 40,
    capacity: [60_000, 400_000],
    unitsPerPrice: 1_000_000,
    marginalMicros: [200_000, 1_000_000],
    standingMicros: [60_000, 800_000],
    lookBackPeriods: 3,
  },
};

/** What is wanted of a resource a day where demand is at its peak, and what buyers would pay elsewhere. */
export interface DemandAssumption {
  readonly peakUnits: number;
  /** Groups of buyers, equal parts of the demand, and the most that each pays: from the one to the other in equal steps. */
  readonly groups: number;
  readonly elsewhereMicros: readonly [number, number];
}

export const DEMANDS: Readonly<Record<Resource, DemandAssumption>> = {
  // Need of neighbours in quarter-hours with surplus; their retail prices.
  energy: { peakUnits: 900_000, groups: 12, elsewhereMicros: [220_000, 352_000] },
  // A terafuel is some quarter of an hour of a core; a cloud's small machine.
  compute: { peakUnits: 10_000_000_000, groups: 8, elsewhereMicros: [6_000, 20_000] },
  // A cloud's or a carrier's terabyte.
  bandwidth: { peakUnits: 7_000_000, groups: 8, elsewhereMicros: [2_500_000, 9_500_000] },
};

/** A home's retail price, by which sellers of energy work out their default limit. Micros per kWh. */
export const SELLER_RETAIL_MICROS = 300_000;
/** What buyers of energy would be paid for a surplus of their own. Micros per kWh. */
export const BUYER_FEED_IN_MICROS = 80_000;

/** A mean day's surplus by month, thousandths of the year's mean: panels at 52° north. They sum up to 12,000. */
export const SUN_BY_MONTH = [270, 490, 930, 1_420, 1_690, 1_745, 1_690, 1_470, 1_090, 655, 330, 220] as const;
/** A day's sun differs by this much either way, thousandths; all homes have the same sky. */
export const SUN_SPREAD = 600;
/** A day's demand differs by this much either way, thousandths. */
export const DEMAND_SPREAD = 100;

/** Demand in thousandths of its peak at the beginning of each half-year, and in a straight line between; the last one stays. */
export interface DemandCurve {
  readonly name: "steady" | "growth" | "collapse";
  readonly meaning: string;
  readonly halfYears: readonly number[];
}

export const CURVES: readonly DemandCurve[] = [
  { name: "steady", meaning: "half of the peak for ever", halfYears: [500] },
  {
    name: "growth",
    meaning: "slow at first, then fast, then full",
    halfYears: [40, 70, 120, 200, 320, 480, 650, 800, 900, 960, 1_000],
  },
  {
    name: "collapse",
    meaning: "at its peak after a year and a half, then a twelfth of it",
    halfYears: [40, 300, 750, 1_000, 800, 350, 150, 100, 80],
  },
];
export type CurveName = DemandCurve["name"];

/** Multiples of the break-even price at which tokens are valued, in hundredths, where no price is named. */
export const PRICE_STEPS = [0, 50, 100, 200, 500, 1_000, 2_000, 5_000] as const;

/** What the token begins with, in base units: as docs/examples/deploy.json has it. */
export interface TokenTerms {
  readonly cap: bigint;
  readonly atBirth: bigint;
  /** By how much the ceiling on all rewards grows in a day. */
  readonly mostPerDay: bigint;
}

const TOKEN = 10n ** 18n;
export const TOKEN_TERMS: TokenTerms = {
  cap: 10_000_000n * TOKEN,
  atBirth: 200_000n * TOKEN,
  mostPerDay: 5_000n * TOKEN,
};
