// Owns what must come of a simulated region that is left in peace: what is due is done, everybody gets the answer they had,
// what is sound is accepted, the audit passes. It refuses any fault while it looks.

import type { Registry } from "../../protocol/answers.ts";
import { meterAmong } from "./meters.ts";
import { TERMS } from "./offices.ts";
import { AGENT_HOME, HOMES, OPERATOR, walletPen } from "./people.ts";
import type { Draft } from "./requests.ts";
import { SMOOTH } from "./steps.ts";
import type { Sent } from "./traffic.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_S = 86_400;
/** The region has this long to do by itself what is due. */
const SETTLING_MS = 3 * HOUR_MS + 60_000;
const REASKED = 12;

/** Nothing goes wrong any more; whatever went wrong before must be mended by now. */
export async function settle(world: World): Promise<void> {
  const { witness, timeline, traffic, host } = world;
  calm(world);
  await world.pass(SETTLING_MS);
  const nowS = Math.floor(timeline.nowMs / 1000);
  if ((witness.book.dueS ?? 0) <= nowS - 60)
    witness.fail("acts by itself", `what was due at ${witness.book.dueS} is not done at ${nowS}`);
  for (const request of traffic.requests.slice(-REASKED)) traffic.carry(request, SMOOTH);
  const body = { type: "set_parameters", parameters: TERMS } as const;
  const probe = await world.clients.draft("probe", null, body, walletPen(OPERATOR));
  await mustBeAccepted(world, probe, "works again");
  if (host.openCalls > 0)
    witness.fail("everybody is answered", `${host.openCalls} calls were never answered`);
  await agentWorksAgain(world);
  await windowIsPaid(world);
  await world.audit();
  host.evict();
  await host.turn((region) => witness.balances(region));
}

function calm(world: World): void {
  const { host, clients } = world;
  host.storage.accident = null;
  host.death = null;
  world.rulesFault = null;
  host.diskMs = 3;
  host.bucket.mood = "sound";
  host.skewMs = 0;
  host.alarmHabit = { lateMs: 0, earlyMs: 0, isTwice: false };
  host.planAlarm();
  for (const home of clients.homes) Object.assign(home, { isAway: false, driftS: 0 });
}

async function mustBeAccepted(world: World, draft: Draft, check: string): Promise<void> {
  const { traffic, witness } = world;
  await traffic.send(draft, SMOOTH);
  const { submission } = traffic.requests.at(-1) as Sent;
  await world.pass(30_000);
  if (!world.isOver && !witness.answers.has(submission.commandId))
    witness.fail(check, `a sound request to a calm region was not accepted: ${draft.name}`);
}

/** A household whose meter is in the next window's registry brings that window in; its wallet signs, whatever its keys may. */
async function windowIsPaid(world: World): Promise<void> {
  const { timeline, witness, clients, traffic } = world;
  if (world.isOver) return;
  const endMs = (Math.floor(timeline.nowMs / HOUR_MS) + 2) * HOUR_MS;
  const firstSlot = (endMs / HOUR_MS) * 4 - 4;
  const leaves = witness.book.registry.leavesOf(firstSlot);
  const who = HOMES.findIndex((home) => meterAmong(home, 0, leaves) !== null);
  const home = HOMES[who];
  if (home === undefined) return;
  await world.pass(endMs - timeline.nowMs);
  const told: Registry[] = [];
  traffic.ask(
    (region) => region.registry(firstSlot),
    SMOOTH,
    (registry) => registry !== null && told.push(registry),
  );
  await world.pass(20);
  const [registry] = told;
  const draft = registry === undefined ? null : await clients.readings(who, 0, registry, walletPen(home));
  if (draft === null) witness.fail("a window is paid", `home ${who} cannot prove window ${firstSlot}`);
  else await mustBeAccepted(world, draft, "a window is paid");
}

/** The shipping agent does what is to do, and nothing of it twice. */
async function agentWorksAgain(world: World): Promise<void> {
  const { agent, witness, host } = world;
  if (agent === null || world.isOver) return;
  const before = agent.counts["steps finished"];
  await agent.wake();
  await world.pass(60_000);
  if (agent.counts["steps finished"] === before || agent.isBusy)
    witness.fail("the agent stands", "in calm it did not do what was to do");
  await host.turn((region) => {
    const { atS } = region.head();
    const sessions = region.account(AGENT_HOME.account)?.sessions ?? [];
    const mayOrder = sessions.some(({ expiresAtS, isRevoked }) => !isRevoked && expiresAtS > atS + DAY_S);
    for (const side of ["sell", "buy"] as const) {
      const orders = region.orders(AGENT_HOME.account).filter((order) => order.isLive && order.side === side);
      if (orders.length > 1 || (orders.length === 0 && mayOrder))
        witness.fail("the agent stands", `in calm it has ${orders.length} live orders to ${side}`);
    }
  });
}
