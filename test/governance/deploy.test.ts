// Owns the promise that contracts are deployed once, wholly, and never where they must not be: refusals first, then a
// deployment, and one that is cut off at every transaction. It refuses a chain that is not a real one.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWalletClient, custom, type Hex, http, type Transport } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openChain } from "../../clients/chain/chain-connection.ts";
import { deploymentFiles } from "../../clients/chain/deployment-files.ts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { deploy } from "../../governance/deploy/deploy.ts";
import { type DeployFile, deployFileSchema } from "../../governance/deploy/deploy-file.ts";
import type { Deployment } from "../../governance/deploy/deployment.ts";
import { isWellKnownWallet } from "../../governance/deploy/well-known-wallets.ts";
import { meterRegistryAbi, settlementAbi } from "../../governance/generated/abi.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { hasAnvil, type LocalChain, startChain } from "../support/local-chain.ts";

const START_S = 20_000 * 86_400 + 5;
const OTHER_CHAIN_ID = 10_200;
const DEPLOYER = privateKeyToAccount(`0x${"d1".repeat(32)}`);
const JUNK = "test test test test test test test test test test test junk";
const somebody = (byte: string): Hex => `0x${byte.repeat(20)}`;
const REGION = {
  region: "polder-one",
  operator: somebody("0a"),
  windowSlots: 4,
  epochSlots: 96,
  terms: {
    outflowCapBps: 2_500,
    finalityDelaySeconds: 86_400,
    exitAfterSeconds: 7 * 86_400,
    leastDepositMicros: 1_000_000,
    emissionDecayBps: 10,
    emissionPerEpoch: "1000",
  },
  installers: [somebody("0c"), somebody("0b")],
} as const;
const LOCAL: DeployFile = deployFileSchema.parse({
  chainId: LOCAL_CHAIN_ID,
  quote: "test",
  owner: somebody("0d"),
  guardian: somebody("0e"),
  regions: [REGION],
});

test("rejects: a deploy file with anything unknown, missing or twice", () => {
  const cases: [object, string][] = [
    [{ ...LOCAL, owners: [] }, "Unrecognized key"],
    [{ ...LOCAL, owner: "0x12" }, "must be an address"],
    [{ ...LOCAL, quote: undefined }, "Invalid input"],
    [{ ...LOCAL, chainId: 0 }, "Too small"],
    [{ ...LOCAL, regions: [REGION, REGION] }, "a region stands twice"],
    [{ ...LOCAL, regions: [{ ...REGION, windowSlots: 5 }] }, "Invalid input"],
    [{ ...LOCAL, regions: [{ ...REGION, installers: [somebody("0b"), somebody("0b")] }] }, "stands twice"],
    [
      { ...LOCAL, regions: [{ ...REGION, terms: { ...REGION.terms, emissionPerEpoch: 5 } }] },
      "expected string",
    ],
  ];
  for (const [file, reason] of cases)
    expect(JSON.stringify(deployFileSchema.safeParse(file).error?.issues), reason).toContain(reason);
});

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
  const sent = (chain: LocalChain) => chain.client.getTransactionCount({ address: DEPLOYER.address });

  test("rejects: off the local chain, whatever would give its money away", async () => {
    const serious: DeployFile = { ...LOCAL, chainId: OTHER_CHAIN_ID, quote: QUOTE, regions: [] };
    const { owner: _owner, ...ownerless } = serious;
    const { guardian: _guardian, ...guardless } = serious;
    const known = mnemonicToAccount(JUNK, { addressIndex: 13 });
    const knownAddress = known.address.toLowerCase() as Hex;
    const withRegion = (more: object) =>
      ({ ...serious, regions: [{ ...LOCAL.regions[0], ...more }] }) as DeployFile;
    const cases: [DeployFile, RegExp, typeof DEPLOYER?][] = [
      [{ ...serious, chainId: 1 }, /the file is for chain 1, and the RPC is of chain 10200/],
      [ownerless, /name an owner/],
      [{ ...serious, owner: somebody("00") }, /name an owner/],
      [guardless, /name a guardian/],
      [{ ...serious, quote: "test" }, /play money is refused/],
      [{ ...serious, quote: somebody("52") }, /is no contract/],
      [
        serious,
        /the deployer is 0x[0-9a-f]{40}, whose key everybody has/,
        known as unknown as typeof DEPLOYER,
      ],
      [{ ...serious, owner: knownAddress }, /the owner is .* whose key everybody has/],
      [{ ...serious, guardian: knownAddress }, /the guardian is/],
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

  test("behavior: off the local chain, over a token that is there, for an owner", async () => {
    const file: DeployFile = { ...LOCAL, chainId: OTHER_CHAIN_ID, quote: QUOTE, regions: [] };
    const { deployment } = await run(other, "serious", file);
    expect(deployment).toMatchObject({ quote: QUOTE, rewardToken: somebody("00"), owner: file.owner });
  });

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
      expect(attempt).toBeLessThan(20);
      expect(filesIn("cut")).not.toContain(`${LOCAL_CHAIN_ID}.json`);
      try {
        deployed = (await run(local, "cut", LOCAL, { transport: dyingAfter(0) })).deployment;
      } catch (error) {
        expect(String(error)).toMatch(/cut off/);
      }
    }
    // Four contracts, the reward token's name, one region, its installers, two owners.
    expect((await sent(local)) - before).toBe(9);
    expect(filesIn("cut")).toEqual([`${LOCAL_CHAIN_ID}.json`]);
    const { settlement, meterRegistry, quote, rewardToken } = deployed;
    const { client } = local;
    const word = regionWord(REGION.region);
    const ofSettlement = { address: settlement, abi: settlementAbi } as const;
    const ofRegistry = { address: meterRegistry, abi: meterRegistryAbi } as const;
    const [owner, guardian, books, token, money, registryOwner, isInstaller] = await Promise.all([
      client.readContract({ ...ofSettlement, functionName: "owner" }),
      client.readContract({ ...ofSettlement, functionName: "guardian" }),
      client.readContract({ ...ofSettlement, functionName: "regionOf", args: [word] }),
      client.readContract({ ...ofSettlement, functionName: "rewardToken" }),
      client.readContract({ ...ofSettlement, functionName: "quote" }),
      client.readContract({ ...ofRegistry, functionName: "owner" }),
      client.readContract({ ...ofRegistry, functionName: "isInstaller", args: [word, REGION.installers[0]] }),
    ]);
    expect([owner, guardian, registryOwner].map((who) => who.toLowerCase())).toEqual([
      LOCAL.owner,
      LOCAL.guardian,
      LOCAL.owner,
    ]);
    expect([token, money].map((who) => who.toLowerCase())).toEqual([rewardToken, quote]);
    expect(books).toMatchObject({ stage: 1, windowSlots: 4, epochSlots: 96, firstEpoch: 20_000n });
    expect(isInstaller).toBe(true);
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
    expect((await sent(local)) - before).toBe(9);
  });

  test("rejects: to change what is there, and to open a region that is the new owner's to open", async () => {
    const count = await sent(local);
    const cases: [DeployFile, RegExp][] = [
      [{ ...LOCAL, owner: somebody("1d") }, /whose owner is 0x0d/],
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

  test("rejects: terms that the contract refuses, with the name of the term; the rest waits for better ones", async () => {
    const region = LOCAL.regions[0] as (typeof LOCAL.regions)[0];
    const file = { ...LOCAL, regions: [{ ...region, terms: { ...region.terms, finalityDelaySeconds: 60 } }] };
    await expect(run(local, "terms", file)).rejects.toThrow(
      /finalityDelaySeconds is 60, and must be from 3600/,
    );
    expect(filesIn("terms")).toEqual([`${LOCAL_CHAIN_ID}.begun.json`]);
    const { deployment } = await run(local, "terms", LOCAL);
    expect(deployment.owner).toBe(LOCAL.owner);
  });
});
