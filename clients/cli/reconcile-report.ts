// Owns how a reconciliation is written: a verdict, tables and the rules behind them for people, JSON for programs. It
// refuses to leave out an excess or a claim that could not be reconciled.

import colours from "picocolors";
import type { Hex } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import type { Channel } from "../meter/interval.ts";
import type { MeterClock } from "../meter/meter-clock.ts";
import type { Comparison, DirectionSums, Excess, Unreconciled } from "../reconcile/comparison.ts";
import type { SlotRun } from "../reconcile/month.ts";
import { kwh, money, slotTime, table } from "./figures.ts";
import { exactKwh } from "./meter-report.ts";

/** What was held against each other, and what came of it. */
export interface Reconciliation {
  readonly region: string;
  readonly account: Hex;
  /** The region's. */
  readonly clock: MeterClock;
  readonly currency: string;
  readonly month: SlotRun;
  /** The part of the month that is settled. */
  readonly settled: SlotRun;
  /** Quarter-hours of that part which the files tell wholly. */
  readonly toldSlots: number;
  readonly registers: readonly Channel[];
  readonly remarks: readonly string[];
  /** Wh that a claimed slot may be above its reading. */
  readonly slotToleranceWh: number;
  readonly comparison: Comparison;
}

/** A reconciliation for people. */
export function reconciliationText(found: Reconciliation): string {
  const { account, region, clock, settled, registers, comparison, remarks } = found;
  const { excesses, unreconciled } = comparison;
  const time = (slot: number): string => zonedTime(slot, clock);
  const verdict =
    excesses.length === 0
      ? colours.green("nothing is in excess")
      : colours.red(`in excess: ${excesses.length} ${excesses.length === 1 ? "time" : "times"}`);
  const counted = registers.map(({ meter, register, measure }) => `${meter} ${register} (${measure})`);
  return [
    `${verdict}: ${account} in ${region}`,
    `${time(settled.fromSlot)} until ${time(settled.untilSlot)}, ${settled.untilSlot - settled.fromSlot} quarter-hours of ${clock.name}`,
    ...partSentences(found).map((sentence) => `in part: ${sentence}`),
    `read: ${counted.join(", ")}`,
    totalsTable(found),
    ...(excesses.length === 0 ? [] : [excessTable(found)]),
    ...unreconciledText(unreconciled, time),
    unclaimedText(comparison),
    "rules:",
    ...rulesOf(found).map((rule) => `  ${rule}`),
    ...(remarks.length === 0 ? [] : ["of the files:", ...remarks.map((remark) => `  ${remark}`)]),
  ].join("\n");
}

/** A reconciliation for programs. Energies of claims are Wh, of readings µWh; times ISO 8601. */
export function reconciliationJson(found: Reconciliation): object {
  const { comparison, month, settled, registers, remarks, clock, ...rest } = found;
  const { excesses, unreconciled, sale, purchase, ...counts } = comparison;
  const timed = <T extends SlotRun>(run: T) => ({ ...timesOf(run, clock), ...run });
  return {
    ...rest,
    timeZone: clock.name,
    month: timed(month),
    settled: timed(settled),
    registers: registers.map(({ meter, register, measure }) => ({ meter, register, measure })),
    totals: { sale, purchase, coveredShare: coveredShare(sale, purchase), ...counts },
    excesses: excesses.map(timed),
    unreconciled: unreconciled.map(timed),
    partial: partSentences(found),
    rules: rulesOf(found),
    remarks,
  };
}

function timesOf({ fromSlot, untilSlot }: SlotRun, clock: MeterClock) {
  return {
    from: new Date(slotStartS(fromSlot) * 1000).toISOString(),
    until: new Date(slotStartS(untilSlot) * 1000).toISOString(),
    localFrom: zonedTime(fromSlot, clock),
  };
}

/** A slot's start in a time zone, with how far that is ahead of UTC: an hour that comes twice has two names. */
function zonedTime(slot: number, clock: MeterClock): string {
  const offsetS = clock.offsetS(slotStartS(slot));
  const minutes = Math.abs(offsetS) / 60;
  const digits = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${slotTime(slot, clock.name)} ${offsetS < 0 ? "-" : "+"}${digits(minutes / 60)}:${digits(minutes % 60)}`;
}

/** Why the month is not whole, a sentence each. */
function partSentences({ month, settled, toldSlots, clock }: Reconciliation): string[] {
  const slots = settled.untilSlot - settled.fromSlot;
  return [
    ...(settled.fromSlot > month.fromSlot ? [`the region began ${zonedTime(settled.fromSlot, clock)}`] : []),
    ...(settled.untilSlot < month.untilSlot
      ? [`the month is settled until ${zonedTime(settled.untilSlot, clock)}`]
      : []),
    ...(toldSlots < slots ? [`the files tell ${toldSlots} of ${slots} quarter-hours wholly`] : []),
  ];
}

function coveredShare({ claimedWh: sold, reconciledWh: a }: DirectionSums, purchase: DirectionSums): number {
  const claimedWh = sold + purchase.claimedWh;
  return claimedWh === 0 ? 1 : (a + purchase.reconciledWh) / claimedWh;
}

function totalsTable({ comparison, currency }: Reconciliation): string {
  const { sale, purchase } = comparison;
  const row = (name: string, sums: DirectionSums) => [
    name,
    kwh(sums.claimedWh),
    kwh(sums.reconciledWh),
    sums.claimedWh === 0 ? "-" : `${((sums.reconciledWh / sums.claimedWh) * 100).toFixed(1)} %`,
    exactKwh(sums.readMicroWh),
    exactKwh(sums.excessMicroWh),
    exactKwh(sums.paidMicroWh),
    money(sums.amountMicros),
  ];
  const head = ["", "claimed kWh", "reconciled kWh", "covered", "read kWh", "excess kWh", "of it traded kWh"];
  return table([...head, `for it ${currency}`], [row("sold, export", sale), row("bought, import", purchase)]);
}

function excessTable({ comparison, currency, clock }: Reconciliation): string {
  const row = (excess: Excess) => [
    zonedTime(excess.fromSlot, clock),
    excess.untilSlot - excess.fromSlot,
    excess.direction,
    kwh(excess.claimedWh),
    exactKwh(excess.readMicroWh),
    exactKwh(excess.excessMicroWh),
    exactKwh(excess.paidMicroWh),
    excess.priceMicrosPerKwh === null ? "-" : money(excess.priceMicrosPerKwh),
    money(excess.amountMicros),
    [
      ...(excess.oppositeMicroWh > 0 ? [`${exactKwh(excess.oppositeMicroWh)} kWh flowed the other way`] : []),
      ...(excess.isMeasured ? [] : ["estimated by the utility"]),
    ].join(", "),
  ];
  const head = ["from", "slots", "", "claimed kWh", "read kWh", "excess kWh", "of it traded kWh"];
  return table([...head, `${currency}/kWh`, `for it ${currency}`, "note"], comparison.excesses.map(row));
}

function unreconciledText(unreconciled: readonly Unreconciled[], time: (slot: number) => string): string[] {
  if (unreconciled.length === 0) return ["every claim could be reconciled"];
  return [
    "claimed, and cannot be reconciled:",
    ...unreconciled.map(
      ({ fromSlot, untilSlot, slots, soldWh, boughtWh, reason }) =>
        `  ${time(fromSlot)} until ${time(untilSlot)}: ${slots} quarter-hours, ${kwh(soldWh)} kWh sold, ${kwh(boughtWh)} kWh bought: ${reason}`,
    ),
  ];
}

function unclaimedText({ unclaimed }: Comparison): string {
  const { slots, exportMicroWh, importMicroWh } = unclaimed;
  return `read, and not claimed: ${slots} quarter-hours, ${exactKwh(exportMicroWh)} kWh export, ${exactKwh(importMicroWh)} kWh import`;
}

function rulesOf({ slotToleranceWh, registers }: Reconciliation): string[] {
  return [
    `a claim may be ${slotToleranceWh} Wh a slot above its reading (${registers.length} registers); beyond that all of it counts`,
    "export and import of a meter are netted in each quarter-hour; what the file tells together is compared together",
    "what was read counts as traded first; the money is the account's own (after its fee, with network fees) of these slots, in proportion to the energy, to the nearest micro, halves to the even one",
    "a gateway that reads its registers some seconds late moves energy between neighbouring slots: see --tolerance-wh",
  ];
}
