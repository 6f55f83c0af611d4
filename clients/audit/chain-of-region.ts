// Owns what an audit needs of a region's chain: the record of its finalised blocks, to be read again as the journal goes on. It
// refuses a chain or a contract that the region's signatures are not for.

import type { EpochReport } from "../../evidence/epoch-report.ts";
import { address, NO_ADDRESS } from "../../protocol/fields.ts";
import { openChain } from "../chain/chain-connection.ts";
import { depositTimeS, type RecordedContracts, readRecord } from "../chain/region-record.ts";
import { SettlementClient } from "../chain/settlement-client.ts";
import type { PolderClient } from "../sdk/client.ts";
import type { MirroredChain } from "./mirrored-events.ts";

/** A region's chain as an audit takes it. */
export interface AuditedChain {
  /** The finalised block that it was read at. */
  readonly block: number;
  readonly reported: ReadonlyMap<number, EpochReport>;
  readonly chain: MirroredChain;
}

/**
 * Reads the record of the chain that a deployment is bound to.
 * @throws Error where it is bound to no contract; ChainFault for another chain, or an RPC that contradicts the contract
 */
export async function chainOfRegion(
  client: PolderClient,
  region: string,
  rpc: string,
): Promise<AuditedChain> {
  const [{ chainId, settlement: contract }, contracts] = await Promise.all([
    client.deployment(),
    contractsOf(client),
  ]);
  if (contract === NO_ADDRESS)
    throw new Error("the deployment holds test money: nothing of it is on a chain");
  const settlement = await SettlementClient.open(await openChain(rpc, chainId), contract, region);
  const record = await readRecord(settlement, contracts);
  return {
    block: record.block,
    reported: record.reported,
    chain: {
      record,
      again: () => readRecord(settlement, contracts),
      depositTimeS: (index) => depositTimeS(settlement, index),
    },
  };
}

/** The contracts that the deployment names beside Settlement; the zero address for one that it does not. */
async function contractsOf(client: PolderClient): Promise<RecordedContracts> {
  const named = await client.get<Partial<Record<keyof RecordedContracts, unknown>>>("/v1/deployment");
  return {
    meterRegistry: address.parse(named.meterRegistry ?? NO_ADDRESS),
    rewardParameters: address.parse(named.rewardParameters ?? NO_ADDRESS),
    providerStake: address.parse(named.providerStake ?? NO_ADDRESS),
  };
}
