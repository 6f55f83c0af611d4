// Owns the promise that money goes all the way on a real deployment: from a chain onto accounts, into reports and out again, once
// each, also when the process under it is killed in the middle. It refuses a mirror that is told when to look.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operatorWallet } from "../../clients/local/neighbourhood.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { walletSigner } from "../../clients/sdk/signer.ts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { signConsent } from "../../evidence/enrolment.ts";
import { secretCommitment } from "../../evidence/meter-statement.ts";
import { walletOf } from "../../evidence/wallet-key.ts";
import type { ParametersAnswer } from "../../protocol/answers.ts";
import type { ChainRegion, ChainStatus } from "../../protocol/chain-answer.ts";
import type { Hex } from "../../protocol/fields.ts";
import { GOVERNED_VALUES, type GovernedValue, governedWords } from "../../protocol/governed-values.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { type ChainContracts, deployContracts } from "../support/chain-contracts.ts";
import { BEGINS_AT_S, REGION, SEED, termsOf, varsOf } from "../support/client-region.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { GRID, TREASURY, word } from "../support/market.ts";
import { type EndpointServer, startEndpoint } from "./endpoint-server.ts";

const MIRROR_KEY = word(0x3312);
const EPOCH_SECONDS = 3_600;
const FIRST_EPOCH = BEGINS_AT_S / EPOCH_SECONDS + 1;
const POLL_SECONDS = 0.4;
const UNIT = 1_000_000n;
const WORD = regionWord(REGION);
const ann = privateKeyToAccount(word(0xa11));
const ANN = ann.address.toLowerCase() as Hex;

describe.skipIf(!hasAnvil)(
  "a deployment with a chain (skipped where npm has no anvil for the machine)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "polder-mirror-"));
    let contracts: ChainContracts;
    let endpoint: EndpointServer;
    let stack: Stack;
    let client: PolderClient;

    const vars = (marketS: number) => ({
      // Not one, where an origin is asked for.
      ...varsOf(1.5, marketS),
      SETTLEMENT: contracts.settlement.address,
      METER_REGISTRY: contracts.registry.address,
      REWARD_PARAMETERS: contracts.rewardParameters.address,
      PROVIDER_STAKE: contracts.providerStake.address,
      CHAIN_RPC: endpoint.url,
      CHAIN_POLL_SECONDS: String(POLL_SECONDS),
      MIRROR_KEY: MIRROR_KEY.slice(2),
    });
    const begin = async (marketS: number, port = 0) => {
      stack = await startStack({ stateFolder: folder, logger: () => {}, vars: vars(marketS), port });
      client = new PolderClient(stack.url);
    };
    /** The deployment and the chain at a later market time. */
    const goTo = async (marketS: number) => {
      const { port } = stack;
      await stack.stop();
      await contracts.chain.client.setNextBlockTimestamp({ timestamp: BigInt(marketS) });
      await finalise();
      await begin(marketS, port);
    };
    const finalise = () => contracts.chain.client.mine({ blocks: 4 });
    const deposit = (account: Hex, micros: bigint) =>
      contracts.chain.send(contracts.settlement, "deposit", [WORD, account, micros]);
    const freeMicros = async (account: Hex) => {
      try {
        return (await client.account(REGION, account)).freeMicros;
      } catch {
        return 0;
      }
    };
    const mirrored = async (): Promise<Partial<ChainRegion>> => {
      try {
        return (await client.chain()).regions[0] ?? {};
      } catch {
        return {};
      }
    };
    const eventually = { timeout: 15_000, interval: 40 };

    beforeAll(async () => {
      contracts = await deployContracts(BEGINS_AT_S);
      endpoint = await startEndpoint(contracts.chain.url);
      await contracts.chain.client.setBalance({ address: walletOf(MIRROR_KEY), value: 10n ** 20n });
      await begin(BEGINS_AT_S);
    });
    afterAll(async () => {
      await stack?.stop();
      await endpoint?.stop();
      await contracts?.chain.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test("behavior: a region that is opened is followed, and says that the chain does not know it", async () => {
      const deployment = await client.get<Record<string, unknown>>("/v1/deployment");
      expect(deployment).toMatchObject({
        mirror: walletOf(MIRROR_KEY),
        meterRegistry: contracts.registry.address.toLowerCase(),
        rewardParameters: contracts.rewardParameters.address.toLowerCase(),
        providerStake: contracts.providerStake.address.toLowerCase(),
      });
      const { profile, parameters } = termsOf({ proofDelaySeconds: 60 });
      await client.openRegion(
        walletSigner(operatorWallet(SEED)),
        { ...profile, operator: operatorWallet(SEED).address.toLowerCase() as Hex },
        {
          type: "open_region",
          timeZone: profile.timeZone,
          windowSlots: 4,
          epochSlots: 4,
          quote: "settlement",
          operator: operatorWallet(SEED).address.toLowerCase() as Hex,
          gridOperator: GRID,
          treasury: TREASURY,
          mirror: walletOf(MIRROR_KEY),
          parameters,
        },
      );
      await expect.poll(async () => (await mirrored()).problem?.code, eventually).toBe("not_on_chain");
      const { outflowCapBps, emissionDecayBps, emissionPerEpoch } = parameters;
      const terms = {
        fromEpoch: BigInt(FIRST_EPOCH),
        ...{ outflowCapBps, emissionDecayBps, emissionPerEpoch: BigInt(emissionPerEpoch) },
        finalityDelaySeconds: EPOCH_SECONDS,
        exitAfterSeconds: 24 * EPOCH_SECONDS,
        leastDepositMicros: UNIT,
      };
      const opening = { operator: walletOf(MIRROR_KEY), windowSlots: 4, epochSlots: 4, terms };
      await contracts.chain.send(contracts.settlement, "openRegion", [WORD, opening]);
      await finalise();
      await expect.poll(async () => (await mirrored()).stage, eventually).toBe("open");
    });

    test("behavior: a deposit is on its account within one poll of being final", async () => {
      const waits: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        await deposit(ANN, 10n * UNIT);
        await finalise();
        const finalAtMs = Date.now();
        await expect.poll(() => freeMicros(ANN), { timeout: 5_000, interval: 10 }).toBe((round + 1) * 10e6);
        waits.push(Date.now() - finalAtMs);
      }
      console.log("milliseconds from final to credited:", waits.join(" "));
      // A poll, what it takes itself, and what it takes to ask.
      expect(Math.max(...waits)).toBeLessThan(1_000 * POLL_SECONDS + 600);
    });

    test("behavior: a meter that is enrolled on the chain is in the region", async () => {
      const installer = contracts.chain.accounts[0] as Hex;
      await contracts.chain.send(contracts.registry, "appointInstallers", [WORD, [installer]]);
      const seed = new Uint8Array(32).fill(31);
      const [gatewayX, gatewayY] = poseidonKeyOf(seed);
      const commitment = secretCommitment(77n);
      const settlement = contracts.settlement.address.toLowerCase() as Hex;
      const context = { chainId: LOCAL_CHAIN_ID, settlement, regionId: REGION, windowSlots: 4 } as const;
      const { signature } = signConsent(seed, context, commitment);
      const limits = { nameplateWh: 1_000, connectionWh: 2_000, saleCapWh: 3_000, purchaseCapWh: 4_000 };
      const enrolment = {
        region: WORD,
        gatewayX,
        gatewayY,
        commitment,
        connection: word(1),
        ...limits,
        replaces: word(0),
      };
      const [r8X, r8Y] = signature.r8;
      await contracts.chain.send(contracts.registry, "enrol", [enrolment, { r8X, r8Y, s: signature.s }]);
      await finalise();
      await expect.poll(async () => (await client.market(REGION)).meters, eventually).toBe(1);
      expect(await mirrored()).toMatchObject({
        registryEventsMirrored: 2,
        registryEventsPassedOver: {},
        problem: null,
      });
    });

    test("behavior: a vote is in the region within one poll of being final, once, though it is killed before and after", {
      timeout: 60_000,
    }, async () => {
      const { parameters } = await client.market(REGION);
      const delays = { finalityDelaySeconds: EPOCH_SECONDS, exitAfterSeconds: 24 * EPOCH_SECONDS };
      const values = {
        ...parameters,
        ...{ ...delays, leastDepositMicros: Number(UNIT) },
        ...{ providerMinimumStake: 0, unbondingSeconds: 86_400, slashBps: 0, auditRateBps: 0 },
      };
      await contracts.chain.send(contracts.rewardParameters, "open", [WORD, governedWords(values)]);
      const change = (name: GovernedValue, value: number) =>
        contracts.chain.send(contracts.rewardParameters, "change", [
          WORD,
          [{ parameter: GOVERNED_VALUES.indexOf(name), value: BigInt(value) }],
        ]);
      await change("takeRateBps", parameters.takeRateBps + 25);
      await finalise();
      const finalAtMs = Date.now();
      const mirroredVotes = async () => (await mirrored()).votesMirrored;
      await expect.poll(mirroredVotes, { timeout: 5_000, interval: 10 }).toBe(1);
      expect(Date.now() - finalAtMs).toBeLessThan(1_000 * POLL_SECONDS + 600);
      let kills = 0;
      let isAsked = false;
      endpoint.passing = (methods) => {
        if (kills === 2) return;
        // A call by itself asks for a version: the first time it never arrives, the second time what follows does not.
        const isVersion = methods.length === 1 && methods[0] === "eth_call";
        const isKilled = kills === 0 ? isVersion : isAsked;
        isAsked = isVersion;
        if (!isKilled) return;
        kills += 1;
        isAsked = false;
        process.kill(stack.workerdPid, "SIGKILL");
      };
      await change("shareCapBps", parameters.shareCapBps - 250);
      await finalise();
      await expect.poll(() => kills, { timeout: 40_000, interval: 50 }).toBe(2);
      endpoint.passing = null;
      await expect.poll(mirroredVotes, { timeout: 20_000, interval: 50 }).toBe(2);
      const taken: number[] = [];
      for await (const line of client.journal(REGION)) {
        const { command } = JSON.parse(line).entry;
        if (command?.type === "schedule_parameters") taken.push(command.nonce);
      }
      expect(taken).toEqual([1, 2]);
      const { parameters: versions } = await client.get<{ parameters: ParametersAnswer[] }>(
        `/v1/regions/${REGION}/parameters`,
      );
      expect(versions.map(({ fromEpoch, voteVersion }) => [fromEpoch, voteVersion])).toEqual([
        [0, 0],
        [FIRST_EPOCH + 1, 2],
      ]);
      expect(await mirrored()).toMatchObject({ votesOnChain: 2, problem: null });
    });

    test("behavior: killed between two turns of credits, every deposit is credited once", {
      timeout: 60_000,
    }, async () => {
      const { chain, settlement } = contracts;
      const { request } = await chain.client.simulateContract({
        ...settlement,
        functionName: "deposit",
        args: [WORD, ANN, UNIT],
        account: chain.accounts[0] as Hex,
      });
      await chain.client.setAutomine(false);
      for (let made = 0; made < 150; made += 1) await chain.client.writeContract(request);
      const before = await freeMicros(ANN);
      const kills: number[] = [];
      let turns = 0;
      endpoint.passing = (methods) => {
        if (methods.length !== 50) return;
        turns += 1;
        // As the second turn of a poll is asked for: the first one's credits are in, and nobody has heard more.
        if (turns !== 2 && turns !== 4) return;
        kills.push(stack.workerdPid);
        process.kill(stack.workerdPid, "SIGKILL");
      };
      await chain.client.setAutomine(true);
      await finalise();
      await expect
        .poll(async () => (await mirrored()).depositsMirrored, { timeout: 40_000, interval: 100 })
        .toBe(155);
      endpoint.passing = null;
      expect(kills).toHaveLength(2);
      expect(await freeMicros(ANN)).toBe(before + 150e6);
      expect(before).toBe(50e6);
    });

    test("behavior: killed as it reports, an epoch is reported once; what was withdrawn is paid", {
      timeout: 90_000,
    }, async () => {
      await client.submit(REGION, walletSigner(ann), { type: "withdraw", amountMicros: 40_000_000 });
      let kills = 0;
      const nonce = () => contracts.chain.client.getTransactionCount({ address: walletOf(MIRROR_KEY) });
      endpoint.passing = async (methods) => {
        if (methods[0] !== "eth_sendRawTransaction" || kills === 2) return;
        kills += 1;
        process.kill(stack.workerdPid, "SIGKILL");
        // The first is lost with its sender, the second arrives.
        if (kills === 1) throw new Error("the line is dead");
      };
      await goTo((FIRST_EPOCH + 1) * EPOCH_SECONDS + 70);
      await expect.poll(nonce, { timeout: 40_000, interval: 100 }).toBe(1);
      await finalise();
      await expect.poll(async () => (await mirrored()).lastReportedEpoch, eventually).toBe(FIRST_EPOCH);
      expect(kills).toBe(2);
      expect(await nonce()).toBe(1);
      endpoint.passing = null;
      await contracts.chain.client.increaseTime({ seconds: EPOCH_SECONDS });
      await finalise();
      await expect.poll(async () => (await mirrored()).lastFinalEpoch, eventually).toBe(FIRST_EPOCH);
      const { leaf, path } = await client.leaf(REGION, FIRST_EPOCH, ANN);
      await contracts.chain.send(contracts.settlement, "withdraw", [WORD, BigInt(FIRST_EPOCH), leaf, path]);
      expect(
        await contracts.chain.client.readContract({
          ...contracts.quote,
          functionName: "balanceOf",
          args: [ANN],
        }),
      ).toBe(40n * UNIT);
      expect(await mirrored()).toMatchObject({ problem: null });
    });

    test("behavior: without its chain a region trades on, and takes up what it missed", {
      timeout: 60_000,
    }, async () => {
      endpoint.passing = () => {
        throw new Error("nobody is there");
      };
      const before = await freeMicros(ANN);
      await deposit(ANN, 5n * UNIT);
      await finalise();
      await expect
        .poll(async () => ((await client.chain()) as ChainStatus).problem?.code, eventually)
        .toBe("rpc_away");
      await client.submit(REGION, walletSigner(ann), { type: "withdraw", amountMicros: 1_000_000 });
      expect(await freeMicros(ANN)).toBe(before - 1e6);
      endpoint.passing = null;
      await expect.poll(() => freeMicros(ANN), eventually).toBe(before + 4e6);
      await expect.poll(async () => (await client.chain()).problem, eventually).toBeNull();
    });
  },
);
