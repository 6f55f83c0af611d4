// Owns the promise of `polder audit --rpc`: what it reads is the contract's own record, whatever an RPC makes of it, and a report
// that the journal does not bear out is named with its part. It refuses a chain that is not a real one.

import { type Abi, type CustomTransport, custom, encodeEventTopics, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuditReport } from "../../clients/audit/audit.ts";
import { openChain, walletOn } from "../../clients/chain/chain-connection.ts";
import { type RegionRecord, readRecord } from "../../clients/chain/region-record.ts";
import { SettlementClient } from "../../clients/chain/settlement-client.ts";
import { SettlementWallet } from "../../clients/chain/settlement-wallet.ts";
import { mirrorWallet, operatorWallet } from "../../clients/local/neighbourhood.ts";
import { walletSigner } from "../../clients/sdk/signer.ts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import type { EpochReport } from "../../evidence/epoch-report.ts";
import { readSums } from "../../evidence/sum-claim.ts";
import { circuitWord } from "../../evidence/verification-keys.ts";
import { sendCall } from "../../governance/calls/contract-call.ts";
import { reportStruct } from "../../governance/calls/report-call.ts";
import { meterRegistryAbi, rewardParametersAbi, settlementAbi } from "../../governance/generated/abi.ts";
import { figuresOf } from "../../market/schedule.ts";
import type { ParametersAnswer } from "../../protocol/answers.ts";
import { NO_ADDRESS } from "../../protocol/fields.ts";
import { GOVERNED_VALUES } from "../../protocol/governed-values.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { CommandLine } from "../support/client-commands.ts";
import { REGION, SEED } from "../support/client-region.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { word } from "../support/market.ts";
import { EPOCH_SECONDS, FIRST_EPOCH, SettledRegion } from "../support/settled-region.ts";

const UNIT = 1_000_000n;
const WORD = regionWord(REGION);
const VOTED_BPS = 130;

/** A log as an RPC spells it. */
interface RawLog {
  topics: Hex[];
  data: Hex;
  blockNumber: Hex;
  logIndex: Hex;
}

/** Tells an event's logs. */
const logsOf = (abi: Abi, eventName: string) => {
  const [topic] = encodeEventTopics({ abi, eventName } as never);
  return (log: RawLog) => log.topics[0] === topic;
};
const names = {
  reported: logsOf(settlementAbi as Abi, "Reported"),
  released: logsOf(settlementAbi as Abi, "FreezeReleased"),
  deposited: logsOf(settlementAbi as Abi, "Deposited"),
  appointed: logsOf(meterRegistryAbi as Abi, "InstallersAppointed"),
};

describe.skipIf(!hasAnvil)(
  "an audit against a chain (skipped where npm has no anvil for the machine)",
  () => {
    let region: SettledRegion;
    let line: CommandLine;
    const asMirror = async (contract: object, functionName: string, args: unknown[]) => {
      const connection = await openChain(region.chain.url, LOCAL_CHAIN_ID);
      const sender = { client: connection.client, wallet: walletOn(connection, mirrorWallet(SEED)) };
      await sendCall(sender, { ...contract, functionName, args } as never);
    };
    const settlement = () => ({ address: region.deployment.settlement, abi: settlementAbi });
    const governed = () =>
      ({ address: region.deployment.rewardParameters, abi: rewardParametersAbi }) as const;
    const registry = () => ({ address: region.deployment.meterRegistry, abi: meterRegistryAbi });
    const finalise = () => region.chain.client.mine({ blocks: 4 });

    /** Lets the chain's time pass until an epoch has begun. */
    const passTo = async (epoch: number) => {
      await region.chain.client.setNextBlockTimestamp({ timestamp: BigInt(epoch * EPOCH_SECONDS + 70) });
      await finalise();
    };

    /** Reads the record through an RPC that changes lists of logs, or refuses them. */
    const recordBy = async (
      change: (logs: RawLog[], from: number, to: number) => RawLog[],
      meterRegistry: Hex = NO_ADDRESS,
    ): Promise<RegionRecord> => {
      const transport: CustomTransport = custom(
        {
          request: async ({ method, params }) => {
            const answer = await region.chain.client.request({ method, params } as never);
            if (method !== "eth_getLogs") return answer;
            const [{ fromBlock, toBlock }] = params;
            return change(structuredClone(answer) as never, Number(fromBlock), Number(toBlock));
          },
        },
        { retryCount: 0 },
      );
      const connection = await openChain(region.chain.url, LOCAL_CHAIN_ID, transport);
      const client = await SettlementClient.open(connection, region.deployment.settlement, REGION);
      return readRecord(client, { meterRegistry, rewardParameters: NO_ADDRESS, providerStake: NO_ADDRESS });
    };

    beforeAll(async () => {
      region = await SettledRegion.start();
      line = new CommandLine(region.stack.url, region.folder);
      for (const [name, micros] of [
        ["alice", 50n * UNIT],
        ["bob", 30n * UNIT],
      ] as const) {
        const home = await region.wallet(name, micros);
        const connection = await openChain(region.chain.url, LOCAL_CHAIN_ID);
        const client = await SettlementClient.open(connection, region.deployment.settlement, REGION);
        await new SettlementWallet(client, privateKeyToAccount(home.key)).deposit(home.account, micros);
        await region.credit();
      }
      const changes = [{ parameter: GOVERNED_VALUES.indexOf("takeRateBps"), value: BigInt(VOTED_BPS) }];
      await region.decide(governed(), "change", [WORD, changes]);
      const { fromEpoch } = await region.chain.client.readContract({
        ...governed(),
        functionName: "versionOf",
        args: [WORD, 1n],
      });
      const [opening] = (
        await region.client.get<{ parameters: ParametersAnswer[] }>(`/v1/regions/${REGION}/parameters`)
      ).parameters;
      await region.client.submit(REGION, walletSigner(mirrorWallet(SEED)), {
        type: "schedule_parameters",
        nonce: 1,
        fromEpoch: Number(fromEpoch),
        figures: { ...figuresOf((opening as ParametersAnswer).parameters), takeRateBps: VOTED_BPS },
      });
      await region.decide(settlement(), "setGuardian", [region.deployment.timelock]);
      await region.decide(registry(), "appointInstallers", [WORD, [operatorWallet(SEED).address]]);
      // Both while neither is final; then the second is dropped, and posted again.
      await region.closeEpoch(FIRST_EPOCH + 1);
      await passTo(FIRST_EPOCH + 2);
      await region.report(FIRST_EPOCH);
      await region.report(FIRST_EPOCH + 1);
      await region.decide(settlement(), "freeze", [WORD, BigInt(FIRST_EPOCH)]);
      await region.decide(settlement(), "release", [WORD]);
      await region.report(FIRST_EPOCH + 1);
      await finalise();
    }, 120_000);
    afterAll(() => region?.stop());

    test("rejects: an RPC that leaves out, invents or changes a report", async () => {
      const last = (logs: RawLog[]) => logs.findLast(names.reported) as RawLog;
      const cases: [string, (logs: RawLog[]) => RawLog[], RegExp][] = [
        ["none", () => [], new RegExp(`shows no report ${FIRST_EPOCH}, and the contract has it`)],
        ["without the last", (logs) => logs.filter((log) => log !== last(logs)), /shows no report|release/],
        [
          "with a release hidden",
          (logs) => logs.filter((log) => !names.released(log)),
          /two reports of epoch/,
        ],
        [
          "with one more",
          (logs) => {
            const more = structuredClone(last(logs));
            const next = BigInt(FIRST_EPOCH + 2)
              .toString(16)
              .padStart(64, "0");
            more.topics[2] = `0x${next}`;
            more.data = `0x${next}${more.data.slice(66)}`;
            more.logIndex = "0x63";
            return [...logs, more];
          },
          new RegExp(`a report of epoch ${FIRST_EPOCH + 2} that is not the contract's`),
        ],
        [
          "with another state hash",
          (logs) => {
            const changed = last(logs);
            changed.data = `0x${changed.data.slice(2, 66)}${"11".repeat(32)}${changed.data.slice(130)}`;
            return logs;
          },
          /that is not the contract.s/,
        ],
        [
          "of two epochs",
          (logs) => {
            last(logs).topics[2] = `0x${BigInt(FIRST_EPOCH).toString(16).padStart(64, "0")}`;
            return logs;
          },
          /a log that no contract writes/,
        ],
      ];
      for (const [name, change, reason] of cases)
        await expect(recordBy(change), name).rejects.toThrow(reason);
    });

    test("rejects: deposits and events that are not the contract's, and logs that nobody asked for", async () => {
      const cases: [string, (logs: RawLog[]) => RawLog[], RegExp][] = [
        ["no deposits", (logs) => logs.filter((log) => !names.deposited(log)), /shows no deposit 1/],
        [
          "another account",
          (logs) => {
            (logs.find(names.deposited) as RawLog).topics[3] = word(9);
            return logs;
          },
          /a deposit 1 that does not follow/,
        ],
        [
          "no event",
          (logs) => logs.filter((log) => !names.appointed(log)),
          /shows no event 1 of the register/,
        ],
        ["one twice", (logs) => [...logs, logs[0] as RawLog], /two logs in one place/],
        [
          "another region's",
          ([first, ...rest]) => [
            { ...(first as RawLog), topics: [(first as RawLog).topics[0] as Hex, word(1)] },
            ...rest,
          ],
          /a log that was not asked for/,
        ],
        ["no list", () => "logs" as never, /no list of logs/],
      ];
      for (const [name, change, reason] of cases)
        await expect(recordBy(change, region.deployment.meterRegistry), name).rejects.toThrow(reason);
      await expect(recordBy((logs) => logs, region.deployment.quote)).rejects.toThrow(
        /does not answer as a register of meters/,
      );
    });

    test("behavior: the record is whole, also where an RPC gives few blocks at a time; what was dropped is not in it", async () => {
      const asked: number[] = [];
      const record = await recordBy((logs, from, to) => {
        if (to - from + 1 > 3) throw Object.assign(new Error("too many blocks"), { code: -32005 });
        asked.push(to);
        return logs;
      }, region.deployment.meterRegistry);
      expect(asked).toEqual([...asked].sort((one, other) => other - one));
      expect([...record.reported.keys()]).toEqual([FIRST_EPOCH, FIRST_EPOCH + 1]);
      expect(record).toMatchObject({
        stage: "open",
        deposits: [
          { index: 1, amountMicros: 50_000_000 },
          { index: 2, amountMicros: 30_000_000 },
        ],
        registryEvents: [{ number: 1, draft: { type: "appoint_installers" } }],
      });
      expect(record.reported.get(FIRST_EPOCH)?.totals.heldMicros).toBe(80n * UNIT);
    });

    test("rejects: an RPC that is none, and a report that the journal does not bear out", {
      timeout: 90_000,
    }, async () => {
      const audit = (...more: string[]) => ["audit", "--rpc", region.chain.url, ...more];
      await line.bad([
        [["audit", "--rpc", "nowhere"], /begins with http/],
        [["audit", "--rpc", "http://127.0.0.1:1"], /no chain answers/],
      ]);
      const honest = await line.good(audit());
      expect(honest).toMatch(/^audit ok/);
      expect(honest).toMatch(
        /2 of 2 reports, 2 of 2 deposits, no register, 1 of 1 votes, 0 of 0 stake events are as the journal has them/,
      );
      const told = JSON.parse(await line.good(audit("--json"))) as AuditReport;
      expect(told).toMatchObject({
        auditOk: true,
        reports: 2,
        deposits: 2,
        reportDifference: null,
        uncredited: [],
        ...{ votes: 1, lateVotes: [], unvoted: [] },
      });
      // An epoch later the operator gives its accounts another root, with the same sums.
      const epoch = FIRST_EPOCH + 2;
      await passTo(epoch + 1);
      const { deposits, reported } = await recordBy((logs) => logs);
      const before = reported.get(epoch - 1) as EpochReport;
      const false_ = {
        ...before,
        epoch,
        sumRoot: word(7),
        totals: readSums({ withdrawalsMicros: "0", heldMicros: String(80n * UNIT), rewards: "0" }),
      };
      await asMirror(settlement(), "report", [WORD, reportStruct(false_)]);
      await finalise();
      expect(deposits).toHaveLength(2);
      await region.closeEpoch(epoch);
      const { status, stdout } = await line.run(audit("--json"));
      expect(status).toBe(1);
      const found = JSON.parse(stdout) as AuditReport;
      expect(found.reportDifference).toMatchObject({ epoch, part: "sumRoot", reported: word(7) });
      expect(found.failure?.reason).toBe(
        `epoch ${epoch} was reported with sumRoot ${word(7)}, and the journal gives ${found.reportDifference?.due}`,
      );
      expect(found.reports).toBe(2);
      // A month later the vote names a key that this release does not have: under its own it may not say that all is well.
      await region.chain.client.increaseTime({ seconds: 31 * 86_400 });
      await finalise();
      await region.decide(governed(), "setVerificationKey", [circuitWord("meter-4"), word(9)]);
      await finalise();
      await line.bad([[audit(), new RegExp(`the vote has named ${word(9)} as the key of meter-4`)]]);
    });
  },
);
