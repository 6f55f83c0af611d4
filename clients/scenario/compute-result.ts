// Owns what the scenario of edge compute reports, in figures and in words, and when it went as it must. It refuses figures of the
// deployment's own where the journal or the chain has them.

import type { Hex } from "../../protocol/fields.ts";
import { money, table } from "../cli/figures.ts";

/** A job as its app saw it. */
export interface ComputeJob {
  readonly ranBy: readonly string[];
  readonly replicas: number;
  /** Its output is what the app's own machine comes to. */
  readonly isRight: boolean;
  readonly fuelUsed: number;
  /** Of the dearest run. */
  readonly priceMicrosPerTera: number;
  readonly owedMicros: number;
}

/** What the journal says of obligations. */
export interface ComputeSettlements {
  readonly settled: number;
  readonly paidMicros: number;
  /** Back to the app, of what was held. */
  readonly refundedMicros: number;
  readonly byVerdict: Readonly<Record<string, number>>;
}

export interface ComputeResult extends ComputeSettlements {
  readonly scenario: "compute";
  readonly region: string;
  readonly nodes: readonly string[];
  readonly liar: { readonly name: string; readonly account: Hex; readonly paidMicros: number };
  /** Before the first lie was found, and after. */
  readonly before: readonly ComputeJob[];
  readonly after: readonly ComputeJob[];
  readonly audits: {
    readonly recorded: number;
    readonly drawn: number;
    readonly disputed: number;
    readonly missed: number;
    readonly undrawn: number;
    readonly untold: number;
  };
  readonly auditsFailed: number;
  /** On the chain; the other failed audits found the liar's share used up. */
  readonly slashes: { readonly queued: number; readonly micros: string; readonly dueAtS: number };
  readonly slashesPassedOver: Readonly<Record<string, number>>;
  readonly auditOk: boolean;
  readonly auditFailure: string | null;
  readonly entries: number;
  readonly isGood: boolean;
}

/** Every lie was found and cost its share once; nothing was paid for one, and what was right was paid. */
export function isGoodCompute(result: Omit<ComputeResult, "isGood">): boolean {
  const { auditOk, before, after, audits, auditsFailed, slashes, liar } = result;
  const lies = before.filter(({ isRight }) => !isRight);
  const replicated = before.filter(({ replicas }) => replicas > 1);
  return (
    auditOk &&
    lies.length > 0 &&
    auditsFailed === lies.length &&
    replicated.every(({ isRight }) => isRight) &&
    after.every(({ isRight, ranBy }) => isRight && !ranBy.includes(liar.name)) &&
    liar.paidMicros === 0 &&
    slashes.queued === 1 &&
    audits.missed + audits.undrawn + audits.untold === 0
  );
}

export function computeInWords(result: ComputeResult): string {
  const { nodes, liar, before, after, audits, auditsFailed, slashes, slashesPassedOver } = result;
  const rows = [
    ...before.map((job) => ["before", job] as const),
    ...after.map((job) => ["after", job] as const),
  ];
  const passedOver = Object.values(slashesPassedOver).reduce((sum, count) => sum + count, 0);
  return [
    `${nodes.length} nodes, one of them (${liar.name}) makes results up and is the cheapest`,
    table(
      ["", "ran by", "output", "megafuel", "price / Tfuel", "owed"],
      rows.map(([when, { ranBy, isRight, fuelUsed, priceMicrosPerTera, owedMicros }]) => [
        when,
        ranBy.join(", "),
        isRight ? "right" : "made up",
        (fuelUsed / 1e6).toFixed(2),
        money(priceMicrosPerTera, 2),
        money(owedMicros),
      ]),
    ),
    `${audits.recorded} results run again, ${audits.drawn} of them as they were drawn: ${auditsFailed} were wrong, and went back to the app`,
    `settled ${result.settled}: paid ${money(result.paidMicros)}, back to the app ${money(result.refundedMicros)}; ${liar.name} was paid ${money(liar.paidMicros)}`,
    `slashes queued on the chain: ${slashes.queued}, of ${money(BigInt(slashes.micros))}; ${passedOver} more found the share used up`,
    `audit ${result.auditOk ? "ok" : `FAILED: ${result.auditFailure}`} over ${result.entries} entries`,
  ].join("\n");
}
