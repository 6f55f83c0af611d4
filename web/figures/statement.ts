// Owns the household's statement: what its bill's lines come to, as sums that can be added up by hand. It refuses to
// round; every figure is an exact sum of settled micros.

import type { BillLine } from "../../clients/sdk/client.ts";

/** Changes of the household's money: received is positive, paid is negative. */
export interface Statement {
  readonly exportWh: number;
  readonly importWh: number;
  readonly soldWh: number;
  readonly boughtWh: number;
  /** For what was sold, the fee already taken off. */
  readonly saleMicros: number;
  readonly feeMicros: number;
  /** For what was bought, the network fee included; zero or negative unless prices are. */
  readonly purchaseMicros: number;
  readonly networkMicros: number;
  /** For what was not traded, under the tariff. */
  readonly restMicros: number;
  /** All of the above together. */
  readonly totalMicros: number;
  /** The same metered energy under the tariff alone. */
  readonly tariffMicros: number;
  readonly gainMicros: number;
  /** Token base units of epochs that have closed; null while none of these slots' epochs has. */
  readonly reward: bigint | null;
  readonly cutSlots: number;
  readonly settledSlots: number;
}

/** Sums a bill's lines. */
export function statementOf(lines: readonly BillLine[]): Statement {
  const sum = (pick: (line: BillLine) => number): number =>
    lines.reduce((total, line) => total + pick(line), 0);
  const rewards = lines.flatMap(({ reward }) => (reward === null ? [] : [BigInt(reward)]));
  const saleMicros = sum(({ tradedWh, amountMicros }) => (tradedWh > 0 ? amountMicros : 0));
  const purchaseMicros = sum(({ tradedWh, amountMicros }) => (tradedWh < 0 ? amountMicros : 0));
  const restMicros = sum((line) => line.restMicros);
  return {
    exportWh: sum(({ meteredWh }) => Math.max(0, meteredWh)),
    importWh: sum(({ meteredWh }) => Math.max(0, 0 - meteredWh)),
    soldWh: sum(({ tradedWh }) => Math.max(0, tradedWh)),
    boughtWh: sum(({ tradedWh }) => Math.max(0, 0 - tradedWh)),
    saleMicros,
    feeMicros: sum((line) => line.feeMicros),
    purchaseMicros,
    networkMicros: sum((line) => line.networkMicros),
    restMicros,
    totalMicros: saleMicros + purchaseMicros + restMicros,
    tariffMicros: sum((line) => line.tariffMicros),
    gainMicros: sum((line) => line.gainMicros),
    reward: rewards.length === 0 ? null : rewards.reduce((total, reward) => total + reward, 0n),
    cutSlots: lines.filter(({ wasCut }) => wasCut).length,
    settledSlots: lines.length,
  };
}
