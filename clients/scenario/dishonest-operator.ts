// Owns the scenario of an operator that lies: each lie is told to a chain of its own after the same honest epochs, and what
// stops it, who acts, and what everybody gets back is measured. It refuses to end while anything it started still runs.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Abi } from "viem";
import { sendCall } from "../../governance/calls/contract-call.ts";
import { settlementAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { type AuditReport, audit } from "../audit/audit.ts";
import { chainOfRegion } from "../audit/chain-of-region.ts";
import { WindowProver } from "../household/window-prover.ts";
import { homesDecide } from "./homes-decide.ts";
import { HONEST_EPOCH, LIES_BEGIN_AT_S, playHonestEpochs } from "./honest-epochs.ts";
import { leaveAll } from "./leaving.ts";
import { LIED_EPOCH, type Lie, type Scene } from "./lies.ts";
import { LyingOperator, senderOf } from "./lying-operator.ts";
import { replayEpochs } from "./replayed-epochs.ts";
import { SettledMarket, type SettledMarketOptions } from "./settled-market.ts";
import { type Actor, type LieResult, resultOf, type Stop, type TrustResult } from "./trust-result.ts";
import { BEGINS_AT_S, REGION, TRUST_SCENE } from "./trust-scene.ts";

export interface TrustOptions {
  /** At least one. */
  readonly lies: readonly Lie[];
  /** Whether somebody replays the journal, a guardian acts on it, and the homes vote. */
  readonly isWatched: boolean;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const DEPOSIT_MICROS = 5_000_000n;
const PROVING_PROCESSES = 2;
/** Lies that are played at the same time. */
const LANES = 3;

/** Plays the honest epochs, then every lie on a copy of them. */
export async function runDishonestOperator(options: TrustOptions): Promise<TrustResult> {
  const { lies, isWatched, signal, progress } = options;
  const folder = mkdtempSync(join(tmpdir(), "polder-trust-"));
  const prover = new WindowProver({ processes: PROVING_PROCESSES });
  signal.addEventListener("abort", () => void prover.close(), { once: true });
  try {
    const honest = join(folder, "honest");
    const common = { scene: TRUST_SCENE, prover, signal, progress };
    const { tradedWh, entries } = await playHonestEpochs({ ...common, folder: honest }, BEGINS_AT_S);
    progress(`two honest epochs: ${tradedWh} Wh traded, ${entries} journal entries`);
    await prover.close();
    const played = await inLanes(lies, async (lie) => {
      const copy = join(folder, lie.name);
      cpSync(honest, copy, { recursive: true });
      const one = await playLie(lie, { ...common, folder: copy }, isWatched);
      const stops = one.result.stoppedBy.map(({ by }) => by).join(", ");
      progress(`${lie.name}: ${stops === "" ? "nothing stopped it" : stops}`);
      return one;
    });
    const [{ parties }] = played as [(typeof played)[number]];
    return resultOf(
      { isWatched, chainId: LOCAL_CHAIN_ID, parties, tradedWh },
      played.map(({ result }) => result),
    );
  } finally {
    await prover.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Plays a few lies at a time: each mostly waits for its own processes. @throws what stopped one, when all have ended */
async function inLanes<T>(lies: readonly Lie[], play: (lie: Lie) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const waiting = lies.entries();
  const faults: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const [place, lie] of waiting) {
      if (faults.length > 0) return;
      await play(lie).then(
        (result) => {
          results[place] = result;
        },
        (fault: unknown) => faults.push(fault),
      );
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (faults.length > 0) throw faults[0];
  return results;
}

async function playLie(
  lie: Lie,
  options: Omit<SettledMarketOptions, "isMirrored" | "atS">,
  isWatched: boolean,
): Promise<{ readonly result: LieResult; readonly parties: TrustResult["parties"] }> {
  const market = await SettledMarket.open({ ...options, isMirrored: false, atS: LIES_BEGIN_AT_S });
  try {
    const cleo = market.home("cleo");
    const { index } = await market.wallet(cleo).deposit(cleo.account, DEPOSIT_MICROS);
    await market.finalise();
    const operator = new LyingOperator(market);
    const scene = { folder: options.folder, market, operator, deposit: index };
    const [operatorKey, guardian] = [market.operator, market.guardian].map(
      ({ address }) => address.toLowerCase() as Hex,
    ) as [Hex, Hex];
    return {
      result: await playScene(lie, scene, isWatched),
      parties: { operator: operatorKey, guardian, owner: market.deployment.timelock },
    };
  } finally {
    await market.end();
  }
}

async function playScene(lie: Lie, scene: Scene, isWatched: boolean): Promise<LieResult> {
  const { market, operator } = scene;
  const { settlement } = market;
  const [{ atS: beganAtS }, balanceBefore] = await Promise.all([settlement.books(), operator.balance()]);
  const domain = await market.client.deployment();
  const before = await journalOf(market);
  const { outcome, leaf } = await lie.tell(scene);
  // A silent operator hands out no journal: somebody has what there was.
  const journal = outcome === "silent" ? before : await journalOf(market);
  const stops: Stop[] = [];
  const actors: Actor[] = [];
  const refusal = operator.attempts.findLast(({ refusedWith }) => refusedWith !== null)?.refusedWith ?? null;
  if (refusal !== null) {
    stops.push({ by: "contract", error: refusal });
    actors.push("contract");
  }
  if (outcome !== "silent" && isWatched) await watch(market, { stops, actors, outcome });
  await market.leave();
  const isFound = actors.includes("guardian");
  const silenceS = await waitForExit(market);
  // A false report that nobody found is not stopped by what comes after it.
  if (silenceS > 0 && (isFound || outcome !== "posted")) stops.push({ by: "silence", seconds: silenceS });
  const { finalEpoch: exitEpoch, atS } = await settlement.books();
  // It is the first to try.
  if (leaf !== null) for (const how of ["withdraw", "exit"] as const) await operator.claim(how, leaf);
  const replayed = await replayEpochs(domain, journal);
  // Where a lie has become final, everybody is due what the truth gives.
  const accounts = await leaveAll(market, replayed, exitEpoch);
  return {
    ...{ lie: lie.name, told: lie.told, attempts: operator.attempts, stoppedBy: stops },
    actedBy: [...new Set<Actor>([...actors, "anybody"])],
    exitEpoch,
    accounts,
    operatorGainedMicros: Number((await operator.balance()) - balanceBefore),
    leftInContractMicros: Number(await settlement.read("holdingsOf", [settlement.word])),
    marketSeconds: atS - beganAtS,
  };
}

async function journalOf({ client }: SettledMarket): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of client.journal(REGION)) lines.push(line);
  return lines;
}

interface Watching {
  readonly stops: Stop[];
  readonly actors: Actor[];
  readonly outcome: "posted" | "refused";
}

/** Somebody audits; what is found of a posted report is brought to the guardian, and decided by a vote of the homes. */
async function watch(market: SettledMarket, { stops, actors, outcome }: Watching): Promise<void> {
  const { settlement, guardian } = market;
  const found = await auditNow(market);
  if (found.failure === null) return;
  const { entry, reason: finding } = found.failure;
  const base = { by: "audit" as const, entry, finding, difference: found.reportDifference };
  if (outcome === "refused") {
    stops.push({ ...base, secondsLeft: null });
    return;
  }
  const report = await settlement.report(LIED_EPOCH);
  const contract = { address: settlement.settlement, abi: settlementAbi as Abi };
  await sendCall(senderOf(market, guardian), {
    ...contract,
    functionName: "freeze",
    args: [settlement.word, BigInt(LIED_EPOCH)],
  });
  const { timestamp } = await settlement.connection.client.getBlock();
  stops.push({ ...base, secondsLeft: (report?.finalAtS ?? 0) - Number(timestamp) });
  const description = `Uphold the freeze of epoch ${LIED_EPOCH}: ${finding}`;
  await homesDecide(market, { ...contract, functionName: "uphold", args: [settlement.word], description });
  actors.push("guardian", "vote");
}

async function auditNow(market: SettledMarket): Promise<AuditReport> {
  await market.finalise();
  const { client, rpc } = market;
  const { chain, reported } = await chainOfRegion(client, REGION, rpc);
  const receipts = market.receipts();
  return audit(await client.deployment(), client.journal(REGION), { receipts, chain, reported });
}

/** Until everybody may leave, by the last report that will be final. @returns the seconds of silence that it took */
async function waitForExit(market: SettledMarket): Promise<number> {
  const { settlement } = market;
  const { isExitOpen, exitOpensAtS, atS } = await settlement.books();
  if (!isExitOpen) {
    await market.passTo(exitOpensAtS);
    return exitOpensAtS - atS;
  }
  const honest = await settlement.report(HONEST_EPOCH);
  await market.passTo(honest?.finalAtS ?? 0);
  return 0;
}
