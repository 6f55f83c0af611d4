// Owns the promise that a vote goes over a real chain as clients make it: refusals with their names, whichever contract refused,
// then one vote by wallet and one by signature, and what it changed. It refuses a chain that is not a real one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Abi, encodeFunctionData, type Hex, keccak256, toBytes } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openChain, walletOn } from "../../clients/chain/chain-connection.ts";
import { deploymentFiles } from "../../clients/chain/deployment-files.ts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { type ContractSender, sendCall } from "../../governance/calls/contract-call.ts";
import { describedBy, parametersAbi, voteAbi } from "../../governance/calls/vote-abi.ts";
import { deploy } from "../../governance/deploy/deploy.ts";
import type { Deployment } from "../../governance/deploy/deployment.ts";
import { settlementAbi, timelockControllerAbi } from "../../governance/generated/abi.ts";
import { GOVERNED_VALUES, type GovernedValue } from "../../protocol/governed-values.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { hasAnvil, type LocalChain, startChain } from "../support/local-chain.ts";
import { LOCAL, REGION, TOKEN, VOTE } from "../support/vote-file.ts";

const START_S = 20_000 * 86_400 + 5;
const DEPLOYER = privateKeyToAccount(`0x${"d1".repeat(32)}`);
const ANNA = privateKeyToAccount(`0x${"a1".repeat(32)}`);
const BEN = privateKeyToAccount(`0x${"b1".repeat(32)}`);
const WORD = regionWord(REGION.region);
const FOR = 1;

describe.skipIf(!hasAnvil)("a vote (skipped where npm has no anvil for the machine)", () => {
  let folder: string;
  let chain: LocalChain;
  let deployment: Deployment;
  let senders: Record<"anna" | "relay", ContractSender>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "polder-vote-"));
    chain = await startChain(START_S);
    for (const { address } of [DEPLOYER, ANNA]) await chain.client.setBalance({ address, value: 10n ** 20n });
    const connection = await openChain(chain.url, LOCAL_CHAIN_ID);
    const senderOf = (account: typeof ANNA) => ({
      client: connection.client,
      wallet: walletOn(connection, account),
    });
    senders = { anna: senderOf(ANNA), relay: senderOf(DEPLOYER) };
    const members = [ANNA, BEN].map(({ address }) => ({
      account: address.toLowerCase() as Hex,
      amount: String(50_000n * TOKEN),
    }));
    deployment = await deploy(
      { ...LOCAL, vote: { ...VOTE, members } },
      { ...senders.relay, store: deploymentFiles(folder), report: () => {} },
    );
    // Votes count from the second after their delegation on, and a deployment may take no longer.
    await chain.client.increaseTime({ seconds: 60 });
    await chain.client.mine({ blocks: 1 });
  }, 60_000);
  afterAll(async () => {
    await chain?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const governor = () => ({ address: deployment.governor, abi: voteAbi as Abi });
  const parameters = () => ({ address: deployment.rewardParameters, abi: parametersAbi as Abi });
  const changes = (values: Partial<Record<GovernedValue, bigint>>) =>
    Object.entries(values).map(([name, value]) => ({
      parameter: GOVERNED_VALUES.indexOf(name as GovernedValue),
      value,
    }));
  const proposalOf = (values: Partial<Record<GovernedValue, bigint>>, text: string) => {
    const call = { abi: parametersAbi as Abi, functionName: "change", args: [WORD, changes(values)] };
    return [[deployment.rewardParameters], [0n], [encodeFunctionData(call)], describedBy(text, ANNA.address)];
  };
  const send = (who: keyof typeof senders, functionName: string, args: readonly unknown[]) =>
    sendCall(senders[who], { ...governor(), functionName, args });
  const read = (functionName: string, args: readonly unknown[]) =>
    chain.client.readContract({ ...governor(), functionName, args }) as Promise<bigint>;
  const passTo = async (timestamp: bigint) => {
    await chain.client.setNextBlockTimestamp({ timestamp });
    await chain.client.mine({ blocks: 1 });
  };
  const signed = (proposal: bigint, nonce: bigint) =>
    BEN.signTypedData({
      domain: {
        name: "PolderGovernor",
        version: "1",
        chainId: LOCAL_CHAIN_ID,
        verifyingContract: deployment.governor,
      },
      types: {
        Ballot: [
          { name: "proposalId", type: "uint256" },
          { name: "support", type: "uint8" },
          { name: "voter", type: "address" },
          { name: "nonce", type: "uint256" },
        ],
      },
      primaryType: "Ballot",
      message: { proposalId: proposal, support: FOR, voter: BEN.address, nonce },
    });
  /** Proposed, voted on by both, and due. */
  const due = async (proposal: readonly unknown[]) => {
    const { result } = await send("anna", "propose", proposal);
    const id = result as bigint;
    await passTo((await read("proposalSnapshot", [id])) + 1n);
    await send("anna", "castVoteWithReason", [id, FOR, "It is too low."]);
    const nonce = await read("nonces", [BEN.address]);
    await send("relay", "castVoteBySig", [id, FOR, BEN.address, await signed(id, nonce)]);
    await passTo((await read("proposalDeadline", [id])) + 1n);
    await send("relay", "queue", [id]);
    await passTo(await read("proposalEta", [id]));
    return id;
  };

  test("rejects: what the governor, the list, the values and Settlement refuse, each by its name", async () => {
    const [targets, values, calls, description] = proposalOf({ takeRateBps: 120n }, "One") as [
      Hex[],
      bigint[],
      Hex[],
      string,
    ];
    const notListed = encodeFunctionData({
      abi: timelockControllerAbi,
      functionName: "updateDelay",
      args: [1n],
    });
    const cases: [keyof typeof senders, unknown[], string][] = [
      ["anna", [targets, values, calls, "One"], "PolderGovernor_ProposerNotNamed"],
      ["relay", [targets, values, calls, description], "GovernorRestrictedProposer"],
      ["anna", [[deployment.timelock], values, [notListed], description], "CallList_NotAllowed"],
      ["anna", [targets, [1n], calls, description], "CallList_EtherRefused"],
      [
        "relay",
        [targets, values, calls, describedBy("One", DEPLOYER.address)],
        "GovernorInsufficientProposerVotes",
      ],
    ];
    for (const [who, args, code] of cases)
      await expect(send(who, "propose", args), code).rejects.toMatchObject({ code });
    const check = (change: Partial<Record<GovernedValue, bigint>>) =>
      sendCall(senders.anna, { ...parameters(), functionName: "check", args: [WORD, changes(change)] });
    await expect(check({ takeRateBps: 2_001n })).rejects.toMatchObject({
      code: "RewardParameters_OutOfBounds",
    });
    await expect(check({ takeRateBps: 151n })).rejects.toMatchObject({
      code: "RewardParameters_StepTooLarge",
    });
    expect(await read("proposalCount", [])).toBe(0n);
  });

  test("behavior: a change of a value and of terms, voted by wallet and by signature, holds from the next epoch on", async () => {
    const proposal = proposalOf({ emissionPerEpoch: 1_200n, takeRateBps: 120n }, "A little more");
    const id = await due(proposal);
    await send("relay", "execute", [id]);
    const ofParameters = { ...parameters(), functionName: "versionOf", args: [WORD, 1n] };
    const version = (await chain.client.readContract(ofParameters)) as {
      fromEpoch: bigint;
      values: bigint[];
    };
    const voted = (name: GovernedValue) => version.values[GOVERNED_VALUES.indexOf(name)];
    expect([voted("emissionPerEpoch"), voted("takeRateBps"), voted("clearingPriceK")]).toEqual([
      ...[1_200n, 120n, 5_000n],
    ]);
    const [terms] = await chain.client.readContract({
      address: deployment.settlement,
      abi: settlementAbi,
      functionName: "termsInEpoch",
      args: [WORD, version.fromEpoch],
    });
    expect(terms).toMatchObject({ fromEpoch: version.fromEpoch, emissionPerEpoch: 1_200n });
    const [against, inFavour] = (await read("proposalVotes", [id])) as unknown as bigint[];
    expect([against, inFavour]).toEqual([0n, 100_000n * TOKEN]);
  });

  test("rejects: a passed vote whose step comes too soon, and executing it on the timelock itself", async () => {
    const proposal = proposalOf({ takeRateBps: 130n }, "And again");
    const id = await due(proposal);
    await expect(send("relay", "execute", [id])).rejects.toMatchObject({
      code: "RewardParameters_CoolingDown",
    });
    const [targets, values, calls, description] = proposal as [Hex[], bigint[], Hex[], string];
    const governorWord = BigInt(deployment.governor) << 96n;
    const salt = `0x${(governorWord ^ BigInt(keccak256(toBytes(description)))).toString(16).padStart(64, "0")}`;
    const onTimelock = {
      address: deployment.timelock,
      abi: voteAbi.concat(timelockControllerAbi as never) as Abi,
    };
    const args = [targets, values, calls, `0x${"00".repeat(32)}`, salt];
    await expect(
      sendCall(senders.anna, { ...onTimelock, functionName: "executeBatch", args }),
    ).rejects.toMatchObject({ code: "AccessControlUnauthorizedAccount" });
    expect(
      await chain.client.readContract({ ...parameters(), functionName: "versionCount", args: [WORD] }),
    ).toBe(2n);
    // It may be tried again when the value has rested.
    await chain.client.increaseTime({ seconds: 7 * 86_400 });
    await chain.client.mine({ blocks: 1 });
    await send("relay", "execute", [id]);
    expect(
      await chain.client.readContract({ ...parameters(), functionName: "versionCount", args: [WORD] }),
    ).toBe(3n);
  });
});
