// Owns waiting: what poll_oneoff answers. It refuses to wait: streams are always ready, and sleeping moves the job's
// clock on at once.

import { CallFailed, ERRNO, type GuestMemory } from "./guest-memory.ts";
import type { JobClock } from "./time-and-chance.ts";

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const MAX_SUBSCRIPTIONS = 1_024;
const TAG_CLOCK = 0;
const TAG_WRITE = 2;
const ABSOLUTE = 1;

interface Waiting {
  readonly userData: bigint;
  readonly tag: number;
  /** Nanoseconds from now until it is ready; none for a stream. */
  readonly inNs: bigint;
}

/** Addresses and the count as the program passed them. */
interface Poll {
  readonly subscriptions: number;
  readonly events: number;
  readonly count: number;
  readonly target: number;
}

/** Answers what is ready first, after letting the time until then pass. */
export function pollOnce(memory: GuestMemory, clock: JobClock, poll: Poll): void {
  if (poll.count === 0 || poll.count > MAX_SUBSCRIPTIONS) throw new CallFailed(ERRNO.invalid);
  const waiting: Waiting[] = [];
  for (let index = 0; index < poll.count; index += 1)
    waiting.push(readSubscription(memory, clock, (poll.subscriptions >>> 0) + SUBSCRIPTION_BYTES * index));
  const soonest = waiting.reduce((least, { inNs }) => (inNs < least ? inNs : least), waiting[0]?.inNs ?? 0n);
  const ready = waiting.filter(({ inNs }) => inNs === soonest);
  ready.forEach(({ userData, tag }, index) => {
    const event = (poll.events >>> 0) + EVENT_BYTES * index;
    memory.bytes(event, EVENT_BYTES).fill(0);
    memory.setU64(event, userData);
    memory.bytes(event + 10, 1)[0] = tag;
    if (tag !== TAG_CLOCK) memory.setU64(event + 16, 1n);
  });
  memory.setU32(poll.target, ready.length);
  clock.sleep(soonest);
}

function readSubscription(memory: GuestMemory, clock: JobClock, address: number): Waiting {
  const userData = memory.u64(address);
  const tag = memory.bytes(address + 8, 1)[0] ?? 0;
  if (tag > TAG_WRITE) throw new CallFailed(ERRNO.invalid);
  if (tag !== TAG_CLOCK) return { userData, tag, inNs: 0n };
  const id = memory.u32(address + 16);
  if (id > 3) throw new CallFailed(ERRNO.invalid);
  const timeout = memory.u64(address + 24);
  const isAbsolute = ((memory.bytes(address + 40, 1)[0] ?? 0) & ABSOLUTE) !== 0;
  const now = clock.nowNs(id);
  const inNs = isAbsolute ? (timeout > now ? timeout - now : 0n) : timeout;
  return { userData, tag, inNs };
}
