// Owns the probes of a measurement: a process of its own that asks again and again, one request at a time on each
// connection, and notes how long each took. It refuses to judge; the phases are cut by the times it notes.

import { HttpConnection, requestBytes } from "./http-connection.ts";
import type { Prepared } from "./load-generator.ts";

/** Lists of requests, one for each connection, each sent in turn and from the beginning again; then begin and end. */
export type ProbeOrder =
  | { readonly port: number; readonly lists: readonly (readonly Prepared[])[] }
  | "begin"
  | "end";

/** One request: which list, when it was sent (Unix milliseconds) and how long its answer took. */
export interface Probe {
  readonly list: number;
  readonly sentMs: number;
  readonly tookMs: number;
  readonly status: number;
}

/** Time between an answer and the next request of a list: enough to see a stall of a few milliseconds. */
const PAUSE_MS = 1;

let isRunning = false;
let probes: Probe[] = [];

interface List {
  readonly port: number;
  readonly requests: readonly Buffer[];
  next: number;
}

let lists: List[] = [];

async function run(list: number, { port, requests }: List): Promise<void> {
  // A connection of its own for each stretch: the server closes idle ones.
  const connection = new HttpConnection(port);
  while (isRunning) {
    const { next } = lists[list] as List;
    (lists[list] as List).next = (next + 1) % requests.length;
    const started = performance.now();
    const { status } = await connection.send(requests[next] as Buffer);
    const tookMs = performance.now() - started;
    probes.push({ list, sentMs: performance.timeOrigin + started, tookMs, status });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  connection.close();
}

let running: Promise<unknown> = Promise.resolve();

async function obey(order: ProbeOrder): Promise<readonly Probe[]> {
  if (order === "end") {
    isRunning = false;
    await running;
    const noted = probes;
    probes = [];
    return noted;
  }
  if (order === "begin") {
    isRunning = true;
    running = Promise.all(lists.map((list, index) => run(index, list)));
    return [];
  }
  // Everything is made before the first request, so that no making is mistaken for waiting.
  lists = order.lists.map((requests) => ({
    port: order.port,
    requests: requests.map(({ method, path, body }) => requestBytes(method, path, body)),
    next: 0,
  }));
  return [];
}

if (process.send !== undefined && process.argv[2] === "probe") {
  process.on("message", (order: ProbeOrder) => {
    obey(order).then(
      (noted) => process.send?.(noted),
      (fault: Error) => process.send?.({ fault: fault.stack ?? String(fault) }),
    );
  });
}
