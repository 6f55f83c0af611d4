// Owns what the deployment hands to Workers and objects: bindings, variables, secrets, and how they are read. It
// refuses to start with values that are malformed.

import { type MarketClock, parseClock } from "../protocol/clock.ts";
import type { Hex } from "../protocol/fields.ts";
import type { SigningDomain } from "../protocol/typed-data.ts";
import type { Auditor } from "./auditor.ts";
import type { ChainMirror } from "./chain-mirror.ts";
import type { EdgeRunner } from "./edge-runner.ts";
import type { Feed } from "./feed.ts";
import type { Intake } from "./intake.ts";
import type { JobDesk } from "./job-desk.ts";
import type { Provider } from "./provider.ts";
import type { Region } from "./region.ts";
import type { VoteIndex } from "./vote-index.ts";
import type { VoteRelay } from "./vote-relay.ts";

/** Bindings of wrangler.toml. */
export interface Env {
  readonly REGION: DurableObjectNamespace<Region>;
  readonly FEED: DurableObjectNamespace<Feed>;
  readonly INTAKE: DurableObjectNamespace<Intake>;
  /** Called through itty-durable, which has no types for stubs. */
  readonly DIRECTORY: DurableObjectNamespace;
  readonly CHAIN_MIRROR: DurableObjectNamespace<ChainMirror>;
  readonly VOTE_INDEX: DurableObjectNamespace<VoteIndex>;
  readonly VOTE_RELAY: DurableObjectNamespace<VoteRelay>;
  readonly JOB_DESK: DurableObjectNamespace<JobDesk>;
  readonly PROVIDER: DurableObjectNamespace<Provider>;
  readonly AUDITOR: DurableObjectNamespace<Auditor>;
  readonly EDGE_RUNNER: DurableObjectNamespace<EdgeRunner>;
  readonly ARCHIVE: R2Bucket;
  /** Modules of jobs, by their SHA-256. */
  readonly MODULES: R2Bucket;
  /** The Worker that runs jobs again; reached by nothing else. */
  readonly REFEREE: Fetcher;
  readonly ASSETS: Fetcher;
  readonly CHAIN_ID: string;
  readonly SETTLEMENT: string;
  /** The register of meters on the chain; the zero address where there is none. */
  readonly METER_REGISTRY: string;
  /** The governed values on the chain; the zero address where nothing is voted on. */
  readonly REWARD_PARAMETERS: string;
  /** Providers' stakes on the chain; the zero address where nobody stakes. */
  readonly PROVIDER_STAKE: string;
  /** The governor on the chain; the zero address where there is no vote. */
  readonly GOVERNOR: string;
  /** Wei that the relay of ballots may spend in a day, and votes that a ballot must carry, both in decimal. */
  readonly RELAY_BUDGET_WEI: string;
  readonly RELAY_MINIMUM_VOTES: string;
  /** 32 bytes as hex digits: key of the wallet that pays for relayed ballots; without it none are. */
  readonly RELAY_KEY?: string;
  /** Endpoints of the chain, separated by spaces; empty where there is no chain to follow. */
  readonly CHAIN_RPC: string;
  /** Block that the contracts were deployed in. */
  readonly CHAIN_DEPLOYED_AT: string;
  /** Wall seconds between two looks at the chain. */
  readonly CHAIN_POLL_SECONDS: string;
  /** 32 bytes as hex digits: key of the wallet that is the regions' mirror and, on the chain, their operator. */
  readonly MIRROR_KEY?: string;
  /** What the operator asks for jobs that the deployment runs itself (micros per 10^12 fuel), and for how much in each region. */
  readonly EDGE_PRICE_MICROS_PER_TERA: string;
  readonly EDGE_FUEL_MEGA: string;
  readonly CLOCK_ORIGIN: string;
  readonly CLOCK_RATE: string;
  readonly OPERATOR: string;
  /** 32 bytes as hex digits: the Ed25519 seed that signs receipts. */
  readonly RECEIPT_SEED: string;
}

/** What signatures are bound to. */
export function signingDomain(env: Env): SigningDomain {
  return { chainId: Number(env.CHAIN_ID), settlement: env.SETTLEMENT.toLowerCase() as Hex };
}

let lastClock: {
  readonly origin: string;
  readonly rate: string;
  readonly chainId: string;
  readonly clock: MarketClock;
} | null = null;

/** The market clock of this deployment, parsed once: every request asks for it. @throws ClockRefused */
export function marketClock(env: Env): MarketClock {
  const { CLOCK_ORIGIN: origin, CLOCK_RATE: rate, CHAIN_ID: chainId } = env;
  const isLast = lastClock?.origin === origin && lastClock.rate === rate && lastClock.chainId === chainId;
  if (lastClock !== null && isLast) return lastClock.clock;
  const clock = parseClock(origin, rate, Number(chainId));
  lastClock = { origin, rate, chainId, clock };
  return clock;
}

/** The seed that signs receipts. @throws Error when the secret is missing or malformed. */
export function receiptSeed(env: Env): Hex {
  if (!/^[0-9a-f]{64}$/.test(env.RECEIPT_SEED ?? ""))
    throw new Error("the secret RECEIPT_SEED is not 64 hex digits");
  return `0x${env.RECEIPT_SEED}`;
}
