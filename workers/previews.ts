// Owns previews: a region's last epochs, paid once more in the Worker, so that the region only reads. It refuses regions that are
// unknown or not open, values out of their bounds, and a region of which no epoch has closed.

import type { Env } from "../durable-objects/environment.ts";
import { paidEpochOf } from "../durable-objects/paid-epochs.ts";
import type { Region } from "../durable-objects/region.ts";
import { type Compared, type ComparedResource, type Outcome, Preview } from "../market/previews.ts";
import { PRICED_UNITS, type SelfTrade, selfTrade } from "../market/self-trading.ts";
import type { Hex } from "../protocol/fields.ts";
import {
  type DraftValues,
  type GovernedValue,
  marketPartOf,
  refuseValues,
  SETTLEMENT_TERMS,
} from "../protocol/governed-values.ts";
import { MAX_PREVIEW_ROWS, MAX_PREVIEWS_PER_MINUTE } from "../protocol/limits.ts";
import type { PreviewAnswer, PreviewOptions } from "../protocol/preview-answer.ts";
import { RESOURCES, type Resource } from "../protocol/products.ts";
import { SLOT_SECONDS, slotStartS } from "../protocol/units.ts";
import { Refusal, refuse } from "./problems.ts";
import { regionOf } from "./region-access.ts";

/** Values that closed epochs can show; the others act on what is offered and when, which no paid epoch tells. */
const SHOWN: ReadonlySet<string> = new Set([
  "rewardWeightEnergy",
  "rewardWeightCompute",
  "rewardWeightBandwidth",
  "emissionPerEpoch",
  "emissionDecayBps",
  "rewardPerFee",
  "shareCapBps",
  "takeRateBps",
  "networkFeeMicrosPerKwh",
]);

/**
 * What a draft would have done.
 * @throws Refusal `region_not_found`, `region_not_open`, `parameters_out_of_bounds`, `epoch_not_found` where none has closed,
 * `overloaded`
 */
export async function previewOf(
  env: Env,
  region: string,
  draft: DraftValues,
  options: PreviewOptions,
): Promise<PreviewAnswer> {
  const object = await regionOf(env, region);
  const payable = await object.payable(options.epochs);
  if (payable === "overloaded")
    throw new Refusal("overloaded", { previewsPerMinute: MAX_PREVIEWS_PER_MINUTE });
  if (payable === null) throw new Refusal("region_not_open");
  const refusal = refuseValues(draft, payable.windowSlots * SLOT_SECONDS);
  if (refusal !== null) refuse(refusal);
  if (payable.epochs.length === 0) throw new Refusal("epoch_not_found", { region, closed: 0 });
  const restartsEmission = Object.keys(draft).some((name) => SETTLEMENT_TERMS.has(name as GovernedValue));
  const preview = new Preview({ values: marketPartOf(draft), restartsEmission });
  for (let left = payable.epochs; left.length > 0; ) {
    const kept = await object.keptEpochs(left);
    // Forgotten meanwhile: what was found stands for itself.
    if (kept.length === 0) break;
    for (const epoch of kept) preview.take(paidEpochOf(epoch));
    left = left.slice(kept.length);
  }
  return {
    region,
    restartsEmission,
    ...sumsIn(preview, payable.epochSlots),
    ...(await rowsIn(object, preview, options.account)),
    selfTrading: RESOURCES.map((resource) => selfTradingIn(preview, resource, options.tokenMicros)),
    unchanged: Object.keys(draft).filter((name) => !SHOWN.has(name)),
  };
}

/** The sums of all accounts: by epoch, by resource, and together. */
function sumsIn(
  { epochs, total, resources, newest }: Preview,
  epochSlots: number,
): Pick<PreviewAnswer, "epochs" | "total" | "resources"> {
  const { inForce, changed } = newest as NonNullable<Preview["newest"]>;
  return {
    epochs: epochs.map(({ emission, previewEmission, ...row }) => ({
      epoch: row.epoch,
      parametersVersion: row.parametersVersion,
      voteVersion: row.voteVersion,
      startS: slotStartS(row.epoch * epochSlots),
      emission: emission.toString(),
      previewEmission: previewEmission.toString(),
      ...inWords(row),
    })),
    total: inWords(total),
    // Also of what nobody delivered: its weight takes its share of the emission all the same.
    resources: RESOURCES.map((resource) => ({
      ...resourceInWords(resource, resources[resource].total),
      weight: inForce[WEIGHTS[resource]],
      previewWeight: changed[WEIGHTS[resource]],
    })),
  };
}

const WEIGHTS = {
  energy: "rewardWeightEnergy",
  compute: "rewardWeightCompute",
  bandwidth: "rewardWeightBandwidth",
} as const;

/** Rows of those that the change concerns most, and the asking account's own. */
async function rowsIn(
  object: DurableObjectStub<Region>,
  { accounts, resources, leftOut }: Preview,
  account: Hex | undefined,
): Promise<Pick<PreviewAnswer, "providers" | "accounts" | "own" | "leftOut">> {
  const all = [...accounts].sort(byChange);
  const sellers = RESOURCES.flatMap((resource) =>
    [...resources[resource].accounts]
      .filter(([, { units }]) => units > 0n)
      .map(([number, compared]): ProviderRow => [number, compared, resource]),
  ).sort(byChange);
  const shown = all.slice(0, MAX_PREVIEW_ROWS);
  const shownSellers = sellers.slice(0, MAX_PREVIEW_ROWS);
  const numbers = [...new Set([...shown, ...shownSellers].map(([number]) => number))];
  const addresses = await object.addresses(numbers);
  const byNumber = new Map(numbers.map((number, place) => [number, addresses[place] as Hex]));
  const rowOf = ([number, compared]: Row) => ({ account: byNumber.get(number) as Hex, ...inWords(compared) });
  const own = account === undefined ? null : await object.accountNumber(account);
  const ownRow = own === null ? undefined : accounts.get(own);
  return {
    providers: shownSellers.map(([number, compared, resource]) => ({
      account: byNumber.get(number) as Hex,
      ...resourceInWords(resource, compared),
    })),
    accounts: shown.map(rowOf),
    leftOut: {
      providers: sellers.length - shownSellers.length,
      accounts: all.length - shown.length,
      deliveries: leftOut,
    },
    own: ownRow === undefined ? null : { account: account as Hex, ...inWords(ownRow) },
  };
}

type Row = readonly [number, Compared];
type ProviderRow = readonly [number, ComparedResource, Resource];

/** What changes most first, rewards before money; those that nothing changes for by their numbers. */
function byChange([one, first]: Row | ProviderRow, [other, second]: Row | ProviderRow): number {
  const [reward, otherReward] = [first, second].map(rewardChange) as [bigint, bigint];
  if (reward !== otherReward) return reward > otherReward ? -1 : 1;
  const [money, otherMoney] = [first, second].map(moneyChange) as [bigint, bigint];
  if (money !== otherMoney) return money > otherMoney ? -1 : 1;
  return one - other;
}

const rewardChange = ({ paid, preview }: Compared): bigint => size(preview.rewards - paid.rewards);
const moneyChange = ({ paid, preview }: Compared): bigint =>
  size(preview.feesMicros - paid.feesMicros) + size(preview.networkMicros - paid.networkMicros);
const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount);

/** One more kWh, terafuel or terabyte in the newest epoch, sold by somebody to themselves at the mean price. */
function selfTradingIn(
  { newest, resources, epochs }: Preview,
  resource: Resource,
  tokenMicros: number | undefined,
): PreviewAnswer["selfTrading"][number] {
  const { inForce, changed, units } = newest as NonNullable<Preview["newest"]>;
  const { emission, previewEmission } = epochs.at(-1) as (typeof epochs)[0];
  const { total, salesMicros } = resources[resource];
  const price = total.units === 0n ? 0n : (salesMicros * PRICED_UNITS[resource]) / total.units;
  const worth = tokenMicros === undefined ? null : BigInt(tokenMicros);
  const sold = { resource, units: units[resource], price };
  const now = selfTrade(inForce, { ...sold, emission }, worth);
  const then = selfTrade(changed, { ...sold, emission: previewEmission }, worth);
  return {
    resource,
    priceMicros: price.toString(),
    inForce: selfTradeInWords(now),
    preview: selfTradeInWords(then),
    change: changeOf(now.breakEvenMicrosPerToken, then.breakEvenMicrosPerToken),
  };
}

/** Never at all is harder than at any price. */
function changeOf(now: bigint | null, then: bigint | null): PreviewAnswer["selfTrading"][number]["change"] {
  if (now === then) return "none";
  return now === null || (then !== null && then < now) ? "easier" : "harder";
}

function selfTradeInWords(trade: SelfTrade): PreviewAnswer["selfTrading"][number]["inForce"] {
  const text = (value: bigint | null) => value?.toString() ?? null;
  return {
    breakEvenMicrosPerToken: text(trade.breakEvenMicrosPerToken),
    feeMicros: trade.feeMicros.toString(),
    networkMicros: trade.networkMicros.toString(),
    reward: trade.reward.toString(),
    paysAboveMicrosPerToken: text(trade.paysAboveMicrosPerToken),
    gainMicros: text(trade.gainMicros),
  };
}

function inWords({ soldWh, boughtWh, paid, preview }: Compared): PreviewAnswer["total"] {
  return { soldWh, boughtWh, paid: outcomeInWords(paid), preview: outcomeInWords(preview) };
}

function resourceInWords(resource: Resource, compared: ComparedResource): Omit<ResourceRow, "account"> {
  return { resource, units: compared.units.toString(), ...inWords(compared) };
}

type ResourceRow = PreviewAnswer["providers"][number];

function outcomeInWords(outcome: Outcome): PreviewAnswer["total"]["paid"] {
  return {
    rewards: outcome.rewards.toString(),
    feesMicros: outcome.feesMicros.toString(),
    networkMicros: outcome.networkMicros.toString(),
    receivedMicros: outcome.receivedMicros.toString(),
  };
}
