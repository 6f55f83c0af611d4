// Owns what each step does in a world: who sends what, what breaks, how long nothing happens. It refuses nothing; a step
// that has no meaning where the world stands does nothing.

import type { Region } from "../../durable-objects/region.ts";
import { attackOf } from "./attacks.ts";
import { HOMES, homeOf } from "./people.ts";
import { isProofAttack } from "./proof-attacks.ts";
import type { HomeMemory } from "./requests.ts";
import { SMOOTH, type Step, type Trip } from "./steps.ts";
import type { Sent } from "./traffic.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
/** A replay is mostly of something that happened lately. */
const LATELY = 40;
const REMOVED_AFTER_MS = 400;

/** Does a step. */
export async function act(world: World, step: Step): Promise<void> {
  const { traffic, timeline, clients, host, windows } = world;
  switch (step.do) {
    case "wait":
      return world.pass(step.ms);
    case "wait for window":
      return world.pass(nextMomentMs(world) + step.offsetMs - timeline.nowMs);
    case "window ends":
      await world.pass(windowEndMs(world) + step.offsetMs - timeline.nowMs);
      for (const [who, trip] of step.trips.entries()) windows.bring(who, 0, step.provesMs, trip);
      if (step.removes !== null) removeWhileProving(world, step.removes);
      return;
    case "readings":
      return windows.bring(step.who, step.gateway, step.provesMs, step.trip);
    case "deal":
      return deal(world, step);
    case "job":
      return runJob(world, step);
    case "attack":
      world.attacks[step.how] = (world.attacks[step.how] ?? 0) + 1;
      if (isProofAttack(step.how)) return windows.attack(step.how, step.who, step.salt, step.trip);
      return traffic.send(await attackOf(clients, step.how, step.who, step.salt), step.trip);
    case "replay":
      traffic.carry(recent(world, step.which), step.trip);
      return;
    case "flood": {
      const outMs = Array.from({ length: step.copies }, (_, copy) => 5 + copy);
      traffic.carry(recent(world, step.which), { ...SMOOTH, outMs });
      return;
    }
    case "ask":
      return ask(world, step.which);
    case "read":
      return read(world, step.who);
    case "agent wakes":
      return world.agent?.wake(step.trips);
    case "listen":
      world.isHeard = step.isThere;
      if (step.isThere) await host.call((region) => region.subscribe(0), nothing, nothing);
      return;
    default:
      if ("trip" in step) await send(world, step);
      else spoil(world, step);
  }
}

/** The installer removes a meter at once, when most have been told the registry and few have proved. */
function removeWhileProving(world: World, who: number): void {
  const removal = { do: "unenrol", who, gateway: 0, isEmergency: true, trip: SMOOTH } as const;
  world.timeline.after(REMOVED_AFTER_MS, () => world.timeline.hold(() => send(world, removal)));
}

/** Both send their order by their wallets, and the seller settles what the buyer vouches for. */
async function deal(world: World, step: Extract<Step, { do: "deal" }>): Promise<void> {
  const { who, buyer, product, quantity, afterMs, share, isFinal, trips } = step;
  const order = { do: "trade", key: null, product, quantity, price: 101_000, restsS: 900 } as const;
  const rests = { ...order, who, side: "sell", timeInForce: "good_till_time", trip: trips[0] } as const;
  await send(world, rests);
  await world.pass(50);
  await send(world, {
    ...order,
    who: buyer,
    side: "buy",
    timeInForce: "immediate_or_cancel",
    trip: trips[1],
  });
  const settlement = { do: "deliver", which: 0, share, isFinal, byKey: false, trip: trips[2] } as const;
  world.timeline.after(afterMs, () => world.timeline.hold(() => send(world, settlement)));
}

/** Two sellers' asks, a purchase, and what each of those that were met says of it. */
async function runJob(world: World, step: Extract<Step, { do: "job" }>): Promise<void> {
  const { who, fuel, replicas, salt, trip } = step;
  const ask = { do: "trade", key: null, product: 0, quantity: fuel, price: 101_000, restsS: 900 } as const;
  const sellers = HOMES.map((_, home) => home).filter((home) => home !== who);
  for (const seller of sellers.slice(0, replicas))
    await send(world, { ...ask, who: seller, side: "sell", timeInForce: "good_till_time", trip: SMOOTH });
  await world.pass(50);
  await send(world, { do: "buy job", who, key: null, fuel, replicas, salt, trip });
  for (const [which, word] of step.words.slice(0, replicas).entries()) {
    if (word === null) continue;
    const { afterMs, ...said } = word;
    const report = { do: "report", which, share: 9, ...said } as const;
    world.timeline.after(afterMs, () => world.timeline.hold(() => send(world, report)));
  }
}

async function send({ clients, traffic }: World, step: Extract<Step, { trip: Trip }>): Promise<void> {
  const draft = await clients.honest(step);
  if (draft !== null) await traffic.send(draft, step.trip);
}

/** What goes wrong, or is set to go wrong. */
function spoil(world: World, step: Step): void {
  const { host } = world;
  switch (step.do) {
    case "vanish": {
      const memory = memoryOf(world, step.who);
      memory.isAway = true;
      if (step.forgets) memory.orders = [];
      world.faults["household vanished"] += 1;
      return;
    }
    case "return":
      memoryOf(world, step.who).isAway = false;
      return;
    case "agent restarts":
      world.agent?.restart(step.forgets);
      return;
    case "drift":
      memoryOf(world, step.who).driftS = step.seconds;
      return;
    case "rules fail":
      world.rulesFault = { when: step.when, after: step.after };
      return;
    case "clock":
      world.faults["clock set"] += 1;
      host.skewMs = step.skewMs;
      host.planAlarm();
      return;
    case "alarms":
      host.alarmHabit = step;
      host.planAlarm();
      return;
    default:
      spoilPlatform(world, step);
  }
}

function spoilPlatform({ host, timeline }: World, step: Step): void {
  switch (step.do) {
    case "crash":
      host.crash();
      return;
    case "crash in turn":
      host.death = { point: step.point, after: step.after };
      return;
    case "crash in write":
      host.storage.accident = { kind: "die", table: step.table, after: step.after, times: 1 };
      return;
    case "disk fails":
      host.storage.accident = { kind: "fail", table: step.table, after: step.after, times: step.times };
      return;
    case "evict":
      host.evict();
      return;
    case "disk":
      host.diskMs = step.ms;
      return;
    case "bucket":
      host.bucket.mood = step.mood;
      return;
    case "snapshot":
      timeline.after(0, async () => {
        await host.turn((region) => region.engine.snapshot());
      });
      return;
  }
}

/** Somebody asks for an answer given before, by its entry; it may be in the archive by now. */
async function ask({ witness, host }: World, which: number): Promise<void> {
  const answers = [...witness.answers.values()];
  const known = answers[which % Math.max(1, answers.length)];
  if (known === undefined) return;
  await host.call(
    (region) => region.answer(known.entry),
    (outcome) => {
      if ("rejection" in outcome)
        witness.fail("answers stay", `entry ${known.entry} is ${outcome.rejection.code}`);
      else witness.answered(outcome, false, "an answer asked for");
    },
    nothing,
  );
}

/** Somebody reads all there is to read. */
async function read(world: World, who: number): Promise<void> {
  const { account } = homeOf(who);
  await world.host.call(
    (region) => pagesOf(region, account),
    ({ health, orders, market, certificates }) => {
      world.note(`read: ${orders.length} orders, slot ${market?.nextSlot}`);
      const [broken] = health.violations;
      if (broken !== undefined) world.witness.fail("invariants", `the health page says: ${broken}`);
      world.witness.certificates(certificates);
    },
    nothing,
  );
}

function pagesOf(region: Region, account: Parameters<Region["account"]>[0]) {
  return {
    market: region.market(),
    account: region.account(account),
    orders: region.orders(account),
    bill: region.bill(account, 0, 9_000_000),
    slots: region.slots(0, 9_000_000),
    certificates: certificatesOf(region),
    health: region.health(),
  };
}

/** What every closed epoch's certificates are made of, as the region tells it. */
export const certificatesOf = (region: Region) =>
  region.epochs(0, 9_000_000).map(({ epoch }) => ({ epoch, leaves: region.certificates(epoch) }));

/** The next end of a window, or of its time for evidence. */
function nextMomentMs(world: World): number {
  const dueMs = (world.witness.book.dueS ?? 0) * 1000;
  const endMs = windowEndMs(world);
  return dueMs > world.timeline.nowMs ? Math.min(dueMs, endMs) : endMs;
}

/** Windows of four slots end with the hour. */
function windowEndMs({ timeline }: World): number {
  return (Math.floor(timeline.nowMs / HOUR_MS) + 1) * HOUR_MS;
}

function recent({ traffic: { requests } }: World, which: number): Sent {
  return requests[Math.max(0, requests.length - 1 - (which % LATELY))] as Sent;
}

const memoryOf = ({ clients }: World, who: number): HomeMemory => clients.homes[who] as HomeMemory;
const nothing = (): void => undefined;
