// Owns what a wallet does at a region's Settlement: deposits, claims, and leaving. It refuses nothing itself; each call is
// put to the contract before it is sent.

import type { Hash, LocalAccount } from "viem";
import type { SumLeaf, SumPath } from "../../evidence/sum-tree.ts";
import { type ContractSender, sendCall } from "../../governance/calls/contract-call.ts";
import { settlementAbi, testQuoteAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import { walletOn } from "./chain-connection.ts";
import { QuoteToken } from "./quote-token.ts";
import type { SettlementClient } from "./settlement-client.ts";

/** Settlement passes on what the quote asset refuses. */
const ABI = [...settlementAbi, ...testQuoteAbi.filter(({ type }) => type === "error")] as const;

/** A leaf and its path in the report of an epoch. */
export interface EpochLeaf {
  readonly epoch: number;
  readonly leaf: SumLeaf;
  readonly path: SumPath;
}

/** A transaction that is in a block, and what it moved: micros, or base units of the reward token. */
export interface Moved {
  readonly hash: Hash;
  readonly amount: bigint;
}

/** A wallet at one region. */
export class SettlementWallet {
  readonly #settlement: SettlementClient;
  readonly #signer: LocalAccount;
  readonly #sender: ContractSender;

  /** @throws ChainFault for a well-known wallet off the local chain */
  constructor(settlement: SettlementClient, signer: LocalAccount) {
    const { connection } = settlement;
    this.#settlement = settlement;
    this.#signer = signer;
    this.#sender = { client: connection.client, wallet: walletOn(connection, signer) };
  }

  get address(): Hex {
    return this.#signer.address.toLowerCase() as Hex;
  }

  /**
   * Deposits the wallet's money for an account: by a permit where the quote asset has them, else by an approval before it.
   * @returns the deposit's index in the region.
   */
  async deposit(
    account: Hex,
    amountMicros: bigint,
  ): Promise<{ readonly hash: Hash; readonly index: number }> {
    const { settlement } = this.#settlement;
    const token = new QuoteToken(this.#sender, await this.#settlement.quote(), settlement);
    const [allowance, balance] = await Promise.all([token.allowance(), token.balance()]);
    // Without the money nothing is permitted: a permit must not be left lying about.
    if (balance < amountMicros) await token.requireBalance(amountMicros);
    const permit = allowance < amountMicros ? await token.permit(amountMicros, this.#signer) : null;
    if (permit !== null) {
      const { deadlineS, v, r, s } = permit;
      return this.#deposited("depositWithPermit", [account, amountMicros, deadlineS, v, r, s]);
    }
    if (allowance < amountMicros) await token.approve(amountMicros, allowance);
    return this.#deposited("deposit", [account, amountMicros]);
  }

  /** Pays the leaf's account what it asked out of the region, less what it was paid. */
  withdraw(leaf: EpochLeaf): Promise<Moved> {
    return this.#claim("withdraw", leaf);
  }

  /** Mints the leaf's account what it earned, less what was minted. */
  claimRewards(leaf: EpochLeaf): Promise<Moved> {
    return this.#claim("claimRewards", leaf);
  }

  /** Pays the leaf's account all that it has in a region that is over. */
  exit(leaf: EpochLeaf): Promise<Moved> {
    return this.#claim("exit", leaf);
  }

  /** Pays a deposit back that the exit's report did not count. @param epoch the last final one */
  async refundDeposit(epoch: number, index: number): Promise<Moved> {
    return this.#send("refundDeposit", [BigInt(epoch), BigInt(index)]);
  }

  #claim(functionName: string, { epoch, leaf, path }: EpochLeaf): Promise<Moved> {
    return this.#send(functionName, [BigInt(epoch), leaf, path]);
  }

  async #deposited(functionName: string, args: readonly unknown[]) {
    const { hash, amount } = await this.#send(functionName, args);
    return { hash, index: Number(amount) };
  }

  async #send(functionName: string, args: readonly unknown[]): Promise<Moved> {
    const { settlement, word } = this.#settlement;
    const call = { address: settlement, abi: ABI, functionName, args: [word, ...args] };
    const { hash, result } = await sendCall(this.#sender, call);
    return { hash, amount: result as bigint };
  }
}
