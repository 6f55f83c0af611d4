// Owns the functions of preview 1 that a job may call, each with its price in fuel. It refuses whatever would look at the
// machine: an unknown file is a bad file, everywhere the same.

import type { LinearMemory } from "./engine.ts";
import { CallFailed, ERRNO, GuestMemory } from "./guest-memory.ts";
import type { Job } from "./job.ts";
import {
  BUFFER_FUEL,
  CALL_FUEL,
  JobEnded,
  type Meter,
  RANDOM_BYTE_FUEL,
  READ_BYTE_FUEL,
  WRITTEN_BYTE_FUEL,
} from "./meter.ts";
import { pollOnce } from "./poll.ts";
import type { Preview1Name } from "./preview1.ts";
import { JobStreams } from "./streams.ts";
import { JobClock, JobRandomness } from "./time-and-chance.ts";

/** Operands of 64 bits come as bigints; no call here looks at one. */
type Call = (...operands: number[]) => number;
type Calls = Partial<Record<Preview1Name, Call>>;

/** Buffers of one call; preview 1 leaves the limit to the host, and a call must not run for ever. */
const MAX_BUFFERS = 1_024;

/** A stream that is no terminal, so that libraries write in large pieces. */
const FILE_TYPE_UNKNOWN = 0;
const RIGHT_READ = 1n << 1n;
const RIGHT_WRITE = 1n << 6n;
const RIGHT_POLL = 1n << 27n;

const encoder = new TextEncoder();

/** The program's name and arguments, or its variables in the order of their names, each ended by a zero byte. */
function zeroEnded(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => encoder.encode(`${text}\0`));
}

export class JobSystem {
  readonly streams: JobStreams;
  readonly #meter: Meter;
  readonly #clock: JobClock;
  readonly #randomness: JobRandomness;
  readonly #args: Uint8Array[];
  readonly #environment: Uint8Array[];
  #memory = new GuestMemory({ buffer: new ArrayBuffer(0) });

  constructor(job: Job, meter: Meter) {
    this.#meter = meter;
    this.streams = new JobStreams(job.stdin, job.limits.outputBytes);
    this.#clock = new JobClock(job.clockS, () => meter.used());
    this.#randomness = new JobRandomness(job.seed);
    this.#args = zeroEnded(["job", ...job.args]);
    const names = Object.keys(job.env).sort();
    this.#environment = zeroEnded(names.map((name) => `${name}=${job.env[name]}`));
  }

  attach(memory: LinearMemory): void {
    this.#memory = new GuestMemory(memory);
  }

  /** The functions of these names, priced and with failures as error numbers. */
  imports(names: ReadonlySet<string>): Record<string, (...operands: number[]) => number> {
    const calls: Calls = {
      ...this.#stringCalls(),
      ...this.#streamCalls(),
      ...this.#statusCalls(),
      ...this.#timeCalls(),
      ...this.#directoryCalls(),
    };
    const wanted = Object.entries(calls).filter(([name]) => names.has(name));
    return Object.fromEntries(wanted.map(([name, call]) => [name, this.#priced(call)]));
  }

  #priced(call: Call): (...operands: number[]) => number {
    return (...operands) => {
      this.#meter.take(CALL_FUEL);
      try {
        return call(...operands);
      } catch (error) {
        if (error instanceof CallFailed) return error.errno;
        throw error;
      }
    };
  }

  #stringCalls(): Calls {
    const sizes =
      (texts: Uint8Array[]): Call =>
      (count = 0, bytes = 0) => {
        this.#memory.setU32(count, texts.length);
        this.#memory.setU32(bytes, lengthOf(texts));
        return ERRNO.success;
      };
    const contents =
      (texts: Uint8Array[]): Call =>
      (pointers = 0, buffer = 0) => {
        this.#meter.take(BUFFER_FUEL * texts.length + lengthOf(texts));
        let at = buffer;
        texts.forEach((text, index) => {
          this.#memory.setU32(pointers + 4 * index, at);
          this.#memory.bytes(at, text.length).set(text);
          at += text.length;
        });
        return ERRNO.success;
      };
    return {
      args_sizes_get: sizes(this.#args),
      args_get: contents(this.#args),
      environ_sizes_get: sizes(this.#environment),
      environ_get: contents(this.#environment),
    };
  }

  /** The buffers of a list, each handed to `use` after `fuel` for its length was taken; stops where that says so. */
  #eachBuffer(list: number, count: number, fuel: number, use: (buffer: Uint8Array) => boolean): void {
    if (count >>> 0 > MAX_BUFFERS) throw new CallFailed(ERRNO.invalid);
    for (let index = 0; index < count; index += 1) {
      const entry = (list >>> 0) + 8 * index;
      const buffer = this.#memory.bytes(this.#memory.u32(entry), this.#memory.u32(entry + 4));
      this.#meter.take(BUFFER_FUEL + buffer.length * fuel);
      if (!use(buffer)) return;
    }
  }

  #streamCalls(): Calls {
    return {
      fd_read: (file = 0, list = 0, count = 0, target = 0) => {
        this.streams.expectOpen(file);
        let total = 0;
        this.#eachBuffer(list, count, READ_BYTE_FUEL, (buffer) => {
          const length = this.streams.read(file, buffer);
          total += length;
          return length === buffer.length;
        });
        this.#memory.setU32(target, total);
        return ERRNO.success;
      },
      fd_write: (file = 0, list = 0, count = 0, target = 0) => {
        this.streams.expectOpen(file);
        let total = 0;
        this.#eachBuffer(list, count, WRITTEN_BYTE_FUEL, (buffer) => {
          this.streams.write(file, buffer);
          total += buffer.length;
          return true;
        });
        this.#memory.setU32(target, total);
        return ERRNO.success;
      },
      fd_close: (file = 0) => {
        this.streams.close(file);
        return ERRNO.success;
      },
    };
  }

  #statusCalls(): Calls {
    const onOpen =
      (call: Call): Call =>
      (file = 0, ...rest) => {
        this.streams.expectOpen(file);
        return call(file, ...rest);
      };
    const cannotSeek = onOpen(() => ERRNO.notPipe);
    const nothing = onOpen(() => ERRNO.success);
    return {
      fd_seek: cannotSeek,
      fd_tell: cannotSeek,
      fd_sync: nothing,
      fd_datasync: nothing,
      fd_fdstat_set_flags: nothing,
      fd_fdstat_get: onOpen((file, target = 0) => {
        this.#memory.bytes(target, 24).fill(0);
        this.#memory.bytes(target, 1)[0] = FILE_TYPE_UNKNOWN;
        this.#memory.setU64(target + 8, RIGHT_POLL | (file === 0 ? RIGHT_READ : RIGHT_WRITE));
        return ERRNO.success;
      }),
      fd_filestat_get: onOpen((_, target = 0) => {
        this.#memory.bytes(target, 64).fill(0);
        return ERRNO.success;
      }),
    };
  }

  #timeCalls(): Calls {
    const expectClock = (clock: number): void => {
      if (clock < 0 || clock > 3) throw new CallFailed(ERRNO.invalid);
    };
    return {
      clock_res_get: (clock = 0, target = 0) => {
        expectClock(clock);
        this.#memory.setU64(target, 1n);
        return ERRNO.success;
      },
      clock_time_get: (clock = 0, _precision, target = 0) => {
        expectClock(clock);
        this.#memory.setU64(target, this.#clock.nowNs(clock));
        return ERRNO.success;
      },
      poll_oneoff: (subscriptions = 0, events = 0, count = 0, target = 0) => {
        this.#meter.take(BUFFER_FUEL * Math.min(count >>> 0, MAX_BUFFERS));
        pollOnce(this.#memory, this.#clock, { subscriptions, events, count: count >>> 0, target });
        return ERRNO.success;
      },
      sched_yield: () => ERRNO.success,
      random_get: (target = 0, length = 0) => {
        const buffer = this.#memory.bytes(target, length);
        this.#meter.take(RANDOM_BYTE_FUEL * buffer.length);
        this.#randomness.fill(buffer);
        return ERRNO.success;
      },
      proc_exit: (code = 0) => {
        throw new JobEnded("exited", code >>> 0);
      },
    };
  }

  /** There are no directories, so none of these finds one. */
  #directoryCalls(): Calls {
    const badFile = (): number => ERRNO.badFile;
    return {
      fd_prestat_get: badFile,
      fd_prestat_dir_name: badFile,
      fd_readdir: badFile,
      path_filestat_get: badFile,
      path_open: badFile,
      path_readlink: badFile,
    };
  }
}

function lengthOf(texts: readonly Uint8Array[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0);
}
