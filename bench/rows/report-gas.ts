// Owns the rows of what the chain charges: a report for ten accounts and ten thousand, a deposit, a withdrawal and a claim of
// rewards, as whole transactions. It refuses figures that were not measured in this run.

import { measureGas } from "../../tools/contracts.ts";
import { limited, type Measurement, type Row } from "../row.ts";

/** Headroom above today's figures; a block of 36 million holds some two hundred. */
const MOST_GAS = 180_000;
/** The token notes how many votes there are from that second on, and for whom. */
const MOST_CLAIM_GAS = 220_000;
/** What every transaction costs before it runs. */
const INTRINSIC_GAS = 21_000;

/** Measures the rows, or none where there is no Forge for this machine. */
export const measure: Measurement = async (say) => {
  const gas = await measureGas();
  if (gas === null) {
    say("skipped: there is no Forge for this machine");
    return [];
  }
  const gasOf = (name: string): number => {
    const figure = gas.get(name);
    if (figure === undefined) throw new Error(`nothing was measured for ${name}`);
    return figure;
  };
  const few = gasOf("report, 10 accounts");
  const many = gasOf("report, 10,000 accounts");
  const transfer = gasOf("token transfer alone, to an account that had none") - INTRINSIC_GAS;
  say(`report ${few} for 10 accounts, ${many} for 10,000`);
  return [
    limited({
      name: "report-gas",
      ours: many,
      unit: "gas",
      higherIsBetter: false,
      limit: "within 1 % of a report for 10 accounts",
      isWithinLimit: Math.abs(many - few) * 100 <= few,
      note: `10,000 accounts; ${few} for 10`,
    }),
    bounded("deposit-gas", gasOf("deposit"), `${gasOf("deposit, a region's first")} for a region's first`),
    bounded(
      "withdraw-gas",
      gasOf("withdraw, 10,000 accounts"),
      `one of 10,000 accounts; ${gasOf("withdraw, 10 accounts")} of 10; ${transfer} of it is the token's transfer`,
    ),
    bounded(
      "claim-rewards-gas",
      gasOf("claimRewards, 10,000 accounts"),
      `one of 10,000 accounts; ${gasOf("claimRewards, 10 accounts")} of 10`,
      MOST_CLAIM_GAS,
    ),
  ];
};

function bounded(name: string, gas: number, note: string, most = MOST_GAS): Row {
  const limit = `at most ${most}`;
  return limited({
    name,
    ours: gas,
    unit: "gas",
    higherIsBetter: false,
    limit,
    isWithinLimit: gas <= most,
    note,
  });
}
