// Owns the questions to the settlement contract, the register of meters and the governed values, and how their answers are read.
// It refuses numbers beyond what the region can count.

import { decodeFunctionResult, encodeFunctionData } from "viem";
import { stakeEventCount } from "../../governance/calls/stake-reads.ts";
import { meterRegistryAbi, rewardParametersAbi, settlementAbi } from "../../governance/generated/abi.ts";
import { CHAIN_STAGES, type ChainStage } from "../../protocol/chain-answer.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { Read } from "./agreed-chain.ts";

/** A region's books as the contract keeps them. */
export interface Books {
  readonly operator: Hex;
  readonly stage: ChainStage;
  readonly windowSlots: number;
  readonly epochSlots: number;
  readonly reportedEpoch: number;
  /** Final for certain; later ones may be by now. */
  readonly finalEpoch: number;
  readonly frozenEpoch: number;
  readonly firstEpoch: number;
  readonly depositCount: number;
}

/** A deposit. */
export interface Deposit {
  /** The zero address once it was paid back. */
  readonly account: Hex;
  readonly amountMicros: number;
  /** All deposits of the region up to this one. */
  readonly depositedMicros: bigint;
  readonly depositsHash: Hex;
}

/** Terms and which version of a region's they are. */
export interface Terms {
  readonly version: number;
  readonly fromEpoch: number;
  readonly outflowCapBps: number;
  readonly emissionPerEpoch: string;
  readonly emissionDecayBps: number;
}

/** Asks for the last epoch there can be: the newest terms hold in it. */
const LAST_EPOCH = 2n ** 64n - 1n;

/** The questions to a settlement contract. */
export class SettlementReads {
  readonly #to: Hex;

  constructor(settlement: Hex) {
    this.#to = settlement;
  }

  /** 0 for a region that nobody opened. */
  windowSlotsOf(region: Hex): Read<number> {
    const call = { abi: settlementAbi, functionName: "windowSlotsOf" } as const;
    return {
      to: this.#to,
      data: encodeFunctionData({ ...call, args: [region] }),
      decode: (data) => counted(decodeFunctionResult({ ...call, data })),
    };
  }

  /** Of a region that was opened. */
  booksOf(region: Hex): Read<Books> {
    const call = { abi: settlementAbi, functionName: "regionOf" } as const;
    return {
      to: this.#to,
      data: encodeFunctionData({ ...call, args: [region] }),
      decode: (data) => {
        const books = decodeFunctionResult({ ...call, data });
        return {
          operator: books.operator.toLowerCase() as Hex,
          stage: CHAIN_STAGES[books.stage] as ChainStage,
          windowSlots: books.windowSlots,
          epochSlots: books.epochSlots,
          reportedEpoch: counted(books.reportedEpoch),
          finalEpoch: counted(books.finalEpoch),
          frozenEpoch: counted(books.frozenEpoch),
          firstEpoch: counted(books.firstEpoch),
          depositCount: counted(books.depositCount),
        };
      },
    };
  }

  depositOf(region: Hex, index: number): Read<Deposit> {
    const call = { abi: settlementAbi, functionName: "depositOf" } as const;
    return {
      to: this.#to,
      data: encodeFunctionData({ ...call, args: [region, BigInt(index)] }),
      decode: (data) => {
        const [record, amountMicros, depositsHash] = decodeFunctionResult({ ...call, data });
        return {
          account: record.account.toLowerCase() as Hex,
          amountMicros: counted(amountMicros),
          depositedMicros: record.depositedMicros,
          depositsHash,
        };
      },
    };
  }

  /** @param epoch none for the newest terms. */
  termsIn(region: Hex, epoch?: number): Read<Terms> {
    const call = { abi: settlementAbi, functionName: "termsInEpoch" } as const;
    return {
      to: this.#to,
      data: encodeFunctionData({ ...call, args: [region, epoch === undefined ? LAST_EPOCH : BigInt(epoch)] }),
      decode: (data) => {
        const [terms, version] = decodeFunctionResult({ ...call, data });
        return {
          version: counted(version),
          // An epoch beyond all time is as good as never.
          fromEpoch: Math.min(Number(terms.fromEpoch), Number.MAX_SAFE_INTEGER),
          outflowCapBps: terms.outflowCapBps,
          emissionPerEpoch: terms.emissionPerEpoch.toString(),
          emissionDecayBps: terms.emissionDecayBps,
        };
      },
    };
  }

  isFinal(region: Hex, epoch: number): Read<boolean> {
    const call = { abi: settlementAbi, functionName: "isFinal" } as const;
    return {
      to: this.#to,
      data: encodeFunctionData({ ...call, args: [region, BigInt(epoch)] }),
      decode: (data) => decodeFunctionResult({ ...call, data }),
    };
  }

  isExitOpen(region: Hex): Read<boolean> {
    const call = { abi: settlementAbi, functionName: "isExitOpen" } as const;
    return {
      to: this.#to,
      data: encodeFunctionData({ ...call, args: [region] }),
      decode: (data) => decodeFunctionResult({ ...call, data }),
    };
  }

  /** Digest of the report of an epoch that was reported. */
  reportDigest(region: Hex, epoch: number): Read<Hex> {
    const call = { abi: settlementAbi, functionName: "reportOf" } as const;
    return {
      to: this.#to,
      data: encodeFunctionData({ ...call, args: [region, BigInt(epoch)] }),
      decode: (data) => decodeFunctionResult({ ...call, data }).digest,
    };
  }
}

/** A version of a region's governed values. */
export interface VotedVersion {
  readonly fromEpoch: number;
  /** By their number in the contract. */
  readonly values: readonly bigint[];
}

/** How many versions there are of a region's governed values; 0 where it is not governed. */
export function versionCountOf(rewardParameters: Hex, region: Hex): Read<number> {
  const call = { abi: rewardParametersAbi, functionName: "versionCount" } as const;
  return {
    to: rewardParameters,
    data: encodeFunctionData({ ...call, args: [region] }),
    decode: (data) => counted(decodeFunctionResult({ ...call, data })),
  };
}

/** A version that there is. @param version from 0, the opening's, on. */
export function versionOf(rewardParameters: Hex, region: Hex, version: number): Read<VotedVersion> {
  const call = { abi: rewardParametersAbi, functionName: "versionOf" } as const;
  return {
    to: rewardParameters,
    data: encodeFunctionData({ ...call, args: [region, BigInt(version)] }),
    decode: (data) => {
      const { fromEpoch, values } = decodeFunctionResult({ ...call, data });
      return { fromEpoch: Math.min(Number(fromEpoch), Number.MAX_SAFE_INTEGER), values };
    },
  };
}

/** How many stake events there are of a region. */
export function stakeEventsOf(providerStake: Hex, region: Hex): Read<number> {
  return { to: providerStake, ...stakeEventCount(region) };
}

/** How many events the register has of a region. */
export function registryEventsOf(meterRegistry: Hex, region: Hex): Read<number> {
  const call = { abi: meterRegistryAbi, functionName: "countsOf" } as const;
  return {
    to: meterRegistry,
    data: encodeFunctionData({ ...call, args: [region] }),
    decode: (data) => counted(decodeFunctionResult({ ...call, data })[0]),
  };
}

/** A number of the chain as one of ours. @throws RangeError where it is larger than can be counted */
function counted(value: bigint | number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError("a number of the chain is too large");
  return number;
}
