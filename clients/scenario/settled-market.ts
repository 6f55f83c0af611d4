// Owns a small market whose money is on a chain, both at market times that are told: its homes, their agents, its terms, and how
// an epoch closes. It refuses to go on before the region and the agents have done what was due.

import { join } from "node:path";
import type { LocalAccount } from "viem/accounts";
import type { Receipt } from "../../evidence/receipt.ts";
import type { Deployment } from "../../governance/deploy/deployment.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { type KeptLeaf, leavesIn } from "../chain/kept-leaf.ts";
import { SettlementClient } from "../chain/settlement-client.ts";
import { SettlementWallet } from "../chain/settlement-wallet.ts";
import { HouseholdAgent } from "../household/agent.ts";
import { type AgentMemory, fileMemory } from "../household/agent-memory.ts";
import { seriesSource } from "../household/meter-source.ts";
import { RegionRegistry } from "../household/region-registry.ts";
import { sleep } from "../household/runner.ts";
import type { Prover } from "../household/window-prover.ts";
import type { LocalTimes } from "../local/deploy-plan.ts";
import {
  agentSigner,
  type Enrolment,
  guardianWallet,
  type HouseholdKeys,
  householdKeys,
  householdMeter,
  mirrorWallet,
  operatorWallet,
  type RegionTerms,
} from "../local/neighbourhood.ts";
import { type SettledChain, startSettledChain } from "../local/settled-money.ts";
import type { PolderClient } from "../sdk/client.ts";
import { MarketStage } from "./stage.ts";

export const EPOCH_SECONDS = 3_600;
const WINDOW_SLOTS = 4;
export const PROOF_DELAY_SECONDS = 600;
/** The shortest delays that the contract takes. */
const TIMES: LocalTimes = {
  finalityDelaySeconds: EPOCH_SECONDS,
  exitAfterSeconds: 3 * EPOCH_SECONDS,
  // A vote is over in a quarter of an hour, long before everybody may leave for silence.
  votingDelaySeconds: 60,
  votingPeriodSeconds: 600,
  lateQuorumSeconds: 60,
  timelockDelaySeconds: 60,
};
const WAIT_MS = 60_000;
const POLL_MS = 100;

/** A home of a scene: what its meter says of every slot that is traded, and what is deposited for it. */
export interface SceneHome {
  readonly name: string;
  readonly netWh: number;
  readonly creditMicros: number;
}

/** A market that is to be played. */
export interface MarketScene {
  readonly seed: string;
  /** An epoch is an hour, and one window. */
  readonly terms: RegionTerms;
  readonly homes: readonly SceneHome[];
  readonly firstEpoch: number;
  /** How many epochs the homes trade for; from then on they only keep their leaves. */
  readonly tradedEpochs: number;
}

/** Terms of a region for a scene. */
export function sceneTerms(region: string, name: string, parameters: Parameters): RegionTerms {
  return {
    quote: "settlement",
    profile: {
      region,
      name,
      place: "nowhere",
      latitude: 0,
      longitude: 0,
      timeZone: "UTC",
      jurisdiction: "none",
      terms: "A scenario on one machine.",
      currency: "EUR",
      tariffs: [{ name: "flat", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 80_000 }],
      isSimulation: true,
    },
    windowSlots: WINDOW_SLOTS,
    epochSlots: WINDOW_SLOTS,
    parameters,
  };
}

const TARIFF = {
  name: "flat",
  currency: "EUR",
  feedInMicrosPerKwh: 80_000,
  retail: { kind: "flat", microsPerKwh: 300_000 },
} as const;

/** A home with its keys and what its agent keeps. */
export interface Home extends HouseholdKeys {
  readonly name: string;
  readonly enrolment: Enrolment;
  readonly memory: AgentMemory;
  readonly agent: (client: PolderClient) => HouseholdAgent;
  /** Leaves as its agent has written them to its file. */
  readonly leaves: () => readonly KeptLeaf[];
}

export interface SettledMarketOptions {
  readonly scene: MarketScene;
  /** Everything is kept in it. */
  readonly folder: string;
  /** Whether the deployment follows the chain and reports to it, as it should. */
  readonly isMirrored: boolean;
  /** Market time to begin at. Unix seconds. */
  readonly atS: number;
  readonly prover: Prover;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** When an epoch closes. Unix seconds. */
export const closesAtS = (epoch: number) => (epoch + 1) * EPOCH_SECONDS + PROOF_DELAY_SECONDS;

/** A market and its chain that run. */
export class SettledMarket {
  readonly homes: readonly Home[];
  readonly settlement: SettlementClient;
  readonly operator: LocalAccount;
  readonly guardian: LocalAccount;
  readonly #settled: SettledChain;
  readonly #stage: MarketStage;
  /** What the deployment's clock shows; it goes on while the deployment is down. */
  readonly #marketS: () => number;
  readonly #options: SettledMarketOptions;
  #aheadS: number;

  private constructor(
    options: SettledMarketOptions,
    settled: SettledChain,
    settlement: SettlementClient,
    stage: MarketStage,
    marketS: () => number,
  ) {
    this.#options = options;
    this.#marketS = marketS;
    this.#settled = settled;
    this.#stage = stage;
    this.settlement = settlement;
    const { seed, homes } = options.scene;
    this.operator = mirrorWallet(seed);
    this.guardian = guardianWallet(seed);
    this.homes = homes.map((home) => homeOf(home, options));
    this.#aheadS = options.atS;
  }

  /** Starts chain and deployment on what the folder holds. */
  static async open(options: SettledMarketOptions): Promise<SettledMarket> {
    const { folder, scene, atS, isMirrored, signal, progress } = options;
    const { seed, terms } = scene;
    const { region } = terms.profile;
    const homes = scene.homes.map(enrolmentOf);
    const payees = [guardianWallet(seed)];
    const settled = await startSettledChain(
      { folder, seed, terms, marketS: atS, times: TIMES, homes, payees },
      0,
    );
    const { chain, deployment, vars } = settled;
    try {
      let marketS = (): number => atS;
      const stage = new MarketStage({
        operator: operatorWallet(seed).address,
        region,
        signal,
        stateFolder: join(folder, "state"),
        // Without the way to the chain the operator credits and reports by hand, with the same key.
        vars: isMirrored
          ? vars
          : {
              SETTLEMENT: deployment.settlement,
              METER_REGISTRY: deployment.meterRegistry,
              REWARD_PARAMETERS: deployment.rewardParameters,
              PROVIDER_STAKE: deployment.providerStake,
            },
        onTime: (clock) => {
          marketS = clock;
        },
        complain: progress,
      });
      const settlement = await SettlementClient.open(chain.connection, deployment.settlement, region);
      const market = new SettledMarket(options, settled, settlement, stage, () => marketS());
      await stage.goTo(atS);
      chain.follow(() => market.#nowS());
      return market;
    } catch (error) {
      await chain.stop();
      throw error;
    }
  }

  get region(): string {
    return this.#options.scene.terms.profile.region;
  }

  get client(): PolderClient {
    return this.#stage.client;
  }

  /** The chain's own RPC. */
  get rpc(): string {
    return this.#settled.chain.url;
  }

  get deployment(): Deployment {
    return this.#settled.deployment;
  }

  home(name: string): Home {
    return this.homes.find((home) => home.name === name) as Home;
  }

  /** Goes on to a market time; the chain's finalised block is of that time, too. */
  async goTo(atS: number): Promise<void> {
    await this.#stage.goTo(atS);
    await this.passTo(atS);
  }

  /** Goes on to where an epoch has closed, and lets every agent keep its leaf of it. */
  async close(epoch: number): Promise<void> {
    await this.goTo(closesAtS(epoch) + 1);
    await this.#stage.openFrom((epoch + 1) * WINDOW_SLOTS);
    await this.work();
  }

  /** Every agent does what is to do now. */
  async work(): Promise<void> {
    await Promise.all(
      this.homes.map(async ({ agent: agentFor }) => {
        const agent = agentFor(this.client);
        while ((await agent.step(this.#marketS())) <= this.#marketS() + 1)
          this.#options.signal.throwIfAborted();
      }),
    );
  }

  /** Lets the chain's time pass, and makes all that was sent final. */
  async passTo(atS: number): Promise<void> {
    this.#aheadS = Math.max(this.#aheadS, atS);
    await this.#settled.chain.finalise();
  }

  /** Makes all that was sent final. */
  finalise(): Promise<void> {
    return this.#settled.chain.finalise();
  }

  /** Waits for what the deployment does by itself. @throws Error after a minute */
  async until(what: string, isDone: () => Promise<boolean>): Promise<void> {
    for (const endMs = Date.now() + WAIT_MS; !(await isDone()); ) {
      if (Date.now() > endMs) throw new Error(`waited for a minute: ${what}`);
      await sleep(POLL_MS, this.#options.signal);
      this.#options.signal.throwIfAborted();
    }
  }

  wallet(home: Home): SettlementWallet {
    return new SettlementWallet(this.settlement, home.wallet);
  }

  /** All receipts that homes were given. */
  receipts(): Receipt[] {
    return this.homes.flatMap(({ memory }) => memory.receipts());
  }

  /** Takes the deployment down, does something to its state, and brings it up again where its clock stands. */
  async goBack(act: () => void): Promise<void> {
    await this.#stage.leave();
    act();
    await this.goTo(this.#nowS() + 1);
  }

  /** Takes the deployment down, and leaves the chain. */
  leave(): Promise<void> {
    return this.#stage.leave();
  }

  async end(): Promise<void> {
    await this.#stage.end();
    await this.#settled.chain.stop();
  }

  #nowS(): number {
    return Math.max(this.#aheadS, this.#marketS());
  }
}

function enrolmentOf({ name, creditMicros }: SceneHome): Enrolment {
  return { name, creditMicros };
}

function homeOf(
  { name, netWh, creditMicros }: SceneHome,
  { folder, prover, scene }: SettledMarketOptions,
): Home {
  const { seed, firstEpoch, tradedEpochs, terms } = scene;
  const keys = householdKeys(seed, name);
  const { region } = terms.profile;
  const file = join(folder, "agents", `${name}.ndjson`);
  const memory = fileMemory(file);
  const firstSlot = (firstEpoch * EPOCH_SECONDS) / SLOT_SECONDS;
  const tradedSlots = WINDOW_SLOTS * tradedEpochs;
  const source = seriesSource(firstSlot, tradedSlots, () => netWh);
  return {
    ...keys,
    name,
    enrolment: { name, creditMicros },
    memory,
    leaves: () => leavesIn(file),
    agent: (client) =>
      new HouseholdAgent({
        name,
        client,
        region,
        signer: agentSigner(keys),
        meters: [householdMeter(keys, source)],
        claims: { stepWh: 1 },
        prover,
        registry: new RegionRegistry(client, region),
        tariff: TARIFF,
        memory,
        untilSlot: firstSlot + tradedSlots,
      }),
  };
}
