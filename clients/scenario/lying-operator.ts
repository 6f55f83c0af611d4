// Owns an operator that lies: what it credits and reports by hand, with the mirror's key, and what the chain says to it. It
// refuses nothing by itself; whatever stops it is the contract, an audit, or its own silence.

import { EMPTY_REPORT, type EpochReport } from "../../evidence/epoch-report.ts";
import { readSums } from "../../evidence/sum-claim.ts";
import { type SumLeaf, SumTree } from "../../evidence/sum-tree.ts";
import { type ContractSender, sendCall } from "../../governance/calls/contract-call.ts";
import { ContractRefusal } from "../../governance/calls/contract-refusal.ts";
import { reportStruct } from "../../governance/calls/report-call.ts";
import { settlementAbi, testQuoteAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import { walletOn } from "../chain/chain-connection.ts";
import type { EpochLeaf } from "../chain/settlement-wallet.ts";
import type { Accepted, PolderClient } from "../sdk/client.ts";
import { walletSigner } from "../sdk/signer.ts";
import { replayEpochs } from "./replayed-epochs.ts";
import type { SettledMarket } from "./settled-market.ts";
import type { Attempt } from "./trust-result.ts";
import { REGION } from "./trust-scene.ts";

/** An operator of a market that reports by hand. */
export class LyingOperator {
  readonly attempts: Attempt[] = [];
  readonly account: Hex;
  readonly #market: SettledMarket;

  constructor(market: SettledMarket) {
    this.#market = market;
    this.account = market.operator.address.toLowerCase() as Hex;
  }

  get #client(): PolderClient {
    return this.#market.client;
  }

  /** What the region says of a closed epoch, and what everybody is owed in it. */
  async truth(epoch: number): Promise<{ readonly report: EpochReport; readonly leaves: readonly SumLeaf[] }> {
    const { entry: _entry, totals, ...parts } = await this.#client.report(REGION, epoch);
    const epochs = await replayEpochs(await this.#client.deployment(), this.#client.journal(REGION));
    return {
      report: { ...EMPTY_REPORT, ...parts, totals: readSums(totals) },
      leaves: epochs.get(epoch) as readonly SumLeaf[],
    };
  }

  /** Credits a deposit of the chain, all before it being credited; to another account where one is named. */
  async credit(index: number, instead?: Hex): Promise<Accepted> {
    const { settlement, operator } = this.#market;
    const depositOf = (number: number) => settlement.read("depositOf", [settlement.word, BigInt(number)]);
    const [[made, amountMicros], [, , previousHash]] = await Promise.all([
      depositOf(index),
      depositOf(index - 1),
    ]);
    return this.#client.submit(REGION, walletSigner(operator), {
      type: "credit_deposit",
      account: instead ?? (made.account.toLowerCase() as Hex),
      amountMicros: Number(amountMicros),
      nonce: index,
      previousHash,
    });
  }

  /** Posts a report. @returns whether the contract took it */
  report(what: string, report: EpochReport): Promise<boolean> {
    return this.#try(what, "report", [this.#market.settlement.word, reportStruct(report)]);
  }

  /** Tries to be paid by a leaf of its own making. */
  claim(functionName: "withdraw" | "exit", { epoch, leaf, path }: EpochLeaf): Promise<boolean> {
    const { word } = this.#market.settlement;
    return this.#try(functionName, functionName, [word, BigInt(epoch), leaf, path]);
  }

  /** What it has of the token. */
  balance(): Promise<bigint> {
    return balanceOf(this.#market, this.account);
  }

  async #try(what: string, functionName: string, args: readonly unknown[]): Promise<boolean> {
    const { settlement, operator } = this.#market;
    const call = { address: settlement.settlement, abi: settlementAbi, functionName, args };
    try {
      await sendCall(senderOf(this.#market, operator), call);
      this.attempts.push({ what, refusedWith: null, fields: {} });
      return true;
    } catch (error) {
      if (!(error instanceof ContractRefusal)) throw error;
      const fields = Object.entries(error.fields).map(([name, value]) => [name, String(value)]);
      this.attempts.push({ what, refusedWith: error.code, fields: Object.fromEntries(fields) });
      return false;
    }
  }
}

/** A wallet's way to a market's chain. */
export function senderOf(
  { settlement }: SettledMarket,
  account: Parameters<typeof walletOn>[1],
): ContractSender {
  const { connection } = settlement;
  return { client: connection.client, wallet: walletOn(connection, account) };
}

/** What an account has of a market's token. Micros. */
export function balanceOf({ settlement, deployment }: SettledMarket, account: Hex): Promise<bigint> {
  const call = {
    address: deployment.quote,
    abi: testQuoteAbi,
    functionName: "balanceOf",
    args: [account],
  } as const;
  return settlement.connection.client.readContract(call);
}

/** A report with other leaves than the region's. */
export function withLeaves(report: EpochReport, leaves: readonly SumLeaf[]) {
  const tree = new SumTree(leaves);
  return { tree, report: { ...report, sumRoot: tree.root, totals: tree.totals } };
}
