// Owns one look at the chain after the other: a block that all agree on, every region brought up to it, reports posted, and what
// there is to say about it. It refuses to let one region's trouble be another's, and to throw.

import type { ChainProblem, ChainStatus } from "../../protocol/chain-answer.ts";
import type { MarketClock } from "../../protocol/clock.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";
import { AgreedChain, type Pin } from "./agreed-chain.ts";
import { SettlementReads } from "./contract-reads.ts";
import type { MirrorMemory } from "./mirror-memory.ts";
import { type MirroredRegion, MirrorSigner } from "./mirrored-region.ts";
import { Outbox } from "./outbox.ts";
import { type MirrorDesk, RegionMirror } from "./region-mirror.ts";
import { type MirrorPosting, nameOf, ReportDesk } from "./report-desk.ts";
import { Rpc } from "./rpc.ts";
import type { ChainSettings } from "./settings.ts";
import { SlashDesk } from "./slash-desk.ts";
import { ChainTrouble } from "./trouble.ts";

/** What a poller needs of its surroundings. */
export interface PollerHost {
  readonly domain: SigningDomain;
  readonly clock: MarketClock;
  readonly memory: MirrorMemory;
  readonly fetch?: typeof fetch;
  /** Names of all regions of the deployment. */
  readonly regions: () => Promise<readonly string[]>;
  readonly region: (name: string) => MirroredRegion;
}

/** An endpoint may take twice as long as a poll, within reason. Wall milliseconds. */
const LEAST_TIMEOUT_MS = 1_000;
const MOST_TIMEOUT_MS = 10_000;
/** A poll that takes longer is given up; the next one goes on where the regions are. Wall milliseconds. */
const POLL_LIMIT_MS = 120_000;

/** Follows one chain for all regions of a deployment. */
export class Poller {
  readonly #settings: ChainSettings;
  readonly #host: PollerHost;
  readonly #desk: MirrorDesk;
  readonly #reports: ReportDesk;
  readonly #slashes: SlashDesk;
  readonly #mirrors = new Map<string, RegionMirror>();
  /** Regions of test money: what a region was opened with never changes. */
  readonly #unmirrored = new Set<string>();
  #pin: Pin | null = null;
  #problem: ChainProblem | null = null;
  #polledAtMs: number | null = null;

  constructor(settings: ChainSettings, host: PollerHost) {
    const { chainId, settlement, meterRegistry, rewardParameters, providerStake, mirror, key } = settings;
    const { deployedAtBlock, pollMs } = settings;
    const timeoutMs = Math.min(MOST_TIMEOUT_MS, Math.max(LEAST_TIMEOUT_MS, 2 * pollMs));
    const options = { timeoutMs, ...(host.fetch === undefined ? {} : { fetch: host.fetch }) };
    const rpcs = settings.rpcs.map((url) => new Rpc(url, options));
    const { memory } = host;
    this.#settings = settings;
    this.#host = host;
    this.#desk = {
      chain: new AgreedChain(rpcs, chainId),
      reads: new SettlementReads(settlement),
      signer: new MirrorSigner(key, host.domain, host.clock),
      ...{ settlement, meterRegistry, rewardParameters, providerStake },
      ...{ mirror, memory, deployedAtBlock, pollMs },
    };
    const outbox = mirrorOutbox(rpcs, settings, memory);
    this.#reports = new ReportDesk(this.#desk, outbox);
    this.#slashes = new SlashDesk(this.#desk, outbox);
  }

  /** Looks once. @returns true where more waits than one poll takes */
  async poll(): Promise<boolean> {
    this.#desk.chain.signal = AbortSignal.timeout(POLL_LIMIT_MS);
    try {
      const pin = await this.#desk.chain.pin();
      this.#pin = pin;
      const polled = await this.#mirrorAll(pin);
      // What keeps a region from reporting is no reason to let its providers go.
      const followed = polled.filter(({ sides }) => sides !== null);
      await this.#reports.poll(pin, polled);
      await this.#slashes.poll(pin, followed);
      this.#problem = null;
      return polled.some(({ hasMore }) => hasMore);
    } catch (error) {
      this.#problem = problemOf(error);
      return false;
    } finally {
      this.#polledAtMs = Date.now();
    }
  }

  /** What there is to say. */
  async status(): Promise<ChainStatus> {
    const { chainId, settlement, meterRegistry, rewardParameters, providerStake, mirror } = this.#settings;
    const pin = this.#pin;
    const mirrors = [...this.#mirrors.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
    return {
      ...{ chainId, isMirrored: true, settlement, meterRegistry, rewardParameters, providerStake, mirror },
      finalised:
        pin === null
          ? null
          : {
              block: pin.number,
              hash: pin.hash,
              timeS: pin.timeS,
              head: pin.head,
              behindSeconds: this.#desk.signer.atS() - pin.timeS,
            },
      rpcs: this.#desk.chain.rpcs.map(({ name, isOk, lastError, lastErrorAtMs }) => ({
        ...{ name, isOk, lastError, lastErrorAtMs },
      })),
      regions: await Promise.all(
        mirrors.map(async ({ name, standing }) => ({
          region: name,
          ...standing,
          reportInFlight: await this.#reports.inFlight(name),
        })),
      ),
      problem: this.#problem,
      lastPollAtMs: this.#polledAtMs,
    };
  }

  /** @returns the regions that were looked at; what stopped one of them stands in its status. */
  async #mirrorAll(pin: Pin): Promise<RegionMirror[]> {
    const polled: RegionMirror[] = [];
    for (const name of await this.#host.regions()) {
      if (this.#unmirrored.has(name)) continue;
      const mirror = await this.#mirror(pin, name);
      if (mirror !== null) polled.push(mirror);
    }
    return polled;
  }

  async #mirror(pin: Pin, name: string): Promise<RegionMirror | null> {
    const known = this.#mirrors.get(name);
    try {
      const region = this.#host.region(name);
      const mirrored = await region.mirrored();
      if (mirrored?.quote === "test") this.#unmirrored.add(name);
      if (mirrored?.quote !== "settlement") return null;
      // A stub may have broken with its object: the region is asked by a new one.
      const mirror = known ?? new RegionMirror(name, region, this.#desk);
      mirror.region = region;
      this.#mirrors.set(name, mirror);
      await mirror.poll(pin, mirrored);
      return mirror;
    } catch (error) {
      const problem = problemOf(error, "region_away");
      if (error instanceof ChainTrouble && error.isOfChain) throw error;
      const mirror = this.#mirrors.get(name) ?? null;
      if (mirror !== null) mirror.sides = null;
      mirror?.trouble(problem);
      return mirror;
    }
  }
}

/** The mirror's wallet's transactions. */
function mirrorOutbox(
  rpcs: readonly Rpc[],
  { chainId, settlement, key, mirror }: ChainSettings,
  memory: MirrorMemory,
): Outbox<MirrorPosting> {
  return new Outbox(rpcs, {
    ...{ chainId, to: settlement, key, account: mirror, memory, nameOf },
    problemOf: (posting, error) => {
      const facts = { region: posting.region, error };
      return posting.kind === "slash"
        ? { code: "slash_delayed", facts }
        : { code: "report_delayed", facts: { ...facts, epoch: posting.epoch } };
    },
  });
}

/** What an error is to whoever reads the status. Faults of ours go to the log whole. */
function problemOf(error: unknown, otherwise: ChainProblem["code"] = "mirror_fault"): ChainProblem {
  if (error instanceof ChainTrouble) return error.problem;
  console.error("the mirror failed", error);
  return { code: otherwise, facts: {} };
}
