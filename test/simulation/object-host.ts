// Owns one object's life as the platform leads it: it is made when something asks for it, has turns, timers and an alarm,
// is evicted or dies, and its answers leave when what they rest on is durable. It refuses real time to what runs inside.

import type { Env } from "../../durable-objects/environment.ts";
import { Region } from "../../durable-objects/region.ts";
import type { Head } from "../../protocol/answers.ts";
import { SimulatedBucket, type Travel } from "./simulated-bucket.ts";
import { DiskFailed, SimulatedStorage, type Turn } from "./simulated-storage.ts";
import type { Timeline } from "./timeline.ts";
import { inside, type Surroundings } from "./virtual-globals.ts";

/** How alarms go off: the platform promises neither the moment nor that it is only once. */
export interface AlarmHabit {
  readonly lateMs: number;
  readonly earlyMs: number;
  readonly isTwice: boolean;
}

/** Dies at the end of the nth turn that wrote, before it is durable; or as it is durable, before anybody is told. */
export interface PlannedDeath {
  readonly point: "turn" | "durable";
  after: number;
}

/** Who is told what happens to the object. */
export interface HostWatcher {
  /** It was made; its storage is all it knows. */
  started(region: Region): void;
  /** A turn ended well. */
  afterTurn(region: Region): void;
  /** All entries up to this one are durable. */
  durable(head: Head): void;
  /** A fault that nobody caught came out of the object. */
  escaped(fault: unknown): void;
}

/** Listeners of one feed: takes a frame, answers how many listen. */
export type FeedShard = (frame: string) => number;

/** An object that could not be made is tried again by its alarm after this long. */
const START_AGAIN_MS = 2_000;
export const CLOCK_ORIGIN = "2026-01-01T00:00:00Z";
export const RECEIPT_SEED = "5e".repeat(32);

/** The platform around one region's object. */
export class ObjectHost {
  readonly storage = new SimulatedStorage();
  readonly bucket = new SimulatedBucket();
  readonly counts = {
    starts: 0,
    commits: 0,
    crashes: 0,
    /** Crashes while a snapshot was half stored, and while a call to the archive was on its way. */
    midSnapshot: 0,
    midCall: 0,
    evictions: 0,
    alarms: 0,
    alarmsTwice: 0,
    logged: 0,
  };
  /** What the object's wall clock shows over true time. */
  skewMs = 0;
  /** Time until a turn's writes are durable. */
  diskMs = 3;
  alarmHabit: AlarmHabit = { lateMs: 0, earlyMs: 0, isTwice: false };
  death: PlannedDeath | null = null;
  readonly #name: string;
  readonly #timeline: Timeline;
  readonly #watcher: HostWatcher;
  readonly #feed: FeedShard;
  #region: Region | null = null;
  #life = 0;
  #durableAtMs = 0;
  #alarmPlans = 0;
  #hastyForMs = 0;
  /** Calls to the outside of the living instance. */
  #travelling = 0;
  #open = new Set<() => void>();

  constructor(name: string, timeline: Timeline, watcher: HostWatcher, feed: FeedShard) {
    this.#name = name;
    this.#timeline = timeline;
    this.#watcher = watcher;
    this.#feed = feed;
  }

  /** The living object, or null. */
  get region(): Region | null {
    return this.#region;
  }

  /** Calls that have neither an answer nor lost their object. */
  get openCalls(): number {
    return this.#open.size;
  }

  get wallMs(): number {
    return this.#timeline.nowMs + this.skewMs;
  }

  /** Calls the object; one of the two is told, once, unless the object lives on and never answers. */
  async call<T>(work: (region: Region) => T | Promise<T>, answered: (result: T) => void, lost: () => void) {
    const open = this.#open;
    const drop = (): void => void (open.delete(drop) && lost());
    open.add(drop);
    const isReached = await this.turn((region) => {
      const settle = (tell: () => void) => this.storage.leave(() => void (open.delete(drop) && tell()));
      new Promise<T>((resolve) => resolve(work(region))).then(
        (result) => {
          // What crosses between objects is a copy.
          const copy = structuredClone(result);
          settle(() => answered(copy));
        },
        () => settle(lost),
      );
    });
    if (!isReached) drop();
  }

  /** One turn of the event loop inside the object, which is made where there is none; false where that failed. */
  async turn(work: (region: Region) => void): Promise<boolean> {
    const escaped = await inside(this.#surroundings(), () => {
      this.#region ??= this.#start();
      work(this.#region);
    });
    const region = this.#region;
    if (region === null || this.storage.isDead) {
      // An object that cannot even be made, though its disk works and nobody killed it, never comes back.
      if (region === null && !this.storage.isDead && !(escaped instanceof DiskFailed))
        this.#watcher.escaped(escaped);
      this.crash(region === null ? START_AGAIN_MS : 1);
      return false;
    }
    if (escaped !== null) this.#watcher.escaped(escaped);
    this.#endTurn(region);
    return true;
  }

  /** The object's machine is gone, with whatever was not durable; an alarm waits this long at least. */
  crash(pauseMs = 1): void {
    this.counts.crashes += 1;
    if (this.#travelling > 0) this.counts.midCall += 1;
    this.#end();
    this.storage.crash();
    if (this.storage.hasHalfSnapshot) this.counts.midSnapshot += 1;
    this.planAlarm(pauseMs);
  }

  /** The object is put to rest: what it wrote is kept, its memory is not. */
  evict(): void {
    if (this.#region === null || !this.storage.isSettled || this.#open.size > 0) return;
    this.counts.evictions += 1;
    // Nothing may ever read this again.
    this.#region.engine.state.tables.accounts.columns.freeMicros.fill(77);
    this.#region.engine.state.header.entry += 1_000;
    this.#end();
  }

  /** Plans the alarm anew after its time, the clock or the habit has changed. */
  planAlarm(leastMs = 1): void {
    this.#alarmPlans += 1;
    const plan = this.#alarmPlans;
    const dueMs = this.storage.durableAlarmMs;
    if (dueMs === null) return;
    const { lateMs, earlyMs } = this.alarmHabit;
    // Too early once is enough: the same moment again is kept.
    const hastyMs = this.#hastyForMs === dueMs ? 0 : earlyMs;
    const atMs = Math.max(dueMs - this.skewMs + lateMs - hastyMs, this.#timeline.nowMs + leastMs);
    this.#timeline.at(atMs, () => {
      if (plan !== this.#alarmPlans) return;
      this.#hastyForMs = dueMs;
      return this.#ring();
    });
  }

  async #ring(): Promise<void> {
    this.counts.alarms += 1;
    const isReached = await this.turn((region) => {
      this.storage.spendAlarm();
      region.alarm();
    });
    if (!isReached || !this.alarmHabit.isTwice) return;
    this.counts.alarmsTwice += 1;
    this.#timeline.after(40, () => this.turn((region) => region.alarm()).then(() => undefined));
  }

  #end(): void {
    this.#region = null;
    this.#life += 1;
    this.#travelling = 0;
    const open = this.#open;
    this.#open = new Set();
    for (const drop of open) this.#timeline.after(0, drop);
  }

  #start(): Region {
    this.counts.starts += 1;
    const life = this.#life;
    const context = {
      storage: this.storage.asPlatform,
      id: { name: this.#name },
      waitUntil: () => undefined,
      abort: () => this.storage.kill(),
    };
    const travel: Travel = (milliseconds, work) => this.#travel(life, milliseconds, work);
    const environment = {
      ARCHIVE: this.bucket.boundTo(travel),
      FEED: { getByName: () => ({ publish: (frame: string) => travel(5, () => this.#feed(frame)) }) },
      CHAIN_ID: "31337",
      SETTLEMENT: `0x${"00".repeat(20)}`,
      CLOCK_ORIGIN,
      CLOCK_RATE: "1",
      RECEIPT_SEED,
    };
    const region = new Region(context as unknown as DurableObjectState, environment as unknown as Env);
    this.#watcher.started(region);
    return region;
  }

  /** A call to the outside: it leaves through the output gate, and comes back only to the same instance. */
  #travel<T>(life: number, milliseconds: number, work: () => T): Promise<T> {
    this.#travelling += 1;
    return new Promise((resolve, reject) => {
      const comeBack = (settle: () => void) =>
        this.#timeline.after(milliseconds, async () => {
          if (life !== this.#life || this.#region === null) return;
          this.#travelling -= 1;
          await this.turn(settle);
        });
      this.storage.leave(() =>
        this.#timeline.after(milliseconds, () => {
          try {
            const result = work();
            comeBack(() => resolve(result));
          } catch (fault) {
            comeBack(() => reject(fault));
          }
        }),
      );
    });
  }

  #endTurn(region: Region): void {
    const turn = this.storage.endTurn();
    this.#watcher.afterTurn(region);
    if (turn === null) return;
    if (this.#isTimeToDie("turn")) {
      this.crash();
      return;
    }
    const head = region.head();
    this.#durableAtMs = Math.max(this.#durableAtMs, this.#timeline.nowMs + this.diskMs);
    this.#timeline.at(this.#durableAtMs, () => this.#settle(turn, head));
  }

  #settle(turn: Turn, head: Head): void {
    const held = this.storage.makeDurable(turn);
    if (held === null) return;
    this.counts.commits += 1;
    this.#watcher.durable(head);
    this.planAlarm();
    if (this.#isTimeToDie("durable")) {
      this.crash();
      return;
    }
    for (const send of held) send();
  }

  #isTimeToDie(point: PlannedDeath["point"]): boolean {
    if (this.death?.point !== point) return false;
    this.death.after -= 1;
    if (this.death.after >= 0) return false;
    this.death = null;
    return true;
  }

  /** Virtual time, and timers that end with the object's life. */
  #surroundings(): Surroundings {
    const life = this.#life;
    return {
      nowMs: () => this.wallMs,
      later: (work, milliseconds) =>
        this.#timeline.after(milliseconds, async () => {
          if (life === this.#life && this.#region !== null) await this.turn(work);
        }),
      random: () => {
        throw new Error("a region that rolls dice could not be audited");
      },
      logged: () => {
        this.counts.logged += 1;
      },
    };
  }
}
