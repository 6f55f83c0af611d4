// Owns the promise that stakes on a real chain read as the events they were, in their order, and come to what the contract has of
// each provider. It refuses a chain that is not a real one.

import type { Address, Hex, PublicClient } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendCall } from "../../governance/calls/contract-call.ts";
import {
  readStakeEvents,
  type StakeEvent,
  stakeEventCount,
  stakeEventOf,
  stakesAfter,
} from "../../governance/calls/stake-reads.ts";
import { providerStakeAbi } from "../../governance/generated/abi.ts";
import { governedWords } from "../../protocol/governed-values.ts";
import { STAKE_TIMES, TREASURY } from "../support/chain-contracts.ts";
import {
  DELAY_SECONDS,
  type DeployedRegion,
  deployRegion,
  EMISSION,
  EPOCH_SECONDS,
  FIRST_EPOCH,
  REGION,
  UNIT,
} from "../support/deployed-region.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { word } from "../support/market.ts";
import { REGION_PARAMETERS } from "../support/vote-file.ts";

const STAKE = 100n * UNIT;
const PAUSE_SECONDS = 600;
const [KEY, NEXT_KEY, JOB] = [word(0x5e1), word(0x5e2), word(0x10b)];
const NOWHERE = word(0xdead);

test("rejects: answers that are no events, or that no region could count", () => {
  const { decode } = stakeEventOf(REGION, 3);
  const figure = (value: bigint) => value.toString(16).padStart(64, "0");
  const event = (account: bigint, micros: bigint): Hex =>
    `0x${figure(7n)}${figure(account)}${figure(micros)}${figure(1n)}`;
  expect(() => decode(event(0n, 5n))).toThrow("there is no stake event 3");
  expect(() => decode(event(9n, 2n ** 53n))).toThrow("too large");
  expect(() => decode("0x")).toThrow();
  expect(() => decode(event(9n, 5n).slice(0, -2) as Hex)).toThrow();
  expect(() => stakeEventCount(REGION).decode(`0x${figure(2n ** 53n)}${figure(0n)}`)).toThrow("too large");
  expect(decode(event(9n, 5n))).toEqual({
    ...{ number: 3, account: `0x${"00".repeat(19)}09`, nodeKey: word(7), stakedMicros: 5, isUnbonding: true },
  });
});

test("behavior: the newest event of an account is what it has, and nothing at stake is no provider", () => {
  const at = (number: number, account: number, stakedMicros: number): StakeEvent => ({
    ...{ number, account: `0x${String(account).repeat(40)}`, nodeKey: word(number), stakedMicros },
    isUnbonding: stakedMicros === 7,
  });
  const events = [at(1, 1, 5), at(2, 2, 6), at(3, 1, 7), at(4, 2, 0), at(5, 3, 9), at(6, 2, 8)];
  expect([...stakesAfter(events).values()].map(({ number }) => number).toSorted()).toEqual([3, 5, 6]);
  expect(stakesAfter(events.slice(0, 4)).has(`0x${"2".repeat(40)}`)).toBe(false);
});

describe.skipIf(!hasAnvil)("stakes on a chain (skipped where npm has no anvil for the machine)", () => {
  let region: DeployedRegion;
  let owner: Address;

  beforeAll(async () => {
    region = await deployRegion();
    owner = region.chain.accounts[0] as Address;
    const values = governedWords({
      ...REGION_PARAMETERS,
      ...{ outflowCapBps: 2_500, finalityDelaySeconds: DELAY_SECONDS, exitAfterSeconds: 7 * 86_400 },
      ...{ leastDepositMicros: Number(UNIT), emissionDecayBps: 0, emissionPerEpoch: String(EMISSION) },
    });
    await region.chain.send(region.rewardParameters, "open", [REGION, values]);
  });
  afterAll(async () => {
    await region?.chain.stop();
  });

  const read = (name: Hex = REGION) =>
    readStakeEvents(region.chain.client as unknown as PublicClient, region.providerStake.address, name);
  const send = (functionName: string, args: readonly unknown[]) =>
    region.chain.send(region.providerStake, functionName, args);
  const wait = async (seconds: number) => {
    await region.chain.client.increaseTime({ seconds });
    await region.chain.client.mine({ blocks: 1 });
  };
  const refusalOf = (functionName: string, args: readonly unknown[]) =>
    sendCall(
      {
        client: region.chain.client as never,
        wallet: { account: { address: owner, type: "json-rpc" } } as never,
      },
      { ...region.providerStake, functionName, args },
    ).then(
      () => null,
      (error: Error) => error.message,
    );

  test("rejects: what the contract refuses, in words", async () => {
    expect(await refusalOf("stake", [REGION, KEY, 49n * UNIT])).toBe(
      "ProviderStake_BelowMinimum: 49.000000 would be less than the minimum stake, 50.000000",
    );
    expect(await refusalOf("withdraw", [REGION])).toContain("has no stake in the region");
    expect(await refusalOf("executeSlash", [REGION, 1n])).toContain("no such slash is queued: 1");
    expect(await read()).toEqual([]);
    expect(await read(NOWHERE)).toEqual([]);
    await expect(
      readStakeEvents(region.chain.client as unknown as PublicClient, region.quote.address, REGION),
    ).rejects.toThrow();
  });

  test("behavior: a provider's life is read in its order, and comes to what the contract has", async () => {
    await send("stake", [REGION, KEY, STAKE]);
    await wait(PAUSE_SECONDS);
    await send("rotateKey", [REGION, NEXT_KEY]);
    await wait(PAUSE_SECONDS);
    const { timestamp } = await region.chain.client.getBlock();
    const wrong = {
      ...{ region: REGION, account: owner, nodeKey: KEY, jobDigest: JOB, outputHash: word(2), entry: 9n },
      atS: Number(timestamp),
    };
    await send("queueSlash", [wrong, STAKE / 10n]);
    const asOf = await region.chain.client.getBlockNumber({ cacheTime: 0 });
    await send("beginUnbonding", [REGION]);
    await wait(STAKE_TIMES.slashDelaySeconds);
    await send("executeSlash", [REGION, 1n]);
    await wait(14 * 86_400);
    const last = (await read()).at(-1);
    await send("withdraw", [REGION]);

    const micros = Number(STAKE);
    const events = await read();
    expect(
      events.map(({ number, nodeKey, stakedMicros, isUnbonding }) => [
        ...[number, nodeKey, stakedMicros, isUnbonding],
      ]),
    ).toEqual([
      [1, KEY, micros, false],
      [2, NEXT_KEY, micros, false],
      [3, NEXT_KEY, micros - micros / 10, false],
      [4, NEXT_KEY, micros - micros / 10, true],
      [5, NEXT_KEY, 0, true],
    ]);
    expect(events.every(({ account }) => account === owner)).toBe(true);
    expect(last).toEqual(events[3]);
    expect(stakesAfter(events).size).toBe(0);
    const { client } = region.chain;
    const { address } = region.providerStake;
    // As of an earlier block, for a mirror that follows finalised ones.
    expect(await readStakeEvents(client as unknown as PublicClient, address, REGION, asOf)).toEqual(
      events.slice(0, 3),
    );
    expect(await client.readContract({ ...region.quote, functionName: "balanceOf", args: [TREASURY] })).toBe(
      STAKE / 10n,
    );
    const held = await client.readContract({
      ...{ address, abi: providerStakeAbi, functionName: "stakeOf", args: [REGION, owner] },
    } as const);
    expect(held.bondedMicros + held.queuedMicros).toBe(0n);
    expect(FIRST_EPOCH * BigInt(EPOCH_SECONDS)).toBeLessThan(timestamp);
  });
});
