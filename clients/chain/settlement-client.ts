// Owns what is asked of a chain's Settlement about a region: its books, terms, reports, deposits, and what an account was
// paid. It refuses a contract that is not there.

import type { ContractFunctionArgs, ContractFunctionName, ContractFunctionReturnType } from "viem";
import { regionWord } from "../../evidence/deposit-chain.ts";
import type { Sums } from "../../evidence/sum-tree.ts";
import { refusalOf } from "../../governance/calls/contract-refusal.ts";
import { settlementAbi } from "../../governance/generated/abi.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { type ChainConnection, ChainFault } from "./chain-connection.ts";

/** By the numbers of the contract's `Stage`. */
export const STAGES = ["none", "open", "frozen", "upheld", "exiting"] as const;
export type Stage = (typeof STAGES)[number];

/** A region on the chain. */
export interface RegionBooks {
  readonly operator: Hex;
  readonly stage: Stage;
  readonly windowSlots: number;
  readonly epochSlots: number;
  readonly firstEpoch: number;
  /** The last reported one; before the first report, the one before the first epoch. */
  readonly reportedEpoch: number;
  /** The last final one now; before any is, the one before the first epoch. */
  readonly finalEpoch: number;
  readonly deposits: number;
  readonly depositedMicros: bigint;
  readonly holdingsMicros: bigint;
  readonly isExitOpen: boolean;
  /** From when on everybody may leave if nothing is reported. Unix seconds of the chain. */
  readonly exitOpensAtS: number;
  /** Of the last report; of the opening before it. */
  readonly terms: RegionTerms;
  /** Time of the chain's last block. Unix seconds. */
  readonly atS: number;
}

export interface RegionTerms {
  readonly outflowCapBps: number;
  readonly finalityDelaySeconds: number;
  readonly exitAfterSeconds: number;
  readonly leastDepositMicros: bigint;
}

/** A report as the contract keeps it. */
export interface PostedReport {
  readonly sumRoot: Hex;
  readonly totals: Sums;
  /** Unix seconds. */
  readonly finalAtS: number;
  /** Index of the last deposit that is in its leaves. */
  readonly lastDeposit: number;
}

/** A deposit that was not paid back. */
export interface OpenDeposit {
  readonly index: number;
  readonly amountMicros: bigint;
  /** All of the region's deposits up to this one. */
  readonly totalMicros: bigint;
  readonly atS: number;
}

/** What an account was paid, and minted, in a region. */
export interface PaidSums {
  readonly micros: bigint;
  readonly rewards: bigint;
}

/** One region of a Settlement, to be read. */
export class SettlementClient {
  readonly connection: ChainConnection;
  readonly settlement: Hex;
  readonly region: string;
  readonly word: Hex;

  private constructor(connection: ChainConnection, settlement: Hex, region: string) {
    this.connection = connection;
    this.settlement = settlement;
    this.region = region;
    this.word = regionWord(region);
  }

  /** @throws ChainFault where there is no contract at the address */
  static async open(connection: ChainConnection, settlement: Hex, region: string): Promise<SettlementClient> {
    const code = await connection.client.getCode({ address: settlement });
    if (code === undefined || code === "0x")
      throw new ChainFault(`there is no contract at ${settlement} on chain ${connection.chain.id}`);
    return new SettlementClient(connection, settlement, region);
  }

  /** The region's books now. @throws ContractRefusal where nobody opened it */
  async books(): Promise<RegionBooks> {
    const [region, isExitOpen, holdingsMicros, { timestamp }] = await Promise.all([
      this.read("regionOf", [this.word]),
      this.read("isExitOpen", [this.word]),
      this.read("holdingsOf", [this.word]),
      this.connection.client.getBlock(),
    ]);
    const { stage, reportedEpoch } = region;
    const isOver = STAGES[stage] === "exiting";
    const [finalEpoch, [terms]] = await Promise.all([
      isOver ? Number(region.finalEpoch) : this.#lastFinal(Number(region.finalEpoch), Number(reportedEpoch)),
      this.read("termsInEpoch", [this.word, max(reportedEpoch, region.firstEpoch)]),
    ]);
    const epochSeconds = region.epochSlots * SLOT_SECONDS;
    const dueAtS = Math.max((Number(reportedEpoch) + 2) * epochSeconds, region.releasedAtS);
    return {
      operator: region.operator.toLowerCase() as Hex,
      stage: STAGES[stage] as Stage,
      windowSlots: region.windowSlots,
      epochSlots: region.epochSlots,
      firstEpoch: Number(region.firstEpoch),
      reportedEpoch: Number(reportedEpoch),
      finalEpoch,
      deposits: region.depositCount,
      depositedMicros: region.depositedMicros,
      holdingsMicros,
      isExitOpen,
      exitOpensAtS: Math.min(region.aliveAtS, dueAtS) + terms.exitAfterSeconds + 1,
      terms,
      atS: Number(timestamp),
    };
  }

  /** The report of an epoch, or null where none was posted, as before the first one. */
  async report(epoch: number): Promise<PostedReport | null> {
    try {
      const posted = await this.read("reportOf", [this.word, BigInt(epoch)]);
      const { sumRoot, totals, finalAtS, lastDeposit } = posted;
      return { sumRoot, totals, finalAtS, lastDeposit };
    } catch (error) {
      if ((error as { code?: string }).code === "Settlement_EpochNotReported") return null;
      throw error;
    }
  }

  paid(account: Hex): Promise<PaidSums> {
    return this.read("paidOf", [this.word, account]);
  }

  /** An account's deposits above an index that were not paid back, in their order. */
  async depositsAbove(counted: number, account: Hex, count: number): Promise<readonly OpenDeposit[]> {
    const indices = Array.from({ length: Math.max(0, count - counted) }, (_, offset) => counted + 1 + offset);
    const found = await Promise.all(
      indices.map(async (index) => {
        const [record, amountMicros] = await this.read("depositOf", [this.word, BigInt(index)]);
        const { account: made, depositedMicros: totalMicros, atS } = record;
        return { account: made.toLowerCase(), deposit: { index, amountMicros, totalMicros, atS } };
      }),
    );
    return found.filter((one) => one.account === account.toLowerCase()).map(({ deposit }) => deposit);
  }

  /** Whether rewards can be claimed: their token has been named. */
  async hasRewardToken(): Promise<boolean> {
    return (await this.read("rewardToken", [])) !== NO_ADDRESS;
  }

  async quote(): Promise<Hex> {
    return (await this.read("quote", [])).toLowerCase() as Hex;
  }

  /** Asks the contract, as of a block or now. @throws ContractRefusal for what it refuses to say */
  async read<Name extends ReadName>(
    functionName: Name,
    args: ReadArguments<Name>,
    blockNumber?: bigint,
  ): Promise<ReadAnswer<Name>> {
    try {
      return (await this.connection.client.readContract({
        address: this.settlement,
        abi: settlementAbi,
        functionName,
        args,
        ...(blockNumber === undefined ? {} : { blockNumber }),
      } as never)) as ReadAnswer<Name>;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** Reports become final in their order: the last one that is. */
  async #lastFinal(known: number, reported: number): Promise<number> {
    let [least, most] = [known, reported];
    while (least < most) {
      const middle = Math.ceil((least + most) / 2);
      if (await this.read("isFinal", [this.word, BigInt(middle)])) least = middle;
      else most = middle - 1;
    }
    return least;
  }
}

type ReadName = ContractFunctionName<typeof settlementAbi, "view">;
type ReadArguments<Name extends ReadName> = ContractFunctionArgs<typeof settlementAbi, "view", Name>;
type ReadAnswer<Name extends ReadName> = ContractFunctionReturnType<typeof settlementAbi, "view", Name>;

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
