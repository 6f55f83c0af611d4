// Owns the row `durable`: answers a second on the whole command path with 64 clients, against a Worker and object that
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
  readonly around?: (round: () => Promise<number>) => Promise<number>;
}

/** Measures the row. */
export const measure: Measurement = (say) => measureDurable(say);

/** Measures the row with other sizes than the usual ones. */
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
  try {
    const members = membersOf(size);
    say(`opening ${size} accounts with a session key each`);
    await settle(load, ours, members);
    const orders = new Array<number>(size * perMember).fill(0);
    const ourRates: number[] = [];
    const peerRates: number[] = [];
    const latencies: number[] = [];
    const cpu = new Map([ours, peer].map(({ port }) => [port, [] as number[]]));
    for (let round = 0; round <= rounds; round += 1) {
      const requests = roundOf(members, perMember, orders);
      const rateAt = async ({ port, workerdPid }: Stack): Promise<number> => {
        const before = cpuMicroseconds(workerdPid);
        const report = await load.expectAccepted({ port, connections: CLIENTS, requests });
        cpu.get(port)?.push((cpuMicroseconds(workerdPid) - before) / requests.length);
        if (port === ours.port) {
          report.entries.forEach((entry, index) => {
            orders[index] = entry;
          });
          latencies.push(percentile(report.latenciesMs, 0.99));
        }
        return requests.length / report.seconds;
      };
      // Who goes first changes, so that a slow stretch of the machine does not always meet the same side.
      const oursFirst = round % 2 === 0;
      let ourRate = oursFirst ? await around(() => rateAt(ours)) : 0;
      const peerRate = await rateAt(peer);
      if (!oursFirst) ourRate = await around(() => rateAt(ours));
      say(
        `${round === 0 ? "warm-up" : `round ${round}`}: ours ${ourRate.toFixed(0)}/s, peer ${peerRate.toFixed(0)}/s`,
      );
      if (round === 0) continue;
      ourRates.push(ourRate);
      peerRates.push(peerRate);
    }
    const ratio = median(ourRates) / median(peerRates);
    return [
      compared({
        name: "durable",
        ours: median(ourRates),
        peer: median(peerRates),
        unit: "answers/s",
        higherIsBetter: true,
        limit: `ratio at least ${TARGET}`,
        isWithinLimit: ratio >= TARGET,
        note: `medians of ${rounds} alternating rounds of ${size * perMember} signed orders, ${CLIENTS} clients, direct sockets; ours p99 ${median(latencies).toFixed(0)} ms; processor time an answer ${[ours, peer].map(({ port }) => median(cpu.get(port) as number[]).toFixed(0)).join(" and ")} µs`,
      }),
    ];
  } finally {
    load.stop();
    await Promise.all([ours.stop(), peer.stop()]);
  }
}

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
