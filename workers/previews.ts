// Owns previews: a region's last epochs, paid once more in the Worker, so that the region only reads. It refuses regions that are
// unknown or not open, values out of their bounds, and a region of which no epoch has closed.

import type { Env } from "../durable-objects/environment.ts";
import { paidEpochOf } from "../durable-objects/paid-epochs.ts";
import type { Region } from "../durable-objects/region.ts";
import { type Compared, type Outcome, Preview, type SelfTrade, selfTrade } from "../market/previews.ts";
import type { Hex } from "../protocol/fields.ts";
import {
  type DraftValues,
  type GovernedValue,
  marketPartOf,
  refuseValues,
  SETTLEMENT_TERMS,
} from "../protocol/governed-values.ts";
import { MAX_PREVIEW_ROWS } from "../protocol/limits.ts";
import type { PreviewAnswer, PreviewOptions } from "../protocol/preview-answer.ts";
import { SLOT_SECONDS, slotStartS } from "../protocol/units.ts";
import { Refusal, refuse } from "./problems.ts";
import { regionOf } from "./region-access.ts";

/** Values that act on what is offered and when, which no paid epoch shows, or on nothing that is delivered yet. */
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
 * @throws Refusal `region_not_found`, `region_not_open`, `parameters_out_of_bounds`, `epoch_not_found` where none has closed
 */
export async function previewOf(
  env: Env,
  region: string,
  draft: DraftValues,
  options: PreviewOptions,
): Promise<PreviewAnswer> {
  const object = await regionOf(env, region);
  const payable = await object.payable(options.epochs);
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
    selfTrading: selfTradingIn(preview, options.tokenMicros),
    unchanged: Object.keys(draft).filter((name) => !SHOWN.has(name)),
  };
}

/** The sums of all accounts: by epoch, by resource, and together. */
function sumsIn(
  { epochs, total, newest }: Preview,
  epochSlots: number,
): Pick<PreviewAnswer, "epochs" | "total" | "resources"> {
  const { inForce, changed } = newest as NonNullable<Preview["newest"]>;
  const weightOf = (name: "Energy" | "Compute" | "Bandwidth") => ({
    weight: inForce[`rewardWeight${name}`],
    previewWeight: changed[`rewardWeight${name}`],
  });
  const nothing = inWords(new Preview({ values: {}, restartsEmission: false }).total);
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
    // Nothing but energy is delivered yet; the weights of the others already take their share of the emission.
    resources: [
      { resource: "energy", ...weightOf("Energy"), ...inWords(total) },
      { resource: "compute", ...weightOf("Compute"), ...nothing },
      { resource: "bandwidth", ...weightOf("Bandwidth"), ...nothing },
    ],
  };
}

/** Rows of those that the change concerns most, and the asking account's own. */
async function rowsIn(
  object: DurableObjectStub<Region>,
  { accounts }: Preview,
  account: Hex | undefined,
): Promise<Pick<PreviewAnswer, "providers" | "accounts" | "own" | "leftOut">> {
  const all = [...accounts].sort(byChange);
  const sellers = all.filter(([, { soldWh }]) => soldWh > 0);
  const [shown, shownSellers] = [all, sellers].map((rows) => rows.slice(0, MAX_PREVIEW_ROWS)) as [
    Row[],
    Row[],
  ];
  const numbers = [...new Set([...shown, ...shownSellers].map(([number]) => number))];
  const addresses = await object.addresses(numbers);
  const byNumber = new Map(numbers.map((number, place) => [number, addresses[place] as Hex]));
  const rowOf = ([number, compared]: Row) => ({ account: byNumber.get(number) as Hex, ...inWords(compared) });
  const own = account === undefined ? null : await object.accountNumber(account);
  const ownRow = own === null ? undefined : accounts.get(own);
  return {
    providers: shownSellers.map((row) => ({ ...rowOf(row), resource: "energy" })),
    accounts: shown.map(rowOf),
    leftOut: { providers: sellers.length - shownSellers.length, accounts: all.length - shown.length },
    own: ownRow === undefined ? null : { account: account as Hex, ...inWords(ownRow) },
  };
}

type Row = [number, Compared];

/** What changes most first, rewards before money; those that nothing changes for by their numbers. */
function byChange([one, first]: Row, [other, second]: Row): number {
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

/** One more kWh in the newest epoch, sold by somebody to themselves at the mean price. */
function selfTradingIn(preview: Preview, tokenMicros: number | undefined): PreviewAnswer["selfTrading"] {
  const { newest, total, salesMicros, epochs } = preview;
  const { inForce, changed } = newest as NonNullable<Preview["newest"]>;
  const { emission, previewEmission, soldWh } = epochs.at(-1) as (typeof epochs)[0];
  const price = total.soldWh === 0 ? 0n : (salesMicros * 1_000n) / BigInt(total.soldWh);
  const worth = tokenMicros === undefined ? null : BigInt(tokenMicros);
  const now = selfTrade(inForce, emission, soldWh, price, worth);
  const then = selfTrade(changed, previewEmission, soldWh, price, worth);
  return {
    priceMicrosPerKwh: price.toString(),
    inForce: selfTradeInWords(now),
    preview: selfTradeInWords(then),
    change: changeOf(now.breakEvenMicrosPerToken, then.breakEvenMicrosPerToken),
  };
}

/** Never at all is harder than at any price. */
function changeOf(now: bigint | null, then: bigint | null): PreviewAnswer["selfTrading"]["change"] {
  if (now === then) return "none";
  return now === null || (then !== null && then < now) ? "easier" : "harder";
}

function selfTradeInWords(trade: SelfTrade): PreviewAnswer["selfTrading"]["inForce"] {
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

function outcomeInWords(outcome: Outcome): PreviewAnswer["total"]["paid"] {
  return {
    rewards: outcome.rewards.toString(),
    feesMicros: outcome.feesMicros.toString(),
    networkMicros: outcome.networkMicros.toString(),
    receivedMicros: outcome.receivedMicros.toString(),
  };
}
