// Owns a live meter that Home Assistant keeps: its energy statistics of the grid, read again whenever five minutes more
// are there. It refuses to go on knocking with a token that was refused, which would get this machine banned.

import {
  type Connection,
  createConnection,
  createLongLivedTokenAuth,
  ERR_INVALID_AUTH,
} from "home-assistant-js-websocket";
import { marketTimeS, wallTimeMs } from "../../protocol/clock.ts";
import { divDown } from "../../protocol/units.ts";
import { sleep } from "../household/runner.ts";
import { firedEventSchema } from "./home-assistant-messages.ts";
import { socketMaker } from "./home-assistant-socket.ts";
import { gridOf, readingsBetween } from "./home-assistant-statistics.ts";
import type { LiveMeter, LiveMeterOptions } from "./live-meter.ts";
import { volatileBoundaries } from "./slot-boundaries.ts";
import { type MeterReading, SlotRegisters } from "./slot-registers.ts";

/** Windows of a day may be proved for another day, so two days back are of use. */
const HISTORY_S = 2 * 86_400;
/** Home Assistant compiles five minutes some ten seconds after they are over. */
const PERIOD_S = 300;
const COMPILED_AFTER_S = 20;
/** A home server answers within seconds; beyond this it is not there. */
const ANSWER_MS = 30_000;
/** However often it is told of news, it asks ten times a second at most. */
const LEAST_PAUSE_MS = 100;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Home Assistant tells everybody who asks when it has compiled five minutes; no rights of an administrator needed. */
const COMPILED_EVENT = "recorder_5min_statistics_generated";

/** Where Home Assistant is, and what opens it. */
export interface HomeAssistantAccess {
  /** `http://host:8123` or with TLS `https://…`. */
  readonly url: string;
  /** A long-lived access token; it is never printed. */
  readonly token: string;
  /** How long an answer may take. */
  readonly answerMs?: number;
}

const REFUSED =
  "Home Assistant refused the token; make a long-lived access token on its profile page and start again with it in POLDER_HOME_ASSISTANT_TOKEN";

/** Reads `ws://host:8123`, `http://…`, or with TLS `wss://…`, `https://…`. @throws Error for anything else */
export function parseHomeAssistantUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const scheme = { "ws:": "http:", "wss:": "https:", "http:": "http:", "https:": "https:" }[
    url?.protocol ?? ""
  ];
  const path = url?.pathname.replace(/\/(api\/websocket\/?)?$/, "");
  // A token in the address would end up in shell histories and logs.
  const isBare = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (url === null || scheme === undefined || !isBare)
    throw new Error(`not Home Assistant's address: write ws://host:8123 or wss://host`);
  return `${scheme}//${url.host}${path}`;
}

/** A meter of Home Assistant's energy settings. */
export class HomeAssistantMeter implements LiveMeter {
  readonly #access: HomeAssistantAccess;
  readonly #options: LiveMeterOptions;
  readonly #registers: SlotRegisters;
  readonly #stopping = new AbortController();
  #newestS = 0;
  #aheadS: number | null = null;
  #closeReason = "";
  #toldReason: string | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(access: HomeAssistantAccess, options: LiveMeterOptions) {
    this.#access = access;
    this.#options = options;
    // What was before a restart is asked again, so nothing need be kept here.
    this.#registers = new SlotRegisters({ boundaries: volatileBoundaries(), report: options.report });
  }

  /** Follows until `stop`. @throws Error where the token is refused at the first try */
  async follow(): Promise<void> {
    const first = await this.#connect().catch((error: unknown) => {
      if (error === ERR_INVALID_AUTH) throw new Error(REFUSED);
      return null;
    });
    this.#ended = this.#run(first);
  }

  read(slot: number) {
    return this.#registers.read(slot);
  }

  knownUntilSlot(): number {
    return this.#registers.knownUntilSlot();
  }

  registersAt(slot: number) {
    return this.#registers.registersAt(slot);
  }

  clockAheadS(): number | null {
    return this.#aheadS;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  #connect(): Promise<Connection> {
    const { url, token } = this.#access;
    this.#closeReason = "the connection was closed";
    const createSocket = socketMaker({
      answerMs: this.#answerMs,
      signal: this.#stopping.signal,
      closed: (reason) => {
        this.#closeReason = reason;
      },
    });
    return createConnection({ auth: createLongLivedTokenAuth(url, token), createSocket, setupRetry: 0 });
  }

  async #run(first: Connection | null): Promise<void> {
    const { signal } = this.#stopping;
    let connection = first;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        connection ??= await this.#connect();
        await this.#session(connection, () => {
          pauseMs = FIRST_PAUSE_MS;
          this.#toldReason = null;
        });
      } catch (error) {
        if (error === ERR_INVALID_AUTH) return this.#options.report(REFUSED);
        if (!signal.aborted) this.#tell(error instanceof Error ? error.message : this.#closeReason);
      }
      connection?.close();
      connection = null;
      await sleep(pauseMs, signal);
      pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
    }
  }

  /** Reads until the connection ends or `stop`. @throws Error with the reason */
  async #session(connection: Connection, succeeded: () => void): Promise<void> {
    const { signal } = this.#stopping;
    const line = { connection, answerMs: this.#answerMs };
    let pause = new AbortController();
    let isLost = false;
    // The client would connect again by itself; here a connection that ended ends its session, too.
    connection.addEventListener("disconnected", () => {
      isLost = true;
      connection.close();
      pause.abort();
    });
    const stop = (): void => {
      connection.close();
      pause.abort();
    };
    signal.addEventListener("abort", stop);
    try {
      const grid = await gridOf(line);
      await this.#subscribe(connection, () => pause.abort());
      while (!isLost && !signal.aborted) {
        // Woken while it reads, it reads once more.
        pause = new AbortController();
        const nowS = this.#nowS();
        this.#take(await readingsBetween(line, grid, Math.max(this.#newestS, nowS - HISTORY_S), nowS));
        succeeded();
        await sleep(LEAST_PAUSE_MS, signal);
        await sleep(this.#untilCompiledMs(nowS), pause.signal);
      }
    } catch (error) {
      // Why the connection ended says more than that a question on it failed.
      if (!isLost) throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    if (isLost) throw new Error(this.#closeReason);
  }

  #take(readings: readonly MeterReading[]): void {
    for (const reading of readings) {
      if (reading.atS <= this.#newestS) continue;
      this.#newestS = reading.atS;
      this.#registers.add(reading);
    }
  }

  async #subscribe(connection: Connection, compiled: () => void): Promise<void> {
    const heard = (event: unknown): void => {
      const fired = firedEventSchema.safeParse(event);
      if (fired.success) this.#aheadS = Math.round(Date.parse(fired.data.time_fired) / 1000) - this.#nowS();
      compiled();
    };
    const subscribed = connection.subscribeEvents(heard, COMPILED_EVENT);
    // Without the event statistics are still read by the clock.
    await Promise.race([subscribed.catch(() => {}), sleep(this.#answerMs, this.#stopping.signal)]);
  }

  get #answerMs(): number {
    return this.#access.answerMs ?? ANSWER_MS;
  }

  #nowS(): number {
    return marketTimeS(this.#options.clock, Date.now());
  }

  #untilCompiledMs(nowS: number): number {
    const nextS = (divDown(nowS - COMPILED_AFTER_S, PERIOD_S) + 1) * PERIOD_S + COMPILED_AFTER_S;
    return Math.max(1, wallTimeMs(this.#options.clock, nextS) - Date.now());
  }

  #tell(reason: string): void {
    if (reason === this.#toldReason) return;
    this.#toldReason = reason;
    this.#options.report(`Home Assistant at ${this.#access.url}: ${reason}; trying again`);
  }
}
