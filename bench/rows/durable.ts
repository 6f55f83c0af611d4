// Owns the rows `durable`: answers a second on the whole command path with 64 clients, against a Worker and object that
// insert one row a call. It refuses a round in which anything was not accepted.

import { existsSync, readFileSync } from "node:fs";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import {
  authorisationRequests,
  creditRequests,
  type Member,
  membersOf,
  OPERATOR_ADDRESS,
  openingRequest,
  orderOf,
  signedBySession,
} from "../fleet.ts";
import type { Prepared } from "../load-generator.ts";
import { median, percentile } from "../median.ts";
import { compared, type Measurement } from "../row.ts";
import { LoadProcess } from "../second-process.ts";

export const REGION = "measured";
const CLIENTS = 64;
const TARGET = 1.5;

export interface DurableOptions {
  /** Accounts; each sends `perMember` commands a round. */
  readonly members?: number;
  readonly perMember?: number;
  readonly rounds?: number;
  /** Opens the inspector of our side, for profiles. */
  readonly inspectorPort?: number;
  /** Called around each of our rounds, for profiles. */
  readonly around?: (round: () => Promise<void>) => Promise<void>;
}

/** Measures the row. */
export const measure: Measurement = (say) => measureDurable(say);

/** How commands travel on each side of a row. */
interface Contest {
  readonly name: string;
  readonly ours: Transport;
  readonly peer: Transport;
  readonly what: string;
}

type Transport = "socket" | "post";

/**
 * The first row is the way a busy client takes; the peer is the plainest thing that keeps what it is sent. The other
 * two hold the transport fixed.
 */
const CONTESTS: readonly Contest[] = [
  { name: "durable", ours: "socket", peer: "post", what: "our command sockets against the peer's POST" },
  { name: "durable: POST alone", ours: "post", peer: "post", what: "a POST a command on both sides" },
  {
    name: "durable: sockets alone",
    ours: "socket",
    peer: "socket",
    what: "sockets on both sides, the peer's held by the very object that inserts",
  },
];

const SOCKET_PATH = `/v1/regions/${REGION}/commands`;

/** Measures the rows with other sizes than the usual ones. */
export async function measureDurable(say: (line: string) => void, options: DurableOptions = {}) {
  const { members: size = 1_024, perMember = 6, rounds = 7, around = (round) => round() } = options;
  const [ours, peer] = await Promise.all([
    startStack({
      vars: { OPERATOR: OPERATOR_ADDRESS },
      ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
    }),
    startStack({ entryFile: "bench/peer-worker.js" }),
  ]);
  const load = new LoadProcess();
  const members = membersOf(size);
  const orders = new Array<number>(size * perMember).fill(0);
  /** Sends one round to a side; notes rate, slow answers and processor time under side and transport. */
  const sendRound = async (stack: Stack, transport: Transport, series: Series): Promise<void> => {
    const requests = roundOf(members, perMember, orders);
    const before = cpuMicroseconds(stack.workerdPid);
    const report = await load.expectAccepted({
      port: stack.port,
      connections: CLIENTS,
      requests,
      ...(transport === "socket" ? { socketPath: SOCKET_PATH } : {}),
    });
    series.cpu.push((cpuMicroseconds(stack.workerdPid) - before) / requests.length);
    series.slowest.push(percentile(report.latenciesMs, 0.99));
    series.rates.push(requests.length / report.seconds);
    if (stack.port !== ours.port) return;
    report.entries.forEach((entry, index) => {
      orders[index] = entry;
    });
  };
  const sides = {
    "ours/socket": () => around(() => sendRound(ours, "socket", measured["ours/socket"])),
    "ours/post": () => around(() => sendRound(ours, "post", measured["ours/post"])),
    "peer/post": () => sendRound(peer, "post", measured["peer/post"]),
    "peer/socket": () => sendRound(peer, "socket", measured["peer/socket"]),
  };
  const measured = {
    "ours/socket": emptySeries(),
    "ours/post": emptySeries(),
    "peer/post": emptySeries(),
    "peer/socket": emptySeries(),
  };
  try {
    say(`opening ${size} accounts with a session key each`);
    await settle(load, ours, members);
    const names = Object.keys(sides) as (keyof typeof sides)[];
    for (let round = 0; round <= rounds; round += 1) {
      // Who goes first changes, so that a slow stretch of the machine does not always meet the same side.
      for (const [index] of names.entries())
        await sides[names[(index + round) % names.length] as keyof typeof sides]();
      const last = names.map((name) => `${name} ${measured[name].rates.at(-1)?.toFixed(0)}/s`);
      say(`${round === 0 ? "warm-up" : `round ${round}`}: ${last.join(", ")}`);
    }
  } finally {
    load.stop();
    await Promise.all([ours.stop(), peer.stop()]);
  }
  const note = `medians of ${rounds} alternating rounds of ${size * perMember} signed orders, ${CLIENTS} clients, direct sockets`;
  return rowsOf(measured, note);
}

type Measured = Readonly<Record<`${"ours" | "peer"}/${Transport}`, Series>>;

/** A row a contest; the first round was for warming up and does not count. */
function rowsOf(measured: Measured, note: string) {
  for (const { rates, slowest, cpu } of Object.values(measured))
    for (const series of [rates, slowest, cpu]) series.shift();
  return CONTESTS.map(({ name, ours, peer, what }, index) => {
    const [our, their] = [measured[`ours/${ours}`], measured[`peer/${peer}`]];
    const ratio = median(our.rates) / median(their.rates);
    return compared({
      name,
      ours: median(our.rates),
      peer: median(their.rates),
      unit: "answers/s",
      higherIsBetter: true,
      ...(index > 0 ? {} : { limit: `ratio at least ${TARGET}`, isWithinLimit: ratio >= TARGET }),
      note: `${what}; ${note}; ours p99 ${median(our.slowest).toFixed(0)} ms, theirs ${median(their.slowest).toFixed(0)} ms; processor time an answer ${[our, their].map(({ cpu }) => median(cpu).toFixed(0)).join(" and ")} µs`,
    });
  });
}

/** What one side did over one transport, a value a round. */
interface Series {
  readonly rates: number[];
  /** 99th percentile of the answers' times, ms. */
  readonly slowest: number[];
  /** Processor time an answer, µs. */
  readonly cpu: number[];
}

const emptySeries = (): Series => ({ rates: [], slowest: [], cpu: [] });

/** Processor time of a process so far, by the system's hundredths of a second; 0 where it does not tell. */
function cpuMicroseconds(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  const fields = readFileSync(file, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Opens the region and its accounts, and authorises their session keys. */
export async function settle(
  load: LoadProcess,
  stack: { readonly url: string; readonly port: number },
  members: readonly Member[],
) {
  const send = (requests: readonly Prepared[]) =>
    load.expectAccepted({ port: stack.port, connections: Math.min(CLIENTS, requests.length), requests });
  await send([await openingRequest(stack.url, REGION)]);
  await send(await creditRequests(REGION, members));
  await send(await authorisationRequests(REGION, members));
}

/** Every member replaces the orders of its round before (the first round places them), each member's spread out. */
export function roundOf(
  members: readonly Member[],
  perMember: number,
  orders: readonly number[],
): Prepared[] {
  const requests: Prepared[] = [];
  for (let turn = 0; turn < perMember; turn += 1) {
    members.forEach((member, index) => {
      const replaces = orders[requests.length] as number;
      const command = orderOf(
        REGION,
        member.account,
        (turn + index) % 2 === 0 ? "sell" : "buy",
        2,
        index,
        replaces,
      );
      const path = `/v1/regions/${REGION}/orders`;
      requests.push(
        replaces === 0
          ? signedBySession(member, "POST", path, command)
          : signedBySession(member, "PUT", `${path}/${replaces}`, command),
      );
    });
  }
  return requests;
}
