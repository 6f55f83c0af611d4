// Owns the object that follows a deployment's chain: it wires the poller to the platform's storage, alarms and the other
// objects. It refuses to poll twice at a time, and to let an alarm be the last one.

import { DurableObject } from "cloudflare:workers";
import type { ChainStatus } from "../protocol/chain-answer.ts";
import { NO_ADDRESS } from "../protocol/fields.ts";
import { directoryOf } from "./directory.ts";
import { type Env, marketClock, signingDomain } from "./environment.ts";
import type { MirroredRegion } from "./mirror/mirrored-region.ts";
import { Poller } from "./mirror/poller.ts";
import { chainSettings, hasChain, mirrorOf, SettingsRefused } from "./mirror/settings.ts";

/** After a fault of ours outside of a poll. Wall milliseconds. */
const FAULT_PAUSE_MS = 5_000;

/** One per chain; its name is the chain's id. */
export class ChainMirror extends DurableObject<Env> {
  #poller: Poller | null = null;
  #isPolling = false;

  /** Makes sure that the chain is followed: after a restart, after a deployment, when a region was opened. */
  async wake(): Promise<void> {
    if (!hasChain(this.env) || this.#isPolling) return;
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now());
  }

  /** How far the chain was followed. */
  async status(): Promise<ChainStatus> {
    if (!hasChain(this.env)) return this.#unpolled(null);
    try {
      const poller = this.#made();
      await this.wake();
      return await poller.status();
    } catch (error) {
      if (error instanceof SettingsRefused) return this.#unpolled(error.message);
      throw error;
    }
  }

  /** Polls, and is set for the next one whatever happens: the platform gives up on an alarm that throws. */
  override async alarm(): Promise<void> {
    if (this.#isPolling || !hasChain(this.env)) return;
    this.#isPolling = true;
    const beganMs = Date.now();
    let nextMs: number | null = beganMs + FAULT_PAUSE_MS;
    try {
      const hasMore = await this.#made().poll();
      nextMs = hasMore ? Date.now() : Math.max(Date.now(), beganMs + chainSettings(this.env).pollMs);
    } catch (error) {
      if (error instanceof SettingsRefused) nextMs = null;
      console.error("the chain is not followed", error);
    } finally {
      this.#isPolling = false;
      if (nextMs !== null) await this.#arm(nextMs);
    }
  }

  async #arm(wallMs: number): Promise<void> {
    try {
      await this.ctx.storage.setAlarm(wallMs);
    } catch (fault) {
      // The gateway wakes the mirror again within a minute.
      console.error("the mirror's alarm was not set", fault);
    }
  }

  /** @throws SettingsRefused, ClockRefused */
  #made(): Poller {
    this.#poller ??= this.#make();
    return this.#poller;
  }

  #make(): Poller {
    const { env } = this;
    const settings = chainSettings(env);
    return new Poller(settings, {
      domain: signingDomain(env),
      clock: marketClock(env),
      memory: this.ctx.storage,
      regions: async () => (await directoryOf(env).list()).map(({ region }) => region),
      // A stub's methods answer what the region's do.
      region: (name) => env.REGION.getByName(name) as unknown as MirroredRegion,
    });
  }

  /** Without a chain, or with settings that must not be used. */
  #unpolled(reason: string | null): ChainStatus {
    const { env } = this;
    return {
      chainId: Number(env.CHAIN_ID),
      isMirrored: false,
      settlement: signingDomain(env).settlement,
      meterRegistry: NO_ADDRESS,
      rewardParameters: NO_ADDRESS,
      providerStake: NO_ADDRESS,
      mirror: mirrorOf(env),
      finalised: null,
      rpcs: [],
      regions: [],
      problem: reason === null ? null : { code: "configuration_refused", facts: { reason } },
      lastPollAtMs: null,
    };
  }
}
