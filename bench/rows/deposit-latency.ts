// Owns the row of how long a deposit takes from the block that makes it final to the balance in the region: real contracts on a
// real chain, the deployment beside it. It refuses to help the mirror: nobody asks it for anything meanwhile.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SettlementClient } from "../../clients/chain/settlement-client.ts";
import { SettlementWallet } from "../../clients/chain/settlement-wallet.ts";
import { hasAnvil } from "../../clients/local/chain-process.ts";
import {
  admitHousehold,
  householdKeys,
  openRegion,
  operatorWallet,
} from "../../clients/local/neighbourhood.ts";
import { startSettledChain } from "../../clients/local/settled-money.ts";
import { startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import type { Hex } from "../../protocol/fields.ts";
import { limited, type Measurement } from "../row.ts";
import { POLL_LIMIT, POLL_MS, unmeteredRegion, WORK_MS } from "../unmetered-region.ts";

const SEED = "deposits under measurement";
const REGION = "deposit-latency";
const DEPOSITS = 12;
const HOME = { name: "home", creditMicros: 1_000_000_000 };

const TERMS = unmeteredRegion(REGION, "Deposits");

/** Measures the row, or none where there is no anvil for this machine. */
export const measure: Measurement = async (say) => {
  if (!hasAnvil()) {
    say("skipped: there is no anvil for this machine");
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), "polder-latency-"));
  try {
    const waits = await waitsIn(folder);
    const ours = Math.max(...waits);
    say(`from final to credited: ${waits.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    return [
      limited({
        name: "deposit-latency",
        ours,
        unit: "ms",
        higherIsBetter: false,
        limit: POLL_LIMIT,
        isWithinLimit: ours <= POLL_MS + WORK_MS,
        note: `longest of ${DEPOSITS} deposits, from the return of the call that made their block final; median ${waits.toSorted((a, b) => a - b)[DEPOSITS / 2]?.toFixed(0)}`,
      }),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Wall milliseconds of each deposit. */
async function waitsIn(folder: string): Promise<number[]> {
  const marketS = Math.floor(Date.now() / 1_000);
  const settled = await startSettledChain({ folder, seed: SEED, terms: TERMS, marketS, homes: [HOME] }, 0);
  const { chain, vars } = settled;
  chain.follow(() => Math.floor(Date.now() / 1_000));
  const stack = await startStack({
    stateFolder: join(folder, "state"),
    vars: {
      ...vars,
      OPERATOR: operatorWallet(SEED).address,
      CHAIN_POLL_SECONDS: String(POLL_MS / 1_000),
    },
  });
  try {
    const client = new PolderClient(stack.url);
    await openRegion(client, SEED, TERMS);
    await admitHousehold(client, REGION, SEED, HOME);
    const { wallet, account } = householdKeys(SEED, HOME.name);
    const settlement = await SettlementClient.open(chain.connection, vars.SETTLEMENT as Hex, REGION);
    const depositing = new SettlementWallet(settlement, wallet);
    const waits: number[] = [];
    for (let number = 0; number < DEPOSITS; number += 1) {
      const { freeMicros: before } = await client.account(REGION, account);
      await depositing.deposit(account, 1_000_000n);
      await chain.finalise();
      const finalMs = performance.now();
      while ((await client.account(REGION, account)).freeMicros === before)
        await new Promise((resolve) => setTimeout(resolve, 10));
      waits.push(performance.now() - finalMs);
      // Not in step with the polls.
      await new Promise((resolve) => setTimeout(resolve, 130));
    }
    return waits;
  } finally {
    await stack.stop();
    await chain.stop();
  }
}
