// Owns the row of how long an executed vote takes from the block that makes it final to the region's journal: real contracts on a
// real chain, the deployment beside it. It refuses to help the mirror, and to hold a vote: its last step alone is measured.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFunctionData } from "viem";
import { hasAnvil } from "../../clients/local/chain-process.ts";
import { openRegion, operatorWallet } from "../../clients/local/neighbourhood.ts";
import { startSettledChain } from "../../clients/local/settled-money.ts";
import { startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { rewardParametersAbi } from "../../governance/generated/abi.ts";
import type { ParametersAnswer } from "../../protocol/answers.ts";
import { GOVERNED_VALUES, SETTLEMENT_TERMS } from "../../protocol/governed-values.ts";
import { median } from "../median.ts";
import { limited, type Measurement } from "../row.ts";
import { POLL_LIMIT, POLL_MS, unmeteredRegion, WORK_MS } from "../unmetered-region.ts";

const SEED = "votes under measurement";
const REGION = "vote-latency";

const TERMS = unmeteredRegion(REGION, "Votes");

interface Waits {
  readonly sinceFinalMs: readonly number[];
  readonly sinceExecutedMs: readonly number[];
}

/** Measures the row, or none where there is no anvil for this machine. */
export const measure: Measurement = async (say) => {
  if (!hasAnvil()) {
    say("skipped: there is no anvil for this machine");
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), "polder-vote-"));
  try {
    const { sinceFinalMs, sinceExecutedMs } = await waitsIn(folder);
    const ours = Math.max(...sinceFinalMs);
    say(`from final to mirrored: ${sinceFinalMs.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    return [
      limited({
        name: "vote-latency",
        ours,
        unit: "ms",
        higherIsBetter: false,
        limit: POLL_LIMIT,
        isWithinLimit: ours <= POLL_MS + WORK_MS,
        note: `longest of ${sinceFinalMs.length} changes, from the return of the call that made their block final to the schedule of the region; median ${median(sinceFinalMs).toFixed(0)}; from their execution on, longest ${Math.max(...sinceExecutedMs).toFixed(0)}, on a chain that makes blocks final at once`,
      }),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Wall milliseconds of each change: one of each value that is not Settlement's, for each cools down for a week. */
async function waitsIn(folder: string): Promise<Waits> {
  const marketS = Math.floor(Date.now() / 1_000);
  const settled = await startSettledChain({ folder, seed: SEED, terms: TERMS, marketS, homes: [] }, 0);
  const { chain, deployment, vars } = settled;
  const { timelock, rewardParameters } = deployment;
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
    await chain.fund([timelock]);
    const { client: rpc } = chain.connection;
    const ask = (method: string, params: unknown[]) => rpc.request({ method, params } as never);
    await ask("anvil_impersonateAccount", [timelock]);
    const values = await rpc.readContract({
      address: rewardParameters,
      abi: rewardParametersAbi,
      functionName: "versionOf",
      args: [regionWord(REGION), 0n],
    });
    /** Executes as the timelock does once a vote has passed: a value and one more. */
    const change = async (parameter: number) => {
      const value = (values.values[parameter] as bigint) + 1n;
      const args = [regionWord(REGION), [{ parameter, value }]] as const;
      const data = encodeFunctionData({ abi: rewardParametersAbi, functionName: "change", args });
      const hash = await ask("eth_sendTransaction", [{ from: timelock, to: rewardParameters, data }]);
      const { status } = await rpc.waitForTransactionReceipt({ hash: hash as never, pollingInterval: 10 });
      if (status !== "success") throw new Error(`${GOVERNED_VALUES[parameter]} was not changed`);
    };
    const votesTaken = async () => {
      const answer = await client.get<{ parameters: ParametersAnswer[] }>(`/v1/regions/${REGION}/parameters`);
      return answer.parameters.at(-1)?.voteVersion ?? 0;
    };
    const sinceFinalMs: number[] = [];
    const sinceExecutedMs: number[] = [];
    for (const [parameter, name] of GOVERNED_VALUES.entries()) {
      if (SETTLEMENT_TERMS.has(name)) continue;
      const before = await votesTaken();
      await change(parameter);
      const executedMs = performance.now();
      await chain.finalise();
      const finalMs = performance.now();
      while ((await votesTaken()) === before) await new Promise((resolve) => setTimeout(resolve, 10));
      sinceFinalMs.push(performance.now() - finalMs);
      sinceExecutedMs.push(performance.now() - executedMs);
      // Not in step with the polls.
      await new Promise((resolve) => setTimeout(resolve, 130));
    }
    return { sinceFinalMs, sinceExecutedMs };
  } finally {
    await stack.stop();
    await chain.stop();
  }
}
