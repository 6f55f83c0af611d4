// Owns what a chain has on record of a region in its finalised blocks: reports, deposits, events of the register of meters. It
// refuses an RPC that invents one or leaves one out: the contracts' own numbers and hashes say what there is.

import { decodeEventLog, encodeEventTopics } from "viem";
import { depositsHashOf, NO_DEPOSITS } from "../../evidence/deposit-chain.ts";
import type { EpochReport } from "../../evidence/epoch-report.ts";
import { ContractRefusal, refusalOf } from "../../governance/calls/contract-refusal.ts";
import {
  REGISTRY_TOPICS,
  type RegistryEvent,
  registryEventOf,
} from "../../governance/calls/registry-event.ts";
import { reportDigest } from "../../governance/calls/report-call.ts";
import { readStakeEvents, type StakeEvent } from "../../governance/calls/stake-reads.ts";
import { meterRegistryAbi, rewardParametersAbi, settlementAbi } from "../../governance/generated/abi.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { ChainFault } from "./chain-connection.ts";
import { type EventLog, searchEvents } from "./event-search.ts";
import { type SettlementClient, STAGES, type Stage } from "./settlement-client.ts";

/** A deposit, and the hash of all up to it. */
export interface ChainDeposit {
  readonly index: number;
  readonly account: Hex;
  readonly amountMicros: number;
  readonly depositsHash: Hex;
}

/** A region's record as of a finalised block. */
export interface RegionRecord {
  readonly block: number;
  readonly stage: Stage;
  /** Reports that stand, by epoch: what a release dropped is not among them. */
  readonly reported: ReadonlyMap<number, EpochReport>;
  /** By their indices from 1. */
  readonly deposits: readonly ChainDeposit[];
  /** By their numbers from 1; null where no register was named. */
  readonly registryEvents: readonly RegistryEvent[] | null;
  /** Of its governed values, by their numbers from 0; null where no contract of them was named. */
  readonly versions: readonly ChainVersion[] | null;
  /** Of providers' stakes, by their numbers from 1; null where no contract of them was named. */
  readonly stakeEvents: readonly StakeEvent[] | null;
}

/** A version of the governed values. */
export interface ChainVersion {
  readonly fromEpoch: number;
  /** By their number in the contract. */
  readonly values: readonly bigint[];
}

/** Contracts beside Settlement; the zero address for one that there is not. */
export interface RecordedContracts {
  readonly meterRegistry: Hex;
  readonly rewardParameters: Hex;
  readonly providerStake: Hex;
}

/** What the contracts say that there is, as of a block. */
interface Counts {
  readonly block: bigint;
  readonly stage: Stage;
  readonly windowSlots: 4 | 96;
  readonly firstEpoch: number;
  /** Digests of the reports from the first epoch on. */
  readonly digests: readonly Hex[];
  readonly deposits: number;
  /** Of all deposits. */
  readonly depositsHash: Hex;
  readonly registryEvents: number | null;
}

/** Questions that go in one batch; RPCs limit their number. */
const QUESTIONS = 50;
const NAMES = ["Reported", "FreezeReleased", "Deposited"] as const;
const TOPICS: readonly Hex[] = NAMES.map((eventName) => {
  const [topic] = encodeEventTopics({ abi: settlementAbi, eventName });
  return topic as Hex;
});

/**
 * Reads a region's record.
 * @throws ChainFault where logs and contracts do not say the same; ContractRefusal where nobody opened the region
 */
export async function readRecord(
  settlement: SettlementClient,
  { meterRegistry, rewardParameters, providerStake }: RecordedContracts,
): Promise<RegionRecord> {
  const { connection, word } = settlement;
  const counts = await readCounts(settlement, meterRegistry);
  const { firstEpoch, digests, deposits, registryEvents } = counts;
  const missing = new Set([
    ...digests.map((_, step) => `report ${firstEpoch + step}`),
    ...Array.from({ length: deposits }, (_, step) => `deposit ${step + 1}`),
    ...Array.from({ length: registryEvents ?? 0 }, (_, step) => `event ${step + 1} of the register`),
  ]);
  const read = new Map<EventLog, Told>();
  const logs = await searchEvents(
    connection.client,
    {
      contracts: registryEvents === null ? [settlement.settlement] : [settlement.settlement, meterRegistry],
      names: [...TOPICS, ...REGISTRY_TOPICS],
      second: word,
    },
    counts.block,
    (stretch) => {
      for (const log of stretch) {
        const told = toldBy(log, settlement.settlement, counts.windowSlots);
        read.set(log, told);
        if (told.kind === "report") {
          // One that was dropped may have another's place.
          if (digests[told.epoch - firstEpoch] === reportDigest(word, told.report))
            missing.delete(`report ${told.epoch}`);
        } else if (told.kind !== "release") missing.delete(nameOf(told));
      }
      return missing.size === 0;
    },
  );
  const [first] = missing;
  if (first !== undefined) throw new ChainFault(`the RPC shows no ${first}, and the contract has it`);
  const told = logs.map((log) => read.get(log) as Told);
  return {
    block: Number(counts.block),
    stage: counts.stage,
    reported: standing(told, counts, word),
    deposits: chained(told, counts, settlement.region),
    registryEvents: registryEvents === null ? null : numbered(told, registryEvents),
    versions:
      rewardParameters === NO_ADDRESS ? null : await readVersions(settlement, rewardParameters, counts.block),
    stakeEvents:
      providerStake === NO_ADDRESS ? null : await readStakes(settlement, providerStake, counts.block),
  };
}

/** The contract itself is asked, not its logs: it keeps every version. */
async function readVersions(
  { connection: { client }, word }: SettlementClient,
  address: Hex,
  blockNumber: bigint,
): Promise<ChainVersion[]> {
  const call = { address, abi: rewardParametersAbi, blockNumber } as const;
  try {
    const count = await client.readContract({ ...call, functionName: "versionCount", args: [word] });
    const versions: ChainVersion[] = [];
    for (let from = 0n; from < count; from += BigInt(QUESTIONS)) {
      const numbers = Array.from({ length: Math.min(QUESTIONS, Number(count - from)) }, (_, step) =>
        client.readContract({ ...call, functionName: "versionOf", args: [word, from + BigInt(step)] }),
      );
      for (const { fromEpoch, values } of await Promise.all(numbers))
        versions.push({ fromEpoch: counted(fromEpoch), values });
    }
    return versions;
  } catch (error) {
    throw new ChainFault(`${address} does not answer for governed values`, { cause: error });
  }
}

async function readStakes(
  { connection: { client }, word }: SettlementClient,
  address: Hex,
  block: bigint,
): Promise<StakeEvent[]> {
  try {
    return await readStakeEvents(client, address, word, block);
  } catch (error) {
    throw new ChainFault(`${address} does not answer for stakes`, { cause: error });
  }
}

/** Time of the block that a deposit is in. Unix seconds. */
export async function depositTimeS(settlement: SettlementClient, index: number): Promise<number> {
  const [record] = await settlement.read("depositOf", [settlement.word, BigInt(index)]);
  return record.atS;
}

async function readCounts(settlement: SettlementClient, meterRegistry: Hex): Promise<Counts> {
  const { client } = settlement.connection;
  const { number: block } = await client.getBlock({ blockTag: "finalized" });
  const { word } = settlement;
  const region = await settlement.read("regionOf", [word], block);
  const firstEpoch = counted(region.firstEpoch);
  // Before the first report, the last one is the one before the first epoch.
  const reports = counted(region.reportedEpoch) - firstEpoch + 1;
  const digests: Hex[] = [];
  for (let from = 0; from < reports; from += QUESTIONS) {
    const epochs = Array.from({ length: Math.min(QUESTIONS, reports - from) }, (_, step) => from + step);
    const posted = await Promise.all(
      epochs.map((step) => settlement.read("reportOf", [word, BigInt(firstEpoch + step)], block)),
    );
    digests.push(...posted.map(({ digest }) => digest));
  }
  const deposits = counted(region.depositCount);
  const [, , depositsHash] = await settlement.read("depositOf", [word, BigInt(deposits)], block);
  return {
    block,
    stage: STAGES[region.stage] as Stage,
    windowSlots: region.windowSlots as 4 | 96,
    firstEpoch,
    digests,
    deposits,
    depositsHash,
    registryEvents:
      meterRegistry === NO_ADDRESS ? null : await registryCount(settlement, meterRegistry, block),
  };
}

async function registryCount(
  settlement: SettlementClient,
  address: Hex,
  blockNumber: bigint,
): Promise<number> {
  const { client } = settlement.connection;
  const call = { address, abi: meterRegistryAbi, functionName: "countsOf", args: [settlement.word] } as const;
  try {
    const [events] = await client.readContract({ ...call, blockNumber });
    return counted(events);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal instanceof ContractRefusal) throw refusal;
    throw new ChainFault(`${address} does not answer as a register of meters`, { cause: error });
  }
}

type Told =
  | { readonly kind: "report"; readonly epoch: number; readonly report: EpochReport }
  | { readonly kind: "release"; readonly epoch: number }
  | { readonly kind: "deposit"; readonly deposit: ChainDeposit }
  | { readonly kind: "register"; readonly event: RegistryEvent };

function nameOf(told: Told & { readonly kind: "deposit" | "register" }): string {
  return told.kind === "deposit"
    ? `deposit ${told.deposit.index}`
    : `event ${told.event.number} of the register`;
}

/** @throws ChainFault for a log that is none of a contract's events */
function toldBy({ contract, topics, data }: EventLog, settlement: Hex, windowSlots: 4 | 96): Told {
  try {
    if (contract !== settlement)
      return { kind: "register", event: registryEventOf(topics, data, windowSlots) };
    const [name, ...indexed] = topics as [Hex, ...Hex[]];
    const decoded = decodeEventLog({ abi: settlementAbi, topics: [name, ...indexed], data, strict: true });
    if (decoded.eventName === "FreezeReleased")
      return { kind: "release", epoch: counted(decoded.args.epoch) };
    if (decoded.eventName === "Reported") {
      const { epoch, report } = decoded.args;
      if (epoch !== report.epoch) throw new Error("of two epochs");
      return { kind: "report", epoch: counted(epoch), report: { ...report, epoch: counted(epoch) } };
    }
    if (decoded.eventName !== "Deposited") throw new Error("no event that was asked for");
    const { index, account, amountMicros, depositsHash } = decoded.args;
    const whose = account.toLowerCase() as Hex;
    const deposit = {
      index: counted(index),
      account: whose,
      amountMicros: counted(amountMicros),
      depositsHash,
    };
    return { kind: "deposit", deposit };
  } catch (cause) {
    throw new ChainFault("the RPC answers with a log that no contract writes", { cause });
  }
}

/** The reports that stand after all, each held against the contract's digest of it. */
function standing(
  told: readonly Told[],
  { firstEpoch, digests }: Counts,
  word: Hex,
): Map<number, EpochReport> {
  const reports = new Map<number, EpochReport>();
  for (const one of told) {
    if (one.kind === "release") {
      for (const epoch of reports.keys()) if (epoch > one.epoch) reports.delete(epoch);
    } else if (one.kind === "report") {
      if (reports.has(one.epoch)) throw new ChainFault(`the RPC shows two reports of epoch ${one.epoch}`);
      reports.set(one.epoch, one.report);
    }
  }
  for (const [epoch, report] of reports)
    if (digests[epoch - firstEpoch] !== reportDigest(word, report))
      throw new ChainFault(`the RPC shows a report of epoch ${epoch} that is not the contract's`);
  const missing = digests.findIndex((_, step) => !reports.has(firstEpoch + step));
  if (missing >= 0)
    throw new ChainFault(`the RPC shows no report ${firstEpoch + missing}, and the contract has it`);
  return reports;
}

/** All deposits in a row; their hash must be the contract's. */
function chained(
  told: readonly Told[],
  { deposits: count, depositsHash }: Counts,
  region: string,
): ChainDeposit[] {
  const deposits = told.flatMap((one) => (one.kind === "deposit" ? [one.deposit] : []));
  let hash = NO_DEPOSITS;
  for (const [step, { index: nonce, account, amountMicros, depositsHash: said }] of deposits.entries()) {
    hash = depositsHashOf({ region, account, amountMicros, nonce, previousHash: hash });
    if (nonce !== step + 1 || said !== hash)
      throw new ChainFault(`the RPC shows a deposit ${nonce} that does not follow from those before it`);
  }
  if (deposits.length !== count || hash !== depositsHash)
    throw new ChainFault("the RPC shows deposits that are not the contract's");
  return deposits;
}

/** The register keeps no hash of its events: that each number stands once is all that can be held. */
function numbered(told: readonly Told[], count: number): RegistryEvent[] {
  const events = told.flatMap((one) => (one.kind === "register" ? [one.event] : []));
  const wrong = events.find(({ number }, step) => number !== step + 1);
  if (wrong !== undefined || events.length !== count)
    throw new ChainFault(`the RPC shows events of the register that are not ${count} in a row`);
  return events;
}

function counted(value: bigint | number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError("a number of the chain is too large");
  return number;
}
