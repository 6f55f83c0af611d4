// Owns a chain with the contracts, a region's engine and a mirror between them, all real, at a market time that the test sets. It
// refuses a stand-in for any of them; only the network in between is the test's.

import { vi } from "vitest";
import { ed25519Signer, sha256Hex } from "../../durable-objects/digest.ts";
import { RegionEngine } from "../../durable-objects/engine.ts";
import type { MirrorMemory } from "../../durable-objects/mirror/mirror-memory.ts";
import type { MirroredRegion } from "../../durable-objects/mirror/mirrored-region.ts";
import { Poller } from "../../durable-objects/mirror/poller.ts";
import type { ChainSettings } from "../../durable-objects/mirror/settings.ts";
import type { Answer, Outcome } from "../../durable-objects/outcome.ts";
import { certificatesOf } from "../../durable-objects/projections.ts";
import { accountNow, mirroredNow } from "../../durable-objects/region-reads.ts";
import { RegionStore } from "../../durable-objects/region-store.ts";
import { reportOf } from "../../durable-objects/settlement-records.ts";
import { SNAPSHOT_POLICY } from "../../durable-objects/snapshots.ts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { walletOf } from "../../evidence/wallet-key.ts";
import { rewardParametersAbi } from "../../governance/generated/abi.ts";
import { stateHash } from "../../market/journal.ts";
import type { ChainRegion } from "../../protocol/chain-answer.ts";
import type { Command } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { GOVERNED_VALUES, type GovernedValue, governedWords } from "../../protocol/governed-values.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { commandId, type SigningDomain } from "../../protocol/typed-data.ts";
import type { EvidenceFacts, VerifiedSigner } from "../../protocol/verified-facts.ts";
import { SimulatedStorage } from "../simulation/simulated-storage.ts";
import { type ChainContracts, deployContracts } from "../support/chain-contracts.ts";
import type { Contract, LocalChain } from "../support/local-chain.ts";
import { GRID, PARAMETERS, TREASURY, word } from "../support/market.ts";
import { Endpoint, fetchThrough } from "./endpoints.ts";

export const REGION = "polder-chain";
export const WORD = regionWord(REGION);
export const MIRROR_KEY = word(0x3312);
export const MIRROR = walletOf(MIRROR_KEY);
export const EPOCH_SECONDS = 3_600;
/** A midnight; the region opens half an hour before it, in the epoch before its first. */
export const BEGINS_AT_S = Date.UTC(2026, 3, 1) / 1000;
export const OPENED_AT_S = BEGINS_AT_S - 1_800;
export const FIRST_EPOCH = BEGINS_AT_S / EPOCH_SECONDS;
export const DELAY_SECONDS = 2 * 3_600;
export const UNIT = 1_000_000n;
/** Evidence is awaited for this long after a window. */
const PROOF_DELAY_SECONDS = 60;
const RECEIPT_SEED = word(0x5e);
/** Signs what the region's referee says. */
export const REFEREE_KEY = sessionKeyOf(RECEIPT_SEED);
/** Kept by the contract for what no region delivers yet. */
const UNUSED_VALUES = {
  unbondingSeconds: 14 * 86_400,
  slashBps: 1_000,
};
const CLOCK = { originMs: 0, rate: 1 };

/** What a mirror keeps, over its restarts. */
export class KeptMemory implements MirrorMemory {
  readonly values = new Map<string, unknown>();

  async get<T>(key: string): Promise<T | undefined> {
    return structuredClone(this.values.get(key)) as T | undefined;
  }
  async put<T>(key: string, value: T): Promise<void> {
    this.values.set(key, structuredClone(value));
  }
  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }
  async list<T>({ prefix }: { readonly prefix: string }): Promise<Map<string, T>> {
    return new Map([...this.values].filter(([key]) => key.startsWith(prefix)) as [string, T][]);
  }
}

/** A region's engine on storage of its own. */
export class EngineRegion implements MirroredRegion {
  readonly store = new RegionStore(new SimulatedStorage().asPlatform);
  readonly engine: RegionEngine;
  readonly #domain: SigningDomain;
  #nonce = 0;

  constructor(domain: SigningDomain) {
    this.#domain = domain;
    const key = sessionKeyOf(RECEIPT_SEED);
    this.engine = new RegionEngine({
      store: this.store,
      clock: CLOCK,
      wallMs: () => Date.now(),
      later: (work, milliseconds) => void setTimeout(work, milliseconds),
      wakeAt: () => {},
      publish: () => {},
      archivedRow: async () => null,
      snapshotted: () => {},
      giveUp: () => {},
      authority: { chainId: domain.chainId, region: REGION, key, sign: ed25519Signer(RECEIPT_SEED) },
      snapshotPolicy: SNAPSHOT_POLICY,
    });
  }

  async mirrored() {
    return mirroredNow(this.engine.state, this.store);
  }
  async parameters() {
    return this.engine.state.header.parameters;
  }
  async epochReport(epoch: number) {
    return reportOf(this.store, epoch);
  }
  async certificates(epoch: number) {
    return certificatesOf(this.store, epoch);
  }
  async failedAudits(after: number) {
    return this.store.results.failedAfter(after);
  }
  submitAll(submissions: string): Promise<string[]> {
    return Promise.all(
      (JSON.parse(submissions) as Submission[]).map(async (one) =>
        JSON.stringify(await this.engine.submit(one)),
      ),
    );
  }

  /** Decides a command that a wallet signed. */
  decide(wallet: Hex, draft: Record<string, unknown>): Promise<Outcome> {
    return this.decideBy({ scheme: "wallet", address: wallet }, draft);
  }

  /** Decides a command that a wallet or a session key signed. */
  async decideBy(
    signer: VerifiedSigner,
    draft: Record<string, unknown>,
    evidence: EvidenceFacts | null = null,
  ): Promise<Outcome> {
    this.#nonce += 1;
    const expiresAtS = this.engine.atS() + 60;
    const command = { region: REGION, nonce: this.#nonce, expiresAtS, ...draft } as unknown as Command;
    return this.engine.submit({
      command,
      commandId: commandId(this.#domain, command),
      signer,
      evidence,
      auth:
        signer.scheme === "wallet"
          ? { scheme: "wallet", signature: `0x${"00".repeat(65)}` }
          : { scheme: "session", key: signer.key, signature: `0x${"00".repeat(64)}` },
      rawEvidence: null,
    });
  }

  async accept(wallet: Hex, draft: Record<string, unknown>): Promise<Answer> {
    const outcome = await this.decide(wallet, draft);
    if ("rejection" in outcome) throw new Error(`refused: ${JSON.stringify(outcome.rejection)}`);
    return outcome.answer;
  }

  freeMicros(account: Hex): number {
    return accountNow(this.engine.state, account, this.engine.atS())?.freeMicros ?? 0;
  }

  get hash(): Hex {
    return stateHash(this.engine.state, sha256Hex);
  }
}

/** Everything, with one region that is open on both sides. */
export class MirroredWorld {
  readonly chain: LocalChain;
  readonly quote: Contract;
  readonly settlement: Contract;
  readonly registry: Contract;
  readonly rewardParameters: Contract;
  readonly providerStake: Contract;
  readonly endpoints: readonly Endpoint[];
  readonly memory = new KeptMemory();
  readonly region: EngineRegion;
  /** What the mirror reaches; a test may put something between it and the region. */
  reached: MirroredRegion;
  poller: Poller;
  settings: ChainSettings;

  private constructor(contracts: ChainContracts, endpoints: number) {
    const { chain, quote, settlement, registry, rewardParameters, providerStake } = contracts;
    this.chain = chain;
    this.quote = quote;
    this.settlement = settlement;
    this.registry = registry;
    this.rewardParameters = rewardParameters;
    this.providerStake = providerStake;
    this.endpoints = Array.from({ length: endpoints }, (_, index) => new Endpoint(`rpc-${index + 1}`));
    this.settings = {
      chainId: LOCAL_CHAIN_ID,
      settlement: settlement.address.toLowerCase() as Hex,
      meterRegistry: registry.address.toLowerCase() as Hex,
      rewardParameters: rewardParameters.address.toLowerCase() as Hex,
      providerStake: providerStake.address.toLowerCase() as Hex,
      rpcs: this.endpoints.map(({ url }) => url),
      deployedAtBlock: 0,
      pollMs: 500,
      key: MIRROR_KEY,
      mirror: MIRROR,
    };
    this.region = new EngineRegion(this.domain);
    this.reached = this.region;
    this.poller = this.#begun();
  }

  /** @param endpoints how many the mirror asks. */
  static async start(endpoints = 2): Promise<MirroredWorld> {
    vi.useFakeTimers({ toFake: ["Date"], now: OPENED_AT_S * 1000 });
    const contracts = await deployContracts(OPENED_AT_S);
    await contracts.chain.client.setBalance({ address: MIRROR, value: 10n ** 20n });
    const world = new MirroredWorld(contracts, endpoints);
    await world.openRegions();
    await world.finalise();
    return world;
  }

  get domain(): SigningDomain {
    return { chainId: LOCAL_CHAIN_ID, settlement: this.settings.settlement };
  }

  /** Opens the region on the chain and here. */
  async openRegions(): Promise<void> {
    const terms = this.terms(FIRST_EPOCH);
    const opening = { operator: MIRROR, windowSlots: 4, epochSlots: 4, terms };
    await this.chain.send(this.settlement, "openRegion", [WORD, opening]);
    await this.region.accept(word(1).slice(0, 42) as Hex, {
      type: "open_region",
      timeZone: "UTC",
      windowSlots: 4,
      epochSlots: 4,
      quote: "settlement",
      operator: word(1).slice(0, 42),
      gridOperator: GRID,
      treasury: TREASURY,
      mirror: MIRROR,
      receiptKey: sessionKeyOf(RECEIPT_SEED),
      parameters: { ...PARAMETERS, proofDelaySeconds: PROOF_DELAY_SECONDS },
    });
  }

  /** Terms as the contract takes them; those of the region's opening unless told otherwise. */
  terms(fromEpoch: number, more: Record<string, unknown> = {}) {
    const { outflowCapBps, emissionDecayBps, emissionPerEpoch } = PARAMETERS;
    return {
      fromEpoch: BigInt(fromEpoch),
      outflowCapBps,
      finalityDelaySeconds: DELAY_SECONDS,
      exitAfterSeconds: 24 * 3_600,
      leastDepositMicros: UNIT,
      emissionDecayBps,
      emissionPerEpoch: BigInt(emissionPerEpoch),
      ...more,
    };
  }

  /** Hands the region's values to the vote, as they are here unless told otherwise; nobody else schedules its terms then. */
  async govern(more: Record<string, number | string> = {}): Promise<void> {
    const { fromEpoch: _from, ...terms } = this.terms(FIRST_EPOCH);
    const [here] = await this.region.parameters();
    const values = { ...here?.parameters, ...terms, ...UNUSED_VALUES, ...more };
    await this.chain.send(this.rewardParameters, "open", [
      WORD,
      governedWords(values as Record<GovernedValue, number | string | bigint>),
    ]);
    await this.chain.send(this.settlement, "setTermsKeeper", [this.rewardParameters.address]);
  }

  /** Executes a vote's changes, by name. @returns the version that they made */
  async change(values: Record<string, number | bigint>): Promise<{ version: number; fromEpoch: number }> {
    const changes = GOVERNED_VALUES.flatMap((name, parameter) =>
      values[name] === undefined ? [] : [{ parameter, value: BigInt(values[name]) }],
    );
    await this.chain.send(this.rewardParameters, "change", [WORD, changes]);
    const { client } = this.chain;
    const read = { address: this.rewardParameters.address, abi: rewardParametersAbi } as const;
    const count = await client.readContract({ ...read, functionName: "versionCount", args: [WORD] });
    const made = await client.readContract({ ...read, functionName: "versionOf", args: [WORD, count - 1n] });
    return { version: Number(count) - 1, fromEpoch: Number(made.fromEpoch) };
  }

  /** Has an account of the chain stake, or do something else with its stake. */
  async provide(account: Hex, functionName: string, args: readonly unknown[] = []): Promise<void> {
    const { client } = this.chain;
    const call = { ...this.providerStake, functionName, args: [WORD, ...args], account };
    const { request } = await client.simulateContract(call);
    await client.waitForTransactionReceipt({ hash: await client.writeContract(request) });
  }

  async deposit(account: Hex, micros: bigint): Promise<void> {
    await this.chain.send(this.settlement, "deposit", [WORD, account, micros]);
  }

  /** Makes all blocks so far final. */
  async finalise(): Promise<void> {
    await this.chain.client.mine({ blocks: 4 });
  }

  /** Goes to a moment of market time, here and on the chain. */
  async goTo(atS: number): Promise<void> {
    vi.setSystemTime(atS * 1000);
    await this.chain.client.setNextBlockTimestamp({ timestamp: BigInt(atS) });
    await this.finalise();
    this.region.engine.wake();
  }

  /** Closes an epoch. */
  closeEpoch(epoch: number): Promise<void> {
    return this.goTo((epoch + 1) * EPOCH_SECONDS + PROOF_DELAY_SECONDS + 5);
  }

  /** Puts something between the mirror and the region, until `restore`. */
  between(parts: Partial<Record<keyof MirroredWorld["region"], unknown>>): void {
    this.reached = Object.assign(Object.create(this.region), parts);
    this.restart();
  }

  /** The mirror is told otherwise of the region than it is. */
  misled(parts: Partial<NonNullable<Awaited<ReturnType<MirroredWorld["region"]["mirrored"]>>>>): void {
    type Told = Awaited<ReturnType<MirroredWorld["region"]["mirrored"]>>;
    this.between({ mirrored: async () => ({ ...(await this.region.mirrored()), ...parts }) as Told });
  }

  /** The mirror dies when it hands something over: before the region has it, or after it has decided. */
  dying(when: "before" | "after"): void {
    this.between({
      submitAll: async (submissions: string) => {
        if (when === "after") await this.region.submitAll(submissions);
        throw new Error(`gone ${when}`);
      },
    });
  }

  /** Region and endpoints as they are, and a mirror that begins anew. */
  restore(): void {
    this.reached = this.region;
    for (const endpoint of this.endpoints) endpoint.honest();
    this.restart();
  }

  /** The journal's last entry. */
  lastEntry() {
    const { store, engine } = this.region;
    const text = [...store.rowsFrom(engine.state.header.entry)].map((row) => row.text).join("");
    return JSON.parse(text.trimEnd().split("\n").at(-1) as string).entry;
  }

  /** A mirror that knows nothing but what was kept. */
  restart(): void {
    this.poller = this.#begun();
  }

  /** Polls once; the region's part of the status. */
  async poll(): Promise<ChainRegion> {
    await this.poller.poll();
    return this.status();
  }

  async status(): Promise<ChainRegion> {
    const { regions } = await this.poller.status();
    return regions[0] as ChainRegion;
  }

  async stop(): Promise<void> {
    vi.useRealTimers();
    await this.chain.stop();
  }

  #begun(): Poller {
    return new Poller(this.settings, {
      domain: this.domain,
      clock: CLOCK,
      memory: this.memory,
      fetch: fetchThrough(this.chain.url, this.endpoints),
      regions: async () => [REGION],
      region: () => this.reached,
    });
  }
}
