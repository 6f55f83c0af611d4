// Owns the promise that contracts are deployed once, wholly, and never where they must not be: refusals first, then a
// deployment, and one that is cut off at every transaction. It refuses a chain that is not a real one.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Abi,
  type AbiFunction,
  createWalletClient,
  custom,
  getAbiItem,
  type Hex,
  http,
  type Transport,
  toFunctionSelector,
} from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openChain } from "../../clients/chain/chain-connection.ts";
import { deploymentFiles } from "../../clients/chain/deployment-files.ts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { deploy } from "../../governance/deploy/deploy.ts";
import type { DeployFile } from "../../governance/deploy/deploy-file.ts";
import type { Deployment } from "../../governance/deploy/deployment.ts";
import { roleHolders } from "../../governance/deploy/role-holders.ts";
import { isWellKnownWallet } from "../../governance/deploy/well-known-wallets.ts";
import {
  callListAbi,
  meterRegistryAbi,
  polderGovernorAbi,
  polderTokenAbi,
  providerStakeAbi,
  rewardParametersAbi,
  settlementAbi,
  timelockControllerAbi,
} from "../../governance/generated/abi.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { hasAnvil, type LocalChain, startChain } from "../support/local-chain.ts";
import { LOCAL, REGION, somebody, TOKEN, VOTE } from "../support/vote-file.ts";

const START_S = 20_000 * 86_400 + 5;
const OTHER_CHAIN_ID = 10_200;
const DEPLOYER = privateKeyToAccount(`0x${"d1".repeat(32)}`);
const JUNK = "test test test test test test test test test test test junk";
const UNLISTED = `0x${"00".repeat(32)}`;
/** Times that are allowed off the local chain. */
const SLOW_VOTE = {
  ...VOTE,
  votingDelaySeconds: 3_600,
  votingPeriodSeconds: 2 * 86_400,
  lateQuorumSeconds: 86_400,
  timelockDelaySeconds: 86_400,
};

test("invariant: the wallets that local chains come with are known, and no others", () => {
  for (const addressIndex of [0, 9, 49])
    expect(isWellKnownWallet(mnemonicToAccount(JUNK, { addressIndex }).address)).toBe(true);
  expect(isWellKnownWallet("0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266")).toBe(true);
  expect(isWellKnownWallet(DEPLOYER.address)).toBe(false);
});

describe.skipIf(!hasAnvil)("a deployment (skipped where npm has no anvil for the machine)", () => {
  let folder: string;
  let local: LocalChain;
  let other: LocalChain;
  /** A contract that answers six to everything: all that is asked of a quote asset while deploying. */
  const QUOTE = somebody("51");

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "polder-deploy-"));
    [local, other] = await Promise.all([startChain(START_S), startChain(START_S, OTHER_CHAIN_ID)]);
    for (const { client } of [local, other])
      await client.setBalance({ address: DEPLOYER.address, value: 10n ** 20n });
    await other.client.setCode({ address: QUOTE, bytecode: "0x600660005260206000f3" });
  });
  afterAll(async () => {
    await Promise.all([local?.stop(), other?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Deploys, keeping files in a folder of its own. */
  const run = async (
    chain: LocalChain,
    name: string,
    file: DeployFile,
    { signer = DEPLOYER, transport = http(chain.url) as Transport } = {},
  ) => {
    const connection = await openChain(chain.url, null, transport);
    const lines: string[] = [];
    const deployment = await deploy(file, {
      client: connection.client,
      // Not the clients' own, which refuses well-known wallets before the deployment does.
      wallet: createWalletClient({
        chain: connection.chain,
        transport,
        account: signer,
        pollingInterval: 20,
      }),
      store: deploymentFiles(join(folder, name)),
      report: (line) => lines.push(line),
    });
    return { deployment, lines };
  };
  const filesIn = (name: string) => (existsSync(join(folder, name)) ? readdirSync(join(folder, name)) : []);
  const read = (chain: LocalChain, contract: object, functionName: string, args: readonly unknown[] = []) =>
    chain.client.readContract({ ...contract, functionName, args } as never) as Promise<unknown>;
  const sent = (chain: LocalChain) => chain.client.getTransactionCount({ address: DEPLOYER.address });

  test("rejects: off the local chain, whatever would give its money away", async () => {
    const serious: DeployFile = {
      ...LOCAL,
      chainId: OTHER_CHAIN_ID,
      quote: QUOTE,
      vote: SLOW_VOTE,
      regions: [],
    };
    const { guardian: _guardian, ...guardless } = serious;
    const known = mnemonicToAccount(JUNK, { addressIndex: 13 });
    const knownAddress = known.address.toLowerCase() as Hex;
    const withVote = (more: object) => ({ ...serious, vote: { ...SLOW_VOTE, ...more } }) as DeployFile;
    const withRegion = (more: object) =>
      ({ ...serious, regions: [{ ...LOCAL.regions[0], ...more }] }) as DeployFile;
    const cases: [DeployFile, RegExp, typeof DEPLOYER?][] = [
      [{ ...serious, chainId: 1 }, /the file is for chain 1, and the RPC is of chain 10200/],
      [guardless, /name a guardian/],
      [{ ...serious, quote: "test" }, /play money is refused/],
      [{ ...serious, quote: somebody("52") }, /is no contract/],
      [
        serious,
        /the deployer is 0x[0-9a-f]{40}, whose key everybody has/,
        known as unknown as typeof DEPLOYER,
      ],
      [{ ...serious, guardian: knownAddress }, /the guardian is/],
      [withVote({ guardian: knownAddress }), /the votes' guardian is .* whose key everybody has/],
      [withVote({ members: [{ account: knownAddress, amount: "1" }] }), /a member is/],
      [withVote({ votingDelaySeconds: 3_599 }), /votingDelaySeconds is 3599, and .* at least 3600/],
      [withVote({ votingPeriodSeconds: 86_399 }), /votingPeriodSeconds is 86399/],
      [withVote({ lateQuorumSeconds: 21_599 }), /lateQuorumSeconds is 21599/],
      [withVote({ timelockDelaySeconds: 86_399 }), /timelockDelaySeconds is 86399/],
      [withRegion({ operator: knownAddress }), /the operator of polder-one is/],
      [withRegion({ installers: [knownAddress] }), /an installer of polder-one is/],
      [withRegion({}), /the verification key of meter-4: a development key is refused on chain 10200/],
      [withRegion({ windowSlots: 96 }), /the verification key of meter-96/],
    ];
    await other.client.setBalance({ address: knownAddress, value: 10n ** 20n });
    for (const [file, reason, signer] of cases)
      await expect(run(other, "refused", file, signer === undefined ? {} : { signer })).rejects.toThrow(
        reason,
      );
    expect(filesIn("refused")).toEqual([]);
    expect(await sent(other)).toBe(0);
  });

  test("behavior: off the local chain, over a token that is there, for the vote", async () => {
    const vote = SLOW_VOTE;
    const file: DeployFile = { ...LOCAL, chainId: OTHER_CHAIN_ID, quote: QUOTE, vote, regions: [] };
    const { deployment } = await run(other, "serious", file);
    const { timelock, governor } = deployment;
    expect(deployment).toMatchObject({ quote: QUOTE, guardian: file.guardian });
    expect(await read(other, { address: timelock, abi: timelockControllerAbi }, "getMinDelay")).toBe(86_400n);
    const ofGovernor = { address: governor, abi: polderGovernorAbi };
    for (const [name, expected] of [
      ["votingDelay", 3_600n],
      ["votingPeriod", 172_800n],
      ["lateQuorumVoteExtension", 86_400],
      ["quorumNumerator", 20n],
      ["proposalThreshold", 1_000n * TOKEN],
      ["proposalGuardian", somebody("00")],
    ] as const)
      expect(await read(other, ofGovernor, name), name).toBe(expected);
  });

  /** All that is governed is the timelock's, whose only proposer is the governor, and nobody else has anything left. */
  const requireTheVotes = async (deployment: Deployment) => {
    const { timelock, governor, token, rewardParameters, settlement, callList, meterRegistry } = deployment;
    const { providerStake } = deployment;
    const lower = async (...asked: Parameters<typeof read>) => String(await read(...asked)).toLowerCase();
    for (const address of [settlement, meterRegistry, callList, rewardParameters, providerStake])
      expect(await lower(local, { address, abi: callListAbi }, "owner")).toBe(timelock);
    const ofSettlement = { address: settlement, abi: settlementAbi };
    expect(await lower(local, ofSettlement, "rewardToken")).toBe(token);
    expect(await lower(local, ofSettlement, "termsKeeper")).toBe(rewardParameters);
    const ofStake = { address: providerStake, abi: providerStakeAbi };
    expect(await lower(local, ofStake, "slashReceiver")).toBe(timelock);
    expect(await lower(local, ofStake, "parameters")).toBe(rewardParameters);
    expect(await read(local, ofStake, "slashDelaySeconds")).toBe(BigInt(LOCAL.stake.slashDelaySeconds));
    const holders = await roleHolders(local.client as never, timelock, deployment.deployedAtBlock);
    expect(Object.fromEntries(holders)).toEqual({
      DEFAULT_ADMIN_ROLE: [timelock],
      PROPOSER_ROLE: [governor],
      CANCELLER_ROLE: [governor],
      EXECUTOR_ROLE: [governor],
    });
    const ofToken = { address: token, abi: polderTokenAbi };
    const [member] = VOTE.members as [(typeof VOTE.members)[number]];
    expect(await read(local, ofToken, "getVotes", [member.account])).toBe(BigInt(member.amount));
    expect(await read(local, ofToken, "balanceOf", [timelock])).toBe(BigInt(VOTE.treasuryAmount));
    const ofList = { address: callList, abi: callListAbi };
    const listed = (address: Hex, name: string, abi: Abi) =>
      read(local, ofList, "codeHashOf", [
        address,
        toFunctionSelector(getAbiItem({ abi, name }) as AbiFunction),
      ]);
    expect(await listed(rewardParameters, "change", rewardParametersAbi)).not.toBe(UNLISTED);
    expect(await listed(providerStake, "cancelSlashes", providerStakeAbi)).not.toBe(UNLISTED);
    for (const name of ["grantRole", "updateDelay", "execute"])
      expect(await listed(timelock, name, timelockControllerAbi), name).toBe(UNLISTED);
    expect(await listed(governor, "relay", polderGovernorAbi)).toBe(UNLISTED);
    expect(await listed(settlement, "transferOwnership", settlementAbi)).toBe(UNLISTED);
  };

  /** A transport that dies with so many transactions sent, as a process does that is killed. */
  const dyingAfter = (transactions: number): Transport => {
    let left = transactions;
    return custom(
      {
        request: async ({ method, params }: { method: string; params?: unknown }) => {
          if (left < 0) throw new Error("cut off");
          const answer = await local.client.request({ method, params } as never);
          if (method === "eth_sendRawTransaction") left -= 1;
          if (left < 0) throw new Error("cut off");
          return answer;
        },
      },
      { retryCount: 0 },
    );
  };

  test("invariant: cut off at every transaction it is done once, and a second run changes nothing", {
    timeout: 60_000,
  }, async () => {
    let deployed: Deployment | undefined;
    const before = await sent(local);
    for (let attempt = 0; deployed === undefined; attempt += 1) {
      expect(attempt).toBeLessThan(30);
      expect(filesIn("cut")).not.toContain(`${LOCAL_CHAIN_ID}.json`);
      try {
        deployed = (await run(local, "cut", LOCAL, { transport: dyingAfter(0) })).deployment;
      } catch (error) {
        expect(String(error)).toMatch(/cut off/);
      }
    }
    // Nine contracts, what Settlement learns once, a region with its values and installers, the list of calls, the governor's
    // three roles, five owners, and whoever deployed laying down the last role.
    expect((await sent(local)) - before).toBe(9 + 2 + 3 + 1 + 3 + 5 + 1);
    expect(filesIn("cut")).toEqual([`${LOCAL_CHAIN_ID}.json`]);
    await requireTheVotes(deployed);
    const { settlement, meterRegistry, quote } = deployed;
    const { client } = local;
    const word = regionWord(REGION.region);
    const ofRegistry = { address: meterRegistry, abi: meterRegistryAbi };
    const ofSettlement = { address: settlement, abi: settlementAbi };
    expect(await read(local, ofSettlement, "regionOf", [word])).toMatchObject({
      ...{ stage: 1, windowSlots: 4, epochSlots: 96, firstEpoch: 20_000n },
    });
    expect(await read(local, ofRegistry, "isInstaller", [word, REGION.installers[0]])).toBe(true);
    expect(String(await read(local, ofSettlement, "guardian")).toLowerCase()).toBe(LOCAL.guardian);
    const creation = await client.getBlock({ blockNumber: BigInt(deployed.deployedAtBlock) });
    expect(Number(creation.timestamp)).toBe(deployed.deployedAtS);
    expect(
      await client.getCode({ address: quote, blockNumber: BigInt(deployed.deployedAtBlock - 1) }),
    ).toBeUndefined();

    const file = join(folder, "cut", `${LOCAL_CHAIN_ID}.json`);
    const text = readFileSync(file, "utf8");
    const again = await run(local, "cut", LOCAL);
    expect(again).toEqual({ deployment: deployed, lines: [] });
    expect(readFileSync(file, "utf8")).toBe(text);
    expect((await sent(local)) - before).toBe(24);
  });

  test("rejects: to change what is there, and to open a region that is the vote's to open", async () => {
    const count = await sent(local);
    const cases: [DeployFile, RegExp][] = [
      [{ ...LOCAL, vote: { ...VOTE, cap: String(20_000_000n * TOKEN) } }, /cap of token at/],
      [{ ...LOCAL, vote: { ...VOTE, mostPerDay: String(TOKEN) } }, /mostPerDay of token at/],
      [{ ...LOCAL, stake: { ...LOCAL.stake, auditSeconds: 3_600 } }, /auditSeconds of providerStake at/],
      [{ ...LOCAL, guardian: somebody("1e") }, /whose guardian is 0x0e/],
      [{ ...LOCAL, quote: DEPLOYER.address.toLowerCase() as Hex }, /is no contract/],
      [
        { ...LOCAL, regions: [{ ...(LOCAL.regions[0] as (typeof LOCAL.regions)[0]), epochSlots: 192 }] },
        /for life/,
      ],
      [
        { ...LOCAL, regions: [{ ...(LOCAL.regions[0] as (typeof LOCAL.regions)[0]), region: "polder-two" }] },
        /openRegion is for the owner/,
      ],
    ];
    for (const [file, reason] of cases) await expect(run(local, "cut", file)).rejects.toThrow(reason);
    expect(await sent(local)).toBe(count);
  });

  test("rejects: a deployment in whose timelock somebody else has come to a role, or whose contract changed hands", async () => {
    const { deployment } = await run(local, "cut", LOCAL);
    const { timelock, callList } = deployment;
    const { client } = local;
    const asTimelock = async (contract: object, functionName: string, args: readonly unknown[]) => {
      await client.impersonateAccount({ address: timelock });
      await client.setBalance({ address: timelock, value: 10n ** 18n });
      const hash = await client.writeContract({
        ...contract,
        functionName,
        args,
        account: timelock,
      } as never);
      await client.waitForTransactionReceipt({ hash });
    };
    const ofTimelock = { address: timelock, abi: timelockControllerAbi };
    const role = await read(local, ofTimelock, "PROPOSER_ROLE");
    await asTimelock(ofTimelock, "grantRole", [role, somebody("1f")]);
    await expect(run(local, "cut", LOCAL)).rejects.toThrow(
      /PROPOSER_ROLE of the timelock is 0x[0-9a-f]{40}'s alone, and .*0x1f1f/,
    );
    await asTimelock(ofTimelock, "revokeRole", [role, somebody("1f")]);
    await asTimelock({ address: callList, abi: callListAbi }, "transferOwnership", [somebody("1f")]);
    await expect(run(local, "cut", LOCAL)).rejects.toThrow(/callList belongs to 0x1f1f/i);
  });

  test("rejects: terms that the contract refuses, with the name of the term; the rest waits for better ones", async () => {
    const region = LOCAL.regions[0] as (typeof LOCAL.regions)[0];
    const file = { ...LOCAL, regions: [{ ...region, terms: { ...region.terms, finalityDelaySeconds: 60 } }] };
    await expect(run(local, "terms", file)).rejects.toThrow(
      /finalityDelaySeconds is 60, and must be from 3600/,
    );
    expect(filesIn("terms")).toEqual([`${LOCAL_CHAIN_ID}.begun.json`]);
    const { deployment } = await run(local, "terms", LOCAL);
    await requireTheVotes(deployment);
  });
});
