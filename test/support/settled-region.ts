// Owns a region whose money is on a real chain, for tests: both at market times that the test sets, and a mirror that the test
// plays by hand. It refuses to mirror anything by itself.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { openChain, walletOn } from "../../clients/chain/chain-connection.ts";
import { deploymentFiles } from "../../clients/chain/deployment-files.ts";
import { derivedKey, mirrorWallet, openRegion, operatorWallet } from "../../clients/local/neighbourhood.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { walletSigner } from "../../clients/sdk/signer.ts";
import { NO_DEPOSITS, regionWord } from "../../evidence/deposit-chain.ts";
import { readSums } from "../../evidence/sum-claim.ts";
import { sendCall } from "../../governance/calls/contract-call.ts";
import { deploy } from "../../governance/deploy/deploy.ts";
import type { Deployment } from "../../governance/deploy/deployment.ts";
import { settlementAbi, testQuoteAbi } from "../../governance/generated/abi.ts";
import { figuresOf } from "../../market/schedule.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { BEGINS_AT_S, REGION, SEED, termsOf, varsOf } from "./client-region.ts";
import { type Contract, type LocalChain, startChain } from "./local-chain.ts";
import { LOCAL, REGION_PARAMETERS, VOTE } from "./vote-file.ts";

/** Windows and epochs of an hour; the first epoch is the one after the opening. */
export const EPOCH_SECONDS = 3_600;
export const FIRST_EPOCH = BEGINS_AT_S / EPOCH_SECONDS + 1;
export const FINALITY_SECONDS = 3_600;
export const EXIT_AFTER_SECONDS = 4 * 3_600;
/** Evidence is awaited for a minute. */
const CLOSED_AFTER_SECONDS = 60;

const lower = (text: string) => text.toLowerCase() as Hex;

/** A region on both sides. */
export class SettledRegion {
  readonly chain: LocalChain;
  readonly deployment: Deployment;
  readonly folder: string;
  stack: Stack;
  client: PolderClient;
  #credited = 0;
  #hash: Hex = NO_DEPOSITS;

  private constructor(chain: LocalChain, deployment: Deployment, folder: string, stack: Stack) {
    this.chain = chain;
    this.deployment = deployment;
    this.folder = folder;
    this.stack = stack;
    this.client = new PolderClient(stack.url);
  }

  static async start(): Promise<SettledRegion> {
    const folder = mkdtempSync(join(tmpdir(), "polder-settled-"));
    const chain = await startChain(BEGINS_AT_S);
    const { windowSlots, parameters } = termsOf();
    const operator = operatorWallet(SEED);
    const mirror = mirrorWallet(SEED);
    for (const { address } of [operator, mirror])
      await chain.client.setBalance({ address, value: 10n ** 20n });
    const connection = await openChain(chain.url, LOCAL_CHAIN_ID);
    const { outflowCapBps, emissionPerEpoch, emissionDecayBps } = parameters;
    const region = {
      region: REGION,
      operator: lower(mirror.address),
      windowSlots,
      epochSlots: windowSlots,
      firstEpoch: FIRST_EPOCH,
      terms: {
        outflowCapBps,
        emissionPerEpoch,
        emissionDecayBps,
        finalityDelaySeconds: FINALITY_SECONDS,
        exitAfterSeconds: EXIT_AFTER_SECONDS,
        leastDepositMicros: 1_000_000,
      },
      parameters: {
        ...REGION_PARAMETERS,
        ...figuresOf(parameters),
        proofDelaySeconds: CLOSED_AFTER_SECONDS,
      },
      installers: [],
    };
    const deployment = await deploy(
      { chainId: LOCAL_CHAIN_ID, quote: "test", vote: VOTE, stake: LOCAL.stake, regions: [region] },
      {
        client: connection.client,
        wallet: walletOn(connection, operator),
        store: deploymentFiles(join(folder, "chain")),
        report: () => {},
      },
    );
    const settled = new SettledRegion(
      chain,
      deployment,
      folder,
      await stackAt(folder, deployment, BEGINS_AT_S),
    );
    await openRegion(settled.client, SEED, {
      ...termsOf({ proofDelaySeconds: CLOSED_AFTER_SECONDS }),
      epochSlots: windowSlots,
      quote: "settlement",
    });
    return settled;
  }

  /** A wallet of this test with ether and play money. */
  async wallet(name: string, micros: bigint): Promise<{ readonly key: Hex; readonly account: Hex }> {
    const key = derivedKey(SEED, `${name}/chain`);
    const { address } = privateKeyToAccount(key);
    const { client } = this.chain;
    await client.setBalance({ address, value: 10n ** 20n });
    if (micros > 0n)
      await this.chain.send({ address: this.deployment.quote, abi: testQuoteAbi }, "mint", [address, micros]);
    return { key, account: lower(address) };
  }

  /** What an account has of the play money. */
  balance(account: Hex): Promise<bigint> {
    const { quote: address } = this.deployment;
    return this.chain.client.readContract({
      address,
      abi: testQuoteAbi,
      functionName: "balanceOf",
      args: [account],
    });
  }

  /** Credits the next deposit of the chain, as a mirror does. */
  async credit(): Promise<void> {
    const index = this.#credited + 1;
    const [record, amountMicros, depositsHash] = await this.chain.client.readContract({
      address: this.deployment.settlement,
      abi: settlementAbi,
      functionName: "depositOf",
      args: [regionWord(REGION), BigInt(index)],
    });
    await this.client.submit(REGION, walletSigner(mirrorWallet(SEED)), {
      type: "credit_deposit",
      account: lower(record.account),
      amountMicros: Number(amountMicros),
      previousHash: this.#hash,
      nonce: index,
    });
    this.#credited = index;
    this.#hash = depositsHash;
  }

  /** Goes on to where an epoch has closed. */
  async closeEpoch(epoch: number): Promise<void> {
    const { port } = this.stack;
    await this.stack.stop();
    this.stack = await stackAt(this.folder, this.deployment, closedAtS(epoch), port);
    this.client = new PolderClient(this.stack.url);
    await this.#reported(epoch);
  }

  /** Goes on to where an epoch has closed, and reports it to the chain. */
  async closeAndReport(epoch: number): Promise<void> {
    await this.closeEpoch(epoch);
    await this.report(epoch);
  }

  /** Reports an epoch that has closed. */
  async report(epoch: number): Promise<void> {
    const report = await this.#reported(epoch);
    const { timestamp } = await this.chain.client.getBlock();
    const atS = Math.max(closedAtS(epoch), Number(timestamp) + 1);
    await this.chain.client.setNextBlockTimestamp({ timestamp: BigInt(atS) });
    await this.chain.client.mine({ blocks: 1 });
    const connection = await openChain(this.chain.url, LOCAL_CHAIN_ID);
    const { entry: _entry, totals, ...fields } = report;
    await sendCall(
      { client: connection.client, wallet: walletOn(connection, mirrorWallet(SEED)) },
      {
        address: this.deployment.settlement,
        abi: settlementAbi,
        functionName: "report",
        args: [regionWord(REGION), { ...fields, totals: readSums(totals) }],
      },
    );
  }

  /** Does what a vote has passed, as the timelock that everything governed belongs to. */
  async decide(contract: Contract, functionName: string, args: readonly unknown[]): Promise<void> {
    const { client } = this.chain;
    const account = this.deployment.timelock;
    await client.impersonateAccount({ address: account });
    await client.setBalance({ address: account, value: 10n ** 18n });
    const { request } = await client.simulateContract({ ...contract, functionName, args, account });
    await client.waitForTransactionReceipt({ hash: await client.writeContract(request) });
  }

  /** Lets the chain's time pass. */
  async pass(seconds: number): Promise<void> {
    await this.chain.client.increaseTime({ seconds });
    await this.chain.client.mine({ blocks: 1 });
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    await this.chain.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The region closes an epoch when its alarm fires, or when it is asked. */
  async #reported(epoch: number) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.client.report(REGION, epoch);
      } catch (error) {
        if (attempt === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

function closedAtS(epoch: number): number {
  return (epoch + 1) * EPOCH_SECONDS + CLOSED_AFTER_SECONDS + 5;
}

function stackAt(folder: string, deployment: Deployment, marketS: number, port = 0): Promise<Stack> {
  const { settlement: SETTLEMENT, rewardParameters: REWARD_PARAMETERS } = deployment;
  const { providerStake: PROVIDER_STAKE } = deployment;
  // A second a second and a half: the rate must not be one where an origin is asked for.
  const vars = { ...varsOf(1.5, marketS), SETTLEMENT, REWARD_PARAMETERS, PROVIDER_STAKE };
  return startStack({ stateFolder: join(folder, "state"), logger: () => {}, vars, port });
}
